"""What goes on after the acknowledgement: held on to, heard when it fails, ended with the listening."""

import asyncio
import logging
from collections.abc import Coroutine

from bot.domain.errors import SwitchboardError
from bot.platforms.slack.payload import NAME

log = logging.getLogger(__name__)


class BackgroundTasks:
    """Runs answers that need not survive us: whoever gets none asks again."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, errand: Coroutine[None, None, None], name: str) -> None:
        """Run it; a failure is logged and hurts nobody else."""
        task = asyncio.create_task(errand, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def end(self) -> None:
        """Stop what still runs."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        about = {"platform": NAME, "errand": task.get_name()}
        if isinstance(error, SwitchboardError):
            log.warning("an errand came to nothing", extra={**about, "problem": str(error)})
        elif error is not None:
            log.error("an errand failed", exc_info=error, extra=about)
