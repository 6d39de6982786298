"""The reference of `dispatch`: the earliest end that a far side's limits allow to `count` requests, for a sender who knows them all beforehand."""


def earliest_end(count, interval, allowances, latency):
    """Seconds from the first request to the last answer.

    The far side counts in windows of `interval` seconds that follow each other from the first request on, and takes in each at most what is allowed.
    `allowances`: [(since, requests in a window)], ascending, the first since 0; a change in the middle of a window counts what was taken before it, as the
    simulators do. The sender uses up every window the moment it opens, and never waits for an answer.
    """
    if not allowances or allowances[0][0] != 0:
        raise ValueError("what is allowed at first?")
    if any(most <= 0 for _, most in allowances[-1:]) or interval <= 0:
        raise ValueError("it would never end")
    moments = [since for since, _ in allowances]

    def allowed(at):
        return [most for since, most in allowances if since <= at][-1]

    left, window, last = count, 0, 0.0
    while left > 0:
        opens, closes = window * interval, (window + 1) * interval
        taken = 0
        for at in [opens] + [moment for moment in moments if opens < moment < closes]:
            room = min(left, max(0, allowed(at) - taken))
            if room > 0:
                taken, left, last = taken + room, left - room, at
        window += 1
    return last + latency


def most_refusals(changes, workers):
    """How many 429 are forgiven: one for each change of the limit and worker."""
    return changes * workers
