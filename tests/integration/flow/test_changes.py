"""What people change, take back, or split off; and a person who wants to be forgotten."""

from dataclasses import replace

import pytest

from bot.domain.decisions import Author, Reason
from bot.domain.posts import SEND, SPLIT, Answer, Card, FollowUp, Moved, Notice, Offer, Reply, Split, What, WordsPlease
from tests.fakes import FakePlatform
from tests.samples import AGENT, CUSTOMER, PHOTO, STRANGER
from tests.worlds.story import Story

SECRET = "my number is 4111 1111"


# --- edits ---


async def test_an_edit_before_the_decision_is_the_text(story: Story) -> None:
    ref = await story.writes("I was charged twice", "m1")
    await story.edits(ref, "my parcel is late")
    await story.settles()
    assert (story.reads().label, story.reads().excerpt, story.reads().edited) == (
        "delivery",
        "my parcel is late",
        False,
    )


async def test_an_edit_after_the_decision_annotates_the_card_and_routes_nothing(story: Story) -> None:
    ref = await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.edits(ref, "my parcel is late")
    await story.settles()
    await story.edits(ref, "my parcel is late")
    await story.settles()
    assert (story.reads().label, story.reads().excerpt, story.reads().edited) == ("billing", "my parcel is late", True)
    assert len(story.cards()) == 1
    assert story.heard() == [Answer("billing", "en")]


async def test_an_edited_follow_up_is_rewritten_under_the_card(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    ref = await story.writes("on monday", "m2", thread="m1")
    await story.settles()
    await story.edits(ref, "on tuesday")
    await story.settles()
    newest = story.said()[-1]
    assert newest.post.content == FollowUp("Cleo", "on tuesday", edited=True)
    assert newest.post.edits == story.newest(FollowUp).id


# --- deletions ---


async def test_a_deletion_before_the_decision_leaves_nothing_to_decide(story: Story) -> None:
    ref = await story.writes("I was charged twice", "m1")
    await story.deletes(ref)
    await story.settles()
    assert story.said() == []


async def test_a_deleted_request_stays_without_its_words(story: Story) -> None:
    ref = await story.writes(f"I was charged twice, {SECRET}", "m1")
    await story.settles()
    await story.deletes(ref)
    await story.settles()
    assert (story.reads().excerpt, story.reads().deleted) == ("", True)
    await story.writes("sorry, charged twice, without the number", "m2", thread="m1")
    await story.settles()
    assert isinstance(story.thread()[-1], FollowUp)
    assert len(story.cards()) == 1


async def test_a_deleted_follow_up_is_emptied_here_and_in_what_the_next_team_sees(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    ref = await story.writes(SECRET, "m2", thread="m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    assert story.reads().history == (("Cleo", SECRET),)
    await story.deletes(ref)
    await story.settles()
    assert SECRET not in str(story.reads())
    redacted = [o.post.content for o in story.said() if isinstance(o.post.content, FollowUp)][-1]
    assert redacted == FollowUp("Cleo", "", deleted=True)


async def test_a_deleted_request_is_emptied_in_every_room_it_was_shown_in(story: Story) -> None:
    ref = await story.writes(f"I was charged twice, {SECRET}", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    await story.deletes(ref)
    await story.settles()
    for position in (0, 1):
        assert (story.reads(position).excerpt, story.reads(position).deleted) == ("", True)
    assert (story.reads(0).moved_to, story.reads(0).moved_link) == ("it", story.ref(story.cards()[1]))


async def test_a_deleted_note_can_no_longer_be_sent(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    ref = await story.notes("she is a nuisance", "n1", AGENT)
    await story.settles()
    await story.deletes(ref)
    await story.presses(SEND, AGENT, Offer)
    await story.reacts_on(ref, "📤", AGENT)
    await story.settles()
    assert story.heard() == [Answer("billing", "en")]


# --- another matter ---


async def in_a_chat_without_threads(story: Story) -> None:
    await story.writes("I was charged twice", "m1", thread=None)
    await story.settles()
    story.later(minutes=5)
    await story.writes("and my laptop does not start", "m2", thread=None)
    await story.settles()


async def test_another_matter_is_offered_a_request_of_its_own_and_gets_one_with_a_tap(story: Story) -> None:
    await in_a_chat_without_threads(story)
    assert story.thread(0) == [FollowUp("Cleo", "and my laptop does not start")]
    offered = story.heard()[-1]
    assert isinstance(offered, Split)
    await story.presses(SPLIT, on=Split)
    await story.presses(SPLIT, on=Split)
    await story.settles()
    await story.settles()
    assert [o.post.place.chat for o in story.cards()] == ["billing", "it"]
    assert story.heard()[-2:] == [replace(offered, done=True), Answer("it", "en")]


@pytest.mark.parametrize("by", [STRANGER, AGENT])
async def test_nobody_else_splits_it(story: Story, by: object) -> None:
    await in_a_chat_without_threads(story)
    await story.presses(SPLIT, by=by if by is AGENT else STRANGER, on=Split)
    await story.settles()
    assert len(story.cards()) == 1


async def test_the_offer_is_made_once_and_may_be_ignored(story: Story) -> None:
    await in_a_chat_without_threads(story)
    await story.writes("the laptop shows nothing at all", "m3", thread=None)
    await story.settles()
    assert sum(isinstance(content, Split) for content in story.heard()) == 1
    assert len(story.cards()) == 1


async def test_in_a_thread_nothing_is_split(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.writes("and my laptop does not start", "m2", thread="m1")
    await story.settles()
    assert story.heard() == [Answer("billing", "en")]


# --- without words ---


@pytest.mark.parametrize("wordless", ["ask", "fallback"])
async def test_a_photo_without_words_is_asked_about_or_shown_to_the_fallback_team(story: Story, wordless: str) -> None:
    story = Story(story.database, story.folder, wordless=wordless)
    await story.writes("", "m1", media=(PHOTO,))
    await story.settles()
    await story.settles()
    if wordless == "ask":
        assert story.heard() == [WordsPlease("en")]
        await story.writes("charged twice, see the photo", "m2", thread="m1")
        await story.settles()
    assert story.reads().media == (PHOTO,)
    expected = (Author.MODEL, Reason.CONFIDENT) if wordless == "ask" else (Author.FALLBACK, Reason.WORDLESS)
    assert (story.reads().by, story.reads().reason) == expected


# --- forgotten ---


async def test_a_person_is_forgotten_everywhere_and_again_changes_nothing(story: Story) -> None:
    await story.writes(f"I was charged twice, {SECRET}", "m1")
    await story.settles()
    await story.writes(f"again: {SECRET}", "m2", thread="m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    before = len(story.cards())
    erased = await story.erasure.erase(CUSTOMER, story.time)
    assert (erased.conversations, erased.examples) == (1, 1)
    await story.settles()
    for item in [story.reads(n) for n in range(before)]:
        assert SECRET not in str(item)
        assert "Cleo" not in str(item)
    assert await story.examples.examples("routing") == []
    assert len(story.cards()) == before
    again = await story.erasure.erase(CUSTOMER, story.time)
    assert again.examples == 0
    await story.writes("I was charged twice", "m9")
    await story.settles()
    assert story.reads().label == "billing"


async def test_one_who_writes_in_an_old_conversation_after_being_forgotten_is_heard(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.erasure.erase(CUSTOMER, story.time)
    await story.writes("my parcel is late", "m2", thread="m1")
    await story.settles()
    assert any("my parcel is late" in str(item.post.content) for item in story.said())


async def test_what_was_said_to_the_person_needs_nobody_who_whispers(story: Story) -> None:
    story = Story(story.database, story.folder, chats=[FakePlatform(whispers=False)])
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("💻", by=STRANGER)
    await story.settles()
    assert not any(isinstance(o.post.content, Notice) for o in story.said())
    assert isinstance(story.cards()[0].post.content, Card)
    assert What.NO_LEAD not in [getattr(o.post.content, "what", None) for o in story.said()]
    assert not any(isinstance(c, Moved | Reply) for c in story.heard())
