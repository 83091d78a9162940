"""`switchboard corrections`: counts, a list without what people wrote, and a second lead's word by command."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.commands.corrections_report import accept_correction, count_corrections, list_corrections
from bot.domain.correction_life import CorrectionLife, Facts, Stage
from bot.domain.errors import UsageError
from bot.domain.guards import Held
from bot.domain.learning import Example, Side
from bot.domain.silent_signals import SignalKind
from tests.samples import NOW, TASK

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeCorrections:
    """One that waits for a second lead."""

    async def lives(self, task: str, limit: int) -> list[CorrectionLife]:
        return [CorrectionLife(7, "it", "slack:U1", AT, Facts(Side.TRAIN, held=Held.NEW_TEAM), "my password is 123")]

    async def learned(self, task: str, adapter: str) -> Sequence[tuple[int, Example]]:
        return []

    async def let_go(self, task: str, adapter: str, asked: Sequence[int], right: Sequence[int]) -> int:
        return 0

    async def accept(self, example: int, by: str, now: datetime) -> bool:
        return example == 7


def test_every_stage_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    count_corrections({("routing", Stage.RETIRED): 4, ("other", Stage.RETIRED): 9}, TASK, True, out)
    told = json.loads(out.getvalue())
    assert told.pop("task") == "routing"
    assert (told.pop("silent_confirmations"), told.pop("silent_corrections")) == (0, 0)
    assert told == {stage.value: 4 if stage is Stage.RETIRED else 0 for stage in Stage}
    count_corrections({("routing", Stage.RETIRED): 4}, TASK, False, out)
    assert "let go of by the memory" in capsys.readouterr().err


def test_what_was_shown_without_saying_it_is_reported_apart(capsys: pytest.CaptureFixture[str]) -> None:
    out, shown = io.StringIO(), {SignalKind.CONFIRMATION: 12, SignalKind.CORRECTION: 2}
    count_corrections({}, TASK, True, out, shown)
    told = json.loads(out.getvalue())
    assert (told["silent_confirmations"], told["silent_corrections"]) == (12, 2)
    count_corrections({}, TASK, False, out, shown)
    assert "12 answered and closed by their team, 2 handed on by no lead; they teach nobody" in capsys.readouterr().err
    heard = replace(TASK, learning=replace(TASK.learning, silent_signals=0.1))
    count_corrections({}, heard, False, out, shown)
    assert "they teach the adapter, at most 10% on top" in capsys.readouterr().err


async def test_what_people_wrote_is_listed_only_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    await list_corrections(FakeCorrections(), TASK, 10, False, True, out)
    row = json.loads(out.getvalue())
    assert (row["id"], row["stage"], row["held"], row["lead"]) == (7, "quarantined", "new_team", "slack:U1")
    assert "text" not in row
    await list_corrections(FakeCorrections(), TASK, 10, False, False, out)
    shown = capsys.readouterr().err
    assert "corrections accept ID" in shown
    assert "password" not in shown
    await list_corrections(FakeCorrections(), TASK, 10, True, False, out)
    assert "my password is 123" in capsys.readouterr().err


async def test_what_waits_for_nobody_cannot_be_accepted() -> None:
    await accept_correction(FakeCorrections(), 7, "ann", NOW)
    with pytest.raises(UsageError, match="8 waits for nobody"):
        await accept_correction(FakeCorrections(), 8, "ann", NOW)
