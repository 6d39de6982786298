"""The far sides of a kill test are not well either: some creates go wrong, each in its own way."""

CREATE_PATHS = {"jira": "/rest/api/3/issue", "trello": "/1/cards"}
TROUBLE = ({"action": "commit_then_drop", "how": "rst"}, {"action": "late_commit", "how": "fin", "after_ms": 800}, {"action": "drop_before_commit"},
           {"action": "status", "status": 503}, {"action": "status", "status": 429, "retry_after_s": 1})
LATENCY = {"action": "latency", "ms": 150, "jitter_ms": 150}
SHARE = 0.02  # of each trouble


def is_create(kind):
    return {"method": "POST", "path": CREATE_PATHS[kind]}


def make_unwell(room, trouble=TROUBLE, first=()):
    """Simulators that answer slowly, with each `trouble` now and then; the rules in `first` come before."""
    for kind in CREATE_PATHS:
        now_and_then = [{"match": is_create(kind), "probability": SHARE, **one} for one in trouble]
        getattr(room, kind).rules(LATENCY, *({"match": is_create(kind), **one} for one in first), *now_and_then)
    room.jira.control("settings", {"index_lag_ms": [0, 5000], "key_gap": 0.1})


def make_well(room):
    for kind in CREATE_PATHS:
        getattr(room, kind).rules()
