"""What people do with the whole database: open it, bring it up to date, back it up and restore it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.backup import movable, pack, place_for, put_back, unpacked
from bot.console import say
from bot.domain.errors import UsageError
from bot.domain.plural import counted
from bot.settings import Settings
from db.engine import open_database
from db.migrate import upgrade
from db.server.backup import dump, restore
from db.server.backup_facts import facts_of, serving_adapters
from db.server.embedded import embedded
from db.server.own_database import own_database
from db.workspace_mark import claim_database, hand_over
from inference.adapters import digest_of


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """The URL of the settings' database. An embedded one runs meanwhile; a workspace's own is created if missing.

    Raises ConfigError.
    """
    settings.demand("database")
    workspace = settings.database.workspace
    async with _server_url(settings) as url:
        yield await asyncio.to_thread(own_database, url, workspace) if workspace else url


@asynccontextmanager
async def _server_url(settings: Settings) -> AsyncIterator[str]:
    if settings.database.url is not None:
        yield settings.database.url
        return
    async with embedded(settings.database.directory) as url:
        yield url


async def migrate(settings: Settings) -> None:
    """Bring the database of every workspace to the newest schema, under a lock."""
    for one in (settings, *settings.workspaces):
        async with database_url(one) as url:
            newest = await asyncio.to_thread(upgrade, url)
            async with open_database(url, pool_size=1) as database:
                await claim_database(database, one.workspace)
        whose = f"the database{of_workspace(one.workspace)}"
        say(
            f"{whose} is at the newest schema"
            if newest
            else f"{whose} is newer than this Switchboard, and fits: what came since only added to it"
        )


def of_workspace(name: str) -> str:
    """ " of acme", to name a workspace to people; empty for the one without a name."""
    return f" of {name}" if name else ""


async def backup(settings: Settings, file: Path, verify: bool = False) -> None:
    """Write the database, and the adapters that serve or may serve again, to one file, while the bot goes on working.

    With `verify` the file is then restored into a scratch database and read back. Raises UsageError.
    """
    place_for(file)
    with TemporaryDirectory(prefix="switchboard-backup-") as folder:
        dumped = Path(folder) / "database.dump"
        async with database_url(settings) as url:
            await asyncio.to_thread(dump, url, dumped)
            # After the dump, so that no adapter that it names is missing; newer ones are in the next backup
            known = await asyncio.to_thread(serving_adapters, url)
        adapters, missing = movable([path for path, _ in known], settings.model.runs)
        await asyncio.to_thread(pack, dumped, adapters, file)
    say(f"{file} holds the whole database and {counted(len(adapters), 'adapter')}")
    for path in missing:
        say(f"not in it: the adapter {path}, whose files are not below {settings.model.runs}")
    if verify:
        await verified(file)


async def verified(file: Path) -> None:
    """Print what a backup would restore: it is restored into a scratch database, and every row is read.

    Raises UsageError where it is damaged, or where an adapter's files are not those that were judged.
    """
    with unpacked(file) as held, TemporaryDirectory(prefix="switchboard-verify-") as folder:
        async with embedded(Path(folder)) as url:
            await asyncio.to_thread(restore, url, held.dump)
            facts = await asyncio.to_thread(facts_of, url)
        for path, digest in facts.adapters:
            if digest is not None and path in held.adapters and digest_of(held.adapters[path]) != digest:
                raise UsageError(f"{file}: the files of adapter {path} are not those that were judged")
    rows, adapters = (
        f"{counted(facts.rows, 'row')} in {counted(facts.tables, 'table')}",
        counted(len(held.adapters), "adapter"),
    )
    say(f"verified: restored into a scratch database, {rows}, schema {facts.version}, {adapters}")


async def restore_backup(settings: Settings, file: Path) -> None:
    """Restore the database, or leave it unchanged, and its adapters. Stop the bot first. Raises UsageError."""
    with unpacked(file) as held:
        async with database_url(settings) as url:
            await asyncio.to_thread(restore, url, held.dump)
            await asyncio.to_thread(upgrade, url)
            async with open_database(url, pool_size=1) as database:
                await hand_over(database, settings.workspace)
        new, kept = await asyncio.to_thread(put_back, held.adapters, settings.model.runs)
    say(f"the database is what {file} holds")
    if new:
        say(f"{counted(len(new), 'adapter')} put back below {settings.model.runs}")
    if kept:
        say(f"left as they were, for they are there already: {', '.join(kept)}")
