"""`switchboard pack`: the included further questions, with their examples."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bot.commands import examples
from bot.commands.command_line import AsJson, Config, read_settings, run_to_end, spoken
from bot.console import say, table
from bot.demo import company
from bot.domain.errors import UsageError
from bot.domain.example_files.reading import ReadOptions
from bot.files import write_whole
from bot.json_lines import json_line
from bot.packs import Pack, pack, packs, settings_block
from bot.platforms import EMOJI_ACTS, MORE_EMOJI_ACTS, platform_modules
from bot.settings import Settings, load
from bot.settings.several import written_name
from bot.store import embedding_backfill, open_store

pack_commands = typer.Typer(
    no_args_is_help=True, help="Further questions that come along: sentiment, urgency, fraud, products."
)


@pack_commands.command(name="list")
def list_packs(as_json: AsJson = False) -> None:
    """The packs there are, what each asks, and how many examples it brings."""
    rows = [(one.name, one.about, ", ".join(label.name for label in one.labels), _many(one)) for one in packs()]
    if as_json:
        for name, about, labels, many in rows:
            row = {"pack": name, "about": about, "labels": labels.split(", "), "examples": many}
            typer.echo(json_line(row))
        return
    table("packs", ("pack", "about", "labels", "examples"), [(*row[:3], str(row[3])) for row in rows])


@pack_commands.command()
def add(
    name: Annotated[str, typer.Argument(help="Which pack; see `switchboard pack list`.")], config: Config = None
) -> None:
    """Write the question into the settings, with emoji that are free, and import its examples.

    It is asked from the next start on, shown on every card, and corrected like the
    team. It never decides who gets a request. Again changes nothing: what is there
    is not overwritten.
    """
    settings = read_settings(config)
    with spoken():
        chosen = pack(name)
        check_free(chosen, settings)
        modules = platform_modules()
        block, missing = settings_block(chosen, {one: modules[one] for one in settings.platforms}, taken(settings))
        written = settings.path.read_text("utf-8").rstrip("\n") + "\n" + block
        extended = check_loads(settings.path, written)
    run_to_end(_import(extended, chosen))
    with spoken():
        write_whole(settings.path, written)
    say(f"{chosen.name} is in {settings.path}; it is asked from the next start of the bot on")
    for one in missing:
        say(f"no emoji was free for {one}: leads choose it from buttons, after the emoji for wrong")


async def _import(settings: Settings, chosen: Pack) -> None:
    """Import the pack's examples before the settings name it; repeating an interrupted import completes it."""
    task = settings.task(chosen.name)
    ready = examples.ready_to_import(chosen.examples, task, ReadOptions(), False, False)
    async with open_store(settings) as store:
        await examples.import_examples(store, embedding_backfill(store), task, ready)


def check_free(chosen: Pack, settings: Settings) -> None:
    """Raise UsageError where the settings have this question already, or a label named like one of the pack's."""
    if settings.path.resolve() == company.SETTINGS.resolve():
        raise UsageError("these are the demo's settings; write your own first: switchboard init")
    if chosen.name in [written_name(task) for task in settings.tasks]:
        raise UsageError(f"tasks.{chosen.name} is in {settings.path} already, nothing was changed; rename or remove it")
    for task in settings.tasks:
        for label in chosen.labels:
            if label.name in task.names:
                of_task = "" if task.routes else f" --task {task.name}"
                raise UsageError(
                    f"tasks.{task.name} has a label {label.name} already, as the pack {chosen.name} has; nothing was "
                    "changed. Rename that one in the settings, then: "
                    f"switchboard teams rename {label.name} NEW{of_task}"
                )


def check_loads(path: Path, written: str) -> Settings:
    """The extended settings. Raises ConfigError where they are wrong."""
    with tempfile.TemporaryDirectory() as folder:
        beside = Path(folder) / path.name
        beside.write_text(written, "utf-8")
        return load(beside, home=path.resolve().parent, demanding=False)


def taken(settings: Settings) -> set[tuple[str, str]]:
    """(platform, emoji) of every emoji that has a meaning already."""
    labels = {sign for task in settings.tasks for label in task.labels for sign in label.emoji.items()}
    acts: list[Mapping[str, str]] = [getattr(settings.vocabulary, act) for act in (*EMOJI_ACTS, *MORE_EMOJI_ACTS)]
    return labels | {sign for act in acts for sign in act.items()}


def _many(one: Pack) -> int:
    return len(one.examples.read_text("utf-8").splitlines())
