"""How good the packs are on messages written in other habits: their voices, from the pack's examples alone, and an SVC.

    python -m benchmarks.packs [PACK …]

Each pack is imported as by `switchboard pack add` into a database of its own, and asked like a conversation; there is
no adapter and no model server. The SVC is scikit-learn's LinearSVC over words, word pairs and letter groups.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.pipeline import make_union
from sklearn.svm import LinearSVC

from bot.domain.learning import Example, Side, Source
from bot.flow.questions import Questions
from bot.init import of_names, settings_text
from bot.model_stack import build_model_stack
from bot.packs import Pack, pack, packs, settings_block
from bot.platforms import platform_modules
from bot.settings import Settings, load
from bot.store import open_store

Row = tuple[str, str]


def read(file: Path) -> list[Row]:
    return [(row["text"], row["label"]) for row in map(json.loads, file.read_text("utf-8").splitlines())]


def settings(folder: Path, one: Pack) -> Settings:
    """A newcomer's settings after `switchboard init web` and `switchboard pack add`, without a model server."""
    modules = of_names(["web"], platform_modules())
    written = settings_text(modules, http=False).replace('server = "embedded"', 'server = "http://127.0.0.1:9"', 1)
    block, _ = settings_block(one, modules, set())
    (folder / "switchboard.toml").write_text(written + block, "utf-8")
    return load(folder / "switchboard.toml", {})


async def ours(one: Pack, texts: Sequence[str]) -> tuple[list[str], float]:
    """The answers, and milliseconds for a text."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            read_settings = settings(Path(folder), one)
            store = await stack.enter_async_context(open_store(read_settings))
            models = await build_model_stack(read_settings, store, stack)
            now = datetime.now(UTC)
            taught = [Example(text, label, Source.IMPORT, Side.TRAIN, now) for text, label in read(one.examples)]
            await store.examples.add_examples(one.name, taught)
            await models.embedding_backfill.all(lambda _done: None)
            await models.voice_fitter.step()
            questions = Questions(read_settings.questions, models.classifier)
            began = datetime.now(UTC)
            answers = await questions.answers(texts)
            spent = (datetime.now(UTC) - began).total_seconds() * 1000 / len(texts)
        return [next((a.label for a in row), "") for row in answers], spent


def svc(one: Pack, texts: Sequence[str]) -> list[str]:
    taught = read(one.examples)
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    model = LinearSVC().fit(features.fit_transform([text for text, _ in taught]), [label for _, label in taught])
    return [str(label) for label in model.predict(features.transform(texts))]


def macro(truth: Sequence[str], said: Sequence[str]) -> float:
    return float(f1_score(truth, said, average="macro", zero_division=0.0))


async def main(names: Sequence[str]) -> None:
    say = sys.stdout.write
    say("| pack | held-out messages | macro-F1, ours | accuracy | macro-F1, SVC | accuracy | ms a message |\n")
    say("|---|---|---|---|---|---|---|\n")
    for one in [pack(name) for name in names] or packs():
        rows = read(one.held_out)
        texts, truth = [text for text, _ in rows], [label for _, label in rows]
        (mine, spent), theirs = await ours(one, texts), svc(one, texts)
        right = [float(np.mean(np.array(said) == np.array(truth))) for said in (mine, theirs)]
        say(f"| {one.name} | {len(rows)} | {macro(truth, mine):.3f} | {right[0]:.3f} ")
        say(f"| {macro(truth, theirs):.3f} | {right[1]:.3f} | {spent:.1f} |\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
