"""A scheduled comparison is made and reported once, however many processes there are, and is read back unchanged."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.conversations import CardState, LeadLabel
from bot.domain.learning import Example, Side, side_of
from bot.domain.past_comparisons import PastComparison
from bot.domain.report_posts import ComparisonReport
from bot.domain.tasks import Task
from bot.flow.weekly_comparison import WeeklyComparison
from db.comparisons import PostgresComparisons
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.outcomes import PostgresOutcomes
from tests.integration.db.scenes import LEAD, after, pending, reaction, routed, say_all
from tests.integration.db.test_digests import LEADS
from tests.integration.db.test_outcomes import CORRECTED
from tests.samples import COMPARED

MADE = PastComparison(COMPARED, "Worth it: +4.1 ± 1.2 points.", "routing-1", after(3_600))
TEXT = next(text for text in (f"where is refund {n}" for n in range(50)) if side_of(text) is Side.HELD_OUT)


async def test_what_is_kept_comes_back_newest_first_and_of_its_task(database: Database) -> None:
    past = PostgresComparisons(database)
    older = replace(MADE, adapter=None, at=after(0), report=replace(COMPARED, gain=None, margin=None))
    other = replace(MADE, report=replace(COMPARED, task="urgency"))
    for tick, one in (("a", older), ("b", MADE), ("a", other)):
        assert await past.add(tick, one, [])
    assert await past.newest("routing", 10) == [MADE, older]
    assert await past.newest("routing", 1) == [MADE]
    assert await past.made("urgency", "a") and not await past.made("urgency", "b")
    assert not await past.add("a", MADE, [])


async def settled(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    """A lead moves a request to another team."""
    await routed(ledger, TEXT)
    ref = (await say_all(outbox))["Card"]
    await ledger.add_reaction(reaction(ref, "key", 600))
    ruling = LeadLabel("access", LEAD, after(600), confirms=False, disputed=False)
    await ledger.conclude_reactions(await pending(ledger, 605), CORRECTED, CardState(ruling), [], after(605))


async def test_of_two_processes_one_compares_and_tells(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    asked: list[Sequence[Example]] = []

    async def compare(task: Task, examples: Sequence[Example]) -> PastComparison:
        asked.append(examples)
        await asyncio.sleep(0)
        return MADE

    await settled(ledger, outbox)
    senders = [
        WeeklyComparison(compare, PostgresOutcomes(database), PostgresComparisons(database), lambda: after(3_600))
        for _ in range(2)
    ]
    sent = await asyncio.gather(*(sender.send(LEADS, "2026-03-02T06:00Z") for sender in senders))
    assert sorted(sent) == [False, True]
    [[example]] = asked
    assert (example.text, example.label) == (TEXT, "access")
    said = [one.post.content for one in await outbox.claim_due(["slack"], after(3_601), 10)]
    assert [content for content in said if isinstance(content, ComparisonReport)] == [COMPARED]
    assert await senders[0].send(LEADS, "2026-03-09T06:00Z")
    assert timedelta(0) < MADE.at - example.at
