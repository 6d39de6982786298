"""intake: posts to 202, over keep-alive connections, against a bare publisher of the same bodies."""

import json
import pathlib
import secrets
import subprocess
import uuid

import figures
from figures import Goal
from room import Counts, Room

GOALS = [Goal("of_reference", 0.65, True), Goal("api_cpu_us", 25, False, "µs a ticket"), Goal("open_p99_ms", 10, False, "ms")]
LEAST_REFERENCE = 8_000  # messages a second


class Publisher:
    """bench_publisher with what it needs."""

    def __init__(self, room, board, text_size):
        self.room, password = room, secrets.token_hex(16)
        room.rabbit.add_bench_user(password)
        message = {"ticket_id": str(uuid.uuid4()), "board_id": board, "arrival": "public", "actor": "public", "title": "intake 12345", "description": "x" * text_size}
        for name, content in (("bench-password", password), ("bench-body", json.dumps(message))):
            (room.home / "run" / name).write_text(content)

    def rate(self, count):
        """Messages a second, published and confirmed; a queue of their own that nobody reads."""
        run = self.room.home / "run"
        told = subprocess.run([self.room.tools / "bench_publisher", "--port", str(self.room.broker_port), "--vhost", "bench", "--user", "bench", "--password", run / "bench-password",
                               "--body", run / "bench-body", "--count", str(count), "--window", "64"], check=True, capture_output=True, text=True).stdout.split()
        return int(told[0]) / float(told[1])


def closed_round(room, board, tag, sizes):
    """(posts a second, µs of the api's processor time a post)"""
    before = room.cpu()["api-1"]
    posts = figures.read_posts(room.load(board, tag, seconds=sizes.intake_seconds, connections=sizes.connections))
    spent = room.cpu()["api-1"] - before
    return figures.rate(posts), spent / max(1, len(figures.accepted(posts))) * 1e6, len(figures.accepted(posts)), len(posts)


def measure(programs, tools, sizes):
    with Room(programs, tools) as room:
        board = room.board("Intake")
        publisher = Publisher(room, board, 600)
        _, _, promised, _ = closed_round(room, board, "warm", sizes)
        room.quiet(promised)
        reference, ours, cpu, refused = [], [], [], 0
        counts = Counts()
        for number in range(sizes.rounds):
            for is_ours in (True, False) if number % 2 else (False, True):
                if not is_ours:
                    reference.append(publisher.rate(sizes.intake_reference))
                    continue
                with room.counting(counts):
                    rate, spent, accepted, posted = closed_round(room, board, f"intake{number}", sizes)
                    ours, cpu, promised, refused = [*ours, rate], [*cpu, spent], promised + accepted, refused + posted - accepted
                    room.quiet(promised)
        with room.paused("ledger-1"):
            alone, alone_cpu, accepted, _ = closed_round(room, board, "alone", sizes)
        promised += accepted
        room.quiet(promised)
        opened = figures.read_posts(room.load(board, "open", rate=sizes.intake_rate, seconds=sizes.open_seconds, connections=sizes.connections))
        promised += len(figures.accepted(opened))
        room.quiet(promised)
        recorded = room.rows("SELECT count(*) AS n FROM tickets")[0]["n"]
    times = figures.spread(figures.answer_times(opened))
    values = {"posts_per_second": round(figures.statistics.median(ours)), "of_reference": round(figures.ratio(ours, reference), 3), "api_cpu_us": round(figures.statistics.median(cpu), 1),
              "ledger_standing_still_posts_per_second": round(alone), "ledger_standing_still_api_cpu_us": round(alone_cpu, 1),
              **{f"open_{name}": value for name, value in times.items()}, "refused": refused, "open_refused": len(opened) - len(figures.accepted(opened)), "promised": promised, "recorded": recorded}
    doubts = figures.reference_doubts("a bare publisher", reference, LEAST_REFERENCE)
    if recorded != promised:
        doubts.append(f"{promised} tickets were promised and {recorded} recorded")
    return {"figures": values, "reference": {"a bare publisher, messages a second": [round(one) for one in reference]}, "rounds": [round(one) for one in ours], "goals": GOALS,
            "counts": counts.told(), "doubts": doubts}
