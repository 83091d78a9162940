"""A digest is posted once, however many processes there are; its figures are read from the database."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.domain.learning import Example, Side, Source
from bot.domain.report_posts import Digest
from bot.domain.review import Why
from bot.flow.digest import DigestSender
from bot.flow.review import WEEK, DriftWatch, Reviewer
from db.digests import PostgresDigests
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.outcomes import PostgresOutcomes
from tests.integration.db.scenes import ROOM, TASK, VECTOR, after, asked, routed

LEADS = replace(
    TASK,
    labels=tuple(
        replace(label, deliver_to={"slack": ROOM}) if label.name == "triage" else label for label in TASK.labels
    ),
)


@pytest.fixture
def reviewer(database: Database) -> Reviewer:
    memory = PostgresMemory(database, "tiny")
    return Reviewer(PostgresOutcomes(database), memory, "tiny", lambda: after(3_600))


async def test_two_processes_at_once_owe_one_digest(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox, reviewer: Reviewer
) -> None:
    await routed(ledger)
    senders = [DigestSender(reviewer, PostgresDigests(database), lambda: after(3_600)) for _ in range(2)]
    owed = await asyncio.gather(*(sender.send(LEADS, "2026-03-02T09:00Z") for sender in senders))
    assert sorted(owed) == [False, True]
    said = [one.post for one in await outbox.claim_due(["slack"], after(3_601), 10)]
    [content] = [post.content for post in said if isinstance(post.content, Digest)]
    assert (content.decided, content.moved, content.waiting, content.days[-1]) == (1, 0, 0, 1)
    assert await senders[0].send(LEADS, "2026-03-09T09:00Z")


async def known(database: Database, vector: Sequence[float]) -> None:
    """One example, remembered at that place."""
    near = Example("the refund of last week", "billing", Source.IMPORT, Side.TRAIN, after(0))
    memory = PostgresMemory(database, "tiny")
    await PostgresExamples(database).add_examples("routing", [near])
    [(id, _)] = await memory.unembedded("tiny", 10)
    await memory.remember("tiny", {id: vector})


async def test_a_review_finds_what_is_near_and_what_deserves_a_look(
    database: Database, ledger: PostgresLedger, reviewer: Reviewer
) -> None:
    await known(database, VECTOR)
    await routed(ledger)
    unsure = await asked(ledger, "m2", 100)
    made = await reviewer.review(TASK, WEEK)
    assert [(item.outcome.conversation, item.why) for item in made.queue] == [(unsure, Why.UNSURE)]
    assert made.queue[0].nearest == pytest.approx(1.0, abs=0.02)
    assert (made.confusions, made.groups, made.drifts, made.enough) == ([], [], {}, False)


async def test_five_messages_about_one_thing_that_nothing_is_like_are_a_group(
    database: Database, ledger: PostgresLedger, reviewer: Reviewer
) -> None:
    await known(database, (0.0, 1.0, 0.0))
    ids = [await routed(ledger, f"words {n}", f"m{n}", 100 * n) for n in range(5)]
    made = await reviewer.review(TASK, WEEK)
    assert [item.why for item in made.queue] == [Why.FAR] * 5
    [group] = made.groups
    assert sorted(one.conversation for one in group.outcomes) == ids


async def test_the_watch_says_nothing_while_there_is_too_little(ledger: PostgresLedger, reviewer: Reviewer) -> None:
    await routed(ledger)
    watch = DriftWatch([TASK], reviewer)
    assert (await watch.step(), watch.latest) == (0, {})
