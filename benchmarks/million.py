"""What a step costs among few conversations and among many, on one PostgreSQL: aim, at most 1.2 times as much.

    python -m benchmarks.million --conversations 100000 --few 10000

Closed conversations with two messages, five posts, two reactions and a decision each, a thousand a day; a twentieth as
many examples, with an English text's vectors of both encoders. PostgreSQL fills the tables itself. Each size has a
server of its own, and every step runs in turns, once among few and once among many; medians are compared. The first
round is not counted.
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

from benchmarks.machine import Figures, machine, show
from bot.app import demo_settings
from bot.domain.ledger import ThreadingPolicy
from bot.domain.messages import Message, MessageRef, Person, Place, Reaction
from bot.domain.tasks import Task
from bot.http.metrics import Metrics
from bot.platforms.web.events import PERSON_ROOMS
from bot.platforms.web.page import LINES
from bot.platforms.web.words import team_rooms
from bot.store import Store, open_store

WIDTH = 896
_AIM = 1.2
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


async def measured(few: int, many: int, rounds: int) -> dict[str, Figures]:
    """Every step at both sizes, in turns, and how much more the larger one costs."""
    with tempfile.TemporaryDirectory(prefix="switchboard-million-") as home:
        settings = [demo_settings(Path(home) / str(size)) for size in (few, many)]
        async with open_store(settings[0]) as small, open_store(settings[1]) as large:
            await _fill(small, few)
            await _fill(large, many)
            task = settings[0].routing
            for store in (small, large):
                await store.memory.load(task)
            both = _steps(small, task, few), _steps(large, task, many)
            return {name: await _compared(name, [steps[name] for steps in both], rounds) for name in both[0]}


async def _compared(name: str, steps: Sequence[Step], rounds: int) -> Figures:
    """One step at both sizes in turns, so that whatever else the machine does affects both."""
    print(name, file=sys.stderr, flush=True)
    for step in steps:
        await step()
    taken = np.array([[await _taken(step) for step in steps] for _ in range(rounds)])
    small, large = np.median(taken, axis=0)
    again = np.random.default_rng(7).integers(0, rounds, (1_000, rounds))  # resampled, as if measured a thousand times
    medians = np.median(taken[again], axis=1)
    low, high = np.quantile(medians[:, 1] / medians[:, 0], [0.05, 0.95])
    return {
        "few, ms": round(float(small), 2),
        "many, ms": round(float(large), 2),
        "ratio": round(float(large / small), 2),
        "9 of 10 between": f"{low:.2f} and {high:.2f}",
        "aim of 1.2": "kept" if high <= _AIM else "missed" if low > _AIM else "unsure",
    }


async def _fill(store: Store, total: int) -> None:
    """So many conversations, and what belongs to them, with fresh statistics."""
    span = 25_000
    for start in range(1, total + 1, span):
        print(f"filling: {start - 1} of {total}", file=sys.stderr, flush=True)
        end = min(start + span - 1, total)
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
        await store.ledger.add_message(_message(f"new-{size}-{next(numbers)}"), _POLICY)

    async def reaction() -> None:
        ref = MessageRef("web", "it", f"r{random.randrange(1, size)}-2")
        await store.ledger.add_reaction(Reaction(ref, Person("web", "lee", "Lee"), "👍", True, _now()))

    async def elsewhere() -> None:
        ref = MessageRef("slack", "C-ELSEWHERE", str(next(numbers)))
        await store.ledger.add_reaction(Reaction(ref, Person("slack", "lee", "Lee"), "+1", True, _now()))

    async def recall(texts: int) -> None:
        await store.memory.nearest_many(task, _vectors(dice, texts), ["something new"] * texts)

    return {
        "a message of somebody new is stored": intake,
        "undecided ones are claimed": lambda: store.ledger.claim_undecided(
            _now(), timedelta(hours=9), timedelta(minutes=10), 32
        ),
        "posts are claimed": lambda: store.outbox.claim_due(["slack"], _now(), 32),
        "a reaction on a card is stored": reaction,
        "a reaction elsewhere is not": elsewhere,
        "/metrics, everything read": lambda: _scrape(metrics),
        "/readyz": store.aside.ping,
        "Home tab: doubtful": lambda: store.queries.doubtful(10),
        "Home tab: one's own": lambda: store.queries.requests_of(Person("slack", "p7"), 10),
        "the web chat's lines": lambda: store.transcript.lines("web", rooms, LINES),
        "corrections that wait": lambda: store.examples.waiting_corrections(task.name),
        "memory, one text": lambda: recall(1),
        "memory, 32 texts": lambda: recall(32),
    }


async def _scrape(metrics: Metrics) -> None:
    metrics._fresh_until = 0.0  # the expensive part, which is not read for every scrape, is what is measured
    await metrics.refresh()


def _message(one: str) -> Message:
    author = Person("slack", f"u-{one}", "New")
    return Message(MessageRef("slack", "C1", one), Place("slack", "C1", one), author, "my laptop is broken", _now())


def _vectors(dice: np.random.Generator, texts: int) -> list[list[float]]:
    asked = dice.standard_normal((texts, WIDTH))
    return [list(map(float, one * np.sqrt(2) / np.linalg.norm(one))) for one in asked]


def _now() -> datetime:
    return datetime.now(UTC)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--conversations", type=int, default=100_000, help="how many are many")
    parser.add_argument("--few", type=int, default=10_000, help="how many are few")
    parser.add_argument("--rounds", type=int, default=30, help="how often each step is taken at each size")
    args = parser.parse_args(arguments)
    on = machine()
    show("cost of a step, ms", asyncio.run(measured(args.few, args.conversations, args.rounds)), on)


if __name__ == "__main__":
    main()
