"""The stage of a correction follows only from what is stored about it."""

import pytest

from bot.domain.correction_life import Facts, Stage, stage_of
from bot.domain.guards import Held
from bot.domain.learning import Side

TRAIN = Facts(Side.TRAIN)


@pytest.mark.parametrize(
    ("facts", "stage"),
    [
        (TRAIN, Stage.REMEMBERED),
        (Facts(Side.TRAIN, drawn=True), Stage.IN_TRAINING),
        (Facts(Side.TRAIN, drawn=True, learned_by="routing-2"), Stage.LEARNED),
        (Facts(Side.TRAIN, drawn=True, learned_by="routing-2", retired_by="routing-2"), Stage.RETIRED),
        (Facts(Side.TRAIN, held=Held.CONTRADICTED, drawn=True), Stage.QUARANTINED),
        (Facts(Side.TRAIN, held=Held.TOO_MANY), Stage.QUARANTINED),
        (Facts(Side.TRAIN, held=Held.DISPUTED), Stage.DISPUTED),
        (Facts(Side.TRAIN, True, Held.DISPUTED, True, "routing-2", "routing-2"), Stage.WITHDRAWN),
        (Facts(Side.HELD_OUT, drawn=True, learned_by="routing-2"), Stage.REMEMBERED),
    ],
)
def test_a_correction_is_at_one_stage(facts: Facts, stage: Stage) -> None:
    assert stage_of(facts) is stage
