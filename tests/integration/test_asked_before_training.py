"""`switchboard train` asks before it starts the model server, which takes half a minute."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import model_stack
from bot.commands import actions
from bot.commands.training_consent import Estimator
from bot.domain.errors import UsageError
from bot.domain.learning import Example, Side, Source
from bot.domain.tasks import Task
from bot.model_stack import ModelStack
from bot.settings import Settings
from bot.store import Store
from db.engine import Database
from db.examples import PostgresExamples
from tests.fakes import FakeProbe
from tests.integration.db.scenes import after
from tests.integration.test_looking_back import SETTINGS, switchboard

ASKS = "[tasks.routing.learning]\nask_above_minutes = {minutes}\n"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Records whether a model server was requested. None is started."""
    wanted: list[str] = []

    @asynccontextmanager
    async def refused(settings: Settings, store: Store, models: ModelStack) -> AsyncIterator[None]:
        wanted.append("server")
        raise UsageError("no server is started in this test")
        yield

    monkeypatch.setattr(model_stack, "model_running", refused)
    monkeypatch.setattr(model_stack, "ProbeProcess", FakeProbe)
    return wanted


@pytest.fixture
async def config(database: Database, database_url: str, tmp_path: Path) -> Path:
    """Enough to learn from, so that a training takes some minutes, and half a minute is allowed without asking."""
    examples = [
        Example(f"{label} number {n}", label, Source.IMPORT, side, after(0))
        for label in ("billing", "triage")
        for n in range(60)
        for side in [Side.HELD_OUT if n % 2 else Side.TRAIN]
    ]
    await PostgresExamples(database).add_examples("routing", examples)
    file = tmp_path / "switchboard.toml"
    file.write_text(SETTINGS.format(url=database_url) + ASKS.format(minutes=0.5), "utf-8")
    return file


@pytest.fixture
def elsewhere(config: Path) -> Path:
    """The same settings with a model server that somebody else runs, which is away."""
    with config.open("a", encoding="utf-8") as file:
        file.write('[model]\nserver = "http://127.0.0.1:9"\n')
    return config


async def test_where_nobody_is_there_to_be_asked_no_server_is_started(config: Path, started: list[str]) -> None:
    done = await switchboard("train", config=config)
    assert done.exit_code == 2
    assert "and nobody is there to be asked: add --yes" in " ".join(done.stderr.split())
    assert started == []


async def test_whoever_says_no_has_waited_for_no_server(
    config: Path, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def says_no(estimator: Estimator | None, task: Task, yes: bool) -> bool:
        assert estimator is not None
        return (await estimator(task)).seconds < 0

    monkeypatch.setattr(actions, "may_train", says_no)
    done = await switchboard("train", config=config)
    assert done.exit_code == 1
    assert "nothing was trained" in done.stderr
    assert started == []


async def test_whoever_agrees_gets_a_server(config: Path, started: list[str]) -> None:
    done = await switchboard("train", "--yes", config=config)
    assert "training takes about" in " ".join(done.stderr.split())
    assert started == ["server"]


async def test_where_there_is_nothing_to_learn_from_no_server_is_started(
    database: Database, database_url: str, tmp_path: Path, started: list[str]
) -> None:
    file = tmp_path / "switchboard.toml"
    file.write_text(SETTINGS.format(url=database_url), "utf-8")
    done = await switchboard("train", "--yes", config=file)
    assert (done.exit_code, started) == (2, [])
    assert "nothing to learn from" in " ".join(done.stderr.split())


async def test_a_server_of_somebody_elses_that_is_away_is_said_before_anything_is_estimated(
    elsewhere: Path, started: list[str]
) -> None:
    done = await switchboard("train", "--yes", config=elsewhere)
    assert (done.exit_code, started) == (1, [])
    said = " ".join(done.stderr.split())
    assert "start it, then train (model server 127.0.0.1:9: no connection" in said and "training takes" not in said
