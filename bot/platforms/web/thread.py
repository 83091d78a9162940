"""The lines under a card: notes, what became of them, the person's additions, questions and notices. Pure."""

from base64 import b64encode
from collections.abc import Mapping, Sequence

from bot.domain.continuation import first
from bot.domain.delivery import attached
from bot.domain.messages import Note
from bot.domain.posts import SEND, Card, Content, Continuation, FollowUp, Notice, Offer, Post, Sent, WrongTeam
from bot.domain.queries import TranscriptLine
from bot.domain.question_posts import Alert
from bot.domain.relay import without_prefix
from bot.domain.report_posts import (
    PICTURE,
    ComparisonReport,
    Digest,
    LearningReport,
    ShadowCard,
    ShadowExplanation,
    TrainingProgress,
)
from bot.picture import picture
from bot.platforms.comparison_report import comparison
from bot.platforms.digest import digest
from bot.platforms.question_wording import alert, choices
from bot.platforms.shadow_card import shadow_buttons, shadow_card, shadow_explanation
from bot.platforms.web.events import NAME
from bot.platforms.web.words import (
    Json,
    Object,
    Words,
    as_sentence,
    attachments,
    buttons,
    keyed,
    link,
    mark,
    readable,
)
from bot.platforms.wording import continuation, report, to_team, training_progress


def under(words: Words, card: TranscriptLine, lines: Sequence[TranscriptLine]) -> list[Json]:
    """The lines in order; a note's delivery is shown with the note."""
    offers = {post.answers.id: line for line in lines if (post := line.post) and post.answers and _offers(post)}
    sent = _deliveries(words, lines)
    told = {line.ref for line in [*offers.values(), *(one for of in sent.values() for one in of)]}
    shown: list[Json] = []
    for line in lines:
        if line.note and line.ref.id in sent:
            shown.append(keyed(line, _sent(words, line, line.note, sent[line.ref.id][-1])))
        elif line.note:
            shown.append(keyed(line, _note(words, line, line.note) | _ways(words, card, line, offers)))
        elif line.ref not in told and not _idle(words, card, line):
            shown.append(keyed(line, posted(words, line.post)))
    return shown


def _ways(words: Words, card: TranscriptLine, line: TranscriptLine, offers: Mapping[str, TranscriptLine]) -> Object:
    """How the note can still be sent: not at all once it is deleted, or the request moved to another team."""
    if _left(card) or (line.note and not line.note.text and not line.note.media):
        return {"offer": None, "send": None}
    offer = offers.get(line.ref.id)
    return {
        "offer": keyed(offer, posted(words, offer.post)) if offer else None,
        "send": mark(words.vocabulary.send, line),
    }


def _left(card: TranscriptLine) -> bool:
    """Whether the request moved to another team: nothing is sent from this card any more."""
    return card.post is not None and isinstance(card.post.content, Card) and card.post.content.moved_to is not None


def _offers(post: Post) -> bool:
    return isinstance(post.content, Offer)


def _idle(words: Words, card: TranscriptLine, line: TranscriptLine) -> bool:
    """Whether it asks for the team though the emoji that caused it is gone: its buttons would do nothing."""
    asked = line.post.content if line.post else None
    emoji = words.vocabulary.wrong.get(NAME)
    open_question = isinstance(asked, WrongTeam) and asked.chosen is None
    return open_question and all(put != emoji for put, _ in card.reactions)


def _deliveries(words: Words, lines: Sequence[TranscriptLine]) -> dict[str, list[TranscriptLine]]:
    """Note's id -> the lines that report its delivery to the person, the newest last."""
    found: dict[str, list[TranscriptLine]] = {}
    notes: list[TranscriptLine] = []
    for line in lines:
        if line.note:
            notes.append(line)
        elif line.post and isinstance(line.post.content, Sent):
            # an edited note is delivered again; of notes with the same words, each is matched once before one is
            # matched again
            waiting = [note for note in notes if note.ref.id not in found]
            gone = [note for note in notes if note.ref.id in found]
            behind = _saying(words, line.post, [*waiting, *gone]) or _changed([*waiting, *gone])
            if behind:
                found.setdefault(behind.ref.id, []).append(line)
    return found


def _saying(words: Words, post: Post, notes: Sequence[TranscriptLine]) -> TranscriptLine | None:
    """The note that a delivery names, else the first note with the delivery's words."""
    text = post.content.text if isinstance(post.content, Sent) else ""
    named = [line for line in notes if line.ref == post.answers]
    same = [line for line in notes if line.note and _without_prefix(words, line.note.text) == text]
    return next(iter([*named, *same]), None)


def _changed(notes: Sequence[TranscriptLine]) -> TranscriptLine | None:
    """The first note that was edited or emptied."""
    return next((line for line in notes if line.note and (line.edited or not line.note.text)), None)


def _without_prefix(words: Words, text: str) -> str:
    return without_prefix(words.vocabulary, text)


def _note(words: Words, line: TranscriptLine, note: Note) -> Object:
    gone = not note.text and not note.media
    return {
        "kind": "note",
        "author": note.author.name,
        "text": readable(note.text),
        "edited": line.edited and not gone,
        "deleted": gone,
        "attached": attachments(note.media, words.team_language),
    }


def _sent(words: Words, line: TranscriptLine, note: Note, delivery: TranscriptLine) -> Object:
    """A note that was sent, and the result."""
    text = readable(_without_prefix(words, note.text))
    fate = delivery.post.content if delivery.post else None
    failed = isinstance(fate, Sent) and bool(fate.problem)
    title = posted(words, delivery.post)["title"]
    return _note(words, line, note) | {"kind": "sent", "text": text, "title": title, "failed": failed}


def posted(words: Words, post: Post | None) -> Object:
    language = words.team_language
    match post.content if post else None:
        case FollowUp() as more:
            return {
                "kind": "follow-up",
                "title": to_team(more, language, words.task),
                "text": readable(first(more.text)),
                "attached": attachments(more.media, language),
            }
        case Continuation(gone=False) as piece:
            title = continuation(piece, language)
            return {"kind": "follow-up", "title": title, "text": readable(piece.text), "attached": []}
        case Sent() as sent:
            title = to_team(sent, language, words.task)
            return {"kind": "sent", "title": title, "text": readable(sent.text), "failed": bool(sent.problem)}
        case Offer() as offer:
            offered = [] if offer.sent else [(SEND, words.say(None, "offer_button"))]
            return {"kind": "offer", "text": to_team(offer, language, words.task), "buttons": buttons(*offered)}
        case WrongTeam() as wrong:
            shown = [] if wrong.chosen is not None else choices(wrong, words.task)
            offered = [(str(n), title) for n, title in enumerate(shown)]
            return {"kind": "wrong-team", "text": to_team(wrong, language, words.task), "buttons": buttons(*offered)}
        case Alert() as told:
            copied = [readable(first(told.excerpt))] if told.excerpt else []
            text = alert(told, language, words.task)
            return {"kind": "notice", "what": "alert", "text": text, "reasons": copied, "link": link(words, told.card)}
        case Notice() as notice:
            return {
                "kind": "notice",
                "what": notice.what.value,
                "text": to_team(notice, language, words.task),
                "link": link(words, notice.about),
            }
        case content:
            return _reported(words, content, language)


def _reported(words: Words, content: Content | None, language: str) -> Object:
    """The report to leads on training, or on the week."""
    match content:
        case LearningReport() as learned:
            title, *reasons = report(learned, language)
            sentences = [as_sentence(reason) for reason in reasons]
            return {"kind": "report", "text": title, "reasons": sentences, "promoted": learned.promoted}
        case Digest() as weekly:
            title, *lines = digest(weekly, language, words.task)
            return {"kind": "report", "text": title, "reasons": lines, "promoted": True, **_drawn(weekly)}
        case TrainingProgress() as going:
            return {"kind": "report", "text": training_progress(going, language), "reasons": [], "promoted": False}
        case ShadowCard() | ShadowExplanation() as told:
            return _of_the_shadow(told, language)
        case ComparisonReport() as compared:
            title, *lines = comparison(compared, language)
            return {"kind": "report", "text": title, "reasons": lines, "promoted": True, **_drawn(compared)}
        case _:
            return {"kind": "gone"}


def _of_the_shadow(told: ShadowCard | ShadowExplanation, language: str) -> Object:
    """A candidate's card, with its buttons until it is decided, and the explanation."""
    if isinstance(told, ShadowExplanation):
        title, *reasons = shadow_explanation(told, language)
        return {
            "kind": "report",
            "text": title,
            "reasons": [as_sentence(reason) for reason in reasons],
            "promoted": False,
        }
    title, *more = shadow_card(told, language)
    return {
        "kind": "report",
        "text": title,
        "reasons": more,
        "promoted": told.decided == "promoted",
        "buttons": buttons(*shadow_buttons(told, language)),
    }


def _drawn(content: ComparisonReport | Digest) -> Object:
    """The picture, embedded in the answer: the page loads nothing from elsewhere."""
    if PICTURE not in attached(content):
        return {}
    return {"picture": f"data:image/png;base64,{b64encode(picture(content)).decode()}"}
