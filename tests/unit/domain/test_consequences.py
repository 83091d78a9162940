"""What several answers together mean for a conversation."""

from datetime import timedelta

from bot.domain.consequences import Consequences, Effects, Follows, together
from bot.domain.messages import Place

ROOM = Place("web", "security")


def test_the_shortest_clock_counts_and_one_hold_is_enough() -> None:
    slow, fast = Consequences(sooner=timedelta(minutes=20)), Consequences(sooner=timedelta(minutes=5), hold=True)
    assert together([slow, fast, Consequences(first=True)]) == Effects(True, True, timedelta(minutes=5))
    assert together([]) == together([Consequences()]) == Effects()


def test_what_follows_is_named_in_one_order() -> None:
    everything = Consequences((ROOM,), (ROOM,), timedelta(seconds=90), hold=True, first=True)
    assert everything.kinds == (Follows.HOLD, Follows.SOONER, Follows.FIRST, Follows.TELL, Follows.ALSO_TO)
    assert Consequences().kinds == ()


def test_a_clock_is_told_in_whole_minutes() -> None:
    assert [Consequences(sooner=timedelta(seconds=s)).minutes for s in (10, 60, 100)] == [1, 1, 2]
    assert Consequences().minutes == 0
