"""The company's bot in this process: all that `switchboard run` starts, looking often enough to be waited for."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import web
from sqlalchemy import text

import bot.running
from benchmarks.chaos.model import ScriptedModel
from bot.domain.learning import Adapter, Judged, Verdict
from bot.domain.posts import Post
from bot.settings import Settings, load
from db.engine import Database, open_database
from db.registry import PostgresRegistry
from tests.servers.slack import Post as SlackPost
from tests.servers.slack.blocks import buttons
from tests.servers.telegram import Post as TelegramPost
from tests.worlds.company import CHANNELS, GROUPS, Town, town

T = TypeVar("T")
_PATIENCE = 60.0
_OFTEN = 0.2
"""Seconds between looks that are minutes apart in a bot that people use."""
_LOOKS = ("_SHADOW_EVERY", "_WATCH_EVERY", "_UNLEARN_EVERY", "_TELL_EVERY")
DAY = timedelta(days=1)


async def until(found: Callable[[], T]) -> T:
    """Wait until it is true, or not empty; return it. Raises TimeoutError if that takes very long."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            if value := found():
                return value
            await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Company:
    """The places where people talk, the database, and the bot as often as it is run."""

    around: Town
    database: Database
    registry: PostgresRegistry
    folder: Path
    written: str
    """The settings file, before a test changes it."""

    # --- the bot ---

    def settings(self, change: Callable[[str], str] = str) -> Settings:
        """The changed settings, as read from a file."""
        path = self.folder / "switchboard.toml"
        path.write_text(change(self.written), "utf-8")
        return load(path, self.around.environment(), home=self.folder)

    @asynccontextmanager
    async def runs(self, change: Callable[[str], str] = str) -> AsyncIterator[Settings]:
        """The bot runs with the changed settings; that it failed is raised at the end."""
        settings = self.settings(change)
        serving = asyncio.create_task(bot.running.serve(settings), name="the bot")
        try:
            await self.champion()
            yield settings
        finally:
            serving.cancel()
            await serving

    # --- what leads see ---

    def leads_slack(self, words: str = "") -> list[SlackPost]:
        """The posts in the leads' channel with these words, as they stand now, without those in threads."""
        return [
            post for post in self.around.slack.posts(CHANNELS["triage"]) if words in post.text and not post.thread_ts
        ]

    def leads_telegram(self, words: str = "") -> list[TelegramPost]:
        """The same in their group."""
        posts = self.around.telegram.posts(GROUPS["triage"])
        return [post for post in posts if words in post.spoken and not post.reply_to]

    async def leads_read(self, words: str) -> None:
        """Wait until exactly one post in each of the leads' rooms has these words."""
        await until(lambda: len(self.leads_slack(words)) == len(self.leads_telegram(words)) == 1)

    # --- what learning does ---

    async def champion(self) -> Adapter:
        """What serves; at first the adapter that came with the starter, once it was adopted."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                if (found := await self.registry.champion("routing", "starter")) is not None:
                    return found
                await asyncio.sleep(0.05)

    async def judged(self, name: str, verdict: Verdict, canary: float = 0.0, posts: Sequence[Post] = ()) -> Adapter:
        """A candidate of that name was made and judged just now, as by a training."""
        champion, now = await self.champion(), datetime.now(UTC)
        made = replace(champion, name=name, made=now, mixture=replace(champion.mixture, proved=None))
        await self.registry.request_cycle("routing", "schedule", name, now)
        async with self.registry.claim_cycle(now) as cycle:
            assert cycle is not None
            judged = Judged(made, champion, verdict, canary)
            await self.registry.conclude_cycle(cycle, judged, posts, now)
        return made

    async def decided(self, adapter: str, count: int, days_ago: float, corrected: int = 0) -> list[int]:
        """So many requests that the adapter gave to billing so long ago, of which leads moved some; their ids."""
        at = datetime.now(UTC) - days_ago * DAY
        async with self.database.transaction() as session:
            ids = list(await session.scalars(text(_CONVERSATIONS), {"at": at, "count": count}))
            await session.execute(text(_DECISIONS), {"adapter": adapter, "at": at, "ids": ids})
            for statement in (_CORRECTIONS, _MOVED):
                await session.execute(text(statement), {"at": at + timedelta(minutes=1), "ids": ids[:corrected]})
        return ids

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        async with self.database.transaction() as session:
            return [tuple(row) for row in (await session.execute(text(query))).all()]

    async def changes(self, statement: str) -> None:
        """Change stored rows, where time has to pass."""
        async with self.database.transaction() as session:
            await session.execute(text(statement))


def pressable(post: SlackPost | TelegramPost) -> list[str]:
    """The texts of the post's buttons."""
    if isinstance(post, SlackPost):
        return [str(dict(one.get("text", {}))["text"]) for one in buttons(post.blocks)]  # type: ignore[call-overload]
    rows = json.loads(json.dumps(post.buttons)).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


@asynccontextmanager
async def company(database_url: str, folder: Path, patched: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    """The places, a scripted model server and the database, without a bot yet."""
    for name in _LOOKS:
        patched.setattr(bot.running, name, _OFTEN)
    patched.setattr(bot.running, "torch_installed", lambda: False)  # no bot of ours trains: tests say what came of it
    async with _model() as model, town() as around, open_database(database_url) as database:
        written = f'[database]\nurl = "{database_url}"\n{around.settings(model, settle_seconds=0.2)}'
        yield Company(around, database, PostgresRegistry(database), folder, written)


@asynccontextmanager
async def _model() -> AsyncIterator[str]:
    runner = web.AppRunner(ScriptedModel().app(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


_CONVERSATIONS = """
    INSERT INTO conversations (platform, chat, person_id, person_name, state, started_at, last_at, heard_at, version,
        asked, asked_for_words, resting, task, label, closed_at, text)
    SELECT 'slack', 'C', 'p' || n, '', 'closed', :at, :at, :at, 1, false, false, false, 'routing', 'billing', :at,
        'xylophone ' || n
    FROM generate_series(1, :count) n RETURNING id
"""
_DECISIONS = """
    INSERT INTO decisions (conversation_id, task, label, by, reason, probabilities, adapter, evidence, candidates, at)
    SELECT id, 'routing', 'billing', 'model', 'confident', '{}', :adapter, '{}', '{}', :at
    FROM unnest(CAST(:ids AS bigint[])) id
"""
_CORRECTIONS = """
    INSERT INTO corrections (conversation_id, task, before, label, lead, at, confirms, disputed)
    SELECT id, 'routing', 'billing', 'delivery', 'slack:lead', :at, false, false FROM unnest(CAST(:ids AS bigint[])) id
"""
_MOVED = """
    WITH moved AS (UPDATE conversations SET label = 'delivery' WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING id)
    INSERT INTO decisions (conversation_id, task, label, by, reason, probabilities, evidence, candidates, at)
    SELECT id, 'routing', 'delivery', 'lead', 'corrected', '{}', '{}', '{}', :at FROM moved
"""
