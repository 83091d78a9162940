"""Which posts follow because a post was sent, or will never be sent."""

from dataclasses import replace

import pytest

from bot.domain.decisions import Author, Reason, fallback
from bot.domain.delivery import Undelivered, after_said, attached, undeliverable, without
from bot.domain.messages import MessageRef, Place
from bot.domain.posts import (
    GONE,
    ON_THE_CARD,
    Answer,
    Card,
    Content,
    FollowUp,
    Moved,
    Notice,
    Offer,
    OutboxItem,
    Post,
    Question,
    Reply,
    Sent,
    Solved,
    What,
)
from bot.domain.report_posts import LearningReport
from bot.domain.tasks import Task
from tests.samples import PHOTO, TASK, card

HERE, THERE = Place("web", "billing"), Place("web", "customer", "1")
RECEIPT = MessageRef("web", "it", "post 9")
REPLY = Reply("billing", "It is on its way.", "en", "Ada", (PHOTO,), to="Cleo")


def item(content: Content, place: Place = HERE, **more: object) -> OutboxItem:
    edits = more.get("edits")
    assert edits is None or isinstance(edits, int)
    return OutboxItem(9, Post(place, content, edits=edits), 1)


def across() -> Task:
    """The fallback team has rooms on two platforms."""
    rooms = {"slack": Place("slack", "C0TRIAGE"), "web": Place("web", "triage")}
    return replace(TASK, labels=(*TASK.labels[:3], replace(TASK.labels[3], deliver_to=rooms)))


# --- sent ---


def test_a_reply_is_ticked_off_under_the_card() -> None:
    assert after_said(item(REPLY, THERE), RECEIPT) == [
        Post(ON_THE_CARD, Sent("It is on its way.", "Ada", "Cleo", media=1))
    ]


def test_a_reply_that_was_taken_back_is_not_ticked_off_and_one_that_was_changed_is() -> None:
    assert after_said(item(replace(REPLY, text=GONE, media=(), edited=True), THERE, edits=4), RECEIPT) == []
    [changed] = after_said(item(replace(REPLY, text="It is here.", edited=True), THERE, edits=4), RECEIPT)
    assert changed.content == Sent("It is here.", "Ada", "Cleo", media=1)


def test_the_card_that_was_left_links_to_the_one_that_follows() -> None:
    old = Post(Place("slack", "C0BILLING"), replace(card(), moved_to="it"))
    new = replace(item(replace(card("it"), replaces=12), Place("web", "it")), card=old)
    [linked] = after_said(new, RECEIPT)
    assert linked == Post(old.place, replace(card(), moved_to="it", moved_link=RECEIPT), edits=12)


@pytest.mark.parametrize("content", [card(), replace(card(), replaces=12), Answer("it", "en"), FollowUp("Cleo", "hm")])
def test_nothing_follows_from_the_rest(content: Content) -> None:
    assert after_said(item(content), RECEIPT) == []


# --- never sent ---


def test_a_card_whose_room_refuses_goes_to_the_fallback_team_and_says_what_to_mend() -> None:
    result = undeliverable(TASK, item(card()), "not_in_channel: invite the bot")
    new, notice = result.posts
    assert new.place == Place("web", "triage")
    assert isinstance(new.content, Card)
    assert (new.content.label, new.content.by, new.content.reason) == (
        "triage",
        Author.FALLBACK,
        Reason.UNDELIVERABLE,
    )
    assert new.content.excerpt == "charged twice"
    assert notice == Post(
        ON_THE_CARD, Notice(What.MISDELIVERED, team="billing", problem="not_in_channel: invite the bot")
    )
    assert result.decision == fallback(TASK, Reason.UNDELIVERABLE)


def test_when_the_fallbacks_own_room_refuses_its_other_rooms_are_tried_each_once() -> None:
    task, tried = across(), []
    content, place = card(), HERE
    for _ in range(10):
        result = undeliverable(task, item(content, place), "archived")
        if not result.posts:
            break
        tried.append(result.posts[0].place)
        place = result.posts[0].place
        assert isinstance(result.posts[0].content, Card)
        content = result.posts[0].content
    assert tried == [Place("web", "triage"), Place("slack", "C0TRIAGE")]
    assert result.lost
    assert result.decision is None


def test_a_fallback_room_that_has_another_id_by_now_is_not_tried_for_ever() -> None:
    migrated = Place("web", "triage, supergroup")
    result = undeliverable(TASK, item(card("triage"), migrated), "kicked")
    assert result == Undelivered(lost=True)


def test_a_team_whose_room_is_one_of_the_fallbacks_does_not_lose_its_card() -> None:
    result = undeliverable(across(), item(card(), Place("web", "triage")), "archived")
    assert result.posts[0].place == Place("slack", "C0TRIAGE")


def test_a_failed_rewriting_moves_nothing() -> None:
    assert undeliverable(TASK, item(replace(card(), done=True), edits=12), "cant_update_message") == Undelivered()


@pytest.mark.parametrize("content", [Answer("billing", "en"), Moved("it", "en"), Solved("billing", "en")])
def test_the_team_hears_that_nothing_reaches_the_person(content: Content) -> None:
    result = undeliverable(TASK, item(content, THERE), "blocked the bot")
    assert result.posts == (Post(ON_THE_CARD, Notice(What.UNREACHABLE, problem="blocked the bot")),)
    assert result.decision is None


def test_closing_buttons_of_somebody_unreachable_is_not_worth_a_word() -> None:
    assert undeliverable(TASK, item(Question((), "en", answered="it"), THERE, edits=3), "blocked") == Undelivered()


def test_a_reply_that_did_not_arrive_is_crossed_off_under_the_card() -> None:
    for post in (item(REPLY, THERE), item(REPLY, THERE, edits=8)):
        [sent] = undeliverable(TASK, post, "blocked the bot").posts
        assert sent.content == Sent("It is on its way.", "Ada", "Cleo", problem="blocked the bot", media=1)


def test_what_a_person_wrote_is_read_elsewhere_when_their_teams_room_is_gone() -> None:
    under = Post(HERE, replace(card(), taken_by="Ada"))
    said = item(FollowUp("Cleo", "it was yesterday", (PHOTO,)))
    said = replace(said, card=under, post=replace(said.post, under=12))
    result = undeliverable(TASK, said, "is_archived")
    new = result.posts[0].content
    assert isinstance(new, Card)
    assert (new.history, new.media, new.taken_by) == ((("Cleo", "it was yesterday"),), (PHOTO,), "")
    assert new.replaces == 12
    assert result.decision is not None


def test_a_card_that_follows_another_still_does_when_it_ends_elsewhere() -> None:
    result = undeliverable(TASK, item(replace(card("it"), replaces=12)), "archived")
    new = result.posts[0]
    assert isinstance(new.content, Card)
    old = Post(Place("web", "billing"), replace(card(), moved_to="it"))
    [linked] = after_said(OutboxItem(15, new, 1, card=old), RECEIPT)
    assert linked.content == replace(card(), moved_to="triage", moved_link=RECEIPT)


@pytest.mark.parametrize(
    "content",
    [
        Sent("x", "Ada", "Cleo"),
        Notice(What.REOPENED),
        Offer(1, "Cleo", "x"),
        LearningReport("routing", "routing-1", True, ()),
        FollowUp("Cleo", "without a card that we know"),
    ],
)
def test_nothing_comes_of_small_talk_that_is_refused(content: Content) -> None:
    assert undeliverable(TASK, item(content), "is_archived") == Undelivered()


# --- attachments ---


def test_an_attachment_that_stays_behind_is_named() -> None:
    other = replace(PHOTO, id="photo-2", name="")
    both = replace(REPLY, media=(PHOTO, other))
    assert without(both, PHOTO) == replace(REPLY, text="It is on its way.\n📎 receipt.jpg", media=(other,))
    assert without(FollowUp("Cleo", "", (other,)), other) == FollowUp("Cleo", "📎 photo")
    left = without(replace(card(), media=(PHOTO,)), PHOTO)
    assert isinstance(left, Card)
    assert (left.excerpt, left.media) == ("charged twice\n📎 receipt.jpg", ())


def test_only_words_carry_attachments() -> None:
    assert attached(REPLY) == (PHOTO,)
    assert attached(Answer("it", "en")) == ()
    assert without(Answer("it", "en"), PHOTO) == Answer("it", "en")
