"""`switchboard compare --since`: a file or a time, never both, and the message if nothing was settled."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.commands.settled_messages import asked_when, settled_between
from bot.demo import company
from bot.domain.errors import UsageError
from bot.domain.outcomes import Outcome
from tests.samples import NOW, TASK
from tests.unit.domain.test_settled import HELD_OUT, outcome


@dataclass
class FakeOutcomes:
    """Knows these outcomes, and records what was asked for."""

    known: Sequence[Outcome] = ()
    asked: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    async def outcomes(
        self, task: str, since: datetime, until: datetime, limit: int, vectors_by: str | None = None
    ) -> Sequence[Outcome]:
        self.asked.append((task, since, until))
        return self.known[-limit:]


def test_it_is_a_file_or_a_time_and_never_both() -> None:
    with pytest.raises(UsageError, match="both a file and --since"):
        asked_when(Path("labelled.jsonl"), "30d", TASK, NOW)
    with pytest.raises(UsageError, match="nothing to judge by; name a labelled file"):
        asked_when(None, None, TASK, NOW)
    assert asked_when(Path("labelled.jsonl"), None, TASK, NOW) is None


@pytest.mark.parametrize("flags", [[], ["--since", "last week"], ["x.jsonl", "--since", "30d"]])
def test_the_command_ends_with_2_and_a_sentence(flags: list[str]) -> None:
    done = CliRunner().invoke(cli, ["compare", *flags, "--config", str(company.SETTINGS)])
    assert done.exit_code == 2
    assert "--since" in done.stderr and "Traceback" not in done.stderr


async def test_the_outcomes_of_that_time_are_asked_for() -> None:
    outcomes, when = FakeOutcomes([outcome(HELD_OUT[0])]), (NOW.replace(day=1), NOW)
    found = await settled_between(outcomes, TASK, when)
    assert [one.text for one in found.examples] == [HELD_OUT[0]]
    assert outcomes.asked == [(TASK.name, *when)]


async def test_where_nothing_was_settled_it_is_said_why_nothing_can_be_judged() -> None:
    unsettled = [outcome(text, settled=False, said=False) for text in HELD_OUT]
    with pytest.raises(UsageError, match=f"{len(HELD_OUT)} were settled by nobody, 0 are on the side that is learned"):
        await settled_between(FakeOutcomes(unsettled), TASK, (NOW.replace(day=1), NOW))
