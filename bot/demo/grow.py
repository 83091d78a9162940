"""Trains the starter's adapter anew from the demo company's seed, by the product's own path: python -m bot.demo.grow"""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from bot.app import (
    build_model_stack,
    demo_settings,
    embedding_backfill,
    load_demo_examples,
    model_running,
    now,
    open_store,
    spoken,
)
from bot.console import say
from bot.domain.errors import TrainingFailed
from bot.domain.learning import Verdict
from inference.seed import write_seed


def main() -> None:
    """Works in a temporary folder; what comes out replaces the adapter in inference/starter/seed."""
    with tempfile.TemporaryDirectory() as folder:
        verdict = asyncio.run(_grow(Path(folder)))
    for reason in verdict.reasons:
        say(reason)
    for name, value in verdict.figures.items():
        say(f"{name}: {value:.4f}")
    sys.exit(not verdict.promoted)


async def _grow(home: Path) -> Verdict:
    """Train it as any first adapter is trained, and put it in its place."""
    settings = demo_settings(home)
    task = settings.routing
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        await load_demo_examples(task, store)
        models = await build_model_stack(settings, store, stack)
        await stack.enter_async_context(model_running(settings, store, models, with_seed=False))
        await embedding_backfill(store).all(lambda _more: None)
        await store.registry.request_cycle(task.name, "grow", "grow", now())
        await models.learner.step(spoken())
        [cycle] = await store.registry.cycles(task.name, 1)
        champion = await store.registry.champion(task.name, settings.model.base)
        if cycle.verdict is None or champion is None:
            raise TrainingFailed(cycle.problem or "the first model is no better than guessing")
        write_seed(champion.path, champion.codes, champion.temperature, champion.made)
        return cycle.verdict


if __name__ == "__main__":
    main()
