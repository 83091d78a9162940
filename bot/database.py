"""What people do with the whole database: open it, bring it up to date, keep a copy and put it back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.console import say
from bot.settings import Settings
from db.migrate import upgrade
from db.server.backup import dump, restore
from db.server.embedded import embedded


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """Where the settings' database answers; an embedded one runs meanwhile."""
    if settings.database.url is not None:
        yield settings.database.url
        return
    async with embedded(settings.database.directory) as url:
        yield url


async def migrate(settings: Settings) -> None:
    """The database to the newest schema, under a lock."""
    async with database_url(settings) as url:
        await asyncio.to_thread(upgrade, url)
    say("the database is at the newest schema")


async def backup(settings: Settings, file: Path) -> None:
    """Everything in the database into one file, while the bot goes on working. Raises UsageError."""
    async with database_url(settings) as url:
        await asyncio.to_thread(dump, url, file)
    say(f"{file} holds the whole database; adapters are files under {settings.model.runs}, copy them too")


async def restore_backup(settings: Settings, file: Path) -> None:
    """The database as the file has it, or unchanged. Stop the bot first. Raises UsageError."""
    async with database_url(settings) as url:
        await asyncio.to_thread(restore, url, file)
        await asyncio.to_thread(upgrade, url)
    say(f"the database is what {file} holds")
