"""A server that does not answer is not asked for a time, and is tested again by a single question."""

from dataclasses import dataclass

import pytest

from bot.domain.errors import Refused, Unreachable
from inference.circuit_breaker import FAILURES, PAUSE, Circuit, CircuitBreaker


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("model server", clock)


def fails(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Unreachable, match="timed out"), breaker.call():
            raise Unreachable("timed out")


def not_asked(breaker: CircuitBreaker) -> None:
    with pytest.raises(Unreachable, match="model server: not asked"), breaker.call():
        raise AssertionError("it was asked")


def test_it_opens_after_three_failures_in_a_row(breaker: CircuitBreaker) -> None:
    fails(breaker, FAILURES - 1)
    assert breaker.closed
    fails(breaker)
    assert breaker.state is Circuit.OPEN
    not_asked(breaker)


def test_an_answer_in_between_begins_the_count_anew(breaker: CircuitBreaker) -> None:
    fails(breaker, FAILURES - 1)
    with breaker.call():
        pass
    fails(breaker, FAILURES - 1)
    assert breaker.closed


def test_a_refusal_is_an_answer(breaker: CircuitBreaker) -> None:
    fails(breaker, FAILURES - 1)
    with pytest.raises(Refused), breaker.call():
        raise Refused("400")
    fails(breaker)
    assert breaker.closed


def test_after_a_pause_one_call_finds_out_and_the_others_are_not_made(breaker: CircuitBreaker, clock: Clock) -> None:
    fails(breaker, FAILURES)
    clock.now += PAUSE - 0.1
    not_asked(breaker)
    clock.now += 0.1
    with breaker.call():
        assert breaker.state is Circuit.HALF_OPEN
        not_asked(breaker)
    assert breaker.closed


def test_a_probe_that_fails_opens_it_for_another_pause(breaker: CircuitBreaker, clock: Clock) -> None:
    fails(breaker, FAILURES)
    clock.now += PAUSE
    fails(breaker)
    assert breaker.state is Circuit.OPEN
    not_asked(breaker)
    clock.now += PAUSE
    with breaker.call():
        pass
    assert breaker.closed


def test_a_probe_that_was_given_up_leaves_the_question_to_the_next(breaker: CircuitBreaker, clock: Clock) -> None:
    fails(breaker, FAILURES)
    clock.now += PAUSE
    with pytest.raises(KeyboardInterrupt), breaker.call():
        raise KeyboardInterrupt
    with breaker.call():
        pass
    assert breaker.closed
