"""What further questions cost a decision, and whether they change what is said about its team.

    python -m benchmarks.pack_cost --messages 90 --kept var/one-message

The demo company's examples, the real encoders and voices, real PostgreSQL in a temporary folder; no adapter and no
model server, so that what is left is what a further question shares or repeats. First all held-out messages are decided
without a further question, then after each pack that is added: label, author, reason, language and every probability
have to be the same, and so have the examples of routing. Then decisions with no, one, two … further questions
take turns, message by message, in one run. It ends with 1 where routing decides anything otherwise. What takes minutes
is kept in a folder, if one is given: the same as that of `benchmarks.one_message`.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.machine import Figures, machine, show
from benchmarks.one_message import Meter, remembered, texts
from bot.demo import company
from bot.domain.decisions import Decision
from bot.domain.embedders import PAIR
from bot.domain.learning import Example, Side, Source
from bot.domain.model_ports import Embedder
from bot.flow.classify import BATCH, Classifier
from bot.flow.embed import EmbeddingBackfill
from bot.flow.fit_voices import VoiceFitter
from bot.flow.questions import Questions
from bot.lifecycle import compute_alone, share_interpreter
from bot.model_stack import build_model_stack
from bot.packs import Pack, pack, settings_block
from bot.platforms import platform_modules
from bot.settings import Settings, load
from bot.store import Store, now, open_store
from inference.embedders.choose import open_embedder

PACKS = ("sentiment", "urgency", "fraud", "products")
"""In the order in which they are added."""


@dataclass(frozen=True, slots=True)
class Office:
    """The demo company at work, with further questions that are asked or not."""

    settings: Settings
    store: Store
    classifier: Classifier
    backfill: EmbeddingBackfill
    fitter: VoiceFitter

    def questions(self, many: int) -> Questions:
        """The first so many further questions."""
        return Questions([self.settings.task(name) for name in PACKS[:many]], self.classifier)

    async def decided(self, said: Sequence[str], many: int) -> list[Decision]:
        """Decided with so many further questions, as the step does it; whoever is slow to answer is waited for."""
        task, questions = self.settings.routing, self.questions(many)
        vectors = self.classifier.embedding(said)
        try:
            query = await self.classifier.query(task)
            asking = questions.begin(said, (), vectors)
            known = await self.classifier.consider(query, said, vectors=vectors)
            if asking:
                await questions.all_of(asking, len(said))
            return [one.decided(task, may_ask=True) for one in known]
        finally:
            vectors.cancel()

    async def add(self, chosen: Pack) -> None:
        """Its examples, as `switchboard pack add` imports them, and voices that know them."""
        rows = map(json.loads, chosen.examples.read_text("utf-8").splitlines())
        taught = [Example(row["text"], row["label"], Source.IMPORT, Side.TRAIN, now()) for row in rows]
        await self.store.examples.add_examples(chosen.name, taught)
        await self.learned()

    async def learned(self) -> None:
        """Vectors and voices know everything that is stored by now."""
        await self.backfill.all(lambda _done: None)
        for task in self.settings.tasks:
            await self.fitter.fit(task)

    async def taught(self) -> list[tuple[str, str, Side]]:
        """What routing learns from."""
        return sorted((one.text, one.label, one.side) for one in await self.store.examples.examples("routing"))


def with_packs(folder: Path) -> Settings:
    """The demo company's settings, with further questions and without a model server."""
    written, modules = company.SETTINGS.read_text("utf-8"), {"web": platform_modules()["web"]}
    for name in PACKS:
        written += settings_block(pack(name), modules, ())[0].replace("emoji = { web", "# emoji = { web")
    file = folder / "switchboard.toml"
    file.write_text(written.replace("[model]\n", '[model]\nserver = "http://127.0.0.1:9"\n', 1), "utf-8")
    return load(file, {})


async def unchanged(office: Office, said: Sequence[str]) -> dict[str, Figures]:
    """After which pack how many decisions of routing, or of its examples, differ from those before the first."""
    alone, taught = await _all(office, said, 0), await office.taught()
    rows: dict[str, Figures] = {}
    for many, name in enumerate(PACKS, 1):
        await office.add(pack(name))
        changed = {"decisions": len(said), "decided otherwise": differing(alone, await _all(office, said, many))}
        learned = len(set(await office.taught()) ^ set(taught))
        rows[f"with {' and '.join(PACKS[:many])}"] = {**changed, "other examples": learned}
    return rows


async def _all(office: Office, said: Sequence[str], many: int) -> list[Decision]:
    return [
        one for start in range(0, len(said), BATCH) for one in await office.decided(said[start : start + BATCH], many)
    ]


def differing(before: Sequence[Decision], after: Sequence[Decision]) -> int:
    return sum(was != now_is for was, now_is in zip(before, after, strict=True))


async def taken(office: Office, messages: Sequence[str]) -> dict[str, Figures]:
    """How long one decision takes with how many further questions, which take turns; and how much longer than none."""
    meters = [Meter() for _ in range(len(PACKS) + 1)]
    for number, text in enumerate(messages):
        for turn in range(len(meters)):
            many = (number + turn) % len(meters)
            with meters[many].reading():
                await office.decided([f"{text} {many}"], many)  # so that no text was heard of before
    return {_called(many): _longer(meters[0], meters[max(many - 1, 0)], meter) for many, meter in enumerate(meters)}


def _called(many: int) -> str:
    return "the team alone" if not many else f"and {many} more"


def _longer(alone: Meter, one_fewer: Meter, meter: Meter) -> Figures:
    return {
        **meter.figures(),
        "longer than alone, % (median of pairs)": _more(alone, meter),
        "than with one fewer, %": _more(one_fewer, meter),
    }


def _more(fewer: Meter, meter: Meter) -> float:
    each = [after / before for before, after in zip(fewer.wall, meter.wall, strict=True)]
    return round(100 * (statistics.median(each) - 1), 1)


async def measured(
    embedder: Embedder, kept: Path, every: int, messages: Sequence[str], held_out: Sequence[str]
) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """What differs of the held-out messages, and how long the others take."""
    with tempfile.TemporaryDirectory(prefix="switchboard-packs-") as home:
        settings = with_packs(Path(home))
        settings = replace(settings, model=replace(settings.model, runs=kept / "runs"))
        async with AsyncExitStack() as stack:
            office = await _office(settings, embedder, every, stack)
            changed = await unchanged(office, held_out)
            await taken(office, messages[:6])  # the first few read what is read once
            return changed, await taken(office, messages)


async def _office(settings: Settings, embedder: Embedder, every: int, stack: AsyncExitStack) -> Office:
    store = await stack.enter_async_context(open_store(settings))
    models = await build_model_stack(settings, store, stack)
    classifier = replace(models.classifier, embedder=embedder)
    backfill = EmbeddingBackfill(store.memory, embedder, store.failures, now)
    seed = [Example(*row, Source.SEED, Side.TRAIN, now()) for row in company.read(company.SEED)][::every]
    await store.examples.add_examples(settings.routing.name, seed)
    office = Office(settings, store, classifier, backfill, models.voice_fitter)
    await office.learned()
    return office


async def _measured(kept: Path, every: int, messages: int) -> tuple[dict[str, Figures], dict[str, Figures]]:
    pair = open_embedder(PAIR, ())
    try:
        await pair.warm()
        held_out = [text for text, _ in company.read(company.HELD_OUT)]
        return await measured(await remembered(pair, kept), kept, every, texts(messages), held_out)
    finally:
        await pair.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where routing decides anything otherwise."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--messages", type=int, default=90, help="how many are timed, one at a time")
    parser.add_argument("--every", type=int, default=1, help="teach only each so-manieth of the company's examples")
    parser.add_argument("--kept", type=Path, help="where vectors and fitted voices are kept from run to run")
    args = parser.parse_args(arguments)
    on = machine()
    share_interpreter()
    compute_alone()
    with tempfile.TemporaryDirectory(prefix="switchboard-packs-kept-") as folder:
        kept: Path = args.kept or Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        changed, times = asyncio.run(_measured(kept.resolve(), args.every, args.messages))
    show("what packs change of routing", changed, on)
    show("what a decision takes", times, on)
    return int(any(row["decided otherwise"] or row["other examples"] for row in changed.values()))


if __name__ == "__main__":
    sys.exit(main())
