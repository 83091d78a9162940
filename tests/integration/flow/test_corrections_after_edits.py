"""A lead's ruling after an edit, or a person's choice, applies to the text that they read: this text is learned."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.correction_life import Stage
from bot.domain.errors import Unreachable
from bot.domain.guards import Held
from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.messages import Person
from bot.domain.posts import Card
from bot.domain.silent_signals import SignalKind
from db.engine import Database
from db.outcomes import PostgresOutcomes
from db.queries import PostgresQueries
from db.silent_signals import PostgresSilentSignals
from db.tables import ExampleRow
from tests.fakes import FakeEmbedder
from tests.integration.flow.oracle import MOOD, told
from tests.samples import AGENT, LEAD, NOW, TASK
from tests.worlds.story import Story

OTHER_LEAD = Person("web", "lead2", "Lou")
STEP = timedelta(seconds=1)
BEFORE, AFTER = "I was charged for the tunnel", "the tunnel to the office does not connect"


async def lessons(database: Database) -> Sequence[ExampleRow]:
    """The examples that people's statements made, oldest first."""
    wanted = select(ExampleRow).where(ExampleRow.withdrawn_at.is_(None), ExampleRow.conversation_id.is_not(None))
    async with database.transaction() as session:
        return (await session.scalars(wanted.order_by(ExampleRow.id))).all()


async def has_its_vector(lesson: ExampleRow) -> bool:
    [vector] = await FakeEmbedder().embed([lesson.text])
    return lesson.vector is not None and list(lesson.vector) == pytest.approx(list(vector), abs=1e-6)


async def know(story: Story, label: str, *texts: str) -> None:
    known = [Example(text, label, Source.IMPORT, Side.TRAIN, NOW) for text in texts]
    await story.examples.add_examples("routing", known)
    await story.embedding_backfill.all(lambda _: None)


async def another_lead_is_about(story: Story) -> None:
    story.platform.leads = frozenset({"lead", "lead2"})
    await story.writes("where is my parcel", "other")
    await story.settles()
    await story.reacts("🧭", by=OTHER_LEAD)
    await story.settles()


async def edited(story: Story, before: str = BEFORE, after: str = AFTER, id: str = "m1") -> None:
    """A request whose card shows the edited text."""
    ref = await story.writes(before, id)
    await story.settles()
    await story.edits(ref, after)
    await story.settles()
    assert story.reads().excerpt == after


async def test_the_guards_go_by_the_edited_words(story: Story, database: Database) -> None:
    await another_lead_is_about(story)
    await know(story, "billing", *(f"{AFTER} {n}" for n in "abcd"))
    await edited(story)
    await story.reacts("💻")
    await story.settles()
    lesson = (await lessons(database))[-1]
    assert (lesson.text, lesson.held) == (AFTER, Held.CONTRADICTED)
    assert await has_its_vector(lesson)
    assert story.reads().held == Held.CONTRADICTED


async def test_the_guards_do_not_go_by_the_words_before_the_edit(story: Story, database: Database) -> None:
    await another_lead_is_about(story)
    await know(story, "billing", *(f"{BEFORE} {n}" for n in "abcd"))
    await edited(story)
    await story.reacts("💻")
    await story.settles()
    lesson = (await lessons(database))[-1]
    assert (lesson.text, lesson.held) == (AFTER, None)


async def test_another_leads_word_on_the_edited_words_is_that_of_a_second_lead(
    story: Story, database: Database
) -> None:
    await another_lead_is_about(story)
    await know(story, "billing", *(f"{AFTER} {n}" for n in "abcd"))
    await edited(story, id="m0")
    await story.reacts("💻", by=OTHER_LEAD)
    await story.settles()
    await edited(story)
    await story.reacts("💻")
    await story.settles()
    assert [(one.text, one.held) for one in await lessons(database)][-1] == (AFTER, None)


async def test_who_rules_before_the_card_shows_the_edit_read_the_words_before_it(
    story: Story, database: Database
) -> None:
    ref = await story.writes(BEFORE, "m1")
    await story.settles()
    await story.edits(ref, AFTER)
    await story.reacts("💻")
    story.later(1)
    await story.edit_relay.step()
    await story.courier.step()
    assert story.reads(0).excerpt == AFTER, "by now it shows them"
    await story.settles()
    [lesson] = await lessons(database)
    assert lesson.text == BEFORE
    assert await has_its_vector(lesson)


async def test_without_an_embedder_the_vector_comes_later_and_is_never_that_of_other_words(
    story: Story, database: Database
) -> None:
    await edited(story)
    await story.reacts("💻")
    story.embedder.failure = Unreachable("no vectors")
    story.later(5)
    await story.corrector.step()
    [lesson] = await lessons(database)
    assert (lesson.text, lesson.vector, lesson.embedder) == (AFTER, None, None)
    story.embedder.failure = None
    await story.settles()
    [lesson] = await lessons(database)
    assert await has_its_vector(lesson)


async def test_a_ruling_taken_back_brings_back_the_earlier_one_with_the_words_its_lead_read(
    story: Story, database: Database
) -> None:
    story.platform.leads = frozenset({"lead", "lead2"})
    ref = await story.writes(BEFORE, "m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    await story.edits(ref, AFTER)
    await story.settles()
    await story.reacts("💻", by=OTHER_LEAD)
    await story.settles()
    assert [one.text for one in await lessons(database)] == [AFTER]
    await story.reacts("💻", by=OTHER_LEAD, added=False)
    await story.settles()
    [lesson] = await lessons(database)
    assert (lesson.text, lesson.lead) == (BEFORE, LEAD.key)
    await story.reacts("💻", added=False, card=0)
    await story.settles()
    assert await lessons(database) == []
    account = await PostgresQueries(database).account(ref)
    assert account is not None and account.correction is not None
    assert account.correction.stage is Stage.WITHDRAWN


async def test_why_and_the_memory_tell_of_the_words_that_the_lead_read(story: Story, database: Database) -> None:
    await edited(story)
    await story.reacts("💻")
    await story.settles()
    [lesson] = await lessons(database)
    account = await PostgresQueries(database).account(story.cards()[0].post.content.source)  # type: ignore[union-attr]
    assert account is not None and account.correction is not None
    assert (account.correction.example, account.correction.label) == (lesson.id, "it")
    assert account.request.excerpt == AFTER
    await story.writes(AFTER, "m2")
    await story.settles()
    card = story.reads()
    assert (card.label, card.remembered) == ("it", (AFTER,))


async def test_a_confirmation_after_an_edit_is_of_the_edited_words(story: Story, database: Database) -> None:
    await edited(story)
    await story.reacts("💰")
    await story.settles()
    [lesson] = await lessons(database)
    assert (lesson.source, lesson.text, lesson.text_key) == (Source.CONFIRMATION, AFTER, text_key(AFTER))


async def test_a_correction_of_a_further_question_after_an_edit_teaches_the_edited_words(
    database: Database, tmp_path: Path
) -> None:
    story = told(database, tmp_path, MOOD)
    await edited(story, "I was charged twice, outrageous", "I was charged twice, thanks for looking")
    [answer] = story.reads().answers
    assert answer.label == "upset"
    other = next(one for one in MOOD.labels if one.name != "upset" and "web" in one.emoji)
    await story.reacts(other.emoji["web"])
    await story.settles()
    [lesson] = await lessons(database)
    assert (lesson.task, lesson.label) == (MOOD.name, other.name)
    assert lesson.text == "I was charged twice, thanks for looking"
    assert await has_its_vector(lesson)


async def test_what_a_person_chooses_after_an_edit_is_of_the_edited_words(story: Story, database: Database) -> None:
    ref = await story.writes("it is broken", "m1")
    await story.settles()
    await story.edits(ref, "it is broken, the small one")
    await story.presses("1")
    story.later(5)
    await story.buttons.step()
    [lesson] = await lessons(database)
    assert (lesson.source, lesson.text) == (Source.TAP, "it is broken, the small one")
    assert lesson.vector is None, "the conversation's is of other words"
    await story.settles()
    [lesson] = await lessons(database)
    assert await has_its_vector(lesson)


async def test_words_that_were_taken_back_teach_nothing(story: Story, database: Database) -> None:
    ref = await story.writes(BEFORE, "m1")
    await story.settles()
    await story.edits(ref, AFTER)
    await story.settles()
    await story.deletes(ref)
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    assert await lessons(database) == []
    assert isinstance(story.cards()[-1].post.content, Card)


async def outcome(story: Story, database: Database) -> tuple[str, bool]:
    """(the text that the review and the replay read of the newest request, whether they have a vector of it)."""
    *_, one = await PostgresOutcomes(database).outcomes(
        "routing", NOW, story.now() + STEP, 10, vectors_by=FakeEmbedder.name
    )
    [vector] = await FakeEmbedder().embed([one.text])
    assert one.vector is None or list(one.vector) == pytest.approx(list(vector), abs=1e-6), "never that of other words"
    return one.text, one.vector is not None


async def test_the_review_and_the_replay_read_what_people_read(story: Story, database: Database) -> None:
    ref = await story.writes(BEFORE, "m1")
    await story.settles()
    assert await outcome(story, database) == (BEFORE, True)
    await story.edits(ref, AFTER)
    await story.settles()
    assert await outcome(story, database) == (AFTER, False)
    await story.reacts("💻")
    await story.settles()
    assert await outcome(story, database) == (AFTER, True)
    await story.edits(ref, "never mind")
    await story.settles()
    assert await outcome(story, database) == (AFTER, True), "the lead ruled on the words before this edit"


async def test_a_silent_confirmation_is_of_the_words_that_the_team_closed(story: Story, database: Database) -> None:
    await edited(story)
    await story.reacts("👀", by=AGENT)
    await story.notes("reply: it is mended", "n1", by=AGENT)
    await story.settles()
    await story.reacts("✅", by=AGENT)
    await story.settles()
    [shown] = await PostgresSilentSignals(database).signals(TASK)
    assert (shown.kind, shown.text) == (SignalKind.CONFIRMATION, AFTER)
    source = story.reads().source
    await story.edits(source, "thank you all")
    await story.settles()
    [shown] = await PostgresSilentSignals(database).signals(TASK)
    assert shown.text == AFTER, "it was closed before this edit"


async def test_a_silent_correction_is_of_the_words_on_the_card(story: Story, database: Database) -> None:
    await edited(story)
    await story.reacts("💻", by=AGENT)
    await story.settles()
    [shown] = await PostgresSilentSignals(database).signals(TASK)
    assert (shown.kind, shown.label, shown.text) == (SignalKind.CORRECTION, "it", AFTER)
