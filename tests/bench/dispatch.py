"""dispatch: a shelf of tickets goes out to a far side that announces its limit in headers only and changes it twice, against the ideal schedule."""

import time

import figures
from figures import Goal
from ideal import earliest_end, most_refusals
from room import Room

GOALS = [Goal("of_ideal", 1.15, False), Goal("refusals_over", 0, False)]
WORKERS = 2
INTERVAL = 1.0  # seconds, of the far side's windows


def first_create(room):
    creates = room.trello.creates()
    return creates[0]["t"] if creates else None


def go_out(room, connection, sizes):
    """(when the first create came, [(since then, allowed)] as it was, when all deliveries were done)"""
    room.change("PATCH", f"/v1/connections/{connection}", {"is_paused": False})
    began = room.until(lambda: first_create(room), "the first create")
    allowances = [(0, sizes.allowances[0][1])]
    for since, most in sizes.allowances[1:]:
        time.sleep(max(0, began + since - time.monotonic()))
        room.trello.control("settings", {"token_max": most})
        allowances.append((time.monotonic() - began, most))

    def is_done():
        return room.rows("SELECT count(*) AS n FROM deliveries WHERE state = 'done'")[0]["n"] >= sizes.creates

    room.until(is_done, "the last delivery", 600)
    return began, allowances, time.monotonic()


def measure(programs, tools, sizes):
    with Room(programs, tools, workers=f"trello={WORKERS}", simulators=True) as room:
        connection = room.connection("trello")
        board = room.trello_board("Dispatch", connection)
        room.change("PATCH", f"/v1/connections/{connection}", {"is_paused": True})
        room.load(board, "dispatch", count=sizes.creates, seconds=600, connections=sizes.connections)
        room.quiet(sizes.creates)
        room.trello.control("settings", {"token_max": sizes.allowances[0][1], "interval_ms": int(INTERVAL * 1000)})
        room.trello.rules({"action": "latency", "ms": sizes.latency * 1000, "match": {"method": "POST"}})
        with room.counting() as counts:
            began, allowances, ended = go_out(room, connection, sizes)
        log = [line for line in room.trello.log() if line["method"] == "POST" and line["path"].startswith("/1/cards")]
    made = [line for line in log if line["committed"]]
    refused = [line for line in log if line["status"] == 429]
    if len({line["title"] for line in made}) != sizes.creates or len(made) != sizes.creates:
        raise AssertionError(f"{len(made)} cards with {len({line['title'] for line in made})} titles for {sizes.creates} tickets")
    ideal = earliest_end(sizes.creates, INTERVAL, allowances, sizes.latency)
    forgiven = most_refusals(len(allowances) - 1, WORKERS)
    values = {"seconds": round(ended - began, 2), "of_ideal": round((ended - began) / ideal, 3), "refusals": len(refused), "refusals_forgiven": forgiven,
              "refusals_over": max(0, len(refused) - forgiven), "creates_per_second": round(sizes.creates / (ended - began), 1),
              "allowances": [(round(since, 2), most) for since, most in allowances]}
    return {"figures": values, "reference": {"the ideal schedule, seconds": [round(ideal, 2)]}, "goals": GOALS, "counts": counts.told(), "doubts": []}
