"""Keeps the logs of the servers that we start within bounds while these run, which may be for months."""

import asyncio
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bot.settings import Settings

log = logging.getLogger(__name__)

MOST = 10_000_000
"""Bytes of a log; as many of its predecessor are kept beside it."""
_EVERY = 60.0


def server_logs(settings: Settings) -> list[Path]:
    """The logs of PostgreSQL and of the model server, where we start them."""
    ours = [settings.database.directory / "data" / "server.log"] if settings.database.url is None else []
    return [*ours, *([settings.model.runs.parent / "vllm.log"] if settings.model.server is None else [])]


async def keep_bounded(files: Sequence[Path], most: int = MOST) -> None:
    """Check the files every minute, until cancelled."""
    while True:
        for file in files:
            await asyncio.to_thread(bound, file, most)
        await asyncio.sleep(_EVERY)


def bound(file: Path, most: int = MOST) -> bool:
    """Empty a log that is longer, keeping what it held as NAME.1; return whether it was.

    In place: the server holds the file open and appends. What it writes in that moment is lost.
    """
    try:
        if file.stat().st_size <= most:
            return False
        shutil.copyfile(file, file.with_name(f"{file.name}.1"))
        os.truncate(file, 0)
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("log not bounded", extra={"file": str(file), "problem": str(error.strerror)})
        return False
    return True
