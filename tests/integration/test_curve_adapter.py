"""`switchboard curve --adapter` asks before it trains, and looks for the model server before minutes are spent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import model_stack
from bot.commands import curve_adapter
from bot.domain.errors import Unreachable
from bot.domain.learning import Example, Side, Source
from bot.model_stack import ModelStack
from bot.settings import Settings
from bot.store import Store
from db.engine import Database
from db.examples import PostgresExamples
from tests.fakes import FakeProbe
from tests.integration.db.scenes import after
from tests.integration.test_looking_back import SETTINGS, switchboard

ASKS = "[tasks.routing.learning]\nask_above_minutes = 0.5\n[model]\nruns = {runs}\n"
THINGS = "invoice parcel laptop password refund contract holiday printer".split()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Records whether a model server was requested. None is started, and requests to it fail."""
    wanted: list[str] = []

    @asynccontextmanager
    async def away(settings: Settings, store: Store, models: ModelStack) -> AsyncIterator[None]:
        wanted.append("server")
        yield

    async def loaded() -> frozenset[str]:
        raise Unreachable("no connection")

    monkeypatch.setattr(curve_adapter, "model_running", away)
    monkeypatch.setattr(model_stack, "ProbeProcess", FakeProbe)
    monkeypatch.setattr("inference.adapters.VllmAdapters.loaded", lambda _self: loaded())
    return wanted


@pytest.fixture
async def config(database: Database, database_url: str, tmp_path: Path) -> Path:
    examples = [
        Example(f"{word} the {thing}{' please' * (side is Side.HELD_OUT)}", label, Source.IMPORT, side, after(0))
        for label, words in (("billing", ("pay", "charge")), ("triage", ("move", "paint")))
        for word in words
        for n, thing in enumerate(THINGS)
        for side in [Side.HELD_OUT if n > 3 else Side.TRAIN]
    ]
    await PostgresExamples(database).add_examples("routing", examples)
    file = tmp_path / "switchboard.toml"
    runs = f'"{tmp_path / "var" / "runs"}"'
    file.write_text(SETTINGS.format(url=database_url) + ASKS.format(runs=runs), "utf-8")
    return file


async def test_trainings_are_estimated_together_and_nobody_there_means_none(config: Path, started: list[str]) -> None:
    done = await switchboard("curve", "--adapter", config=config)
    said = " ".join(done.stderr.split())
    assert (done.exit_code, started) == (2, [])
    assert "2 adapters are to be trained" in said, "5 a team, and all"
    assert "training takes about 2 minutes on this CPU" in said
    assert "nobody is there to be asked: add --yes" in said


async def test_a_server_that_is_away_is_said_before_anything_is_trained(config: Path, started: list[str]) -> None:
    done = await switchboard("curve", "--adapter", "--yes", "--draws", "2", config=config)
    said = " ".join(done.stderr.split())
    assert (done.exit_code, started) == (1, ["server"])
    assert "--adapter needs the model server: start it, or leave --adapter out (no connection)" in said
    assert not list((config.parent / "var" / "runs").glob("routing-curve-*"))
