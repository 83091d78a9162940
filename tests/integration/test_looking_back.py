"""`data` and `review` as people type them, over a real database: output and exit codes."""

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli
from db.engine import Database
from db.ledger import PostgresLedger
from tests.integration.db.scenes import asked

SETTINGS = """
[database]
url = "{url}"
[platforms.web]
[tasks.routing]
question = "Which team?"
fallback = "triage"
[tasks.routing.labels.billing]
means = "Invoices and charges"
deliver_to = {{ web = "billing" }}
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = {{ web = "triage" }}
"""
ROWS = """text,first_team,final_team
I was charged twice for the lamp,triage,billing
Who takes care of the garden,triage,triage
"""


@pytest.fixture
def settings(database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of a company in the tests' database, which the fixture has emptied."""
    monkeypatch.setenv("NO_COLOR", "1")
    file = tmp_path / "switchboard.toml"
    file.write_text(SETTINGS.format(url=database_url), "utf-8")
    return file


async def switchboard(*arguments: str, config: Path) -> Result:
    """The command runs its own event loop."""
    return await asyncio.to_thread(partial(CliRunner().invoke, cli, [*arguments, "--config", str(config)]))


async def test_data_says_where_examples_are_from_and_writes_its_page(settings: Path, tmp_path: Path) -> None:
    rows, page = tmp_path / "rows.jsonl", tmp_path / "data.html"
    done = await switchboard("data", "--json", "--rows", str(rows), "--html", str(page), config=settings)
    figures = json.loads(done.stdout)
    assert (done.exit_code, figures["labels"][0]["sources"]) == (1, {"settings": 1})
    assert figures["findings"][0]["refused"] and "nothing to learn from" in done.stderr
    assert [json.loads(line)["source"] for line in rows.read_text("utf-8").splitlines()] == ["settings", "settings"]
    assert page.read_text("utf-8").startswith("<!doctype html>")


async def test_reassignments_are_told_before_anything_is_stored(settings: Path, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text(ROWS, "utf-8")
    done = await switchboard("import", str(file), "--dry-run", config=settings)
    assert done.exit_code == 0
    assert "1 of 2 tickets (50%) were reassigned, most often triage → billing (1)" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay", "--adapter", "nosuch"), "no adapter called nosuch; there are none yet"),
        (("compare", "--since", "30d"), "nothing to judge by: of the conversations of routing"),
    ],
    ids=lambda one: str(one[0]),
)
async def test_what_is_refused_is_refused_before_a_model_is_loaded(
    settings: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    loaded: list[object] = []

    async def load(*_: object) -> None:
        loaded.append(_)
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("bot.model_stack.build_model_stack", load)
    done = await switchboard(*arguments, config=settings)
    assert (done.exit_code, loaded) == (2, [])
    assert said in " ".join(done.stderr.split())


async def test_review_puts_the_queue_on_stdout(settings: Path, database: Database) -> None:
    id = await asked(PostgresLedger(database, "tiny"))
    done = await switchboard("review", "--since", "5000d", config=settings)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [f"{id}\tunsure\tbilling\t0.50\twhere is my refund"]
    assert "1 conversation deserves a look" in done.stderr


async def test_a_span_that_is_none_is_a_mistake_of_usage(settings: Path) -> None:
    done = await switchboard("replay", "--since", "soon", config=settings)
    assert (done.exit_code, done.stdout) == (2, "") and "write it like 7d" in done.stderr
    done = await switchboard("replay", "--since", "1d", "--until", "2d", config=settings)
    assert done.exit_code == 2 and "--since 1d is not before --until 2d" in done.stderr
