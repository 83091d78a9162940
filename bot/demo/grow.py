"""Trains the starter's adapter anew from the demo company's seed, by the product's own path: python -m bot.demo.grow

`--weights` keeps the adapter and fits the weights of the voices beside it anew.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from bot.app import demo_settings
from bot.console import said_once, say
from bot.domain.errors import TrainingFailed
from bot.domain.learning import Side, Verdict, settle
from bot.domain.tasks import Task
from bot.flow.judge import Judge
from bot.model_stack import ModelStack, build_model_stack, model_running
from bot.store import Store, embedding_backfill, load_demo_examples, now, open_store
from inference.seed import write_seed


def main() -> None:
    """Work in a temporary folder, and replace the adapter in inference/starter/seed by the result."""
    parser = argparse.ArgumentParser(prog="python -m bot.demo.grow", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--weights", action="store_true", help="fit the weights of the voices alone")
    work = _weigh if parser.parse_args().weights else _grow
    with tempfile.TemporaryDirectory() as folder:
        verdict = asyncio.run(work(Path(folder)))
    for reason in verdict.reasons:
        say(reason)
    for name, value in verdict.figures.items():
        say(f"{name}: {value:.4f}")
    sys.exit(not verdict.promoted)


@asynccontextmanager
async def _company(home: Path, with_seed: bool) -> AsyncIterator[tuple[Task, Store, ModelStack]]:
    """The demo company with all its examples, ready to learn."""
    settings = demo_settings(home)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        await load_demo_examples(settings.routing, store)
        models = await build_model_stack(settings, store, stack)
        await stack.enter_async_context(model_running(settings, store, models, with_seed=with_seed))
        await embedding_backfill(store).all(lambda _more: None)
        yield settings.routing, store, models


async def _weigh(home: Path) -> Verdict:
    """Fit the weights beside the present adapter, and judge the whole."""
    async with _company(home, with_seed=True) as (task, store, models):
        query = await models.classifier.query(task)
        if query.adapter is None:
            raise TrainingFailed("there is no adapter yet; grow one first")
        known = settle(await store.examples.examples(task.name))
        weighed = await models.learner.weighed(query, query.adapter, [e for e in known if e.side is Side.TRAIN])
        write_seed(weighed)
        held_out = [e for e in known if e.side is Side.HELD_OUT]
        judge = Judge(models.learner.scorer, store.registry, now)
        return await judge.verdict(replace(query, adapter=None), weighed, held_out, said_once())


async def _grow(home: Path) -> Verdict:
    """Train an adapter like any first one, and put it in place whatever the gate decides: the demo needs one.

    Returns the verdict against the other voices without an adapter, which is printed and sets the exit code.
    """
    async with _company(home, with_seed=False) as (task, store, models):
        await store.registry.request_cycle(task.name, "grow", "grow", now())
        await models.learner.step(said_once())
        [cycle] = await store.registry.cycles(task.name, 1)
        made = [adapter for adapter in await store.registry.adapters(task.name) if adapter.name == cycle.adapter]
        if cycle.verdict is None or not made:
            raise TrainingFailed(cycle.problem or "the cycle made no adapter")
        write_seed(made[0])
        return cycle.verdict


if __name__ == "__main__":
    main()
