#!/usr/bin/env python3
"""The arithmetic of scripts/bench, as tables."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import figures  # noqa: E402
from figures import Goal, Post  # noqa: E402
from ideal import earliest_end, most_refusals  # noqa: E402


def post(number, due, answered, sent=None, status=202):
    return Post(number, due, due if sent is None else sent, answered, status)


class Times(unittest.TestCase):
    def test_a_percentile_is_a_value_that_was_seen(self):
        values = list(range(1, 101))
        for share, expected in ((50, 50), (99, 99), (99.9, 100), (100, 100), (0, 1), (1, 1)):
            self.assertEqual(figures.percentile(values[::-1], share), expected, share)
        self.assertEqual(figures.percentile([7], 99), 7)
        self.assertEqual(figures.percentile([1, 2, 3], 50), 2)
        with self.assertRaises(ValueError):
            figures.percentile([], 50)

    def test_lines_of_the_generator_are_read(self):
        read = figures.read_posts("0 1000000000 1500000000 2000000000 202\n1 2000000000 2000000000 0 0\n")
        self.assertEqual(read, [Post(0, 1.0, 1.5, 2.0, 202), Post(1, 2.0, 2.0, 0.0, 0)])

    def test_a_server_that_stands_still_cannot_hide_it(self):
        # Due every 10 ms, all held for a second, then answered at once: measured from when they were sent it would look like one slow post.
        posts = [post(n, n * 0.01, 1.0 + n * 0.0001, sent=max(n * 0.01, 1.0)) for n in range(100)]
        self.assertGreater(figures.percentile(figures.answer_times(posts), 50), 0.5)

    def test_refused_posts_count_for_nothing(self):
        posts = [post(0, 0, 1), post(1, 0, 2), post(2, 0, 9, status=503)]
        self.assertEqual(figures.rate(posts), 1.0)
        self.assertEqual(figures.answer_times(posts), [1, 2])
        self.assertEqual(figures.rate([post(0, 0, 1)]), 0.0)

    def test_the_spread_is_in_milliseconds(self):
        self.assertEqual(figures.spread([0.001, 0.002, 0.003]), {"p50_ms": 2.0, "p99_ms": 3.0, "p99_9_ms": 3.0, "most_ms": 3.0})

    def test_a_row_is_seen_at_the_first_look_that_shows_it(self):
        posts = [post(0, 0.0, 0.1), post(1, 1.0, 1.1), post(2, 2.0, 2.1), post(3, 2.5, 9, status=503)]
        numbers = {0: 11, 1: 13, 2: 12}  # not in the order of the posts
        sightings = [(0.5, 10), (0.6, 11), (3.0, 12), (4.0, 14)]
        self.assertEqual(sorted(figures.seen_times(posts, numbers, sightings)), [0.6, 1.0, 3.0])

    def test_a_row_that_was_never_seen_is_no_figure(self):
        with self.assertRaisesRegex(ValueError, "never seen"):
            figures.seen_times([post(0, 0.0, 0.1)], {0: 5}, [(1.0, 4)])
        with self.assertRaisesRegex(ValueError, "became nothing"):
            figures.seen_times([post(0, 0.0, 0.1)], {}, [(1.0, 4)])


class Ratios(unittest.TestCase):
    def test_the_medians_are_compared(self):
        self.assertEqual(figures.ratio([50, 1, 60], [100, 100, 9999]), 0.5)
        for ours, reference in (([], []), ([1], [1, 2]), ([1], [0])):
            with self.assertRaises(ValueError):
                figures.ratio(ours, reference)

    def test_a_slow_or_unsteady_reference_is_not_believed(self):
        self.assertEqual(figures.reference_doubts("it", [900, 1000, 1100], 500), [])
        self.assertIn("implausibly slow", figures.reference_doubts("it", [400, 410, 420], 500)[0])
        self.assertIn("unsteady", figures.reference_doubts("it", [600, 1000, 1300], 500)[0])
        self.assertEqual(len(figures.reference_doubts("it", [0, 0, 0], 500)), 2)

    def test_a_machine_that_others_use_is_not_believed(self):
        self.assertEqual(figures.machine_doubts(0.05, 900, 100), [])
        self.assertIn("others used 40%", figures.machine_doubts(0.4, 900, 100)[0])
        self.assertIn("disk", figures.machine_doubts(0.0, 9, 100)[0])


class Verdicts(unittest.TestCase):
    GOALS = [Goal("fast", 10, True, "a second"), Goal("small", 5, False, "MB"), Goal("built", 1, True)]

    def verdicts(self, **values):
        return [verdict for _, _, verdict in figures.judge(self.GOALS, values)]

    def test_limits_are_reached_exactly(self):
        self.assertEqual(self.verdicts(fast=10, small=5, built=1), ["reached"] * 3)
        self.assertEqual(self.verdicts(fast=9.99, small=5.01, built=0), ["MISSED"] * 3)

    def test_what_does_not_exist_has_not_passed(self):
        judged = figures.judge(self.GOALS, {"fast": 10, "small": 5})
        self.assertEqual(judged[2][2], "not built")
        self.assertFalse(figures.has_passed(judged, []))

    def test_a_doubt_is_no_pass(self):
        judged = figures.judge(self.GOALS, {"fast": 10, "small": 5, "built": 1})
        self.assertTrue(figures.has_passed(judged, []))
        self.assertFalse(figures.has_passed(judged, ["others used the machine"]))

    def test_goals_say_what_they_want(self):
        self.assertEqual([goal.words() for goal in self.GOALS], ["≥ 10 a second", "≤ 5 MB", "≥ 1"])


class Ideal(unittest.TestCase):
    def test_one_window_is_over_at_once(self):
        self.assertAlmostEqual(earliest_end(10, 1.0, [(0, 10)], 0.2), 0.2)

    def test_further_windows_are_waited_for(self):
        self.assertAlmostEqual(earliest_end(11, 1.0, [(0, 10)], 0.2), 1.2)
        self.assertAlmostEqual(earliest_end(100, 1.0, [(0, 10)], 0.2), 9.2)

    def test_a_change_between_windows(self):
        self.assertAlmostEqual(earliest_end(40, 1.0, [(0, 10), (1.0, 5), (3.0, 20)], 0.0), 3.0)

    def test_a_rise_within_a_window_gives_the_difference(self):
        self.assertAlmostEqual(earliest_end(15, 1.0, [(0, 10), (0.5, 15)], 0.0), 0.5)

    def test_a_fall_within_a_window_takes_nothing_back(self):
        self.assertAlmostEqual(earliest_end(12, 1.0, [(0, 10), (0.5, 2)], 0.0), 1.0)

    def test_a_window_of_nothing_is_waited_out(self):
        self.assertAlmostEqual(earliest_end(20, 1.0, [(0, 10), (1.0, 0), (2.0, 10)], 0.0), 2.0)

    def test_what_never_ends_is_said(self):
        for allowances in ([], [(1.0, 5)], [(0, 5), (1.0, 0)]):
            with self.assertRaises(ValueError):
                earliest_end(10, 1.0, allowances, 0.0)

    def test_one_refusal_for_each_change_and_worker(self):
        self.assertEqual(most_refusals(2, 2), 4)


if __name__ == "__main__":
    unittest.main()
