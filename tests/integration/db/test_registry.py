"""Codes are never reassigned, the pointer moves back and forth, and one process learns at a time."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from bot.domain.asking import Record
from bot.domain.conversations import CardState
from bot.domain.errors import ClaimLost, Refused, UsageError
from bot.domain.learning import Adapter, Judged, Outcome, Phase, RegistryEvent, Verdict
from bot.domain.messages import Place
from bot.domain.mixture import Mixture
from bot.domain.model_ports import Registry
from bot.domain.posts import Post
from bot.domain.report_posts import LearningReport
from bot.domain.scope import Scope
from bot.domain.tasks import Label
from db.engine import Database, open_database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from tests.fakes_registry import FakeRegistry
from tests.integration.db.scenes import TASK, after, pending, reaction, routed, say_all
from tests.integration.db.test_reactions import CORRECTED, lead_label

ALPHABET = ["A", "B", "C", "D", "E"]


PROMOTED = Verdict(True, ("10 mistakes mended", "none made"), {"n": 400.0})
REFUSED = Verdict(False, ("not proven",), {"n": 31.0})
REPORT = Post(Place("slack", "C-TRIAGE"), LearningReport("routing", "routing-1", True, ("10 mistakes mended",)))


@pytest.fixture(params=["postgres", "fake"])
def registry(request: pytest.FixtureRequest) -> Registry:
    """The real registry, and the fake that the learner's unit tests use."""
    if request.param == "fake":
        return FakeRegistry()
    return PostgresRegistry(request.getfixturevalue("database"))


def adapter(name: str, base: str = "starter", minutes: float = 0) -> Adapter:
    return Adapter(name, "routing", Path("/runs") / name, base, {"billing": "A"}, 1.5, after(minutes * 60))


async def test_a_mixture_comes_back_as_it_was_judged(registry: Registry) -> None:
    proved, known = (
        Record((("billing", 47, 90, 88, "en"), ("access", 20, 3, 1, "en"))),
        Scope((0.0, 0.5), (0.1, 0.7), 1.9),
    )
    mixture = Mixture({"adapter": 0.3, "words": 0.2}, proved=proved, scope=known)
    await registry.add_adapter(replace(adapter("routing-1"), mixture=mixture, digest="d1"))
    await registry.add_adapter(replace(adapter("routing-2", minutes=1), mixture=Mixture(mixture.weights)))
    first, second = await registry.adapters("routing")
    assert (first.mixture.weights, first.mixture.proved, first.mixture.scope) == (mixture.weights, proved, known)
    assert (second.mixture.proved, second.mixture.scope) == (None, None), "nobody counted"
    assert (first.digest, second.digest) == ("d1", None)


async def test_codes_are_given_in_order_and_stay(registry: Registry) -> None:
    first = await registry.codes(TASK, "starter", ALPHABET)
    assert first == {"billing": "A", "access": "B", "triage": "C"}
    assert await registry.codes(TASK, "starter", ["Z", "Y", "X"]) == first
    assert await registry.codes(TASK, "another base", ALPHABET[2:]) == {"billing": "C", "access": "D", "triage": "E"}


async def test_a_retired_labels_code_is_never_given_to_another(registry: Registry) -> None:
    await registry.codes(TASK, "starter", ALPHABET)
    changed = replace(TASK, labels=(Label("legal", "law"), *TASK.labels[1:]))
    assert await registry.codes(changed, "starter", ALPHABET) == {"legal": "D", "access": "B", "triage": "C"}
    assert (await registry.codes(TASK, "starter", ALPHABET))["billing"] == "A"


async def test_too_many_labels_for_the_alphabet(registry: Registry) -> None:
    with pytest.raises(UsageError, match="1 label is too many"):
        await registry.codes(TASK, "starter", ["A", "B"])


async def test_codes_asked_for_at_once_are_the_same(registry: Registry) -> None:
    async with asyncio.TaskGroup() as group:
        asks = [group.create_task(registry.codes(TASK, "starter", ALPHABET)) for _ in range(6)]
    assert [ask.result() for ask in asks] == [{"billing": "A", "access": "B", "triage": "C"}] * 6


async def test_codes_are_adopted_only_where_there_are_none(registry: Registry) -> None:
    assert await registry.adopt_codes("routing", "starter", {"billing": "E", "access": "D"})
    assert not await registry.adopt_codes("routing", "starter", {"billing": "A"})
    assert await registry.codes(TASK, "starter", ALPHABET) == {"billing": "E", "access": "D", "triage": "A"}


async def test_an_adapters_name_never_changes_meaning(registry: Registry) -> None:
    made = adapter("routing-1")
    await registry.add_adapter(made)
    await registry.add_adapter(replace(made, temperature=9.0))
    await registry.add_adapter(adapter("routing-0", minutes=-1))
    assert await registry.adapters("routing") == [adapter("routing-0", minutes=-1), made]


async def test_champion_promotion_and_rollback(registry: Registry) -> None:
    for name in ("routing-1", "routing-2", "routing-3"):
        await registry.add_adapter(adapter(name))
    assert await registry.champion("routing", "starter") is None
    for minute, name in enumerate(("routing-1", "routing-2", "routing-2", "routing-3")):
        await registry.promote("routing", name, "cli", "better", after(minute), base="starter")
    assert await registry.champion("routing", "starter") == adapter("routing-3")
    assert await registry.champion("routing", "another base") is None
    assert (await registry.rollback("routing", "cli", after(9), base="starter")).name == "routing-2"
    assert (await registry.rollback("routing", "cli", after(10), base="starter")).name == "routing-1"
    with pytest.raises(UsageError, match="no adapter of routing served before"):
        await registry.rollback("routing", "cli", after(11), base="starter")
    assert await registry.champion("routing", "starter") == adapter("routing-1")


async def test_rolling_back_a_promotion_after_a_rollback(registry: Registry) -> None:
    for name in ("routing-1", "routing-2", "routing-3"):
        await registry.add_adapter(adapter(name))
    await registry.promote("routing", "routing-1", "cli", "", after(1), base="starter")
    await registry.promote("routing", "routing-2", "cli", "", after(2), base="starter")
    await registry.rollback("routing", "cli", after(3), base="starter")
    await registry.promote("routing", "routing-3", "cli", "", after(4), base="starter")
    assert (await registry.rollback("routing", "cli", after(5), base="starter")).name == "routing-1"


async def test_an_unknown_adapter_cannot_be_promoted(registry: Registry) -> None:
    with pytest.raises(UsageError, match="routing-9"):
        await registry.promote("routing", "routing-9", "cli", "", after(0), base="starter")


async def test_an_adapter_of_another_base_is_refused_with_the_reason(registry: Registry) -> None:
    await registry.add_adapter(adapter("routing-1"))
    await registry.add_adapter(adapter("routing-2", base="meta-llama/Llama-3.2-1B-Instruct"))
    await registry.promote("routing", "routing-1", "cli", "", after(0), base="starter")
    with pytest.raises(UsageError, match=r"trained for the base model meta-llama/.*, and starter is served"):
        await registry.promote("routing", "routing-2", "cli", "", after(1), base="starter")
    assert await registry.champion("routing", "starter") == adapter("routing-1")
    another = "meta-llama/Llama-3.2-1B-Instruct"
    await registry.promote("routing", "routing-2", "cli", "", after(2), base=another)
    with pytest.raises(UsageError, match=rf"routing-1 was trained for the base model starter, and {another} is served"):
        await registry.rollback("routing", "cli", after(3), base=another)


async def test_a_name_is_never_used_twice(registry: Registry) -> None:
    assert await registry.next_name("routing") == "routing-1"
    await registry.add_adapter(adapter("routing-1"))
    await registry.add_adapter(adapter("seed"))
    await registry.request_cycle("routing", "cli", "k", after(0))
    async with registry.claim_cycle(after(0)) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, Phase.TRAINING, 0.1, "routing-10")
        await registry.fail_cycle(cycle, "the disk is full", after(1))
    assert await registry.next_name("routing") == "routing-11"


async def test_a_cycle_is_requested_once(registry: Registry) -> None:
    assert await registry.request_cycle("routing", "schedule", "tick-1", after(0))
    assert not await registry.request_cycle("routing", "schedule", "tick-1", after(1))
    assert not await registry.request_cycle("routing", "cli", "another while one waits", after(2))
    async with registry.claim_cycle(after(3)) as cycle:
        assert cycle is not None
        await registry.fail_cycle(cycle, "the disk is full", after(4))
    assert not await registry.request_cycle("routing", "schedule", "tick-1", after(5))
    assert await registry.request_cycle("routing", "schedule", "tick-2", after(6))


async def test_a_cycle_tells_its_story(registry: Registry) -> None:
    await registry.request_cycle("routing", "cli", "k", after(0))
    async with registry.claim_cycle(after(1)) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, Phase.TRAINING, 0.5, "routing-1")
        await registry.update_cycle(cycle, Phase.SCORING, 0.25)
        (now,) = await registry.cycles("routing", 5)
        assert (now.phase, now.progress, now.adapter, now.verdict) == (Phase.SCORING, 0.25, "routing-1", None)
        await registry.conclude_cycle(cycle, Judged(adapter("routing-1"), None, REFUSED), [], after(2))
        with pytest.raises(ClaimLost):
            await registry.fail_cycle(cycle, "too late to fail", after(3))
        with pytest.raises(ClaimLost):
            await registry.update_cycle(cycle, Phase.SCORING, 0.5)
    (done,) = await registry.cycles("routing", 5)
    assert (done.phase, done.verdict, done.problem) == (Phase.DONE, REFUSED, "")


async def test_a_conclusion_is_the_adapter_its_promotion_the_verdict_and_the_report_at_once(registry: Registry) -> None:
    for number, verdict in ((1, PROMOTED), (2, REFUSED)):
        await registry.request_cycle("routing", "cli", f"k{number}", after(0))
        async with registry.claim_cycle(after(1)) as cycle:
            assert cycle is not None
            champion = await registry.champion("routing", "starter")
            await registry.conclude_cycle(
                cycle, Judged(adapter(f"routing-{number}"), champion, verdict), [REPORT], after(2)
            )
    assert [made.name for made in await registry.adapters("routing")] == ["routing-1", "routing-2"]
    assert await registry.champion("routing", "starter") == adapter("routing-1")
    assert [cycle.verdict for cycle in await registry.cycles("routing", 5)] == [REFUSED, PROMOTED]


async def test_looks_are_the_verdicts_that_compared_something(registry: Registry) -> None:
    compared = Verdict(False, ("not proven",), {"n": 400.0, "p_value": 0.5})
    for number, verdict in enumerate((compared, REFUSED, compared)):
        await registry.request_cycle("routing", "cli", f"k{number}", after(0))
        async with registry.claim_cycle(after(1)) as cycle:
            assert cycle is not None
            await registry.conclude_cycle(cycle, Judged(adapter(f"routing-{number}"), None, verdict), [], after(number))
    await registry.request_cycle("routing", "cli", "failed", after(0))
    async with registry.claim_cycle(after(1)) as cycle:
        assert cycle is not None
        await registry.fail_cycle(cycle, "the disk is full", after(4))
    assert await registry.looks("routing", after(0)) == 2
    if isinstance(registry, PostgresRegistry):
        assert await registry.looks("routing", after(1)) == 1, "an older one counts no more"
        assert await registry.looks("sentiment", after(0)) == 0


async def test_history_is_who_served_and_who_was_refused_by_whom_and_why(registry: Registry) -> None:
    for number, verdict in ((1, PROMOTED), (2, REFUSED), (3, PROMOTED)):
        await registry.request_cycle("routing", f"lead {number}", f"k{number}", after(0))
        async with registry.claim_cycle(after(1)) as cycle:
            assert cycle is not None
            champion = await registry.champion("routing", "starter")
            made = adapter(f"routing-{number}")
            await registry.conclude_cycle(cycle, Judged(made, champion, verdict), [], after(10 * number))
    await registry.rollback("routing", "command", after(40), base="starter")
    await registry.promote("routing", "routing-2", "slack:U1", "by hand", after(50), base="starter")
    by_hand, back, third, second, first = await registry.history("routing", 9)
    why = "; ".join(PROMOTED.reasons)
    assert first == RegistryEvent(after(10), "routing-1", Outcome.SERVES, "gate", why, "lead 1", None, PROMOTED.figures)
    assert second == RegistryEvent(
        after(20), "routing-2", Outcome.REFUSED, "gate", "not proven", "lead 2", "routing-1", REFUSED.figures
    )
    assert third == RegistryEvent(
        after(30), "routing-3", Outcome.SERVES, "gate", why, "lead 3", "routing-1", PROMOTED.figures
    )
    assert back == RegistryEvent(after(40), "routing-1", Outcome.ROLLED_BACK, "command", "rolled back from routing-3")
    assert by_hand == RegistryEvent(after(50), "routing-2", Outcome.SERVES, "slack:U1", "by hand")
    assert await registry.history("routing", 2) == [by_hand, back]


async def test_the_report_of_a_conclusion_is_owed(database: Database, outbox: PostgresOutbox) -> None:
    registry = PostgresRegistry(database)
    await registry.request_cycle("routing", "cli", "k", after(0))
    async with registry.claim_cycle(after(1)) as cycle:
        assert cycle is not None
        await registry.conclude_cycle(cycle, Judged(adapter("routing-1"), None, PROMOTED), [REPORT], after(2))
    assert [item.post for item in await outbox.claim_due(["slack"], after(3), 10)] == [REPORT]


async def test_a_verdict_about_somebody_who_no_longer_serves_promotes_nobody(registry: Registry) -> None:
    """A lead rolled back, or promoted another adapter by name, while the candidate was scored."""
    for number in (1, 2):
        await registry.add_adapter(adapter(f"routing-{number}"))
        await registry.promote("routing", f"routing-{number}", "cli", "", after(0), base="starter")
    judged_against = await registry.champion("routing", "starter")
    await registry.request_cycle("routing", "cli", "k", after(1))
    async with registry.claim_cycle(after(2)) as cycle:
        assert cycle is not None
        await registry.rollback("routing", "cli", after(3), base="starter")
        with pytest.raises(Refused, match="another adapter serves"):
            await registry.conclude_cycle(
                cycle, Judged(adapter("routing-3"), judged_against, PROMOTED), [REPORT], after(4)
            )
        assert await registry.champion("routing", "starter") == adapter("routing-1")
        assert len(await registry.adapters("routing")) == 2
        await registry.fail_cycle(cycle, "another adapter serves", after(5))


async def test_a_claim_that_was_lost_concludes_nothing(registry: Registry) -> None:
    await registry.request_cycle("routing", "cli", "k", after(0))
    async with registry.claim_cycle(after(1)) as lost:
        assert lost is not None
    async with registry.claim_cycle(after(2)) as cycle:
        assert cycle is not None
        assert (cycle.id, cycle.claim == lost.claim) == (lost.id, False)
        with pytest.raises(ClaimLost):
            await registry.update_cycle(lost, Phase.SCORING, 0.9)
        with pytest.raises(ClaimLost):
            await registry.conclude_cycle(lost, Judged(adapter("routing-1"), None, PROMOTED), [REPORT], after(3))
        with pytest.raises(ClaimLost):
            await registry.fail_cycle(lost, "whatever", after(3))
        assert (await registry.adapters("routing"), await registry.champion("routing", "starter")) == ([], None)
        (still,) = await registry.cycles("routing", 1)
        assert still.phase is Phase.REQUESTED
        await registry.conclude_cycle(cycle, Judged(adapter("routing-1"), None, PROMOTED), [REPORT], after(4))


async def test_a_lock_that_dies_with_its_connection_cannot_store_a_verdict(
    database: Database, database_url: str, outbox: PostgresOutbox
) -> None:
    registry = PostgresRegistry(database)
    await registry.request_cycle("routing", "cli", "k", after(0))
    async with open_database(database_url) as second, registry.claim_cycle(after(1)) as cycle:
        assert cycle is not None
        await asyncio.to_thread(_cut_lock, database_url)
        async with PostgresRegistry(second).claim_cycle(after(2)) as theirs:
            assert theirs is not None
            with pytest.raises(ClaimLost):
                await registry.conclude_cycle(cycle, Judged(adapter("routing-1"), None, PROMOTED), [REPORT], after(3))
    assert await registry.champion("routing", "starter") is None
    assert await outbox.claim_due(["slack"], after(4), 10) == []


def _cut_lock(url: str) -> None:
    """End the connection that holds the learning lock, as a firewall or a failover does."""
    with psycopg.connect(url, autocommit=True) as connection:
        held = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
        assert connection.execute(held).fetchall() == [(True,)]


async def test_one_learns_at_a_time_over_all_processes(database: Database, database_url: str) -> None:
    registry = PostgresRegistry(database)
    await registry.request_cycle("routing", "cli", "k", after(0))
    async with open_database(database_url) as second:
        other = PostgresRegistry(second)
        async with registry.claim_cycle(after(1)) as cycle, other.claim_cycle(after(1)) as refused:
            assert (cycle is not None, refused) == (True, None)
        async with other.claim_cycle(after(2)) as again:
            assert again is not None
            assert cycle is not None
            assert again.id == cycle.id


_DIES_WHILE_LEARNING = """
import asyncio, os, sys
from bot.domain.learning import Phase
from db.engine import open_database
from db.registry import PostgresRegistry
from tests.integration.db.scenes import after

async def main():
    async with open_database(sys.argv[1]) as database:
        registry = PostgresRegistry(database)
        async with registry.claim_cycle(after(1)) as cycle:
            await registry.update_cycle(cycle, Phase.TRAINING, 0.5, "routing-1")
            os.kill(os.getpid(), 9)

asyncio.run(main())
"""


async def test_the_cycle_of_a_process_that_died_is_claimed_again(database: Database, database_url: str) -> None:
    registry = PostgresRegistry(database)
    await registry.request_cycle("routing", "cli", "k", after(0))
    dies = [sys.executable, "-c", _DIES_WHILE_LEARNING, database_url]
    assert (await asyncio.to_thread(subprocess.run, dies, check=False)).returncode == -9
    async with asyncio.timeout(10):
        while True:
            async with registry.claim_cycle(after(2)) as cycle:
                if cycle is not None:
                    break
            await asyncio.sleep(0.05)
    assert (cycle.phase, cycle.adapter) == (Phase.TRAINING, "routing-1")


async def test_nothing_to_learn(registry: Registry) -> None:
    async with registry.claim_cycle(after(0)) as cycle:
        assert cycle is None


async def test_corrections_wait_until_a_training_set_took_them(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    registry = PostgresRegistry(database)
    await routed(ledger)
    ref = (await say_all(outbox))["Card"]
    await ledger.add_reaction(reaction(ref, "key", 10))
    found = await pending(ledger, 11)
    await ledger.conclude_reactions(found, CORRECTED, CardState(lead_label()), [], after(12))
    examples = PostgresExamples(database)
    assert await examples.waiting_corrections("routing") == 1
    for key, verdict, waiting in (("a", None, 1), ("b", REFUSED, 0)):
        await registry.request_cycle("routing", "cli", key, after(20))
        async with registry.claim_cycle(after(21)) as cycle:
            assert cycle is not None
            if verdict is None:
                await registry.fail_cycle(cycle, "failed", after(22))
            else:
                await registry.conclude_cycle(cycle, Judged(adapter("routing-1"), None, verdict), [], after(22))
        assert await examples.waiting_corrections("routing") == waiting
