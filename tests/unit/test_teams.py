"""`switchboard teams`: what it prints, and which texts of a file a split moves."""

import io
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.commands.team_changes import change_team, list_teams, texts_to_split
from bot.domain.errors import UsageError
from bot.domain.tasks import Label, Task
from bot.domain.team_changes import Kind, KnownLabel, MadeChange, Moves, TeamChange, Touched

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TASK = Task("routing", "Which team?", (Label("access", "passwords"), Label("triage", "the rest")), "triage")
TASKS = (TASK, Task("subject.legal", "?", (Label("yes", "law"), Label("no", "else")), "no", part_of="subject"))
TOUCHED = Touched(examples=3, corrections=1, adapters=1)
RENAME = TeamChange(Kind.RENAME, "acess", "access", "ann")


@dataclass(frozen=True)
class FakeTeamChanges:
    """What the database knows, and what a change of it would move."""

    touched: Touched = TOUCHED

    async def labels(self, task: str) -> list[KnownLabel]:
        return [KnownLabel("access", 4, 1, 2), KnownLabel("acess", 3, 3)]

    async def learned(self) -> list[KnownLabel]:
        return [KnownLabel("routing", 7, 4), KnownLabel("subject.legal", 5, 2)]

    async def made(self, task: str) -> list[MadeChange]:
        return [MadeChange(Kind.MERGE, "old", "access", "ann", AT, {"examples": 7})]

    async def change(self, task: Task, wanted: TeamChange, moves: Moves, now: datetime, dry_run: bool) -> Touched:
        return self.touched


async def test_every_label_is_listed_and_what_nobody_hears_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    await list_teams(FakeTeamChanges(), TASK, TASKS, True, out)
    told = json.loads(out.getvalue())
    assert [(row["label"], row["in_settings"], row["examples"]) for row in told["labels"]] == [
        ("access", True, 4),
        ("triage", True, 0),
        ("acess", False, 3),
    ]
    assert [(one["kind"], one["before"], one["after"], one["by"]) for one in told["changes"]] == [
        ("merge", "old", "access", "ann")
    ]
    await list_teams(FakeTeamChanges(), TASK, TASKS, False, out)
    said = " ".join(capsys.readouterr().err.split())
    assert "3 corrections of 'acess' are heard by nobody" in said
    assert "'subject.legal'" not in said
    part = replace(TASK, name="subject.law", part_of="subject")
    await list_teams(FakeTeamChanges(), TASK, [TASK, part], False, out)
    said = " ".join(capsys.readouterr().err.split())
    assert "2 corrections and 3 examples of the question 'subject.legal' are heard by nobody" in said
    assert "'routing'" not in said
    out = io.StringIO()
    await list_teams(FakeTeamChanges(), TASK, [TASK, part], True, out)
    assert json.loads(out.getvalue())["questions_not_in_settings"] == {"subject.legal": 5}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_followed_is_counted_on_stdout_and_said_on_stderr(
    dry_run: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.StringIO()
    await change_team(FakeTeamChanges(), TASK, RENAME, dry_run, True, out)
    row = json.loads(out.getvalue())
    assert (row["from"], row["to"], row["dry_run"], row["examples"], row["codes"]) == ("acess", "access", dry_run, 3, 0)
    said = capsys.readouterr().err
    assert "3 examples, 1 correction, 1 adapter" in said
    assert ("nothing was changed" in said) is dry_run


def test_of_a_file_with_labels_a_split_takes_those_of_the_new_team(tmp_path: Path) -> None:
    labelled, plain = tmp_path / "labelled.jsonl", tmp_path / "plain.jsonl"
    labelled.write_text('{"text": "a", "label": "access"}\n{"text": "b", "label": "triage"}\n')
    plain.write_text('{"text": "a"}\n{"text": "b"}\n')
    assert texts_to_split(labelled, TASK, "access") == ("a",)
    assert texts_to_split(plain, TASK, "access") == ("a", "b")


def test_a_file_without_a_text_for_the_team_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"text": "b", "label": "triage"}\n')
    with pytest.raises(UsageError, match="no text for access"):
        texts_to_split(other, TASK, "access")
    other.write_text('{"text": "b", "label": "acess"}\n')
    with pytest.raises(UsageError, match="nothing was changed"):
        texts_to_split(other, TASK, "access")


def test_texts_to_split_without_a_first_line_say_to_write_one_and_name_no_flag(tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("I forgot my password\nThe key card does not open\n", "utf-8")
    with pytest.raises(UsageError) as error:
        texts_to_split(lines, TASK, "access")
    assert str(error.value) == (
        f"{lines}: no column is called text or the like; columns are I forgot my password; "
        "call the column with the texts so, in the first line: text"
    )


@pytest.mark.parametrize(
    ("texts", "says"),
    [(("a",), "the text is no example of triage; nothing was"), (("a", "b"), "none of the 2 texts is an example of")],
)
async def test_a_split_of_texts_that_are_no_examples_says_so(
    capsys: pytest.CaptureFixture[str], texts: tuple[str, ...], says: str
) -> None:
    wanted = TeamChange(Kind.SPLIT, "triage", "access", "ann", texts)
    await change_team(FakeTeamChanges(touched=Touched()), TASK, wanted, False, False, io.StringIO())
    assert says in capsys.readouterr().err
