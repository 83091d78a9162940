"""What does not fit in a post follows behind it, so that what people wrote is read whole. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.messages import Media
from bot.domain.posts import ON_THE_CARD, Card, Content, Continuation, FollowUp, OutboxItem, Post, Reply
from bot.domain.rich_text import head, linked, one_line, pieces, units

EXCERPT = 900
"""UTF-16 code units of the person's words on a card: what Telegram has room for beside the rest of the card."""
PIECE = 3_000
"""Code units of a follow-up, of a reply, and of every post that continues one: Slack's limit, the strictest."""
FILES = 15
"""How many attachments a post lists: Slack has room for so many with their links."""
LINE, HISTORY = 300, 600
"""Code units of one earlier line, and of all earlier lines that a card shows."""


def on_card(card: Card) -> str:
    """As much of the person's words as fits on the card."""
    return pieces(card.excerpt, EXCERPT, PIECE)[0]


def history_on_card(card: Card) -> list[tuple[str, str]]:
    """(who, what): the newest earlier lines, each on one line and shortened, the oldest first."""
    shown: list[tuple[str, str]] = []
    room = HISTORY
    for who, what in reversed(card.history):
        line = head(one_line(what), LINE)
        room -= units(line) + units(who) + len(": \n")
        if room < 0:
            break
        shown.insert(0, (who, line))
    return shown


def continues(content: Content) -> int:
    """How many posts follow with the rest."""
    return len(_rest(content))


def first(text: str) -> str:
    """As much of a follow-up or a reply as fits in its own post."""
    return pieces(text, PIECE, PIECE)[0]


def continued(item: OutboxItem) -> list[Post]:
    """The posts that follow this one, now that it was said: the rest of its words, or that rest as edited."""
    content, of = item.post.content, item.post.edits or item.id
    if not isinstance(content, Card | FollowUp | Reply):
        return []
    if isinstance(content, Card) and content.moved_to is not None and not content.deleted:
        # What is under a card that was left stays there; the rest of its words follows the next card
        return []
    rest = _rest(content)
    wanted = [_piece(content, of, text, part, len(rest)) for part, text in enumerate(rest, start=1)]
    posts = [_anew(item, piece) for piece in wanted[len(item.continued) :]]
    for at, (post, says) in enumerate(item.continued):
        now = wanted[at] if at < len(wanted) else replace(says, text="", gone=True)
        posts += [Post(item.post.place, now, edits=post)] if now != says else []
    return posts


def _rest(content: Content) -> list[str]:
    match content:
        case Card():
            return [*pieces(content.excerpt, EXCERPT, PIECE)[1:], *_files(content.media), *_history(content)]
        case FollowUp() | Reply():
            return [*pieces(content.text, PIECE, PIECE)[1:], *_files(content.media)]
        case _:
            return []


def _files(media: Sequence[Media]) -> list[str]:
    """The attachments that have no room on the post itself, one line each, with their place."""
    lines = [f"📎 {linked(one.name or one.kind.value, one.link or '')}" for one in media[FILES:]]
    return pieces("\n".join(lines), PIECE, PIECE) if lines else []


def _history(card: Card) -> list[str]:
    """All earlier lines, where the card cuts some of them."""
    whole = [what for _, what in history_on_card(card)] == [one_line(what) for _, what in card.history]
    if whole or card.deleted:
        return []
    return pieces("\n".join(f"{who}: {what}" if who else what for who, what in card.history), PIECE, PIECE)


def _piece(content: Card | FollowUp | Reply, of: int, text: str, part: int, parts: int) -> Continuation:
    language = content.language if isinstance(content, Reply) else None
    return Continuation(text, of, part, parts, language, to_person=isinstance(content, Reply))


def _anew(item: OutboxItem, piece: Continuation) -> Post:
    if isinstance(item.post.content, Reply):
        return Post(item.post.place, piece)
    if isinstance(item.post.content, Card):
        return Post(item.post.place, piece, under=item.post.edits or item.id)
    if item.post.under is not None:
        return Post(item.post.place, piece, under=item.post.under)
    return Post(ON_THE_CARD, piece)
