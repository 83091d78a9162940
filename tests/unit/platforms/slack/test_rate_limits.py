"""The rate of posts: turns are assigned, and no task sleeps for one."""

from itertools import count

from bot.platforms.slack.rate_limits import Pace

POSTS = count(1)


def test_a_short_burst_is_said_at_once_and_then_one_a_second() -> None:
    pace = Pace()
    assert [pace.delay(next(POSTS), "C1", 100.0) for _ in range(8)] == [0, 0, 0, 0, 0, 1, 2, 3]


def test_a_turn_that_was_reserved_is_kept_and_taken_once() -> None:
    pace = Pace()
    for post in range(7):
        pace.delay(post, "C1", 100.0)
    assert pace.delay(6, "C1", 101.5) == 0.5
    assert pace.delay(6, "C1", 102.0) == 0
    assert pace.delay(7, "C1", 102.0) == 1.0


def test_one_channel_holds_up_no_other() -> None:
    pace = Pace()
    pace.hold("C1", 10.0, now=100.0)
    assert pace.delay(1, "C2", 100.0) == 0


def test_what_slack_wants_held_waits_also_where_a_turn_was_reserved() -> None:
    pace = Pace()
    for post in range(6):
        pace.delay(post, "C1", 100.0)
    pace.hold("C1", 30.0, now=100.5)
    assert pace.delay(5, "C1", 101.0) == 29.5
    assert pace.delay(5, "C1", 130.5) == 0


def test_channels_and_turns_that_are_long_over_are_forgotten() -> None:
    pace = Pace()
    for number in range(5_000):
        for _ in range(6):
            pace.delay(next(POSTS), f"C{number}", float(number))
    assert len(pace._next) < 1_100
    assert len(pace._turns) < 1_100
