"""A team's room: its cards, and what stands under each of them: notes, what was sent, what the person added. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.decisions import Author, Reason
from bot.domain.messages import Note, chosen
from bot.domain.ports import Line
from bot.domain.posts import SEND, Card, FollowUp, LearningReport, Notice, Offer, Post, Sent, WrongTeam
from bot.platforms.web.events import LEAD, NAME, receipt
from bot.platforms.web.words import Json, Object, Words, as_sentence, attachments, buttons, milliseconds
from bot.platforms.wording import card_marks, certainty, report, to_team, why

CARDS = 20
"""Cards of one room that the page shows, newest first."""


@dataclass
class _Thread:
    """A card, or another line of its own, and what stands under it, oldest first."""

    top: Line
    under: list[Line] = field(default_factory=list)


def team_room(words: Words, lines: Sequence[Line]) -> list[Json]:
    """The room's cards with everything under them, newest card first."""
    threads: dict[str, _Thread] = {}
    for line in lines:
        above = threads.get(_above(line) or "")
        if above:
            above.under.append(line)
            threads[line.ref.id] = above  # what answers this line stands under the same card
        elif line.note is None and not (line.post and line.post.under is not None):
            threads[line.ref.id] = _Thread(line)
    tops = [thread for id, thread in threads.items() if thread.top.ref.id == id]
    return [{**_line(words, one.top), "under": _under(words, one)} for one in reversed(tops[-CARDS:])]


def _above(line: Line) -> str | None:
    """The id of what the line stands under; None when it stands by itself."""
    if line.note:
        return line.note.under.id
    if line.post and line.post.under is not None:
        return receipt(line.post.under)
    return line.post.answers.id if line.post and line.post.answers else None


def _line(words: Words, line: Line) -> Object:
    shown = _card(words, line.post.content, line) if line.post and isinstance(line.post.content, Card) else None
    return _with_key(line, shown or _posted(words, line.post))


def _with_key(line: Line, shown: Object) -> Object:
    return {"key": f"{line.ref.chat}/{line.ref.id}", "id": line.ref.id, "at": milliseconds(line.at), **shown}


# --- what stands under a card ---


def _under(words: Words, thread: _Thread) -> list[Json]:
    """The lines in order; what became of a note stands with the note."""
    lines = thread.under
    offers = {post.answers.id: line for line in lines if (post := line.post) and post.answers and _offers(post)}
    sent = _deliveries(words, lines)
    told = {line.ref for line in [*offers.values(), *(one for of in sent.values() for one in of)]}
    shown: list[Json] = []
    for line in lines:
        if line.note:
            fate = next(reversed(sent.get(line.ref.id, [])), None)
            shown.append(_with_key(line, _note(words, line, line.note, offers.get(line.ref.id), fate)))
        elif line.ref not in told and not _idle(words, thread.top, line):
            shown.append(_line(words, line))
    return shown


def _offers(post: Post) -> bool:
    return isinstance(post.content, Offer)


def _idle(words: Words, card: Line, line: Line) -> bool:
    """The question which team it is, after the emoji that asked was taken away: its buttons would do nothing."""
    asked = line.post.content if line.post else None
    emoji = words.vocabulary.wrong.get(NAME)
    open_question = isinstance(asked, WrongTeam) and asked.chosen is None
    return open_question and all(put != emoji for put, _ in card.reactions)


def _deliveries(words: Words, lines: Sequence[Line]) -> dict[str, list[Line]]:
    """Note's id -> the lines that say what became of it on its way to the person, the newest last."""
    found: dict[str, list[Line]] = {}
    notes: list[Line] = []
    for line in lines:
        if line.note:
            notes.append(line)
        elif line.post and isinstance(line.post.content, Sent):
            # a note that was changed goes once more; of notes that say the same, each goes before one goes again
            waiting = [note for note in notes if note.ref.id not in found]
            gone = [note for note in notes if note.ref.id in found]
            behind = _saying(words, line.post, [*waiting, *gone]) or _changed([*waiting, *gone])
            if behind:
                found.setdefault(behind.ref.id, []).append(line)
    return found


def _saying(words: Words, post: Post, notes: Sequence[Line]) -> Line | None:
    """The note that a delivery names, else the first with its words."""
    text = post.content.text if isinstance(post.content, Sent) else ""
    named = [line for line in notes if line.ref == post.answers]
    same = [line for line in notes if line.note and _without_prefix(words, line.note.text) == text]
    return next(iter([*named, *same]), None)


def _changed(notes: Sequence[Line]) -> Line | None:
    """The first note whose words are not what they were."""
    return next((line for line in notes if line.note and (line.edited or not line.note.text)), None)


def _without_prefix(words: Words, text: str) -> str:
    prefix = words.vocabulary.send_prefix
    return text[len(prefix) :].strip() if prefix and text.lower().startswith(prefix.lower()) else text


def _note(words: Words, line: Line, note: Note, offer: Line | None, sent: Line | None) -> Object:
    delivery = sent.post.content if sent and sent.post and isinstance(sent.post.content, Sent) else None
    gone = not note.text and not note.media
    return {
        "kind": "sent" if delivery else "note",
        "author": note.author.name,
        "text": _without_prefix(words, note.text) if delivery else note.text,
        "edited": line.edited and not gone,
        "deleted": gone,
        "attached": attachments(note.media),
        "title": to_team(delivery, words.team_language, words.task) if delivery else "",
        "failed": bool(delivery and delivery.problem),
        "offer": None if delivery or gone or not offer else _with_key(offer, _posted(words, offer.post)),
        "send": None if delivery or gone else _mark(words.vocabulary.send, line),
    }


def _posted(words: Words, post: Post | None) -> Object:
    language = words.team_language
    match post.content if post else None:
        case FollowUp() as more:
            return {
                "kind": "follow-up",
                "title": to_team(more, language, words.task),
                "text": more.text,
                "attached": attachments(more.media),
            }
        case Sent() as sent:
            title = to_team(sent, language, words.task)
            return {"kind": "sent", "title": title, "text": sent.text, "failed": bool(sent.problem)}
        case Offer() as offer:
            offered = [] if offer.sent else [(SEND, words.say(None, "offer_button"))]
            return {"kind": "offer", "text": to_team(offer, language, words.task), "buttons": buttons(*offered)}
        case WrongTeam() as wrong:
            choices = [] if wrong.chosen is not None else wrong.choices
            teams = [(str(n), words.task.shown(name)) for n, name in enumerate(choices)]
            return {"kind": "wrong-team", "text": to_team(wrong, language, words.task), "buttons": buttons(*teams)}
        case Notice() as notice:
            return {"kind": "notice", "what": notice.what.value, "text": to_team(notice, language, words.task)}
        case LearningReport() as learned:
            title, *reasons = report(learned, language)
            return {
                "kind": "report",
                "text": title,
                "reasons": [as_sentence(reason) for reason in reasons],
                "promoted": learned.promoted,
            }
        case _:
            return {"kind": "gone"}


# --- the card itself ---


def _card(words: Words, card: Card, line: Line) -> Object:
    link = card.moved_link if card.moved_link and card.moved_link.platform == NAME else None
    return {
        "kind": "card",
        "label": card.label,
        "excerpt": words.say(None, "card_gone") if card.deleted and not card.excerpt else card.excerpt,
        "person": card.author or words.say(None, "someone"),
        "author": words.say(None, "card_from", author=card.author or words.say(None, "someone")),
        "by": card.by,
        "mark": _sureness(words, card),
        "why": why(card, words.team_language, words.base),
        "marks": list(card_marks(card, words.team_language)),
        "taken": bool(card.taken_by),
        "done": card.done,
        "deleted": card.deleted,
        "remembered": [words.say(None, "card_remembered", text=text) for text in card.remembered],
        "history": [{"who": who, "what": what} for who, what in card.history],
        "attached": attachments(card.media),
        "moved": words.say(None, "card_moved", team=words.task.shown(card.moved_to)) if card.moved_to else None,
        "moved_link": {"key": f"{link.chat}/{link.id}", "text": words.say(None, "card_moved_link")} if link else None,
        "handling": _handling(words, line),
        "reactions": _reactions(words, card, line),
    }


def _sureness(words: Words, card: Card) -> str:
    """How sure, or who says so, in two or three words."""
    if card.reason == Reason.WITHDRAWN:
        return words.say(None, "mark_withdrawn")
    if card.by != Author.MODEL:
        return words.say(None, f"mark_{card.by}")
    return f"{words.say(None, f'mark_{certainty(card.confidence)}')} · {card.confidence:.0%}"


def _handling(words: Words, line: Line) -> Object:
    """The emoji that say what becomes of the request: take, done, wrong team."""
    known = words.vocabulary
    return {"take": _mark(known.take, line), "done": _mark(known.done, line), "wrong": _mark(known.wrong, line)}


def _mark(meaning: Mapping[str, str], line: Line) -> Json:
    """The emoji of this platform, and whether the lead has put it there; None where it has none."""
    emoji = meaning.get(NAME)
    return {"emoji": emoji, "mine": (emoji, LEAD) in line.reactions} if emoji else None


def _reactions(words: Words, card: Card, line: Line) -> list[Json]:
    """The emoji that mean a team on this card first, then whatever else people put on it."""
    legend = dict(card.legend)
    known = words.vocabulary
    told = {*legend, *(of[NAME] for of in (known.take, known.done, known.wrong) if NAME in of)}
    others = dict.fromkeys(emoji for emoji, _ in line.reactions if emoji not in told and not chosen(emoji))
    return [_reaction(words, emoji, legend.get(emoji), card, line) for emoji in [*legend, *others]]


def _reaction(words: Words, emoji: str, label: str | None, card: Card, line: Line) -> Object:
    return {
        "emoji": emoji,
        "label": words.task.shown(label) if label else None,
        "confirms": label == card.label,
        "count": sum(other == emoji for other, _ in line.reactions),
        "mine": (emoji, LEAD) in line.reactions,
    }
