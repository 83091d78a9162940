"""Corrections that are held back, or let go of, without a reaction on their card: the guard and the card keep up."""

from datetime import timedelta

from sqlalchemy import func, select

from bot.domain.correction_life import Stage
from bot.domain.errors import Unreachable
from bot.domain.guards import Guards, Held
from bot.domain.messages import Person
from bot.domain.second_look import PATIENCE, Verdicts
from db.corrections import PostgresCorrections
from db.engine import Database
from db.memory import PostgresMemory
from db.second_looks import PostgresSecondLooks
from db.tables import ConversationRow, ExampleRow
from tests.integration.flow.test_corrections_after_edits import (
    OTHER_LEAD,
    another_lead_is_about,
    has_its_vector,
    know,
    lessons,
)
from tests.worlds.story import Story

WORDS = "I was charged for the tunnel"


async def corrected_without_an_embedder(story: Story, text: str = WORDS, id: str = "m1") -> None:
    """A request that a lead moved from billing to it, while no vectors could be made."""
    story.embedder.failure = Unreachable("no vectors")
    await story.writes(text, id)
    story.later(5)
    for step in (story.sorter.step, story.courier.step):
        await step()
    await story.reacts("💻")
    story.later(5)
    for step in (story.corrector.step, story.courier.step):
        await step()
    story.embedder.failure = None


async def test_a_correction_without_a_vector_is_guarded_as_soon_as_it_has_one(story: Story, database: Database) -> None:
    await another_lead_is_about(story)
    await know(story, "billing", *(f"{WORDS} {n}" for n in "abcd"))
    await corrected_without_an_embedder(story)
    lesson = (await lessons(database))[-1]
    assert (lesson.text, lesson.vector, lesson.held) == (WORDS, None, None)
    assert story.reads().held == ""
    await story.settles()
    lesson = (await lessons(database))[-1]
    assert await has_its_vector(lesson)
    assert (lesson.held, lesson.quarantined) == (Held.CONTRADICTED, True)
    assert (story.reads().label, story.reads().held) == ("it", Held.CONTRADICTED), "the card says that it waits"
    await story.reacts("💻", by=OTHER_LEAD)
    await story.settles()
    assert [one.held for one in await lessons(database)] == [None, None]
    assert story.reads().held == "", "a second lead agreed"


async def test_a_late_vector_holds_nothing_back_without_the_guard_or_a_second_lead(
    story: Story, database: Database
) -> None:
    await know(story, "billing", *(f"{WORDS} {n}" for n in "abcd"))
    await corrected_without_an_embedder(story)
    await story.settles()
    assert [one.held for one in await lessons(database)] == [None], "nobody could be the second lead"
    story.platform.leads = frozenset({"lead", "lead2"})
    await story.writes("where is my parcel", "other")
    await story.settles()
    await story.reacts("🧭", by=OTHER_LEAD)
    await story.settles()
    story.embedding_backfill.memory._guards = {"routing": Guards(neighbours=False)}  # type: ignore[attr-defined]
    await corrected_without_an_embedder(story, f"{WORDS} again", "m2")
    await story.settles()
    assert [one.held for one in await lessons(database)] == [None] * 3, "the settings switched the guard off"


async def test_a_vector_by_another_embedder_is_no_reason_to_judge_again(story: Story, database: Database) -> None:
    await another_lead_is_about(story)
    await story.writes(WORDS, "m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    await know(story, "billing", *(f"{WORDS} {n}" for n in "abcd"))
    again = PostgresMemory(database, "another", now=story.now)
    waiting = await again.unembedded("another", 100)
    made = await story.embedder.embed([text for _, text in waiting])
    await again.remember("another", dict(zip([one for one, _ in waiting], made, strict=True)))
    assert [one.held for one in await lessons(database)] == [None, None]


async def test_a_correction_whose_conversation_is_busy_gets_its_vector_once_it_is_not(
    story: Story, database: Database
) -> None:
    await another_lead_is_about(story)
    await know(story, "billing", *(f"{WORDS} {n}" for n in "abcd"))
    await corrected_without_an_embedder(story)
    lesson = (await lessons(database))[-1]
    async with database.transaction() as session:
        await session.execute(
            select(ConversationRow.id).where(ConversationRow.id == lesson.conversation_id).with_for_update()
        )
        await story.embedding_backfill.step()
        assert (await lessons(database))[-1].vector is None, "it waits for nobody, and is not stored unguarded"
    await story.embedding_backfill.step()
    assert (await lessons(database))[-1].held == Held.CONTRADICTED


async def _moved(story: Story, text: str, id: str) -> None:
    await story.writes(text, id)
    await story.settles()
    await story.reacts("💻")
    await story.settles()


async def test_the_card_says_what_a_second_look_and_a_command_change(story: Story, database: Database) -> None:
    await another_lead_is_about(story)
    await _moved(story, WORDS, "m1")
    [*_, lesson] = await lessons(database)
    looks, later = PostgresSecondLooks(database), story.now() + PATIENCE + timedelta(hours=1)
    assert await looks.settle("routing", Verdicts(hold=(lesson.id,)), later) == 1
    story.time = later
    await story.settles()
    assert story.reads().held == Held.CONTRADICTED
    assert await looks.settle("routing", Verdicts(free=(lesson.id,)), story.now()) == 1
    await story.settles()
    assert story.reads().held == ""
    assert await looks.settle("routing", Verdicts(hold=(lesson.id,)), story.now()) == 1
    await story.settles()
    assert story.reads().held == Held.CONTRADICTED
    assert await PostgresCorrections(database).accept(lesson.id, "ann", story.now())
    await story.settles()
    assert story.reads().held == ""
    async with database.transaction() as session:
        assert await session.scalar(select(func.count(ExampleRow.id)).where(ExampleRow.quarantined)) == 0


async def test_a_second_lead_on_another_card_with_the_very_words_lets_the_first_one_teach(
    story: Story, database: Database
) -> None:
    await another_lead_is_about(story)
    await know(story, "billing", *(f"{WORDS} {n}" for n in "abcd"))
    await story.writes(WORDS, "m1")
    await story.writes(WORDS, "m2", author=Person("web", "another person", "Ana"))
    await story.settles()
    *_, one, two = range(len(story.cards()))
    await story.reacts("💻", card=one)
    await story.settles()
    assert story.reads().held == Held.CONTRADICTED
    first = len(story.cards()) - 1
    await story.reacts("💻", by=OTHER_LEAD, card=two)
    await story.settles()
    assert [one.held for one in await lessons(database)] == [None] * 3
    assert (story.reads(first).label, story.reads(first).held) == ("it", "")
    assert {one.stage for one in await PostgresCorrections(database).lives("routing", 9)} == {Stage.REMEMBERED}
    await story.reacts("💻", by=OTHER_LEAD, card=two, added=False)
    await story.settles()
    assert [one.held for one in await lessons(database)] == [None, Held.CONTRADICTED], "as if they had said nothing"
    assert story.reads(first).held == Held.CONTRADICTED
