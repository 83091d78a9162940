"""Proof and erasure, as people and scripts read them."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from bot import app
from bot.cli import cli
from bot.commands.actions import check, forgotten, known, person
from bot.domain.errors import UsageError
from bot.domain.failures import FailedItem, ItemKey
from bot.domain.messages import Person
from bot.domain.queries import Erased
from bot.domain.tasks import Task
from bot.platforms import Finding
from bot.settings import Settings
from tests.fakes_failed_items import FakeFailedItems
from tests.samples import NOW

SETTINGS = """
[platforms.web]
[tasks.routing]
question = "Which team?"
[tasks.routing.labels.billing]
means = "Invoices"
deliver_to = { web = "billing" }
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = { web = "triage" }
"""
GOOD = ("database", Finding("it answers", True))
BAD = ("slack", Finding("the room of billing", False, "invite the bot: /invite @switchboard"))
REPEATED = ("web", Finding("web: rooms of teams", True))


async def findings(*found: tuple[str, Finding]) -> AsyncIterator[tuple[str, Finding]]:
    for one in found:
        yield one


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings, in which commands are run."""
    (tmp_path / "switchboard.toml").write_text(SETTINGS, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWITCHBOARD_CONFIG", raising=False)
    return tmp_path


# --- check ---


async def test_a_finding_is_a_line_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    assert not await check(findings(GOOD, BAD, REPEATED), False, out)
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == ["✓ database: it answers", "✗ slack: the room of billing"]
    assert said[2].strip() == "→ invite the bot: /invite @switchboard"
    assert said[3] == "✓ web: rooms of teams"
    assert out.getvalue() == ""


async def test_findings_for_scripts_are_json_a_line_each() -> None:
    out = io.StringIO()
    assert not await check(findings(BAD, GOOD), True, out)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert rows[0] == {
        "part": "slack",
        "what": "the room of billing",
        "ok": False,
        "remedy": "invite the bot: /invite @switchboard",
    }
    assert [row["ok"] for row in rows] == [False, True]


async def test_all_good_is_good() -> None:
    assert await check(findings(GOOD, REPEATED), False, io.StringIO())


def test_a_platform_that_is_not_set_up_is_named_with_those_that_are() -> None:
    known(None, {"web"})
    known("web", {"web", "slack"})
    with pytest.raises(UsageError, match="telegram is not set up; platforms here are slack, web"):
        known("telegram", {"web", "slack"})


@pytest.mark.parametrize(("arguments", "live"), [((), False), (("--live",), True), (("web", "--json"), False)])
def test_the_exit_code_says_whether_everything_works(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], live: bool
) -> None:
    asked: list[tuple[str | None, bool]] = []

    def proof(settings: Settings, which: str | None, live: bool) -> AsyncIterator[tuple[str, Finding]]:
        asked.append((which, live))
        return findings(GOOD, *([BAD] if which is None else []))

    monkeypatch.setattr(app, "check", proof)
    done = CliRunner().invoke(cli, ["check", *arguments])
    which = "web" if "web" in arguments else None
    assert asked == [(which, live)]
    assert done.exit_code == (1 if which is None else 0)
    assert ("Put an emoji on each" in done.stderr) == live


def test_checking_what_is_not_set_up_is_a_usage_error(home: Path) -> None:
    done = CliRunner().invoke(cli, ["check", "slack"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "slack is not set up; platforms here are web" in done.stderr


# --- forget ---


@pytest.mark.parametrize("written", ["", "web", "web:", ":5", "irc:5", "5"])
def test_whoever_cannot_be_meant_is_said_how_to_write(written: str) -> None:
    with pytest.raises(UsageError, match=r"is nobody; write PLATFORM:USER, like telegram:111222333 \(platforms: slack"):
        person(written, {"web", "slack", "telegram"})


def test_a_person_is_a_platform_and_an_id_there() -> None:
    assert person(" slack:U0ANN ", {"slack"}) == Person("slack", "U0ANN")
    assert person("web:a:b", {"web"}).id == "a:b"


def test_an_erasure_says_what_went_and_who_had_learned(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    forgotten(Person("web", "customer"), Erased(3, 2, ("routing-3", "routing-4"), NOW), True, out)
    assert json.loads(out.getvalue()) == {
        "person": "web:customer",
        "conversations": 3,
        "examples": 2,
        "elsewhere": 0,
        "adapters": ["routing-3", "routing-4"],
        "serve_until": NOW.isoformat(),
    }
    said = capsys.readouterr().err
    assert "web:customer: 3 conversations and 2 examples are erased" in said
    assert "learned from a text of theirs: routing-3, routing-4" in said
    assert f"they may serve until {NOW:%Y-%m-%d} at the latest; a learning cycle without it is asked for" in said


def test_an_erasure_of_nobody_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    forgotten(Person("web", "nobody"), Erased(0, 0, ()), False, io.StringIO())
    assert capsys.readouterr().err.strip() == (
        "no words of web:nobody are left to erase; `switchboard audit web:nobody` shows what else is held"
    )


def test_words_in_others_conversations_are_counted_and_an_adapter_that_learned_from_them_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    forgotten(Person("web", "lead"), Erased(0, 0, ("routing-3",), NOW, 2), False, io.StringIO())
    said = capsys.readouterr().err
    assert "web:lead: 0 conversations, 0 examples and 2 texts in others' conversations are erased" in said
    assert "learned from a text of theirs: routing-3" in said and f"may serve until {NOW:%Y-%m-%d}" in said


@pytest.mark.parametrize(
    ("arguments", "typed", "erased"), [(("--yes",), "", True), ((), "y\n", True), ((), "n\n", False)]
)
def test_nobody_is_forgotten_unasked(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], typed: str, erased: bool
) -> None:
    gone: list[Person] = []

    async def forget(settings: Settings, person: Person) -> Erased:
        gone.append(person)
        return Erased(1, 0, ())

    monkeypatch.setattr(app, "forget", forget)
    done = CliRunner().invoke(cli, ["forget", "web:customer", "--json", *arguments], input=typed)
    assert (done.exit_code, gone) == ((0, [Person("web", "customer")]) if erased else (1, []))
    assert len(done.stdout.splitlines()) == (1 if erased else 0)


def test_without_anybody_to_ask_nobody_is_forgotten(home: Path) -> None:
    done = CliRunner().invoke(cli, ["forget", "web:customer"], input="")
    assert (done.exit_code, done.stdout) == (1, "")


# --- init ---


def test_init_writes_settings_and_says_what_is_next(home: Path) -> None:
    begun = CliRunner().invoke(cli, ["init", "telegram", "--config", "new.toml"])
    assert (begun.exit_code, begun.stdout) == (0, "")
    assert "Written: new.toml" in begun.stderr
    assert "1. Telegram: talk to @BotFather" in begun.stderr
    again = CliRunner().invoke(cli, ["init", "telegram", "--config", "new.toml"])
    assert (again.exit_code, again.stdout) == (2, "")
    assert "new.toml: here already, nothing was written; --force overwrites" in again.stderr
    assert CliRunner().invoke(cli, ["init", "telegram", "--config", "new.toml", "--force"]).exit_code == 0


# --- failed ---


@pytest.fixture
def failures(home: Path, monkeypatch: pytest.MonkeyPatch) -> FakeFailedItems:
    """One item is set aside in the store that commands open."""
    found = FakeFailedItems()
    key = ItemKey("press", "7", 3)
    found.aside[key] = FailedItem(1, "press", "7", 3, "KeyError", 5, NOW, NOW)

    @asynccontextmanager
    async def open_store(settings: Settings) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(failures=found)

    monkeypatch.setattr("bot.commands.failed.open_store", open_store)
    return found


def test_what_is_set_aside_is_listed_for_scripts_and_for_people(failures: FakeFailedItems) -> None:
    scripted = CliRunner().invoke(cli, ["failed", "list", "--json"])
    assert json.loads(scripted.stdout) == {
        "id": 1,
        "step": "press",
        "item": "7",
        "conversation": 3,
        "reason": "KeyError",
        "attempts": 5,
        "first_at": "2026-11-23T12:00:00+00:00",
        "last_at": "2026-11-23T12:00:00+00:00",
    }
    shown = CliRunner().invoke(cli, ["failed", "list"])
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "KeyError" in shown.stderr and "switchboard failed retry ID" in shown.stderr


@pytest.mark.parametrize("act", ["retry", "drop"])
@pytest.mark.parametrize("which", ["1", "--all"])
def test_what_is_set_aside_is_tried_again_or_dropped(failures: FakeFailedItems, act: str, which: str) -> None:
    done = CliRunner().invoke(cli, ["failed", act, which])
    assert (done.exit_code, failures.aside) == (0, {})
    assert "1 (press 7) is" in done.stderr
    assert "nothing is set aside" in CliRunner().invoke(cli, ["failed", "list"]).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["9"], "not set aside: 9; see `switchboard failed list`"),
        ([], "name the ids that `switchboard failed list` shows, or say --all"),
        (["1", "--all"], "name the ids that `switchboard failed list` shows, or say --all"),
    ],
)
def test_a_wrong_choice_changes_nothing_and_says_how_to_choose(
    failures: FakeFailedItems, arguments: list[str], said: str
) -> None:
    done = CliRunner().invoke(cli, ["failed", "retry", *arguments])
    assert (done.exit_code, len(failures.aside)) == (2, 1)
    assert said in " ".join(done.stderr.split())


# --- commands that ask about many texts ---


@pytest.mark.parametrize(
    ("arguments", "asked_much"),
    [
        (("evaluate", "rows.jsonl"), "routing"),
        (("compare", "rows.jsonl"), "routing"),
        (("route", "--file", "rows.jsonl"), "routing"),
        (("route", "where is my invoice?"), None),
    ],
)
def test_whoever_asks_many_texts_holds_the_memory(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], asked_much: str | None
) -> None:
    opened: list[str | None] = []

    @asynccontextmanager
    async def stack(settings: Settings, asked_much: Task | None = None, first: object = None) -> AsyncIterator[None]:
        opened.append(asked_much.name if asked_much else None)
        raise UsageError("no model here")
        yield

    for module in ("bot.cli", "bot.commands.compare"):
        monkeypatch.setattr(f"{module}.open_model_stack", stack)
    (home / "rows.jsonl").write_text('{"text": "my invoice", "label": "billing"}\n', "utf-8")
    done = CliRunner().invoke(cli, list(arguments))
    assert (opened, done.exit_code) == ([asked_much], 2)
    assert "no model here" in done.stderr
