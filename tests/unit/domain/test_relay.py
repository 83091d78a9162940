"""What is passed between a person and the team that has their request."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain import relay
from bot.domain.conversations import OverdueConversation, PendingEdit, PendingFollowUp, PendingNote, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import Media, MessageRef, Note, Place
from bot.domain.posts import GONE, NO, ON_THE_CARD, Card, FollowUp, Notice, Offer, Post, Reply, Solved, Split, What
from bot.domain.rich_text import cited
from bot.domain.tasks import Vocabulary
from bot.platforms.slack.mrkdwn import read_mrkdwn
from tests.samples import (
    AGENT,
    LEAD,
    NOW,
    PHOTO,
    STRANGER,
    TASK,
    VOCABULARY,
    card,
    conversation,
    message,
    standing,
)

BILLING, HER_PLACE = Place("web", "billing"), Place("web", "customer", "1")
HALF_AN_HOUR = timedelta(minutes=30)


def following(text: str, state: State = State.ROUTED, content: Card | None = None) -> PendingFollowUp:
    return PendingFollowUp(message(text, "2"), conversation(state), standing(content))


def note(text: str, send: bool = False) -> Note:
    room = MessageRef("web", "billing", "n1")
    return Note(room, MessageRef("web", "billing", "post 12"), AGENT, text, NOW, send=send)


def noted(text: str = "ask her for the number") -> PendingNote:
    return PendingNote(3, note(text), conversation(), card=standing())


# --- what the person writes next ---


def test_what_comes_later_goes_under_the_card_and_never_to_the_person() -> None:
    said = following("it was yesterday")
    said = replace(said, message=replace(said.message, media=(PHOTO,)))
    assert relay.followed_up(said) == [Post(BILLING, FollowUp("Cleo", "it was yesterday", (PHOTO,)), under=12)]


def test_a_file_that_the_card_shows_is_not_sent_again_for_being_pointed_at() -> None:
    pointed_at, own = replace(PHOTO, cited=True), replace(PHOTO, id="photo-2")
    said = following("and this one?", content=replace(card(), media=(PHOTO,)))
    said = replace(said, message=replace(said.message, media=(own, pointed_at)))
    assert relay.followed_up(said) == [Post(BILLING, FollowUp("Cleo", "and this one?", (own,)), under=12)]


def test_a_photo_without_words_is_passed_on_and_nothing_at_all_is_not() -> None:
    said = following("")
    assert relay.followed_up(said) == []
    assert relay.followed_up(replace(said, card=None)) == []
    with_photo = replace(said, message=replace(said.message, media=(PHOTO,)))
    [post] = relay.followed_up(with_photo)
    assert post.content == FollowUp("Cleo", "", (PHOTO,))


def test_new_words_open_what_was_done() -> None:
    said = following("it happened again", State.CLOSED, replace(card(), done=True))
    said = replace(said, asking=((30, Solved("billing", "en")),))
    _, settled, opened, notice = relay.followed_up(said)
    assert settled == Post(HER_PLACE, Solved("billing", "en", answer=NO), edits=30)
    assert opened == Post(BILLING, card(), edits=12)
    assert notice == Post(ON_THE_CARD, Notice(What.REOPENED, who="Cleo"))


def test_a_heart_is_no_reason_to_open_a_request_again() -> None:
    heart = following(read_mrkdwn("thanks :heart: :+1::skin-tone-3:"), State.CLOSED, replace(card(), done=True))
    assert not relay.opens_again(heart)


def test_thanks_for_what_one_replies_to_opens_nothing() -> None:
    thanks = following(f"{cited('it is on its way to you', 'Ben')}\nthank you!", State.CLOSED)
    assert not relay.opens_again(thanks)
    more = following(f"{cited('it is on its way to you', 'Ben')}\nit did not come", State.CLOSED)
    assert relay.opens_again(more)


def edited_photo(shown: tuple[Media, ...], now: tuple[Media, ...]) -> list[Post]:
    said = replace(message("charged twice"), media=now)
    before = standing(replace(card(), media=shown))
    news = PendingEdit(1, conversation(), said, False, before, True, text=said.text, media=now)
    return relay.revised(VOCABULARY, news)


def test_what_was_attached_in_place_of_something_arrives_under_the_card_once() -> None:
    other = replace(PHOTO, id="photo-2")
    changed, arrived = edited_photo((PHOTO,), (other,))
    assert isinstance(changed.content, Card)
    assert changed.content.media == (other,)
    assert arrived == Post(ON_THE_CARD, FollowUp("Cleo", "", (other,), edited=True, replaces=True))
    assert len(edited_photo((PHOTO,), (PHOTO,))) == 1


def test_thank_you_opens_nothing() -> None:
    said = following("thank you!", State.CLOSED, replace(card(), done=True))
    assert not relay.opens_again(said)
    assert len(relay.followed_up(said)) == 1


def test_somebody_else_opens_nothing() -> None:
    said = following("same here!", State.CLOSED)
    assert not relay.opens_again(replace(said, message=replace(said.message, author=STRANGER)))


def test_a_photo_opens_what_was_done() -> None:
    said = following("", State.CLOSED)
    assert relay.opens_again(replace(said, message=replace(said.message, media=(PHOTO,))))


# --- another matter ---


def threadless(text: str = "my laptop does not start") -> PendingFollowUp:
    said = following(text)
    return replace(said, conversation=replace(said.conversation, place=Place("web", "customer")))


def sure(label: str = "it", share: float = 0.85) -> Decision:
    return Decision("routing", label, Author.MODEL, Reason.CONFIDENT, {label: share})


def test_only_a_persons_own_longer_words_in_a_chat_without_threads_may_be_split() -> None:
    said = threadless()
    assert relay.may_split(said)
    assert not relay.may_split(following("my laptop does not start"))
    assert not relay.may_split(threadless("the laptop too"))
    assert not relay.may_split(replace(said, message=replace(said.message, author=STRANGER)))
    assert not relay.may_split(replace(said, conversation=replace(said.conversation, state=State.CLOSED)))
    assert not relay.may_split(replace(said, asking=((40, Split("billing", "en", said.message.ref)),)))


def test_a_matter_that_is_surely_anothers_is_offered_a_request_of_its_own() -> None:
    said = threadless()
    [post] = relay.split_offered(TASK, said, sure())
    assert post == Post(said.conversation.place, Split("billing", "en", said.message.ref))


@pytest.mark.parametrize(
    "decision",
    [
        sure("billing"),
        sure("triage"),
        sure(share=0.79),
        replace(sure(), candidates=("it",)),
        replace(sure(), by=Author.FALLBACK),
    ],
)
def test_what_is_not_surely_anothers_stays(decision: Decision) -> None:
    assert relay.split_offered(TASK, threadless(), decision) == []


# --- what the team writes ---


@pytest.mark.parametrize(
    ("text", "words"),
    [("reply: on its way", "on its way"), ("Reply:on its way", "on its way"), ("REPLY:\nyes", "yes"), ("reply:", "")],
)
def test_the_prefix_sends_and_is_cut(text: str, words: str) -> None:
    assert relay.to_send(VOCABULARY, note(text)) == words


@pytest.mark.parametrize("text", ["she wants a reply: soon", "replying later", "", " reply: indented"])
def test_without_the_prefix_a_note_asks_nothing(text: str) -> None:
    assert relay.to_send(VOCABULARY, note(text)) is None


def test_a_form_sends_what_is_in_it_and_an_empty_prefix_sends_nothing() -> None:
    assert relay.to_send(VOCABULARY, note("on its way", send=True)) == "on its way"
    assert relay.to_send(Vocabulary(send_prefix=""), note("anything")) is None


def test_only_the_sending_emoji_of_the_platform_sends() -> None:
    assert relay.sends(VOCABULARY, "web", "📤")
    assert not relay.sends(VOCABULARY, "slack", "📤")
    assert not relay.sends(Vocabulary(), "web", "")


def test_a_reply_speaks_as_the_team() -> None:
    post = relay.reply(conversation(), replace(note("x"), media=(PHOTO,)), "on its way", LEAD)
    assert post == Post(HER_PLACE, Reply("billing", "on its way", "en", "Lee", (PHOTO,), to="Cleo"))


def test_an_offer_is_for_its_author_alone_where_that_can_be_done() -> None:
    whispered, quiet = relay.offer(noted(), whispers=True), relay.offer(noted(), whispers=False)
    assert whispered.content == Offer(3, "Cleo", "ask her for the number")
    assert (whispered.only_for, quiet.only_for) == (AGENT, None)
    assert whispered.answers == quiet.answers == noted().note.ref


def test_a_note_under_a_card_that_was_left_speaks_for_nobody() -> None:
    assert not relay.left_behind(noted())
    assert relay.left_behind(replace(noted(), card=standing(card("it"))))
    assert not relay.left_behind(replace(noted(), card=None))


def test_of_two_topics_of_a_group_only_the_one_where_the_card_stands_speaks() -> None:
    here, there = (replace(standing(), place=Place("web", f"billing/{topic}")) for topic in (5, 6))
    assert relay.left_behind(replace(noted(), card=there, under=here))
    assert not relay.left_behind(replace(noted(), card=here, under=here))
    struck = replace(here, card=replace(here.card, moved_to="it"))
    assert relay.left_behind(replace(noted(), card=None, under=struck))


# --- edits and deletions ---


def changed(text: str, deleted: bool = False, decided: bool = True) -> PendingEdit:
    here = standing()
    return PendingEdit(1, conversation(), message(text), deleted, here, decided, text=text, cards=(here,))


def test_an_edit_after_the_decision_annotates_the_card_and_moves_nothing() -> None:
    [post] = relay.revised(VOCABULARY, changed("charged three times"))
    assert post == Post(BILLING, replace(card(), excerpt="charged three times", edited=True), edits=12)


def test_a_deletion_takes_the_words_off_the_card() -> None:
    struck, here = standing(replace(card(), moved_to="it"), 11), standing(replace(card("it"), media=(PHOTO,)))
    old, new = relay.revised(VOCABULARY, replace(changed("", deleted=True), card=here, cards=(struck, here)))
    assert (old.edits, old.content) == (11, replace(card(), moved_to="it", excerpt="", deleted=True))
    assert (new.edits, new.content) == (12, replace(card("it"), excerpt="", deleted=True))


def test_a_deleted_part_leaves_the_rest() -> None:
    news = changed("", deleted=True)
    news = replace(news, text="only this is left", message=replace(message(""), media=(PHOTO,)))
    here = standing(replace(card(), media=(PHOTO, replace(PHOTO, id="other"))))
    news = replace(news, card=here, cards=(here,))
    [post] = relay.revised(VOCABULARY, news)
    assert post.content == replace(
        card(), excerpt="only this is left", edited=True, media=(replace(PHOTO, id="other"),)
    )


def test_the_same_change_again_changes_nothing() -> None:
    once = replace(card(), excerpt="charged three times", edited=True)
    assert relay.revised(VOCABULARY, replace(changed("charged three times"), card=standing(once))) == []


def test_what_was_passed_on_is_rewritten_or_emptied() -> None:
    said = FollowUp("Cleo", "it was yesterday", (PHOTO,))
    edited = replace(changed("it was today", decided=False), carried=(44, said))
    assert relay.revised(VOCABULARY, edited) == [
        Post(ON_THE_CARD, FollowUp("Cleo", "it was today", (PHOTO,), edited=True), edits=44)
    ]
    gone = replace(changed("", deleted=True, decided=False), carried=(44, said))
    assert relay.revised(VOCABULARY, gone) == [Post(ON_THE_CARD, FollowUp("Cleo", "", deleted=True), edits=44)]


def test_deleted_words_vanish_from_what_the_next_team_was_shown_too() -> None:
    shown = standing(replace(card("it"), history=(("Ada", "looking"), ("Cleo", "my card is 4111"))))
    gone = replace(
        changed("", deleted=True, decided=False),
        card=shown,
        cards=(standing(), shown),
        carried=(44, FollowUp("Cleo", "my card is 4111")),
    )
    post, _ = relay.revised(VOCABULARY, gone)
    assert isinstance(post.content, Card)
    assert post.content.history == (("Ada", "looking"), ("Cleo", GONE))


def test_a_sent_note_that_is_edited_is_edited_with_the_person() -> None:
    said = Reply("billing", "on it's way", "en", "Ada", (PHOTO,), to="Cleo")
    news = replace(changed("x"), message=note("reply: on its way"), carried=(44, said))
    [post] = relay.revised(VOCABULARY, news)
    assert post == Post(HER_PLACE, replace(said, text="on its way", edited=True), edits=44)
    gone = replace(news, message=note(""), deleted=True)
    [post] = relay.revised(VOCABULARY, gone)
    assert post.content == replace(said, text=GONE, media=(), edited=True)


def test_a_note_that_was_never_sent_changes_nothing_when_edited() -> None:
    assert relay.revised(VOCABULARY, replace(changed("x"), message=note("x"))) == []


# --- what nobody takes ---


def test_its_team_is_reminded_first_and_then_the_fallback_team() -> None:
    waiting = OverdueConversation(conversation(), standing(), NOW, reminders=0)
    assert relay.reminded(TASK, waiting, HALF_AN_HOUR) == [
        Post(ON_THE_CARD, Notice(What.UNTAKEN, team="billing", minutes=30))
    ]
    [escalated] = relay.reminded(TASK, replace(waiting, reminders=1), HALF_AN_HOUR)
    assert escalated.place == Place("web", "triage")
    assert escalated.content == Notice(
        What.UNTAKEN, team="billing", who="Cleo", minutes=60, about=MessageRef("web", "billing", "post 12")
    )


def test_what_has_no_card_is_nobodys_to_take() -> None:
    assert relay.reminded(TASK, OverdueConversation(conversation(), None, NOW, 0), HALF_AN_HOUR) == []
