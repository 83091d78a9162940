import pytest

from bot.domain.learning import Example, Side, Source
from bot.domain.training_estimate import Pace, Training, TrainingEstimate, duration, estimated, in_words, trainings
from tests.samples import NOW

PACE = Pace(
    "CPU", begin_seconds=5.0, step_seconds=0.5, ask_seconds=0.01, memory_bytes=10**9, steps=(200,), checkpoints=8
)


def many(count: int) -> list[Example]:
    return [Example(f"parcel {n}", "delivery", Source.IMPORT, Side.TRAIN, NOW) for n in range(count)]


def test_a_training_is_its_beginning_its_steps_and_what_its_checkpoints_are_asked() -> None:
    estimate = estimated(PACE, [Training(1000, 100)], price_per_hour=0.0)
    assert estimate.seconds == pytest.approx(5 + 200 * 0.5 + 8 * 100 * 0.01)
    assert not estimate.rehearsed


def test_a_rehearsal_takes_its_time_and_no_more_memory() -> None:
    pace = Pace("CPU", 5.0, 0.5, 0.01, 10**9, steps=(200, 120), checkpoints=8)
    estimate = estimated(pace, [Training(400, 0), Training(260, 0)], price_per_hour=0.0)
    assert estimate.seconds == pytest.approx(2 * 5 + 320 * 0.5)
    assert (estimate.rehearsed, estimate.memory_bytes) == (True, 10**9)


def test_an_hour_costs_what_the_settings_say() -> None:
    assert TrainingEstimate(1800.0, 10**9, "CPU", False, price_per_hour=2.5).cost == pytest.approx(1.25)


@pytest.mark.parametrize("count", [30, 400, 2000])
def test_what_is_planned_is_what_a_cycle_trains(count: int) -> None:
    planned = trainings(many(count))
    assert sum((planned[0].learned, planned[0].kept_apart)) == count
    if count == 30:
        assert planned == [Training(30, 0)]
    if count == 400:
        assert planned[0] == Training(400, 0)
        assert 220 < planned[1].learned < 320
    if count == 2000:
        assert len(planned) == 1
        assert 140 < planned[0].kept_apart < 260


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "10 seconds"),
        (44, "40 seconds"),
        (89, "90 seconds"),
        (91, "2 minutes"),
        (240, "4 minutes"),
        (5390, "90 minutes"),
        (5400, "1.5 hours"),
        (90_000, "25.0 hours"),
    ],
)
def test_no_finer_than_it_is_good_for(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_in_words() -> None:
    plain = TrainingEstimate(240.0, 1_080_000_000, "CPU", False, 0.0)
    dear = TrainingEstimate(7200.0, 9_000_000_000, "NVIDIA H100", True, 2.5)
    assert in_words(plain) == "training takes about 4 minutes on this CPU, 1.1 GB of memory"
    assert in_words(dear) == (
        "training takes about 2.0 hours on this NVIDIA H100, rehearsal included, 9.0 GB of memory, for about 5.00"
    )
