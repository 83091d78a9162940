"""The commands, as people type and script them: real processes, one home, a small task that is learned in seconds."""

import asyncio
import html
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.learning import Side, side_of
from inference.http import open_line
from tests.acceptance.company import Page, page
from tests.acceptance.processes import Done, Home, free_address, running, until

pytestmark = pytest.mark.vllm

THINGS = {
    "kitchen": "oven kettle fridge sink dishwasher toaster saucepan cutlery",
    "garden": "lawn hedge roses sprinkler greenhouse compost orchard wheelbarrow",
    "garage": "tyre engine brakes gearbox bumper clutch radiator headlight",
}
PHRASES = (
    "the {} is broken",
    "please have a look at the {} today",
    "who takes care of our {}?",
    "something is wrong with the {}, can you help",
    "there is a strange smell near the {}",
)
ROWS = [
    {"text": phrase.format(thing), "label": label}
    for phrase in PHRASES
    for label, things in THINGS.items()
    for thing in things.split()
]
ODD = {
    "long": "the fridge is broken " * 5_000,
    "nul": "the\x00 lawn\x00",
    "surrogate": "the engine \ud800 is broken",
    "right to left": "המקרר במטבח לא עובד",
    "emoji": "🔥🔥🔥",
    "joined": "👩‍👩‍👧‍👦 e\u0301 \u202e",
}
FIELDS = {"text", "label", "confidence", "probabilities", "by", "adapter"}


def settings(model: str, listen: str) -> str:
    labels = "".join(
        f'[tasks.desk.labels.{name}]\nmeans = "Everything in the {name}"\n'
        f'emoji = {{ web = "{emoji}" }}\ndeliver_to = {{ web = "{name}" }}\n'
        for name, emoji in zip(THINGS, "🍳🌳🚗", strict=True)
    )
    return f"""
[model]
server = "{model}"
[web]
listen = "{listen}"
[conversation]
settle_seconds = 0.1
per_person_minute = 0
[platforms.web]
[tasks.desk]
question = "Where is it?"
fallback = "garage"
ask_below = 0.0
{labels}"""


def jsonl(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@dataclass(frozen=True, slots=True)
class Taught:
    """A home in which the task was learned, and how its first three commands ended."""

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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unserved(homes: Path) -> AsyncIterator[Home]:
    """A home whose model server is gone."""
    folder = homes / "unserved"
    folder.mkdir()
    home = Home(folder)
    home.settings(settings(f"http://{free_address()}", free_address()))
    yield home
    await home.until_left_alone()


# --- before anything is learned ---


async def test_every_command_explains_itself(unserved: Home) -> None:
    everything = await unserved.succeeds("--help")
    names = (
        "demo init check run migrate backup restore route import export train evaluate compare models history shadow "
        "promote rollback forget"
    ).split()
    for name in names:
        done = await unserved.succeeds(name, "--help")
        assert f"│ {name} " in everything.out
        assert re.search(rf"Usage: (python -m bot\.cli|switchboard) {name} ", done.out)
        assert len(done.out.splitlines()) > 6


async def test_five_mistakes_are_named_at_once(unserved: Home) -> None:
    broken = (
        settings("nowhere", "here")
        .replace('fallback = "garage"', 'fallback = "garrage"')
        .replace('emoji = { web = "🌳" }', 'emoji = { web = "🍳" }')
        .replace('means = "Everything in the garage"', "")
    )
    done = await unserved.does("migrate", "--config", unserved.file("broken.toml", broken))
    assert done.code == 2
    for key in (
        "model.server:",
        "web.listen:",
        "tasks.desk.fallback: no label called 'garrage'",
        "tasks.desk.labels.garden.emoji.web: 🍳 already means kitchen",
        "tasks.desk.labels.garage.means: missing",
    ):
        assert key in done.told
    assert "Traceback" not in done.err


async def test_no_settings_is_a_sentence(homes: Path) -> None:
    folder = homes / "bare"
    folder.mkdir()
    done = await Home(folder).does("models")
    assert done.code == 2
    assert "switchboard.toml: no such file" in done.told


async def test_a_taken_port_is_a_sentence(unserved: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        config = unserved.file("taken.toml", settings("http://127.0.0.1:9", listen))
        done = await unserved.does("run", "--config", config)
    assert done.code == 2
    assert f"web.listen: {listen} is taken by another program" in done.told
    assert len(done.err.splitlines()) == 1


async def test_a_file_with_bad_lines_is_refused_whole_or_kept_in_part(unserved: Home) -> None:
    lines = [*jsonl(ROWS[:4]).splitlines(), '{"text": "the oven"', "[1]", '{"text": " ", "label": "garden"}']
    lines += [
        '{"text": "the roof", "label": "attic"}',
        '{"text": 5, "label": "garden"}',
        *jsonl(ROWS[4:6]).splitlines(),
    ]
    file = unserved.file("bad.jsonl", "\n".join(lines))
    refused = await unserved.does("import", file)
    assert refused.code == 2
    for number in range(5, 10):
        assert f"bad.jsonl: line {number}: " in refused.told
    assert "unknown label 'attic'; labels are kitchen, garden, garage" in refused.told
    assert "nothing was imported" in refused.told
    kept = await unserved.succeeds("import", file, "--skip-bad")
    assert "6 new examples, 0 known before, 5 bad lines left out" in kept.told
    csv = unserved.file(
        "bad.csv", "text,label\nthe oven smokes,kitchen\nthe roses,garden,more\nthe brakes squeak,garage\n"
    )
    refused = await unserved.does("import", csv)
    assert (refused.code, "bad.csv: line 3: 3 fields where the header has 2" in refused.told) == (2, True)


async def test_a_dead_model_server_is_said_and_the_memory_answers(unserved: Home) -> None:
    unserved.file("rows.jsonl", jsonl(ROWS))
    await unserved.succeeds("import", "rows.jsonl")
    done = await unserved.succeeds("route", "the fridge is broken again", "--json")
    assert (done.json["label"], done.json["by"], done.json["adapter"]) == ("kitchen", "examples", None)
    assert done.json["reason"] in {"model_down", "not_trained"}
    lost = await unserved.succeeds("route", "zzz qqq xxx", "--json")
    assert lost.json["would_ask"], "nobody is sure of what nobody can read"


async def test_a_newcomer_begins_and_finds_out_what_works(homes: Path) -> None:
    folder = homes / "newcomer"
    folder.mkdir()
    home = Home(folder)
    begun = await home.succeeds("init", "web")
    assert begun.out == ""
    assert "Prove that all of it works: switchboard check" in begun.told
    mine = folder.joinpath("switchboard.toml").read_text("utf-8")
    again = await home.does("init", "web")
    assert (again.code, folder.joinpath("switchboard.toml").read_text("utf-8")) == (2, mine)
    assert "switchboard.toml: here already, nothing was written; --force overwrites" in again.told
    checked = await home.succeeds("check", "web", "--json")
    assert {(row["part"], row["ok"]) for row in checked.lines} == {("web", True)}
    assert "✓ web:" in checked.told
    await home.until_left_alone()


async def test_check_names_what_does_not_work_and_what_to_do(unserved: Home) -> None:
    done = await unserved.does("check", "--json")
    assert done.code == 1, done.err
    found = {row["part"]: row for row in done.lines}
    assert (found["database"]["ok"], found["web"]["ok"], found["model"]["ok"]) == (True, True, False)
    assert str(found["model"]["remedy"]) in done.told
    assert "Traceback" not in done.err
    absent = await unserved.does("check", "slack")
    assert (absent.code, "slack is not set up; platforms here are web" in absent.told) == (2, True)


async def test_somebody_is_forgotten_while_the_bot_runs(homes: Path) -> None:
    folder, listen = homes / "forgetting", free_address()
    folder.mkdir()
    home = Home(folder)
    home.settings(settings(f"http://{free_address()}", listen))
    bot = await home.start("run")
    try:
        await bot.until_says("Switchboard runs on web")
        async with page(f"http://{listen}") as web:
            await web.heard(await web.write("my kettle called Zebulon is broken"))
            figures = (await web.web.get("/metrics")).text
        assert 'switchboard_week{what="decided"} 1.0' in figures and "switchboard_database_up 1.0" in figures
        assert "Zebulon" not in figures + bot.said()
        assert _words(home) != []
        refused = await home.does("forget", "web:customer")
        assert (refused.code, refused.out) == (1, "")
        done = await home.succeeds("forget", "web:customer", "--yes", "--json")
        assert (done.json["person"], done.json["conversations"]) == ("web:customer", 1)
        assert _words(home) == []
        again = await home.succeeds("forget", "web:customer", "--yes")
        assert "nothing is known about web:customer" in again.told
        unknown = await home.does("forget", "customer", "--yes")
        assert (unknown.code, "write PLATFORM:USER" in unknown.told) == (2, True)
        assert (await bot.stops()).code == 0
    finally:
        bot.kill()
        await bot.process.wait()
    await home.until_left_alone()


def _words(home: Home) -> list[str]:
    """The tables in which the name of the kettle stands."""
    tables = [str(name) for (name,) in home.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return [t for t in tables if home.rows(f"SELECT 1 FROM {t} AS t WHERE strpos(t::text, %s) > 0", "Zebulon")]  # noqa: S608


# --- learned ---


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
        of_bytes = not text.isascii()  # which only a new program's command line has
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
    """As docs/worth-it.md has it, on messages that repeat nothing that was learned."""
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
    assert any("gpt: 1 messages have no prediction, 1 predictions name no label" in note for note in made["notes"])
    page = taught.home.folder.joinpath("worth.html").read_text("utf-8")
    assert made["verdict"] in html.unescape(page)


async def test_promotion_and_rollback_disturb_nobody_who_writes(taught: Taught) -> None:
    """Runs last: it needs the second training, and leaves the first model serving."""
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
    """People write, one after the other, and every one is answered; how many."""
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
