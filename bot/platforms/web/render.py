"""What the page shows: rooms and the state of learning as JSON, in words for people. Pure.

No string is markup: the page inserts every one as text.
"""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.continuation import first
from bot.domain.learning import Adapter, Cycle, Phase
from bot.domain.messages import Message
from bot.domain.posts import (
    NO,
    OTHER,
    SPLIT,
    YES,
    Answer,
    Continuation,
    Moved,
    Post,
    Question,
    Reply,
    Solved,
    Split,
    WordsPlease,
)
from bot.domain.queries import TranscriptLine
from bot.domain.tasks import Label
from bot.platforms.failure_wording import training_failed
from bot.platforms.verdict_wording import verdict_reason
from bot.platforms.web.cards import team_room
from bot.platforms.web.events import NAME, PEOPLE, PERSON_ROOMS
from bot.platforms.web.words import (
    Json,
    Object,
    Words,
    as_sentence,
    attachments,
    buttons,
    keyed,
    milliseconds,
    readable,
    team_rooms,
)
from bot.platforms.wording import question, reply, to_person

THREADS = 30
"""The most threads of one person's room on the page, oldest first."""
EXAMPLES = 2
"""The most example sentences from the settings that the page offers to a newcomer."""


def state(words: Words, lines: Sequence[TranscriptLine], learning: Object, now: datetime) -> Object:
    """Everything the page shows."""
    rooms: dict[str, list[TranscriptLine]] = {}
    for line in lines:
        rooms.setdefault(line.place.chat, []).append(line)
    return {
        "now": milliseconds(now),
        "people": [_person_room(words, name, rooms.get(name, [])) for name in PERSON_ROOMS],
        "teams": [
            *(_team_room(words, chat, of, rooms.get(chat, [])) for chat, of in team_rooms(words.task).items()),
            *(_listening_room(words, chat, rooms.get(chat, [])) for chat in words.listening),
        ],
        "learning": learning,
        "examples": [label.examples[0] for label in words.task.labels if label.examples][:EXAMPLES],
    }


def learning(words: Words, champion: Adapter | None, cycle: Cycle | None, waiting: int) -> Object:
    """Which adapter serves, how far the newest learning cycle is, and how many corrections wait for one."""
    return {
        "adapter": champion.name if champion else None,
        "waiting": waiting,
        "phase": cycle.phase.value if cycle else None,
        "progress": round(cycle.progress, 3) if cycle else 0,
        "candidate": cycle.adapter if cycle else None,
        "promoted": bool(cycle and cycle.verdict and cycle.verdict.promoted),
        "verdict": _verdict(words, cycle, champion) if cycle else "",
    }


def _verdict(words: Words, cycle: Cycle, champion: Adapter | None) -> str:
    if cycle.verdict is None:
        made = cycle.adapter or words.base
        return training_failed(made, cycle.problem, words.team_language) if cycle.phase is Phase.FAILED else ""
    reasons = [as_sentence(verdict_reason(one, words.team_language)) for one in cycle.verdict.reasons]
    if cycle.verdict.promoted and champion is not None and champion.name != cycle.adapter:
        # The adapter first serves a share, or another was promoted since
        return " ".join(reasons)
    key = "report_promoted" if cycle.verdict.promoted else "report_refused"
    return " ".join([words.say(None, key, adapter=cycle.adapter or words.base), *reasons])


def _team_room(words: Words, chat: str, labels: Sequence[Label], lines: Sequence[TranscriptLine]) -> Object:
    return {
        "room": chat,
        "teams": [{"name": label.shown, "means": label.means, "emoji": label.emoji.get(NAME, "")} for label in labels],
        "cards": team_room(words, lines),
    }


def _listening_room(words: Words, chat: str, lines: Sequence[TranscriptLine]) -> Object:
    """A room that is no team's, titled with its name from the settings; it says what it is for."""
    means = words.say(None, "room_listening")
    return {
        "room": chat,
        "teams": [{"name": chat, "means": means, "emoji": ""}],
        "cards": team_room(words, lines),
    }


def _person_room(words: Words, name: str, lines: Sequence[TranscriptLine]) -> Object:
    threads: dict[str, list[Json]] = {}
    for line in lines:
        threads.setdefault(line.place.thread or line.ref.id, []).append(_line(words, line))
    newest = list(threads.items())[-THREADS:]
    return {"room": name, "name": PEOPLE[name], "threads": [{"thread": key, "lines": said} for key, said in newest]}


def _line(words: Words, line: TranscriptLine) -> Object:
    shown = _said(line.message, line.edited) if line.message else _posted(words, line.post)
    return keyed(line, shown)


def _said(message: Message, edited: bool) -> Object:
    gone = not message.text and not message.media
    return {
        "kind": "person",
        "author": message.author.name,
        "text": readable(message.text),
        "edited": edited and not gone,
        "deleted": gone,
    }


def _posted(words: Words, post: Post | None) -> Object:
    match post.content if post else None:
        case Question() as asked:
            return _question(words, asked)
        case Reply() as sent:
            return {
                "kind": "reply",
                "title": reply(sent, words.language(sent.language), words.task),
                "text": readable(first(sent.text)),
                "attached": attachments(sent.media, words.language(sent.language)),
            }
        case Continuation(gone=False) as more:
            return {"kind": "reply", "title": "", "text": readable(more.text), "attached": []}
        case Solved() as solved:
            yes, no = words.say(solved.language, "yes"), words.say(solved.language, "no")
            return _sentence(words, solved, *([] if solved.answer is not None else [(YES, yes), (NO, no)]))
        case Split() as split:
            button = words.say(split.language, "split_button")
            return _sentence(words, split, *([] if split.done else [(SPLIT, button)]))
        case (Answer() | WordsPlease() | Moved()) as said:
            return _sentence(words, said)
        case _:
            return {"kind": "gone"}


def _sentence(
    words: Words, content: Answer | WordsPlease | Moved | Solved | Split, *offered: tuple[str, str]
) -> Object:
    text = to_person(content, words.language(content.language), words.task)
    return {"kind": "question" if offered else "answer", "text": text, "buttons": buttons(*offered)}


def _question(words: Words, asked: Question) -> Object:
    text = question(asked, words.language(asked.language), words.task)
    if asked.answered is not None:
        return {"kind": "answer", "text": text}
    candidates = [(str(n), words.task.shown(name)) for n, name in enumerate(asked.candidates)]
    return {
        "kind": "question",
        "text": text,
        "buttons": buttons(*candidates, (OTHER, words.say(asked.language, "other"))),
    }
