"""What the product makes of labelled files: import, train and evaluate as its commands do, beside TF-IDF + linear SVC.

    python -m benchmarks.starter_learning --data FOLDER --per-label 10

FOLDER holds clinc150.jsonl and banking77.jsonl (one {"text", "label", "split"} a line), and their published few-shot
draws in fewshot/; a missing set is left out. The demo company needs no folder: its shipped adapter is asked about
messages by other authors, usual and hard ones. Accuracy is the whole system's, memory included, over the test split or
a sample of it; a text that the bot would ask about counts by its first guess.
"""

import argparse
import asyncio
import io
import json
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.learning_quality import Text, Trial, draw, linear, read
from benchmarks.machine import Figures, machine, show
from bot.app import demo_settings
from bot.commands import actions
from bot.commands.examples import import_examples, labelled, ready_to_import
from bot.console import counting, say
from bot.demo import company
from bot.domain.errors import UsageError
from bot.domain.example_files.reading import ReadOptions
from bot.model_stack import open_model_stack
from bot.settings import Settings, load
from bot.store import embedding_backfill, load_demo_examples

SETS = ("clinc150", "banking77")
MOST_LABELS = 160
"""The number of the starter's codes."""
_HELD_OUT = 5
"""Examples of each label that the gate judges by; nothing learns from them."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, one table for each file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, help="folder of the data sets; without it only the demo company is asked")
    parser.add_argument("--sets", nargs="*", default=SETS, choices=SETS)
    parser.add_argument("--per-label", type=int, default=10, help="examples of each label to learn from")
    parser.add_argument("--asked", type=int, default=None, help="ask only so many of the test split, drawn at random")
    args = parser.parse_args(arguments)
    on = machine()
    show("demo company, shipped adapter", asyncio.run(demo()), on)
    for name in args.sets:
        file = (args.data or Path()) / f"{name}.jsonl"
        if args.data is None or not file.exists():
            say(f"{name} is left out: {file if args.data else 'no --data FOLDER'} is not there")
            continue
        figures = asyncio.run(learned(trial(args.data, name, args.per_label, args.asked), held_out(file)))
        show(f"{name}, {args.per_label} a label", figures, on)


async def demo() -> dict[str, Figures]:
    """The shipped adapter and its examples, asked as in `switchboard demo`."""
    with tempfile.TemporaryDirectory(prefix="switchboard-learning-") as home:
        settings = demo_settings(Path(home))
        async with open_model_stack(settings) as (store, models):
            await load_demo_examples(settings.routing, store)
            with counting("remembering", None) as done:
                await embedding_backfill(store).all(done)
            figures: dict[str, Figures] = {}
            for file in (company.HELD_OUT, company.HELD_OUT.with_name("hard.jsonl")):
                heard = io.StringIO()
                asked = labelled(file, settings.routing, ReadOptions(), skip_bad=False)
                await actions.evaluate(models, settings.routing, file.name, asked, True, heard)
                rival = Trial(file.stem, read(company.SEED), read(file))
                figures[file.stem] = {**_evaluated(heard), "SVC": await asyncio.to_thread(linear, rival)}
    return figures


def trial(data: Path, name: str, per_label: int, asked: int | None = None) -> Trial:
    """The published draw of this size, or else one of ours; the test split, or a sample of it, is asked."""
    rows = read(data / f"{name}.jsonl")
    drawn = data / "fewshot" / f"{name}_train_{per_label}.jsonl"
    train = [row for row in rows if row.split == "train"]
    learned_from = read(drawn) if drawn.exists() else draw(train, str(per_label))
    test = [row for row in rows if row.split == "test"]
    return Trial(name, learned_from, random.Random(1).sample(test, min(asked or len(test), len(test))))


def held_out(file: Path) -> list[Text]:
    """What the gate judges by: a part of the validation split, which is neither learned from nor asked."""
    return draw([row for row in read(file) if row.split == "valid"], str(_HELD_OUT))


async def learned(of: Trial, judged_by: Sequence[Text]) -> dict[str, Figures]:
    """Import, train, evaluate."""
    with tempfile.TemporaryDirectory(prefix="switchboard-learning-") as home:
        examples = _written(Path(home) / "examples.jsonl", {"train": of.learned, "valid": judged_by})
        asked = _written(Path(home) / "asked.jsonl", {"test": of.asked})
        settings, heard = _settings(Path(home), of), io.StringIO()
        async with open_model_stack(settings) as (store, models):
            ready = ready_to_import(examples, settings.routing, ReadOptions(), skip_bad=False, strict=False)
            await import_examples(store, embedding_backfill(store), settings.routing, ready)
            began = time.perf_counter()
            promoted = await actions.train(store, models, settings.routing, True, io.StringIO())
            seconds = time.perf_counter() - began
            tested = labelled(asked, settings.routing, ReadOptions(), skip_bad=False)
            await actions.evaluate(models, settings.routing, asked.name, tested, True, heard)
    rival = await asyncio.to_thread(linear, of)
    cycle = {"learned": len(of.learned), "cycle s": round(seconds, 1), "promoted": "yes" if promoted else "no"}
    return {of.name: {**_evaluated(heard), "SVC": rival, **cycle}}


def _settings(home: Path, of: Trial) -> Settings:
    """A settings file with a team for each label, as a user would write it who knows only their names."""
    names = sorted({text.label for text in of.learned})
    if len(names) > MOST_LABELS:
        raise UsageError(f"{of.name}: {len(names)} labels; the starter has codes for {MOST_LABELS}")
    lines = ["[platforms.web]", "[tasks.routing]", 'question = "What is this message about?"']
    for place, name in enumerate(names):
        means, label = name.replace("_", " "), json.dumps(name)
        lines += [
            f"[tasks.routing.labels.{label}]",
            f"means = {json.dumps(means)}",
            f'deliver_to = {{ web = "room-{place}" }}',  # a label's name may contain characters that a room's may not
        ]
    path = home / "switchboard.toml"
    path.write_text("\n".join(lines), "utf-8")
    return load(path, {})


def _written(path: Path, splits: dict[str, Sequence[Text]]) -> Path:
    rows = [{"text": t.text, "label": t.label, "split": split} for split, texts in splits.items() for t in texts]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def _evaluated(heard: io.StringIO) -> dict[str, float | int | str | None]:
    found = json.loads(heard.getvalue())
    figures = {name: round(found[name], 4) for name in ("accuracy", "macro_f1", "ece", "coverage_at_95")}
    return {"asked": found["n"], **figures}


if __name__ == "__main__":
    main()
