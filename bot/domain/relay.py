"""What passes between a person and the team that has their request. Pure: facts in, posts out."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.compose import shortened, unsettled
from bot.domain.conversations import (
    Conversation,
    OverdueConversation,
    PendingEdit,
    PendingFollowUp,
    PendingNote,
    StandingCard,
    State,
)
from bot.domain.decisions import Author, Decision
from bot.domain.messages import Media, Message, MessageRef, Note, Person, has_words
from bot.domain.posts import GONE, NO, ON_THE_CARD, Card, FollowUp, Notice, Offer, Post, Reply, Split, What
from bot.domain.rich_text import own_words, plain, sliced, stripped
from bot.domain.tasks import NOT_A_REQUEST, Task, Vocabulary

_SURE, _LEAST_WORDS = 0.80, 4
"""Calibrated probability and words above which it is offered to split off a message for another team. Chosen, not
fitted: surer than `Task.ask_below`, since a wrong offer interrupts somebody who is already being looked after."""
_ONCE_KEPT = 300
_OFFERED = 200
"""Characters of a note that the offer to send it shows."""


# --- what the person writes next ---


def opens_again(said: PendingFollowUp) -> bool:
    """Whether the message opens a closed conversation: a mere thank-you does not, nor does anybody but its person."""
    closed = said.conversation.state is State.CLOSED
    return closed and _own(said) and (has_words(own_words(said.message.text)) or bool(said.message.media))


def waits_for_another_team(said: PendingFollowUp) -> bool:
    """Whether the message opens a request again whose team was merged or retired."""
    return said.ended and opens_again(said)


def _own(said: PendingFollowUp) -> bool:
    author, person = said.message.author, said.conversation.person
    return (author.platform, author.id) == (person.platform, person.id)


def followed_up(said: PendingFollowUp) -> list[Post]:
    """The posts for a further message: it goes under the card for the team, and a closed card is open again.

    Where that team has ended nothing more is said in its room: what opens the request waits for the card in another
    team's, and anything else is kept, and stands on that card if the request is ever opened again.
    """
    if waits_for_another_team(said):
        return unsettled(said.conversation, said.asking, NO)
    if said.ended:
        return []
    if said.card is None or not (said.message.text or said.message.media):
        return []
    there = {one.id for one in said.card.card.media}
    media = tuple(one for one in said.message.media if not (one.cited and one.id in there))
    content = FollowUp(said.message.author.name, said.message.text, media)
    posts = [Post(said.card.place, content, under=said.card.post)]
    return [*posts, *_reopened(said, said.card)] if opens_again(said) else posts


def _reopened(said: PendingFollowUp, card: StandingCard) -> list[Post]:
    posts = unsettled(said.conversation, said.asking, NO)
    if card.card.done:
        posts.append(Post(card.place, replace(card.card, done=False), edits=card.post))
    return [*posts, Post(ON_THE_CARD, Notice(What.REOPENED, who=said.message.author.name))]


def may_split(said: PendingFollowUp) -> bool:
    """Whether to ask what this message is about: its person's, in an open one, where threads keep nothing apart."""
    offered = any(isinstance(content, Split) for _, content in said.asking)
    threadless = said.conversation.place.thread is None
    routed = said.conversation.state is State.ROUTED
    return _own(said) and threadless and routed and not offered and _long_enough(said.message)


def _long_enough(message: Message) -> bool:
    return has_words(message.text) and len(plain(message.text).split()) >= _LEAST_WORDS


def split_offered(task: Task, said: PendingFollowUp, decision: Decision) -> list[Post]:
    """The offer of a request of its own, if the message is surely for another team."""
    here, there = said.conversation.label, decision.label
    sure = (
        decision.by in (Author.MODEL, Author.EXAMPLES, Author.MEMORY)
        and not decision.candidates
        and decision.confidence >= _SURE
    )
    if here is None or there in (here, task.fallback, NOT_A_REQUEST) or not sure:
        return []
    return [Post(said.conversation.place, Split(here, said.conversation.person.language, said.message.ref))]


# --- what the team writes ---


def to_send(vocabulary: Vocabulary, note: Note) -> str | None:
    """The words of a note that is to be sent by its prefix or its form; None: it is not."""
    words = without_prefix(vocabulary, note.text)
    return words if note.send or words != note.text else None


def without_prefix(vocabulary: Vocabulary, text: str) -> str:
    prefix = vocabulary.send_prefix
    if prefix and plain(text).lower().startswith(prefix.lower()):
        return stripped(sliced(text, len(prefix)))
    return text


def sends(vocabulary: Vocabulary, platform: str, emoji: str) -> bool:
    """Whether this emoji on a note sends it."""
    return vocabulary.send.get(platform) == emoji


def left_behind(noted: PendingNote) -> bool:
    """Whether the note is under a card that the conversation has left: its writers no longer speak for us."""
    if noted.under is not None:
        # Two rooms may be one chat: topics of a group
        return noted.under.card.moved_to is not None if noted.card is None else noted.under.place != noted.card.place
    if noted.card is None:
        return False
    here, there = noted.card.ref or noted.card.place, noted.note.ref
    return (here.platform, here.chat) != (there.platform, there.chat)


def reply(conversation: Conversation, note: Note, text: str, by: Person) -> Post:
    """The team's words, on their way to the person."""
    content = Reply(
        label=conversation.label or "",
        text=text,
        language=conversation.person.language,
        by=by.name,
        media=note.media,
        to=conversation.person.name,
    )
    return Post(conversation.place, content)


def offer(noted: PendingNote, whispers: bool) -> Post:
    """Ask the author whether to send the note: them alone where possible, else quietly under the note."""
    note = noted.note
    content = Offer(noted.id, noted.conversation.person.name, shortened(note.text, _OFFERED))
    return Post(ON_THE_CARD, content, only_for=note.author if whispers else None, answers=note.ref)


def is_offered(noted: PendingNote) -> bool:
    """Whether its author is being asked already: others may put emoji on a note before it is looked at."""
    return any(isinstance(content, Offer) and content.note == noted.id for _, content in noted.asking)


def offer_over(noted: PendingNote, whispers: bool) -> list[Post]:
    """Close the offer of a note that was sent by another act than its button."""
    alone = noted.note.author if whispers else None
    return [
        Post(ON_THE_CARD, replace(content, sent=True), edits=post, only_for=alone)
        for post, content in noted.asking
        if isinstance(content, Offer) and content.note == noted.id
    ]


def nothing_to_send(noted: PendingNote, whispers: bool) -> Post:
    """Tell whoever asked to send the note that it has nothing in it to send."""
    note = noted.note
    return Post(ON_THE_CARD, Notice(What.NOTHING_TO_SEND), only_for=note.author if whispers else None, answers=note.ref)


def gone(to: str | None, under: StandingCard, reader: Person | None, answers: MessageRef | None = None) -> Post:
    """Tell whoever wants to send something from under a card that the conversation has left where it is now."""
    notice = Notice(What.LEFT, team=to or "")
    return Post(under.place, notice, under=under.post, only_for=reader, answers=answers)


# --- what is changed or deleted afterwards ---


def revised(vocabulary: Vocabulary, news: PendingEdit) -> list[Post]:
    """The edits for new words: on the card, under it, and at the person's place; or for words that were deleted."""
    posts = [*_revised_cards(news), *_revised_copies(news)] if isinstance(news.message, Message) else []
    if news.carried is not None:
        posts += _carried(vocabulary, news, *news.carried)
    return posts


def _revised_cards(news: PendingEdit) -> list[Post]:
    if news.deleted:
        # The database removed the words at once; now the chats follow, struck cards included. Words from after the
        # decision are only in the history of later cards
        showing = news.cards if news.decided else news.cards[1:]
        return [Post(card.place, _revised_card(card.card, news), edits=card.post) for card in showing]
    if news.card is None or (card := _revised_card(news.card.card, news)) == news.card.card:
        return []
    posts = [Post(news.card.place, card, edits=news.card.post)]
    if not news.decided:
        return posts
    return [*posts, *_replaced(news, news.message.author.name, news.card.card.media)]


def _revised_copies(news: PendingEdit) -> list[Post]:
    """The edits of the card's copies in other rooms."""
    copies = [one for one in news.alerts if one.alert.copies] if news.decided else []
    return [
        Post(one.place, replace(one.alert, excerpt=news.text), edits=one.post)
        for one in copies
        if news.deleted or one.alert.excerpt != news.text
    ]


def _revised_card(card: Card, news: PendingEdit) -> Card:
    if news.carried is not None and isinstance(news.carried[1], FollowUp):
        was = news.carried[1]
        card = replace(card, history=tuple(_retold(line, was, news.message.text) for line in card.history))
    if not news.decided:
        return card
    excerpt = news.text
    if not news.deleted:
        return replace(card, excerpt=excerpt, edited=True, media=news.media or card.media)
    media = tuple(media for media in card.media if media not in news.message.media)
    if excerpt:
        return replace(card, excerpt=excerpt, edited=True, media=media)
    return replace(card, excerpt="", edited=False, deleted=True, media=())


def _retold(line: tuple[str, str], was: FollowUp, text: str) -> tuple[str, str]:
    """The line with the new words, if it has the old ones. An older card may have kept them shortened."""
    who, what = line
    same = who == was.author and what in (was.text, shortened(was.text, _ONCE_KEPT))
    return (who, text or GONE) if same else line


def _carried(vocabulary: Vocabulary, news: PendingEdit, post: int, content: FollowUp | Reply) -> list[Post]:
    words = news.message.text
    if isinstance(content, Reply):
        return _resent(news, post, content, without_prefix(vocabulary, words) or GONE)
    # It may be under a card that was left since: the outbox knows where
    if news.deleted:
        return [Post(ON_THE_CARD, replace(content, text="", media=(), deleted=True), edits=post)]
    now = replace(content, text=words, media=news.message.media or content.media, edited=True)
    return [Post(ON_THE_CARD, now, edits=post), *_replaced(news, content.author, content.media)]


def _resent(news: PendingEdit, post: int, was: Reply, words: str) -> list[Post]:
    place, media = news.conversation.place, () if news.deleted else news.message.media or was.media
    now = replace(was, text=words, media=media, edited=True)
    fresh = tuple(one for one in media if one not in was.media)
    return [Post(place, now, edits=post), *([Post(place, replace(now, text="", media=fresh))] if fresh else [])]


def _replaced(news: PendingEdit, author: str, shown: tuple[Media, ...]) -> list[Post]:
    """The post under the card with attachments that the author added or put in place of others."""
    fresh = tuple(one for one in news.message.media if one not in shown)
    if not fresh or news.deleted:
        return []
    return [Post(ON_THE_CARD, FollowUp(author, "", fresh, edited=True, replaces=True))]


# --- what nobody takes ---


def reminded(task: Task, waiting: OverdueConversation, after: timedelta) -> list[Post]:
    """The reminder of a request that nobody took: first to its own team, then to the fallback team."""
    if waiting.card is None:
        return []
    minutes = int(after.total_seconds() // 60) * (waiting.reminders + 1)
    notice = Notice(What.UNTAKEN, team=waiting.conversation.label or "", minutes=minutes)
    if waiting.reminders == 0:
        return [Post(ON_THE_CARD, notice)]
    room = task.address(task.fallback, waiting.card.place.platform)
    who = waiting.conversation.person.name
    return [Post(room, replace(notice, who=who, about=waiting.card.ref))] if room else []
