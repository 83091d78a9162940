"""Commands once something was learned: train, promote, roll back, route, evaluate, compare, import and export."""

import asyncio
import html
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.learning import Side, side_of
from inference.http import open_line
from tests.acceptance.desk import ROWS, THINGS, jsonl, settings
from tests.acceptance.processes import Done, Home, free_address, running, until
from tests.worlds.company import Page, page

pytestmark = pytest.mark.vllm

ODD = {
    "long": "the fridge is broken " * 5_000,
    "nul": "the\x00 lawn\x00",
    "surrogate": "the engine \ud800 is broken",
    "right to left": "המקרר במטבח לא עובד",
    "emoji": "🔥🔥🔥",
    "joined": "👩‍👩‍👧‍👦 e\u0301 \u202e",
}
FIELDS = {"text", "label", "confidence", "probabilities", "by", "adapter"}


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@dataclass(frozen=True, slots=True)
class Taught:
    """A home in which the task was learned, and the results of its first three commands."""

    home: Home
    listen: str
    migrated: Done
    imported: Done
    trained: Done


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def taught(model_url: str, homes: Path) -> AsyncIterator[Taught]:
    folder, listen = homes / "taught", free_address()
    folder.mkdir()
    home = Home(folder)
    home.settings(settings(model_url, listen))
    home.file("rows.jsonl", jsonl(ROWS))
    migrated = await home.succeeds("migrate")
    imported = await home.succeeds("import", "rows.jsonl")
    trained = await home.does("train", "--json")
    await home.succeeds("promote", "desk-1")
    yield Taught(home, listen, migrated, imported, trained)
    await home.until_left_alone()


async def test_a_first_training_with_few_messages_to_judge_by_serves_only_by_hand(taught: Taught) -> None:
    assert "the database is at the newest schema" in taught.migrated.told
    assert f"{len(ROWS)} new examples, 0 known before, 0 bad lines" in taught.imported.told
    assert taught.trained.code == 1, taught.trained.err
    assert (taught.trained.json["adapter"], taught.trained.json["promoted"]) == ("desk-1", False)
    assert "held-out messages; 30 are the least" in str(taught.trained.json["reasons"])
    again = await taught.home.does("train", "--json")
    assert again.code == 1, again.err
    assert (again.json["adapter"], again.json["promoted"]) == ("desk-2", False)
    assert again.json["reasons"]
    models = await taught.home.succeeds("models", "--json")
    assert [(row["adapter"], row["serves"]) for row in json.loads(models.out)] == [("desk-1", True), ("desk-2", False)]
    told = json.loads((await taught.home.succeeds("history", "--json")).out)
    assert [(row["adapter"], row["what"], row["by"]) for row in told] == [
        ("desk-2", "refused", "gate"),
        ("desk-1", "serves", "command"),
        ("desk-1", "refused", "gate"),
    ]
    assert [row["against"] for row in told] == ["desk-1", None, None]
    assert 0 < told[0]["figures"]["n"] < 30


async def test_a_repeated_import_changes_nothing(taught: Taught) -> None:
    again = await taught.home.succeeds("import", "rows.jsonl")
    assert f"0 new examples, {len(ROWS)} known before" in again.told


async def test_what_is_exported_can_be_imported_elsewhere(taught: Taught, unserved: Home) -> None:
    file = unserved.folder / "exported.jsonl"
    await taught.home.succeeds("export", str(file))
    exported = _pairs(file.read_text("utf-8"))
    assert exported >= {(row["text"], row["label"]) for row in ROWS}
    await unserved.succeeds("import", file.name)
    assert _pairs((await unserved.succeeds("export")).out) >= exported
    for form in ("csv", "openai"):
        written = unserved.folder / f"exported.{form}"
        await taught.home.succeeds("export", str(written), "--format", form)
    done = await unserved.succeeds("import", "exported.openai")
    assert "0 new examples" in done.told
    done = await unserved.succeeds("import", "exported.csv")
    assert "0 new examples" in done.told


async def test_one_text_is_routed_for_people_and_for_scripts(taught: Taught) -> None:
    elsewhere = taught.home.folder / "elsewhere"
    elsewhere.mkdir()
    home = Home(elsewhere, {"SWITCHBOARD_CONFIG": "../switchboard.toml"})
    row = (await home.succeeds("route", "my saucepan is broken", "--json")).json
    assert set(row) >= FIELDS
    assert (row["text"], row["label"], row["adapter"]) == ("my saucepan is broken", "kitchen", "desk-1")
    assert isinstance(row["probabilities"], dict)
    assert set(row["probabilities"]) == set(THINGS)
    assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert row["confidence"] == max(row["probabilities"].values())
    done = await taught.home.succeeds("route", "my saucepan is broken")
    assert done.out.startswith("kitchen\t")


async def test_a_file_is_routed_in_order_and_odd_texts_are_no_trouble(taught: Taught) -> None:
    plain = [f"{row['text']} number {n}" for n, row in enumerate(ROWS * 3)][:300]
    texts = [*plain[:150], *ODD.values(), *plain[150:]]
    file = taught.home.file("many.jsonl", "".join(json.dumps({"text": text}) + "\n" for text in texts))
    done = await taught.home.succeeds("route", "--file", file, "--json")
    assert [row["text"] for row in done.lines] == texts
    for row in done.lines:
        assert row["label"] in THINGS
    right = [row["label"] == known["label"] for row, known in zip(done.lines[:150], ROWS * 2, strict=False)]
    assert sum(right) > 120
    bad = taught.home.file("empty.jsonl", jsonl([{"text": "the lawn"}, {"text": ""}, {"text": "the brakes"}]))
    done = await taught.home.does("route", "--file", bad, "--json")
    assert done.code == 1
    assert "line 2: text is missing or empty" in done.told
    assert [row["text"] for row in done.lines] == ["the lawn", "the brakes"]


async def test_odd_texts_on_the_command_line_are_no_trouble(taught: Taught) -> None:
    for text in ("", ODD["long"][:100_000], "the engine \udcff"):
        of_bytes = not text.isascii()  # which only the command line of a new program has
        done = await taught.home.succeeds("route", text, "--json", cold=of_bytes)
        assert done.json["label"] in THINGS


async def test_an_adapter_whose_server_is_gone_leaves_the_memory_to_answer(taught: Taught) -> None:
    config = taught.home.file("unserved.toml", settings(f"http://{free_address()}", free_address()))
    done = await taught.home.succeeds("route", "the fridge is broken again", "--json", "--config", config)
    assert (done.json["label"], done.json["by"], done.json["reason"]) == ("kitchen", "examples", "model_down")
    assert "until it answers, the other voices decide" in done.told


async def test_an_adapter_whose_files_are_missing_leaves_the_rest_deciding_and_is_named(
    taught: Taught, model_url: str
) -> None:
    runs = taught.home.folder / "var" / "runs"
    async with open_line(model_url) as server:
        await server.post("/v1/unload_lora_adapter", json={"lora_name": "desk-1"})
    runs.rename(runs.with_name("elsewhere"))
    try:
        done = await taught.home.succeeds("route", "the fridge is broken again", "--json")
        checked = await taught.home.does("check", "--json")
    finally:
        runs.with_name("elsewhere").rename(runs)
    assert (done.json["label"], done.json["by"], done.json["reason"]) == ("kitchen", "examples", "model_down")
    assert "desk-1 cannot be loaded" in done.told
    *proofs, found = [row for row in checked.lines if row["part"] == "model"]
    assert [row["ok"] for row in proofs] == [True] * 4, "the server itself is as it should be"
    assert (checked.code, found["ok"]) == (1, False)
    assert "desk-1 cannot be loaded" in str(found["remedy"]) and "switchboard rollback" in str(found["remedy"])
    assert (await taught.home.succeeds("route", "my saucepan is broken", "--json")).json["by"] == "model"


async def test_evaluate_prints_figures(taught: Taught) -> None:
    file = taught.home.file("labelled.jsonl", jsonl([row | {"text": f"hello, {row['text']}"} for row in ROWS]))
    row = (await taught.home.succeeds("evaluate", file, "--json", "--rows", "said.jsonl")).json
    assert row["n"] == len(ROWS)
    said = written(taught.home.folder / "said.jsonl")
    assert [one["truth"] for one in said] == [one["label"] for one in ROWS]
    assert {voice["voice"] for voice in said[0]["voices"]} >= {"words", "vectors"}
    assert {one["without_model"]["by"] for one in said} == {"examples"}
    assert sum(one["label"] == one["truth"] for one in said) / len(said) == pytest.approx(row["accuracy"])
    for name in ("accuracy", "macro_f1", "ece", "coverage_at_95"):
        assert isinstance(row[name], float)
    assert float(str(row["accuracy"])) > 0.8
    assert isinstance(row["by_language"], dict)
    english = row["by_language"]["en"]
    assert sum(of["n"] for of in row["by_language"].values()) == len(ROWS)
    assert set(english) == {"n", "accuracy", "coverage_at_95"} and english["n"] > len(ROWS) / 2
    assert isinstance(row["latency_ms"], dict)
    assert 0 < row["latency_ms"]["p50"] <= row["latency_ms"]["p95"]
    bad = taught.home.file("unknown.jsonl", jsonl([{"text": "the roof", "label": "attic"}]))
    done = await taught.home.does("evaluate", bad, "--json")
    assert (done.code, "line 1: unknown label 'attic'" in done.told) == (2, True)


async def test_compare_says_whether_the_model_is_worth_it(taught: Taught) -> None:
    """As docs/worth-it.md describes it, on messages that do not repeat anything that was learned."""
    moods = ("urgently", "again since yesterday", "for my neighbour upstairs", "before the holidays", "although new")
    rows = [
        {"text": f"{place} {thing} needs attention {mood}", "label": label}
        for place, mood in zip(("our", "that old", "somebody's", "every", "one"), moods, strict=True)
        for label, things in THINGS.items()
        for thing in things.split()
    ]
    learned = next(row for row in ROWS if side_of(row["text"]) is Side.TRAIN)
    file = taught.home.file("new.jsonl", jsonl([*rows, learned]))
    answers = taught.home.file("answers.jsonl", jsonl([*rows[:-2], {**rows[-2], "label": "I do not know"}]))
    asked = ("compare", file, "--json", "--html", "worth.html", "--task", "desk", "--predictions", f"gpt={answers}")
    done = await taught.home.succeeds(*asked)
    made: dict[str, Any] = json.loads(done.out)
    arms = {arm["arm"]: arm for arm in made["arms"]}
    own = ("majority", "words", "vectors", "neighbours", "adapter", "mixture", "mixture without adapter")
    assert set(arms) <= {*own, "gpt"} and set(arms) >= {"majority", "words", "mixture", "mixture without adapter"}
    assert (made["messages"], made["leaked"]) == (len(rows), 1)
    assert arms["mixture"]["against_served"] is None
    assert arms["majority"]["accuracy"] < 0.5 < arms["mixture"]["accuracy"]
    assert all(arms[name]["latency_ms"]["p50"] > 0 and arms[name]["per_1000"] > 0 for name in arms if name in own[1:])
    assert any("gpt: 1 message has no prediction, 1 prediction names no label" in note for note in made["notes"])
    page = taught.home.folder.joinpath("worth.html").read_text("utf-8")
    assert made["verdict"] in html.unescape(page)


async def test_promotion_and_rollback_disturb_nobody_who_writes(taught: Taught) -> None:
    """Runs last, because it needs the second training, and leaves the first model serving."""
    async with running(taught.home, "run", address=f"http://{taught.listen}"), page(f"http://{taught.listen}") as web:
        stop = asyncio.Event()
        writing = asyncio.create_task(_keep_writing(web, stop), name="people who write")
        try:
            await _served_by(taught.home, "desk-1")
            done = await taught.home.succeeds("promote", "desk-2")
            assert "desk-2 serves desk from the next message on" in done.told
            await _served_by(taught.home, "desk-2")
            done = await taught.home.succeeds("rollback")
            assert "desk-1 serves desk again" in done.told
            await _served_by(taught.home, "desk-1")
            unknown = await taught.home.does("promote", "desk-99")
            assert unknown.code == 2
        finally:
            stop.set()
            written = await writing
        decided = taught.home.rows("SELECT by, reason FROM decisions")
        assert len(decided) == written > 10
        assert set(decided) <= {("model", "confident"), ("memory", "remembered")}


async def _keep_writing(web: Page, stop: asyncio.Event) -> int:
    """People write one after the other, and each gets an answer; returns how many wrote."""
    written = 0
    while not stop.is_set():
        text = ROWS[written % len(ROWS)]["text"]
        answer = await web.heard(await web.write(f"{text}, says person {written}"))
        assert any(team in answer for team in THINGS)
        written += 1
    return written


async def _served_by(home: Home, adapter: str) -> None:
    [(newest,)] = home.rows("SELECT coalesce(max(id), 0) FROM decisions")

    async def does() -> bool:
        rows = home.rows("SELECT adapter FROM decisions WHERE id > %s", newest)
        return (adapter,) in rows[2:]

    await until(does)


def _pairs(lines: str) -> set[tuple[str, str]]:
    return {(row["text"], row["label"]) for row in map(json.loads, lines.splitlines())}
