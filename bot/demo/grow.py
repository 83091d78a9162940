"""Trains the starter's adapter anew from the demo company's seed, by the product's own path: python -m bot.demo.grow"""

import asyncio
import sys
import tempfile
from pathlib import Path

from bot import app
from bot.console import say


def main() -> None:
    """Works in a temporary folder; what comes out replaces the adapter in inference/starter/seed."""
    with tempfile.TemporaryDirectory() as folder:
        verdict = asyncio.run(app.grow_seed(Path(folder)))
    for reason in verdict.reasons:
        say(reason)
    for name, value in verdict.figures.items():
        say(f"{name}: {value:.4f}")
    sys.exit(not verdict.promoted)


if __name__ == "__main__":
    main()
