"""How many calls a chat gets, and when the next one is due."""

import pytest

from bot.platforms.telegram.rate_limits import Pace, Window

ANN, BEN, TEAM = "111", "222", "-1001234567890"


def spoken(pace: Pace, chat: str, start: float, seconds: float) -> list[float]:
    """The times of calls to a chat that always has another call and waits as required."""
    now, sent = start, []
    while now < start + seconds:
        wait = pace.take(chat, now)
        if wait == 0:
            sent.append(now)
        now += wait
    return sent


def test_a_chat_gets_one_call_a_second_and_may_begin_with_a_short_burst() -> None:
    sent = spoken(Pace(), ANN, start=1_000.0, seconds=60)
    assert len(sent) == 60
    assert sent[:4] == [1_000.0, 1_000.0, 1_000.0, 1_003.0]


def test_a_group_gets_no_more_than_twenty_in_any_minute() -> None:
    sent = spoken(Pace(), TEAM, start=0.0, seconds=600)
    assert max(sum(1 for other in sent if at <= other < at + 60) for at in sent) == 20
    assert len(sent) == 200


def test_waiting_costs_nothing() -> None:
    pace = Pace()
    for _ in range(3):
        assert pace.take(ANN, 0.0) == 0
    assert [pace.take(ANN, 1.0) for _ in range(5)] == [2.0] * 5
    assert pace.take(ANN, 3.0) == 0


def test_calls_that_were_made_without_asking_count() -> None:
    pace = Pace()
    for _ in range(5):
        pace.count(ANN, 0.0)
    assert pace.take(ANN, 1.0) == 2.0
    assert pace.take(BEN, 1.0) == 0


def test_a_busy_chat_holds_up_no_other() -> None:
    pace = Pace()
    spoken(pace, TEAM, start=0.0, seconds=30)
    assert pace.take(TEAM, 30.0) > 0
    assert pace.take(ANN, 30.0) == 0


def test_all_chats_together_get_thirty_a_second() -> None:
    pace = Pace()
    waits = [pace.take(str(chat), 5.0) for chat in range(40)]
    assert waits == [0.0] * 30 + [1.0] * 10
    assert pace.take("99", 6.0) == 0


def test_a_chat_that_telegram_told_to_wait_rests_alone() -> None:
    pace = Pace()
    pace.rest(TEAM, until=12.5)
    assert pace.take(TEAM, 10.0) == pytest.approx(2.5)
    assert pace.take(BEN, 10.0) == 0
    assert pace.take(TEAM, 12.5) == 0


def test_chats_that_fell_silent_are_forgotten() -> None:
    pace = Pace()
    for chat in range(1, 5_000):
        pace.take(str(chat), float(chat))
    assert len(pace._chats) < 1_100


def test_an_unused_window_is_free_at_once() -> None:
    assert Window(1, 60.0).free_at(7.0) == 7.0
