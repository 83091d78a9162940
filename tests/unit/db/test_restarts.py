"""How long the embedded server stays down before it is started again."""

from itertools import pairwise

from db.server.embedded import pause_before_restart


def test_a_server_that_lasted_is_started_again_at_once_however_often_it_dies() -> None:
    pause: float | None = None
    for _ in range(20):
        pause = pause_before_restart(pause, lasted=8.0)
        assert pause == 0.0


def test_one_that_does_not_last_waits_longer_each_time_but_never_longer_than_five_seconds() -> None:
    pauses = [pause_before_restart(None, lasted=0.1)]
    for _ in range(9):
        pauses.append(pause_before_restart(pauses[-1], lasted=0.1))
    assert pauses[:5] == [0.0, 0.5, 1.0, 2.0, 4.0]
    assert all(earlier <= later for earlier, later in pairwise(pauses))
    assert pauses[-1] == 5.0
    assert pause_before_restart(pauses[-1], lasted=6.0) == 0.0
