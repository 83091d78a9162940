"""What a step costs among few conversations and among many, on one PostgreSQL: aim, at most 1.2 times as much.

    python -m benchmarks.million --conversations 300000 --few 10000

Closed conversations with two messages, five posts, two reactions and a decision each, a thousand a day; a twentieth as
many examples, with an English text's vectors of both encoders. PostgreSQL fills the tables itself. A first round is not
counted.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import text

from benchmarks.machine import Figures, machine, show, spread
from bot.app import Store, demo_settings, open_store
from bot.domain.messages import Message, MessageRef, Person, Place, Reaction
from bot.domain.ports import ThreadingPolicy
from bot.domain.tasks import Task
from bot.http.metrics import Metrics
from bot.platforms.web.events import PERSON_ROOMS
from bot.platforms.web.page import LINES
from bot.platforms.web.words import team_rooms

ROUNDS, WIDTH = 15, 896
_POLICY = ThreadingPolicy(timedelta(0), timedelta(hours=24), timedelta(hours=72))
_FILL = (
    """
    INSERT INTO conversations (platform, chat, thread, person_id, person_name, language, external, state, started_at,
        last_at, heard_at, version, asked, asked_for_words, resting, label, closed_at, routed_at, reminders)
    SELECT CASE n % 3 WHEN 0 THEN 'web' ELSE 'slack' END, CASE n % 3 WHEN 0 THEN 'customer' ELSE 'C' || n % 40 END,
        'm' || n, 'p' || n % 90000, 'Person', 'en', false, 'closed', at, at, at, 2, n % 50 = 0, false, false,
        CASE n % 6 WHEN 0 THEN 'billing' ELSE 'it' END, at, at, 0
    FROM (
        SELECT n, now() - (:total ::int - n) * interval '86 seconds' AS at
        FROM generate_series(:first ::int, :last ::int) n
    ) t
    """,
    """
    INSERT INTO decisions (conversation_id, task, label, by, reason, probabilities, evidence, candidates, at)
    SELECT c.id, 'routing', c.label, CASE c.id % 25 WHEN 0 THEN 'lead' WHEN 1 THEN 'fallback' ELSE 'model' END,
        'confident', '{"billing": 0.9}', CASE c.id % 9 WHEN 0 THEN ARRAY[c.id] ELSE '{}' END, '{}', c.started_at
    FROM conversations c WHERE c.id BETWEEN CAST(:from AS bigint) AND CAST(:to AS bigint)
    """,
    """
    INSERT INTO posts (conversation_id, platform, chat, kind, content, owed_at, not_before, attempts, said_at,
        receipt_chat, receipt_id, given_up_at, problem)
    SELECT c.id, CASE k WHEN 1 THEN c.platform ELSE 'web' END, CASE k WHEN 1 THEN c.chat ELSE c.label END,
        'Answer',
        '{"label": "billing", "language": "en"}', c.started_at, c.started_at, 1,
        CASE WHEN c.id % 500 = 0 THEN NULL ELSE c.started_at END, c.label, 'r' || c.id || '-' || k,
        CASE WHEN c.id % 500 = 0 THEN c.started_at END, CASE WHEN c.id % 500 = 0 THEN 'channel is archived' END
    FROM conversations c, generate_series(1, 5) k WHERE c.id BETWEEN CAST(:from AS bigint) AND CAST(:to AS bigint)
    """,
    """
    INSERT INTO messages (conversation_id, platform, chat, message_id, thread, author_id, author_name, language, text,
        at, concluded_at, decided)
    SELECT c.id, c.platform, c.chat, c.thread || '-' || k, c.thread, c.person_id, 'Person', 'en',
        'I was charged twice and would like to have number ' || c.id || ' back', c.started_at, c.started_at, true
    FROM conversations c, generate_series(1, 2) k WHERE c.id BETWEEN CAST(:from AS bigint) AND CAST(:to AS bigint)
    """,
    """
    INSERT INTO reactions (platform, chat, message_id, actor_id, actor_name, emoji, added, at, heard_at, concluded_at)
    SELECT 'web', c.label, 'r' || c.id || '-2', 'agent' || c.id % 50, 'Agent', CASE k WHEN 1 THEN '👀' ELSE '✅' END,
        true, c.started_at, c.started_at, c.started_at
    FROM conversations c, generate_series(1, 2) k WHERE c.id BETWEEN CAST(:from AS bigint) AND CAST(:to AS bigint)
    """,
)
_EXAMPLES = """
    INSERT INTO examples (task, text, text_key, label, source, side, at, recorded_at, vector, embedder, quarantined)
    SELECT 'routing', 'text ' || n, 'key ' || n, CASE n % 6 WHEN 0 THEN 'billing' ELSE 'it' END,
        CASE n % 3 WHEN 0 THEN 'correction' ELSE 'import' END, 'train', now(), now(), v.vector, :embedder, false
    FROM generate_series(:first ::int, :last ::int) n,
        LATERAL (
            SELECT (array_agg((random() - 0.5 + n * 0 + g * 0) * 0.1637))::vector AS vector
            FROM generate_series(1, 896) g
        ) v
"""
Step = Callable[[], Awaitable[object]]


async def measured(few: int, many: int) -> dict[str, Figures]:
    """Every step at both sizes, and how much more the larger costs."""
    with tempfile.TemporaryDirectory(prefix="switchboard-million-") as home:
        settings = demo_settings(Path(home))
        async with open_store(settings) as store:
            found = []
            for first, last in ((1, few), (few + 1, many)):
                await _fill(store, first, last, many)
                found.append(await _round(store, settings.routing, last))
    return {
        step: {
            f"{few} p50": small["p50"],
            f"{few} p99": small["p99"],
            f"{many} p50": large["p50"],
            f"{many} p99": large["p99"],
            "ratio of p50": round(large["p50"] / max(small["p50"], 0.01), 2),
        }
        for (step, small), large in zip(found[0].items(), found[1].values(), strict=True)
    }


async def _fill(store: Store, first: int, last: int, total: int) -> None:
    """So many more conversations, and what belongs to them, with fresh statistics."""
    span = 25_000
    for start in range(first, last + 1, span):
        end = min(start + span - 1, last)
        async with store.database.transaction() as session:
            await session.execute(text("SET LOCAL statement_timeout = 0"))
            before = (await session.execute(text("SELECT coalesce(max(id), 0) FROM conversations"))).scalar_one()
            await session.execute(text(_FILL[0]), {"first": start, "last": end, "total": total})
            for statement in _FILL[1:]:
                await session.execute(text(statement), {"from": before + 1, "to": before + end - start + 1})
            about = {"first": start // 20 + 1, "last": end // 20, "embedder": store.embedder.name}
            await session.execute(text(_EXAMPLES), about)
    connection = await store.database.dedicated()
    async with connection:
        await connection.execute("VACUUM ANALYZE")


async def _round(store: Store, task: Task, size: int) -> dict[str, dict[str, float]]:
    await store.memory.load(task)
    steps = _steps(store, task, size)
    found = {}
    for name, step in steps.items():
        print(f"{size}: {name}", file=sys.stderr, flush=True)
        await step()
        found[name] = spread([await _taken(step) for _ in range(ROUNDS)], 2)
    return found


async def _taken(step: Step) -> float:
    began = time.perf_counter()
    await step()
    return 1_000 * (time.perf_counter() - began)


def _steps(store: Store, task: Task, size: int) -> Mapping[str, Step]:
    numbers = iter(range(10**9))
    rooms = [*PERSON_ROOMS, *team_rooms(task)]
    dice = np.random.default_rng(7)
    metrics = Metrics(store.figures, _now, store.failures)

    async def intake() -> None:
        one = f"new-{size}-{next(numbers)}"
        author = Person("slack", f"u-{one}", "New")
        message = Message(
            MessageRef("slack", "C1", one), Place("slack", "C1", one), author, "my laptop is broken", _now()
        )
        await store.ledger.add_message(message, _POLICY)

    async def reaction() -> None:
        ref = MessageRef("web", "it", f"r{random.randrange(1, size)}-2")
        await store.ledger.add_reaction(Reaction(ref, Person("web", "lee", "Lee"), "👍", True, _now()))

    async def elsewhere() -> None:
        ref = MessageRef("slack", "C-ELSEWHERE", str(next(numbers)))
        await store.ledger.add_reaction(Reaction(ref, Person("slack", "lee", "Lee"), "+1", True, _now()))

    async def scrape() -> None:
        metrics._fresh_until = 0.0  # the dear part, which is not read for every scrape, is what is measured
        await metrics.refresh()

    async def recall(texts: int) -> None:
        asked = dice.standard_normal((texts, WIDTH))
        vectors = [list(map(float, one * np.sqrt(2) / np.linalg.norm(one))) for one in asked]
        await store.memory.nearest_many(task, vectors, ["something new"] * texts)

    return {
        "a message of somebody new is stored": intake,
        "undecided ones are claimed": lambda: store.ledger.claim_undecided(
            _now(), timedelta(hours=9), timedelta(minutes=10), 32
        ),
        "posts are claimed": lambda: store.outbox.claim_due(["slack"], _now(), 32),
        "a reaction on a card is stored": reaction,
        "a reaction elsewhere is not": elsewhere,
        "/metrics, everything read": scrape,
        "/readyz": store.aside.ping,
        "Home tab: doubtful": lambda: store.queries.doubtful(10),
        "Home tab: one's own": lambda: store.queries.requests_of(Person("slack", "p7"), 10),
        "the web chat's lines": lambda: store.transcript.lines("web", rooms, LINES),
        "corrections that wait": lambda: store.examples.waiting_corrections(task.name),
        "memory, one text": lambda: recall(1),
        "memory, 32 texts": lambda: recall(32),
    }


def _now() -> datetime:
    return datetime.now(UTC)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--conversations", type=int, default=100_000, help="how many are many")
    parser.add_argument("--few", type=int, default=10_000, help="how many are few")
    args = parser.parse_args(arguments)
    on = machine()
    show("cost of a step, ms", asyncio.run(measured(args.few, args.conversations)), on)


if __name__ == "__main__":
    main()
