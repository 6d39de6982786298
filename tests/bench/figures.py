"""The arithmetic of scripts/bench: times of posts, rates, ratios, and what makes a figure worth nothing. No clock, no file, no process: figures_test.py."""

import dataclasses
import math
import statistics

NS = 1e9
UNSTEADY = 2.0       # the fastest round of a reference may be this much faster than its slowest
MOST_BY_OTHERS = 0.15  # of the machine


@dataclasses.dataclass(frozen=True)
class Post:
    """One line of bench_load. Times in seconds of one clock; status 0: never answered."""

    number: int
    due: float
    sent: float
    answered: float
    status: int


def read_posts(text):
    posts = []
    for line in text.splitlines():
        number, due, sent, answered, status = (int(word) for word in line.split())
        posts.append(Post(number, due / NS, sent / NS, answered / NS, status))
    return posts


def percentile(values, share):
    """The smallest value that at least `share` percent of the values do not exceed."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


def spread(values):
    """p50, p99, p99.9 and the most, of seconds, in milliseconds."""
    return {name: round(percentile(values, share) * 1000, 3) for name, share in (("p50_ms", 50), ("p99_ms", 99), ("p99_9_ms", 99.9), ("most_ms", 100))}


def accepted(posts):
    return [post for post in posts if post.status == 202]


def answer_times(posts):
    """Seconds from when each accepted post was due until its answer."""
    return [post.answered - post.due for post in accepted(posts)]


def rate(posts):
    """Accepted posts a second, from the first one sent to the last one answered."""
    good = accepted(posts)
    if len(good) < 2:
        return 0.0
    return len(good) / (max(post.answered for post in good) - min(post.sent for post in good))


def seen_times(posts, numbers, sightings):
    """Seconds from when each accepted post was due until it was seen.

    `numbers`: post → the serial number of what it became; `sightings`: (time, highest serial number seen), ascending. Serial numbers appear in their order.
    """
    if missing := [post.number for post in accepted(posts) if post.number not in numbers]:
        raise ValueError(f"{len(missing)} accepted posts became nothing, the first is {missing[0]}")
    wanted = sorted((numbers[post.number], post.due) for post in accepted(posts))
    found, at = [], 0
    for serial, due in wanted:
        while at < len(sightings) and sightings[at][1] < serial:
            at += 1
        if at == len(sightings):
            raise ValueError(f"number {serial} was never seen")
        found.append(sightings[at][0] - due)
    return found


def ratio(ours, reference):
    """Of the medians of rounds that took turns."""
    if not ours or len(ours) != len(reference):
        raise ValueError("rounds must come in pairs")
    below = statistics.median(reference)
    if below <= 0:
        raise ValueError("a reference that did nothing")
    return statistics.median(ours) / below


def reference_doubts(name, rounds, least):
    """Why a reference's rounds (the higher the better) cannot be believed."""
    doubts = []
    if statistics.median(rounds) < least:
        doubts.append(f"the reference, {name}, is implausibly slow: {statistics.median(rounds):.0f}, where any such machine does {least:.0f}")
    if min(rounds) <= 0 or max(rounds) / min(rounds) > UNSTEADY:
        doubts.append(f"the reference, {name}, is unsteady: {min(rounds):.0f} to {max(rounds):.0f}")
    return doubts


def machine_doubts(by_others, syncs_per_second, least_syncs):
    """Why the machine was not fit to measure on: the share of it that others used, and how often a second its disk keeps a small write."""
    doubts = []
    if by_others > MOST_BY_OTHERS:
        doubts.append(f"others used {by_others:.0%} of the machine, at most {MOST_BY_OTHERS:.0%} is fair")
    if syncs_per_second < least_syncs:
        doubts.append(f"the disk is implausibly slow: {syncs_per_second:.0f} small writes kept a second, where any such machine does {least_syncs:.0f}")
    return doubts


@dataclasses.dataclass(frozen=True)
class Goal:
    """What a row is to reach; `limit` is the least (or the most) of the figure."""

    figure: str
    limit: float
    is_least: bool
    unit: str = ""

    def verdict(self, value):
        if value is None:
            return "not built"
        return "reached" if (value >= self.limit if self.is_least else value <= self.limit) else "MISSED"

    def words(self):
        return f"{'≥' if self.is_least else '≤'} {self.limit:g}{' ' + self.unit if self.unit else ''}"


def judge(goals, figures):
    """[(goal, value, verdict)]; what was not measured because it does not exist is `not built`, which is not passed."""
    return [(goal, figures.get(goal.figure), goal.verdict(figures.get(goal.figure))) for goal in goals]


def has_passed(judged, doubts):
    return not doubts and all(verdict == "reached" for _, _, verdict in judged)
