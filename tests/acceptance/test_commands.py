"""Commands before anything is learned, run as people and scripts run them: real processes in their own homes."""

import re
import socket
from pathlib import Path

from tests.acceptance.desk import ROWS, jsonl, settings
from tests.acceptance.processes import Home, free_address
from tests.worlds.company import page


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
        assert "no words of web:customer are left to erase" in again.told
        unknown = await home.does("forget", "customer", "--yes")
        assert (unknown.code, "write PLATFORM:USER" in unknown.told) == (2, True)
        assert (await bot.stops()).code == 0
    finally:
        bot.kill()
        await bot.process.wait()
    await home.until_left_alone()


def _words(home: Home) -> list[str]:
    """The tables that contain the name of the kettle."""
    tables = [str(name) for (name,) in home.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return [t for t in tables if home.rows(f"SELECT 1 FROM {t} AS t WHERE strpos(t::text, %s) > 0", "Zebulon")]  # noqa: S608
