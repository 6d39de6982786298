"""line: from the post to the committed row, for a flood, with confirmation mails, and at an ordinary pace. Search does not exist yet."""

import contextlib
import sqlite3
import subprocess
import threading
import time

import figures
from figures import Goal
from room import Room

GOALS = [Goal("rows_per_second", 3_000, True, "a second"), Goal("confirmed_per_second", 800, True, "a second"), Goal("row_p50_ms", 5, False, "ms"), Goal("row_p99_ms", 30, False, "ms"),
         Goal("searchable", 1, True)]


class Watch(threading.Thread):
    """Looks every millisecond which ticket's number is the highest that is committed."""

    PAUSE = 0.001

    def __init__(self, room):
        super().__init__(daemon=True)
        self.room, self.sightings, self.is_over, self.failure = room, [], False, None

    def run(self):
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.room.home}/data/postroom.sqlite?mode=ro", uri=True, timeout=10)) as database:
                last = None
                while not self.is_over:
                    number = database.execute("SELECT value FROM counters WHERE name = 'ticket_number'").fetchone()
                    at = time.monotonic()
                    if number and number[0] != last:
                        last = number[0]
                        self.sightings.append((at, last))
                    time.sleep(self.PAUSE)
        except sqlite3.Error as wrong:
            self.failure = wrong

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.is_over = True
        self.join()
        if self.failure:
            raise self.failure


def flood(room, board, tag, sizes, **options):
    """(rows committed a second, from the first post sent to the last row seen; accepted posts)"""
    above = room.last_number()
    with Watch(room) as watch:
        posts = figures.read_posts(room.load(board, tag, connections=sizes.connections, **options))
        good = figures.accepted(posts)
        room.quiet(len(good), above)
        time.sleep(0.05)
    seen = [at for at, number in watch.sightings if number >= above + len(good)]
    if len(good) < 2 or not seen:
        raise AssertionError(f"{len(good)} posts were accepted, {len(seen)} sightings of the last")
    return len(good) / (seen[0] - min(post.sent for post in good)), len(good)


def times_to_row(room, board, sizes):
    """Seconds from when each post was due until its row was committed, at a steady rate."""
    above = room.last_number()
    with Watch(room) as watch:
        posts = figures.read_posts(room.load(board, "paced", rate=sizes.line_rate, seconds=sizes.open_seconds, connections=sizes.connections))
        room.quiet(len(figures.accepted(posts)), above)
        time.sleep(0.05)
    return figures.seen_times(posts, room.numbers("paced", above), watch.sightings), len(posts) - len(figures.accepted(posts))


class Sink:
    """The far side of confirmation mails."""

    def __init__(self, room):
        self.process = subprocess.Popen([room.tools / "bench_mail_sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        room.guard.say("watch", self.process.pid)
        self.port = int(self.process.stdout.readline().split()[2])

    def taken(self):
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def confirmed_rate(room, board, sizes):
    """(tickets a second, from the first post until the last creator's mail was taken; rows a second meanwhile)"""
    with contextlib.closing(Sink(room)) as sink:
        way_out = room.change("POST", "/v1/connections", {"name": "sink", "kind": "smtp", "base_url": f"smtp://127.0.0.1:{sink.port}", "account": "postroom", "secret": "any"}).data["id"]
        room.send_through(way_out)
        began = time.monotonic()
        rows, accepted = flood(room, board, "told", sizes, count=sizes.confirmed, seconds=600, creators=True)
        room.until(lambda: sink.taken() >= accepted, lambda: f"{accepted} mails, {sink.taken()} came", 900)
        return accepted / (time.monotonic() - began), rows


def measure(programs, tools, sizes):
    with Room(programs, tools) as room:
        board = room.board("Line")
        flood(room, board, "warm", sizes, seconds=sizes.line_seconds / 10)
        with room.counting() as counts:
            rows, posted = flood(room, board, "flood", sizes, seconds=sizes.line_seconds)
        times, refused = times_to_row(room, board, sizes)
        confirmed, confirmed_rows = confirmed_rate(room, board, sizes)
    spread = {f"row_{name}": value for name, value in figures.spread(times).items()}
    values = {"rows_per_second": round(rows), "posted": posted, **spread, "paced_refused": refused, "confirmed_per_second": round(confirmed), "rows_per_second_with_mails": round(confirmed_rows),
              "searchable": None}
    return {"figures": values, "goals": GOALS, "counts": counts.told(), "doubts": []}
