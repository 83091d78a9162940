"""A team's room: its cards, each with the lines under it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.consequences import Follows
from bot.domain.continuation import continues, history_on_card, on_card
from bot.domain.decisions import Author, Reason
from bot.domain.messages import chosen
from bot.domain.posts import Card
from bot.domain.queries import TranscriptLine
from bot.platforms.question_wording import answers
from bot.platforms.web.events import LEAD, NAME, receipt
from bot.platforms.web.thread import posted, under
from bot.platforms.web.words import Json, Object, Words, attachments, keyed, link, mark, readable
from bot.platforms.wording import card_marks, certainty, moved, not_read, remembered, voices_said, why

CARDS = 20
"""The most cards of one room on the page, newest first."""


@dataclass
class _Thread:
    """A card, or another line of its own, and the lines under it, oldest first."""

    top: TranscriptLine
    under: list[TranscriptLine] = field(default_factory=list)


def team_room(words: Words, lines: Sequence[TranscriptLine]) -> list[Json]:
    """The room's cards with the lines under them: first those that an answer puts first, then the newest."""
    threads: dict[str, _Thread] = {}
    for line in lines:
        above = threads.get(_above(line) or "")
        if above:
            above.under.append(line)
            threads[line.ref.id] = above  # replies to this line stand under the same card
        elif line.note is None and not (line.post and line.post.under is not None):
            threads[line.ref.id] = _Thread(line)
    tops = [thread for id, thread in threads.items() if thread.top.ref.id == id]
    newest = list(reversed(tops[-CARDS:]))
    newest.sort(key=lambda thread: not _comes_first(thread.top))
    return [{**_line(words, one.top), "under": under(words, one.top, one.under)} for one in newest]


def _comes_first(line: TranscriptLine) -> bool:
    """Whether an answer to a further question puts the card first while it is open."""
    card = line.post.content if line.post else None
    if not isinstance(card, Card) or card.done or card.moved_to is not None:
        return False
    return any(Follows.FIRST in answer.follows for answer in card.answers)


def _above(line: TranscriptLine) -> str | None:
    """The id of what the line stands under; None when it stands by itself."""
    if line.note:
        return line.note.under.id
    if line.post and line.post.under is not None:
        return receipt(line.post.under)
    return line.post.answers.id if line.post and line.post.answers else None


def _line(words: Words, line: TranscriptLine) -> Object:
    card = line.post.content if line.post else None
    return keyed(line, _card(words, card, line) if isinstance(card, Card) else posted(words, line.post))


def _card(words: Words, card: Card, line: TranscriptLine) -> Object:
    gone = not card.excerpt and (card.deleted or not card.media)
    return {
        "kind": "card",
        "label": card.label,
        "excerpt": words.say(None, "card_gone") if gone else readable(on_card(card)),
        "person": card.author or words.say(None, "someone"),
        "author": words.say(None, "card_from", author=card.author or words.say(None, "someone")),
        "by": card.by,
        "mark": _sureness(words, card),
        "why": why(card, words.team_language, words.base),
        "marks": [*card_marks(card, words.team_language), *_more(words, card), *answers(card, words.team_language)],
        "taken": bool(card.taken_by),
        "done": card.done,
        "deleted": gone,
        "heard": [
            *voices_said(card.voices, words.task, words.team_language),
            *not_read(card.left_out, words.team_language),
        ],
        "remembered": remembered(card.remembered, card.remembered_from, words.team_language),
        "history": [{"who": who, "what": readable(what)} for who, what in history_on_card(card)],
        "attached": attachments(card.media, words.team_language),
        "moved": moved(card, words.team_language, words.task) if card.moved_to else None,
        "link": link(words, card.moved_link),
        "handling": _handling(words, line),
        "reactions": _reactions(words, card, line),
    }


def _more(words: Words, card: Card) -> list[str]:
    return [words.say(None, "card_continued")] if continues(card) and not card.moved_to else []


def _sureness(words: Words, card: Card) -> str:
    """How sure the decision is, or who made it, in two or three words."""
    if card.reason == Reason.WITHDRAWN:
        return words.say(None, "mark_withdrawn")
    if card.by not in (Author.MODEL, Author.EXAMPLES):
        return words.say(None, f"mark_{card.by}")
    return f"{words.say(None, f'mark_{certainty(card.confidence)}')} · {card.confidence:.0%}"


def _handling(words: Words, line: TranscriptLine) -> Object:
    """The emoji for the request's state: take, done, wrong team."""
    known = words.vocabulary
    return {"take": mark(known.take, line), "done": mark(known.done, line), "wrong": mark(known.wrong, line)}


def _reactions(words: Words, card: Card, line: TranscriptLine) -> list[Json]:
    """The emoji for teams on this card first, then the other reactions."""
    legend = dict(card.legend)
    known = words.vocabulary
    told = {*legend, *(of[NAME] for of in (known.take, known.done, known.wrong) if NAME in of)}
    answered = {
        sign: (title, "" if one.part_of else one.title)  # with several, it removes a given one
        for one in card.answers
        for of, sign, title in one.legend
        if of == NAME
    }
    others = dict.fromkeys(sign for sign, _ in line.reactions if sign not in {*told, *answered} and not chosen(sign))
    return [
        *(_reaction(emoji, words.task.shown(label), label == card.label, line) for emoji, label in legend.items()),
        *(_reaction(emoji, title, title == now, line) for emoji, (title, now) in answered.items()),
        *(_reaction(emoji, None, False, line) for emoji in others),
    ]


def _reaction(emoji: str, title: str | None, confirms: bool, line: TranscriptLine) -> Object:
    return {
        "emoji": emoji,
        "label": title,
        "confirms": confirms,
        "count": sum(other == emoji for other, _ in line.reactions),
        "mine": (emoji, LEAD) in line.reactions,
    }
