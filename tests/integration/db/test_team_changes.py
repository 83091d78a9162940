"""A team is renamed, merged, split or retired: all changes in one transaction, with a row that says who made them."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain import compose
from bot.domain.asking import Record
from bot.domain.conversations import CardState, PendingReactions
from bot.domain.decisions import Decision
from bot.domain.errors import UsageError
from bot.domain.learning import Adapter, Example, Judged, Side, Source, Verdict
from bot.domain.messages import Place, choice
from bot.domain.mixture import Mixture
from bot.domain.posts import Card, Post, Question
from bot.domain.reaction_rules import card_state, decision_now, read
from bot.domain.tasks import Label, Task, Vocabulary
from bot.domain.team_changes import Kind, KnownLabel, TeamChange, Touched
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.outcomes import PostgresOutcomes
from db.registry import PostgresRegistry
from db.tables import ConversationRow, CorrectionRow, DecisionRow, LabelChangeRow
from db.team_changes import PostgresTeamChanges
from db.voice_lessons import PostgresVoiceLessons
from tests.integration.db.scenes import (
    TASK,
    VECTOR,
    after,
    asked,
    pending,
    press,
    pressed,
    reaction,
    routed,
    say_all,
)
from tests.integration.db.test_reactions import CORRECTED, lead_label
from tests.integration.db.test_registry import adapter

BILLING = Label("billing", "money", emoji={"slack": "moneybag"}, deliver_to={"slack": Place("slack", "C-BILLING")})
LOGINS = Label("logins", "passwords", emoji={"slack": "key"}, deliver_to={"slack": Place("slack", "C-ACCESS")})
TRIAGE = Label("triage", "the rest", emoji={"slack": "bell"}, deliver_to={"slack": Place("slack", "C-TRIAGE")})
RENAMED = Task("routing", "Which team?", (BILLING, LOGINS, TRIAGE), "triage")
"""The scenes' task after `access` was renamed to `logins`."""
MERGED = replace(RENAMED, labels=(BILLING, TRIAGE))
ACCESS = replace(LOGINS, name="access")
ALPHABET = ["A", "B", "C", "D", "E"]
RENAME = TeamChange(Kind.RENAME, "access", "logins", "ann")


@pytest.fixture
def changes(database: Database) -> PostgresTeamChanges:
    return PostgresTeamChanges(database)


def posts(task: Task, found: PendingReactions, decision: Decision) -> list[Post]:
    return compose.judged(task, found, decision, CardState(), after(60))


async def made(changes: PostgresTeamChanges, task: Task, wanted: TeamChange, dry_run: bool = False) -> Touched:
    return await changes.change(task, wanted, partial(posts, task), after(60), dry_run)


async def corrected(ledger: PostgresLedger, outbox: PostgresOutbox, word: str = "key") -> PendingReactions:
    """A request that a lead moved from billing to access; its card has been sent."""
    await routed(ledger)
    ref = (await say_all(outbox))["Card"]
    await ledger.add_reaction(reaction(ref, word, 10))
    found = await pending(ledger, 11)
    given = replace(RENAMED, labels=(BILLING, ACCESS, TRIAGE))
    said = CardState(lead_label())
    await ledger.conclude_reactions(
        found, CORRECTED, said, compose.judged(given, found, CORRECTED, said, after(12)), after(12)
    )
    await say_all(outbox, 13)
    return found


def example(text: str, label: str, source: Source = Source.IMPORT) -> Example:
    return Example(text, label, source, Side.TRAIN, after(0))


async def standing(database: Database) -> list[tuple[str, str, Source]]:
    return [(e.text, e.label, e.source) for e in await PostgresExamples(database).examples("routing")]


async def test_a_renamed_team_keeps_its_corrections_and_its_requests(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await corrected(ledger, outbox)
    await PostgresExamples(database).add_examples("routing", [example("no password", "access")])
    memory = PostgresMemory(database, "tiny")
    assert (await memory.nearest(RENAMED, VECTOR, "where is my refund")).corrections == (), "heard by nobody"
    assert await made(changes, RENAMED, RENAME) == Touched(examples=2, corrections=1, conversations=1)
    (known,) = (await memory.nearest(RENAMED, VECTOR, "where is my refund")).corrections
    assert (known.label, known.same_text) == ("logins", True)
    async with database.transaction() as session:
        (ruling,) = await session.scalars(select(CorrectionRow).where(CorrectionRow.withdrawn_at.is_(None)))
        (talk,) = await session.scalars(select(ConversationRow))
        (row,) = await session.scalars(select(LabelChangeRow))
        past = list(await session.scalars(select(DecisionRow.label).order_by(DecisionRow.id)))
    assert (ruling.label, talk.label) == ("logins", "logins")
    assert (row.kind, row.before, row.after, row.by, row.at) == ("rename", "access", "logins", "ann", after(60))
    assert row.touched == {"examples": 2, "corrections": 1, "conversations": 1, "adapters": 0, "codes": 0}
    assert past == ["billing", "access"], "decisions of the past stay as they were made"


@pytest.mark.parametrize("word", ["key", choice("access"), choice("access", "thumbsdown")])
async def test_a_correction_from_before_goes_on_standing_and_can_be_taken_back(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, word: str
) -> None:
    ref = (await corrected(ledger, outbox, word)).standing[0].ref
    await made(changes, RENAMED, RENAME)
    await ledger.add_reaction(reaction(ref, "eyes", 70))
    found = await pending(ledger, 71)
    said = [one for put in found.standing if (one := read(RENAMED, Vocabulary(), put)) is not None]
    stands = card_state(found, [replace(one, via="") for one in said]).lead_label
    assert stands is not None
    assert (stands.label, decision_now(RENAMED, found, stands)) == ("logins", None)
    assert found.card is not None
    assert (found.card.card.label, dict(found.card.card.legend)["key"]) == ("logins", "logins")
    assert [one.card.moved_to for one in found.cards] == ["logins", None]


async def test_what_the_model_had_decided_has_its_new_name_when_the_lead_takes_it_back(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    ref = (await corrected(ledger, outbox)).standing[0].ref
    task = replace(RENAMED, labels=(replace(BILLING, name="money"), ACCESS, TRIAGE))
    await made(changes, task, TeamChange(Kind.RENAME, "billing", "money", "ann"))
    await ledger.add_reaction(reaction(ref, "key", 70, added=False))
    found = await pending(ledger, 71)
    back = decision_now(task, found, None)
    assert back is not None
    assert back.label == "money"


async def test_the_question_that_is_open_offers_the_team_under_its_new_name(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await asked(ledger)
    ref = (await say_all(outbox))["Question"]
    task = replace(RENAMED, labels=(replace(BILLING, name="money"), LOGINS, TRIAGE))
    await made(changes, task, TeamChange(Kind.RENAME, "billing", "money", "ann"))
    await ledger.add_press(press(ref, "0"))
    on = (await pressed(ledger, 75)).on
    assert isinstance(on, Question)
    assert on.candidates == ("money", "access")


async def test_an_adapter_trained_with_the_old_name_serves_under_the_new_one(
    changes: PostgresTeamChanges, database: Database
) -> None:
    registry = PostgresRegistry(database)
    codes = await registry.codes(TASK, "starter", ALPHABET)
    proved = Record((("access", 47, 90, 88, "en"), ("billing", 20, 3, 1, "en")))
    old = Adapter(
        "routing-1", "routing", Path("/runs/routing-1"), "starter", codes, 1.5, after(0), Mixture(proved=proved)
    )
    await registry.add_adapter(old)
    await registry.promote("routing", "routing-1", "gate", "better", after(1), base="starter")
    meanwhile = await registry.codes(RENAMED, "starter", ALPHABET)
    assert meanwhile["logins"] not in codes.values(), "a bot that started with the new name gave it another code"
    assert await made(changes, RENAMED, RENAME) == Touched(adapters=1, codes=1)
    fresh = PostgresRegistry(database)
    serving = await fresh.champion("routing", "starter")
    assert serving is not None
    assert serving.codes == {"billing": codes["billing"], "logins": codes["access"], "triage": codes["triage"]}
    assert serving.mixture.proved == Record((("logins", 47, 90, 88, "en"), ("billing", 20, 3, 1, "en")))
    assert await fresh.codes(RENAMED, "starter", ALPHABET) == serving.codes
    both = replace(RENAMED, labels=(*RENAMED.labels, Label("new", "new")))
    given = await fresh.codes(both, "starter", ALPHABET)
    assert given["new"] not in {*codes.values(), meanwhile["logins"]}, "no code is ever given twice"


async def test_again_it_changes_only_what_came_up_since(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    registry = PostgresRegistry(database)
    await registry.codes(TASK, "starter", ALPHABET)
    await corrected(ledger, outbox)
    await made(changes, RENAMED, RENAME)
    codes = await PostgresRegistry(database).codes(RENAMED, "starter", ALPHABET)
    assert (await made(changes, RENAMED, RENAME)).nothing
    await PostgresExamples(database).add_examples("routing", [example("no password", "access")])
    assert await made(changes, RENAMED, RENAME) == Touched(examples=1)
    assert await PostgresRegistry(database).codes(RENAMED, "starter", ALPHABET) == codes
    assert [one.touched["examples"] for one in await changes.made("routing")] == [1, 1]


async def test_a_dry_run_counts_and_changes_nothing(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await corrected(ledger, outbox)
    before = await standing(database)
    assert await made(changes, RENAMED, RENAME, dry_run=True) == Touched(1, 1, 1)
    assert (await standing(database), await changes.made("routing")) == (before, [])
    assert await changes.labels("routing") == [KnownLabel("access", 1, 1, 1)]


async def test_a_name_with_a_history_of_its_own_is_merged_and_not_renamed(
    changes: PostgresTeamChanges, database: Database
) -> None:
    registry = PostgresRegistry(database)
    codes = {**await registry.codes(TASK, "starter", ALPHABET), **await registry.codes(RENAMED, "starter", ALPHABET)}
    await registry.add_adapter(Adapter("routing-1", "routing", Path("/r"), "starter", codes, 1.0, after(0)))
    with pytest.raises(UsageError, match=r"routing-1 learned 'logins'.*switchboard teams merge access logins"):
        await made(changes, RENAMED, RENAME)
    assert await changes.made("routing") == []


async def test_of_a_text_that_a_file_had_under_both_names_one_row_counts(
    changes: PostgresTeamChanges, database: Database
) -> None:
    examples = PostgresExamples(database)
    await examples.add_examples("routing", [example("no password", "logins")])
    await examples.add_examples("routing", [replace(example("no password", "access"), at=after(5))])
    assert await standing(database) == [("no password", "access", Source.IMPORT)]
    assert await made(changes, RENAMED, RENAME) == Touched(examples=1)
    assert await standing(database) == [("no password", "logins", Source.IMPORT)]


async def test_what_the_settings_say_of_a_team_is_left_to_the_settings(
    changes: PostgresTeamChanges, database: Database
) -> None:
    examples = PostgresExamples(database)
    await examples.sync_settings("routing", [example("passwords", "access", Source.SETTINGS)], after(0))
    await examples.add_examples("routing", [example("no password", "access")])
    await examples.sync_settings("routing", [example("passwords", "logins", Source.SETTINGS)], after(1))
    assert await made(changes, RENAMED, RENAME) == Touched(examples=1)
    assert sorted(await standing(database)) == [
        ("no password", "logins", Source.IMPORT),
        ("passwords", "logins", Source.SETTINGS),
    ]


async def test_what_an_adapter_learned_of_a_merged_team_counts_for_the_other(
    changes: PostgresTeamChanges, database: Database
) -> None:
    registry, task = PostgresRegistry(database), replace(RENAMED, labels=(BILLING, ACCESS, TRIAGE))
    codes = await registry.codes(task, "starter", ALPHABET)
    await registry.add_adapter(replace(adapter("routing-1"), codes=codes))
    await registry.promote("routing", "routing-1", "command", "by hand", after(1), base="starter")
    before = await registry.champion("routing", "starter")
    assert before is not None
    assert before.merged == {}
    await made(changes, MERGED, TeamChange(Kind.MERGE, "access", "billing", "ann"))
    champion = await registry.champion("routing", "starter")
    assert champion is not None
    assert (champion.merged, champion.codes) == ({"access": "billing"}, codes)
    assert (await registry.adapters("routing"))[0].merged == {"access": "billing"}


async def test_a_team_that_later_has_the_name_of_a_merged_one_keeps_what_an_adapter_learned_of_it(
    changes: PostgresTeamChanges, database: Database
) -> None:
    registry, task = PostgresRegistry(database), replace(RENAMED, labels=(BILLING, ACCESS, TRIAGE))
    codes = await registry.codes(task, "starter", ALPHABET)
    await made(changes, MERGED, TeamChange(Kind.MERGE, "access", "billing", "ann"))
    await registry.request_cycle("routing", "command", "k", after(50))
    async with registry.claim_cycle(after(50)) as cycle:
        assert cycle is not None
        before = replace(adapter("routing-1", minutes=2), codes=codes)
        await registry.conclude_cycle(cycle, Judged(before, None, Verdict(False, ())), [], after(120))
    await registry.add_adapter(replace(adapter("routing-2", minutes=9), codes=codes))
    drawn_before, drawn_after = await registry.adapters("routing")
    assert drawn_before.merged == {"access": "billing"}, "it was made after the merge, of what was drawn before"
    assert drawn_after.merged == {}


async def test_a_candidate_that_trained_while_its_team_was_renamed_serves_under_the_new_name(
    changes: PostgresTeamChanges, database: Database
) -> None:
    """Otherwise the adapter would not know the team, and no message would say so."""
    registry = PostgresRegistry(database)
    codes = await registry.codes(TASK, "starter", ALPHABET)
    proved = Record((("access", 47, 90, 88, "en"),))
    candidate = replace(adapter("routing-1", minutes=2), codes=codes, mixture=Mixture(proved=proved))
    await registry.request_cycle("routing", "schedule", "k", after(10))
    async with registry.claim_cycle(after(10)) as cycle:
        assert cycle is not None
        await made(changes, RENAMED, RENAME)
        await registry.conclude_cycle(cycle, Judged(candidate, None, Verdict(True, ("better",))), [], after(120))
    serving = await registry.champion("routing", "starter")
    assert serving is not None
    assert serving.codes == {"billing": codes["billing"], "logins": codes["access"], "triage": codes["triage"]}
    assert serving.codes == await PostgresRegistry(database).codes(RENAMED, "starter", ALPHABET)
    assert serving.mixture.proved == Record((("logins", 47, 90, 88, "en"),))


async def test_a_correction_that_is_taken_back_goes_to_the_team_that_has_the_name_now(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await routed(ledger, "an old matter", "m0")
    await say_all(outbox)
    task = replace(RENAMED, labels=(replace(BILLING, name="money"), ACCESS, TRIAGE))
    await made(changes, task, TeamChange(Kind.RENAME, "billing", "money", "ann"))
    id = await routed(ledger, ref="m1", start=100)
    ref = (await say_all(outbox, 110))["Card"]
    await ledger.add_reaction(reaction(ref, "key", 120))
    first = (await pending(ledger, 121)).first
    assert (first.label, first.by) == ("billing", "model"), "a new team that is called so"
    found = await PostgresOutcomes(database).outcomes("routing", after(0), after(900), 9)
    assert [(one.first.label, one.ended) for one in found] == [("money", "money"), ("billing", "billing")]
    assert found[1].conversation == id


async def test_a_merged_team_gives_its_examples_and_its_open_requests_to_the_other(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    found = await corrected(ledger, outbox)
    merge = TeamChange(Kind.MERGE, "access", "billing", "ann")
    assert await made(changes, MERGED, merge) == Touched(examples=1, corrections=1, conversations=1)
    assert await standing(database) == [("where is my refund", "billing", Source.CORRECTION)]
    owed = {
        type(p.content).__name__: p
        for item in await outbox.claim_due(["slack", "telegram"], after(61), 10)
        for p in [item.post]
    }
    assert owed.keys() >= {"Card", "Moved"}
    async with database.transaction() as session:
        newest = (await session.scalars(select(DecisionRow).order_by(DecisionRow.id.desc()))).first()
    assert newest is not None
    assert (newest.conversation_id, newest.label, newest.by, newest.reason) == (
        found.conversation.id,
        "billing",
        "fallback",
        "retired",
    )
    assert newest.actor == "ann"
    async with database.transaction() as session:
        moved = await session.get(ConversationRow, found.conversation.id)
    assert moved is not None and moved.lacks_answers, "the other team may have topics"


async def test_a_retired_team_teaches_nobody_and_its_requests_go_to_the_fallback(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await corrected(ledger, outbox)
    retire = TeamChange(Kind.RETIRE, "access", "triage", "ann")
    assert await made(changes, MERGED, retire) == Touched(examples=1, conversations=1)
    assert await standing(database) == []
    cards = [
        item.post for item in await outbox.claim_due(["slack"], after(61), 10) if isinstance(item.post.content, Card)
    ]
    places = sorted((one.place.chat, one.edits is None) for one in cards)
    assert places == [("C-ACCESS", False), ("C-TRIAGE", True)]
    async with database.transaction() as session:
        (talk,) = await session.scalars(select(ConversationRow))
    assert (talk.label, talk.state) == ("triage", "routed")
    assert (await made(changes, MERGED, retire)).nothing


async def test_a_split_moves_the_texts_that_were_named_and_the_voices_hear_of_it(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await corrected(ledger, outbox)
    await PostgresExamples(database).add_examples(
        "routing", [example("no password", "access"), example("VPN drops", "access")]
    )
    task = replace(RENAMED, labels=(BILLING, ACCESS, LOGINS, TRIAGE))
    lessons = PostgresVoiceLessons(database)
    stamp = await lessons.stamp(task, "tiny")
    split = TeamChange(Kind.SPLIT, "access", "logins", "ann", ("No password!", "where is my refund", "unknown"))
    assert await made(changes, task, split) == Touched(examples=2, corrections=1)
    assert sorted(await standing(database)) == [
        ("VPN drops", "access", Source.IMPORT),
        ("no password", "logins", Source.IMPORT),
        ("where is my refund", "logins", Source.CORRECTION),
    ]
    assert await lessons.stamp(task, "tiny") != stamp


async def test_a_held_memory_hears_of_it_at_once(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    memory = PostgresMemory(database, "tiny")
    await corrected(ledger, outbox)
    await memory.load(RENAMED)
    assert (await memory.nearest(RENAMED, VECTOR, "something alike")).corrections == ()
    await made(changes, RENAMED, RENAME)
    assert [n.label for n in (await memory.nearest(RENAMED, VECTOR, "something alike")).corrections] == ["logins"]


async def test_a_team_that_never_was_is_refused(changes: PostgresTeamChanges) -> None:
    with pytest.raises(UsageError, match="nothing in the database is called 'access'"):
        await made(changes, RENAMED, RENAME)
