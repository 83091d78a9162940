"""Background tasks started after the acknowledgement: tracked, their errors logged, cancelled on stop."""

import asyncio
import logging
from collections.abc import Coroutine

from bot.domain.errors import SwitchboardError
from bot.platforms.slack.payload import NAME

log = logging.getLogger(__name__)


class BackgroundTasks:
    """Runs tasks that may be lost with the process: people who get no answer ask again."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None], name: str) -> None:
        """Run the work in a task; a failure is logged and affects nothing else."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def end(self) -> None:
        """Cancel the tasks that still run."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        about = {"platform": NAME, "task": task.get_name()}
        if isinstance(error, SwitchboardError):
            log.warning("background task gave up", extra={**about, "problem": str(error)})
        elif error is not None:
            log.error("background task failed", exc_info=error, extra=about)
