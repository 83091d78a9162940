"""What is owed next because a post was said, or because it never will be. Pure: facts in, posts out."""

from dataclasses import dataclass, replace

from bot.domain.compose import legend
from bot.domain.continuation import continued
from bot.domain.decisions import Author, Decision, Reason, fallback
from bot.domain.messages import Media, MessageRef, Place
from bot.domain.posts import (
    GONE,
    ON_THE_CARD,
    Answer,
    Card,
    Content,
    FollowUp,
    Moved,
    Notice,
    OutboxItem,
    Post,
    Question,
    Reply,
    Sent,
    Solved,
    Split,
    What,
)
from bot.domain.question_posts import Alert
from bot.domain.questions import alerts_of
from bot.domain.report_posts import PICTURE, ComparisonReport, Digest
from bot.domain.tasks import Task

_TO_THE_PERSON = (Answer, Question, Moved, Solved, Split)


def after_said(item: OutboxItem, receipt: MessageRef) -> list[Post]:
    """The posts that follow: the rest of long words; a tick under the card for a reply; a link from the card that was
    left to its successor.

    A reply that was taken back gets no tick.
    """
    return [*continued(item), *_told(item, receipt)]


def _told(item: OutboxItem, receipt: MessageRef) -> list[Post]:
    match item.post.content:
        case Reply(edited=True) as reply if reply.text == GONE:
            return []
        case Reply() as reply:
            return [_sent(reply, "")]
        case Card(replaces=int()) if item.card is not None and isinstance(item.card.content, Card):
            card = item.post.content
            linked = replace(item.card.content, moved_to=card.label, moved_link=receipt)
            return [Post(item.card.place, linked, edits=card.replaces)]
        case Card(replaces=None, moved_to=None) as card if item.edits is None and item.post.edits is None:
            return alerts_of(card, receipt)
        case _:
            return []


@dataclass(frozen=True, slots=True)
class Undelivered:
    """What follows when a post will never be said."""

    posts: tuple[Post, ...] = ()
    decision: Decision | None = None
    """Not None: the conversation moves."""
    lost: bool = False
    """Whether nobody who should read it can be reached, so that somebody has to be alerted."""


def undeliverable(task: Task, item: OutboxItem, problem: str) -> Undelivered:
    """A refused card goes to the fallback's room; the team is told what cannot reach the person."""
    content = item.post.content
    if isinstance(content, Reply):
        return Undelivered((_sent(content, problem),))
    if item.edits is not None or item.post.edits is not None:
        return Undelivered()
    if isinstance(content, Alert):
        return Undelivered((Post(ON_THE_CARD, Notice(What.UNTOLD, team=content.title, problem=problem)),))
    if isinstance(content, _TO_THE_PERSON):
        return Undelivered((Post(ON_THE_CARD, Notice(What.UNREACHABLE, problem=problem)),))
    if isinstance(content, Card):
        return _elsewhere(task, item.post.place, content, problem)
    if isinstance(content, FollowUp) and item.card is not None and isinstance(item.card.content, Card):
        return _elsewhere(task, item.card.place, _with(item.card.content, content, item.post.under), problem)
    return Undelivered()


def _with(card: Card, said: FollowUp, post: int | None) -> Card:
    """The next card, with what the person wrote, for a room that took this card but takes nothing more."""
    history = (*card.history, (said.author, said.text))
    return replace(card, history=history, media=(*card.media, *said.media), taken_by="", done=False, replaces=post)


MOST_ATTEMPTS_WITH_FILES = 5
"""How often a post waits for attachments that cannot be fetched or uploaded; then it goes without them, named.

Otherwise the posts behind it would wait for ever, and twenty megabytes would be fetched each time.
"""


def without(content: Content, media: Media) -> Content:
    """The content without that attachment, which its text names instead: it could not be fetched."""
    name = f"📎 {media.name or media.kind}"
    match content:
        case Card():
            kept = _others(content.media, media)
            return replace(content, media=kept, excerpt=_line_more(content.excerpt, name))
        case FollowUp() | Reply():
            return replace(content, media=_others(content.media, media), text=_line_more(content.text, name))
        case _:
            return content


def attached(content: Content) -> tuple[Media, ...]:
    """The attachments that travel along with it."""
    if isinstance(content, ComparisonReport) or (isinstance(content, Digest) and content.teams):
        return (PICTURE,)
    return content.media if isinstance(content, Card | FollowUp | Reply) else ()


def _others(all_of_them: tuple[Media, ...], one: Media) -> tuple[Media, ...]:
    return tuple(media for media in all_of_them if media != one)


def _line_more(text: str, line: str) -> str:
    return f"{text}\n{line}" if text else line


def _sent(reply: Reply, problem: str) -> Post:
    sent = Sent(reply.text, reply.by, reply.to, problem=problem, media=len(reply.media))
    return Post(ON_THE_CARD, sent)


def _elsewhere(task: Task, refused: Place, card: Card, problem: str) -> Undelivered:
    """The card goes to the fallback's room; where that refuses too, to its rooms on other platforms, once each."""
    room = _next_room(task, refused, card)
    if room is None:
        return Undelivered(lost=True)
    new = replace(
        card,
        label=task.fallback,
        by=Author.FALLBACK,
        reason=Reason.UNDELIVERABLE,
        confidence=0.0,
        legend=legend(task, room.platform),
        remembered=(),
    )
    notice = Notice(What.MISDELIVERED, team=card.label, problem=problem)
    moves = card.label != task.fallback
    decision = fallback(task, Reason.UNDELIVERABLE) if moves else None
    return Undelivered((Post(room, new), Post(ON_THE_CARD, notice)), decision)


def _next_room(task: Task, refused: Place, card: Card) -> Place | None:
    """The fallback's rooms in a fixed order, the one on the person's platform first; None after the last."""
    rooms = task.label(task.fallback).deliver_to
    order = sorted(rooms, key=lambda platform: platform != card.source.platform)
    if card.label == task.fallback:
        # By platform, since the chat's id may have changed since the settings were written
        tried = order.index(refused.platform) + 1 if refused.platform in order else len(order)
        order = order[tried:]
    return next((rooms[platform] for platform in order if rooms[platform] != refused), None)
