"""What the page shows: lines of rooms and the state of learning as JSON, in words a person reads. Pure.

Nothing here is markup: the page inserts every string as text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bot.domain.decisions import Author, Reason
from bot.domain.learning import Adapter, Cycle
from bot.domain.messages import Message
from bot.domain.ports import Line
from bot.domain.posts import OTHER, Answer, Card, FollowUp, LearningReport, Moved, Post, Question, WordsPlease
from bot.domain.tasks import Label, Task
from bot.locales import choose, sentence
from bot.platforms.web.events import LEAD, NAME, PEOPLE, PERSON_ROOMS, receipt
from bot.platforms.wording import question, to_person, why
from bot.platforms.wording import report as told

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Object: TypeAlias = dict[str, Json]

CARDS = 20
"""Cards of one room that the page shows, newest first."""
THREADS = 30
"""Threads of one person's room that the page shows, oldest first."""
EXAMPLES = 2
"""Sentences of the settings that the page offers to a newcomer."""
_VERY_SURE, _FAIRLY_SURE = 0.90, 0.70


@dataclass(frozen=True, slots=True)
class Words:
    """What rendering needs to know besides the line."""

    task: Task
    languages: tuple[str, ...]
    base: str

    def say(self, wanted: str | None, key: str, **words: str | int) -> str:
        """The sentence in the offered language nearest to the wanted one."""
        return sentence(self.language(wanted), key, **words)

    def language(self, wanted: str | None) -> str:
        """The offered language nearest to the wanted one."""
        return choose(wanted, self.languages)


def team_rooms(task: Task) -> dict[str, list[Label]]:
    """The rooms that teams have here, in the order of the settings; several teams may share one."""
    rooms: dict[str, list[Label]] = {}
    for label in task.labels:
        if NAME in label.deliver_to:
            rooms.setdefault(label.deliver_to[NAME].chat, []).append(label)
    return rooms


def state(words: Words, lines: Sequence[Line], learning: Object, now: datetime) -> Object:
    """Everything the page shows."""
    rooms: dict[str, list[Line]] = {}
    for line in lines:
        rooms.setdefault(line.place.chat, []).append(line)
    return {
        "now": _milliseconds(now),
        "people": [_person_room(words, name, rooms.get(name, [])) for name in PERSON_ROOMS],
        "teams": [_team_room(words, chat, of, rooms.get(chat, [])) for chat, of in team_rooms(words.task).items()],
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
        "verdict": _verdict(words, cycle) if cycle else "",
    }


def _verdict(words: Words, cycle: Cycle) -> str:
    if cycle.verdict is None:
        return cycle.problem
    key = "report_promoted" if cycle.verdict.promoted else "report_refused"
    return " ".join(
        [words.say(None, key, adapter=cycle.adapter or words.base), *map(_as_sentence, cycle.verdict.reasons)]
    )


def _as_sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def _person_room(words: Words, name: str, lines: Sequence[Line]) -> Object:
    threads: dict[str, list[Json]] = {}
    for line in lines:
        threads.setdefault(line.place.thread or line.ref.id, []).append(_line(words, line))
    newest = list(threads.items())[-THREADS:]
    return {"room": name, "name": PEOPLE[name], "threads": [{"thread": key, "lines": said} for key, said in newest]}


def _team_room(words: Words, chat: str, labels: Sequence[Label], lines: Sequence[Line]) -> Object:
    under: dict[str, list[Json]] = {}
    for line in lines:
        if line.post and line.post.under is not None:
            under.setdefault(receipt(line.post.under), []).append(_line(words, line))
    tops = [line for line in lines if not (line.post and line.post.under is not None)]
    cards: list[Json] = [{**_line(words, top), "under": under.get(top.ref.id, [])} for top in reversed(tops[-CARDS:])]
    return {
        "room": chat,
        "teams": [{"name": label.name, "means": label.means, "emoji": label.emoji.get(NAME, "")} for label in labels],
        "cards": cards,
    }


def _line(words: Words, line: Line) -> Object:
    shown = _said(line.message) if line.message else _posted(words, line.post, line) if line.post else {"kind": "gone"}
    return {"key": f"{line.ref.chat}/{line.ref.id}", "id": line.ref.id, "at": _milliseconds(line.at), **shown}


def _said(message: Message) -> Object:
    return {"kind": "person", "author": message.author.name, "text": message.text}


def _posted(words: Words, post: Post, line: Line) -> Object:
    match post.content:
        case Answer() | WordsPlease() | Moved() as sentence:
            return {"kind": "answer", "text": to_person(sentence, words.language(sentence.language))}
        case Question() as asked:
            return _question(words, asked)
        case Card() as card:
            return _card(words, card, line.reactions)
        case FollowUp(author, text):
            return {"kind": "follow-up", "title": words.say(None, "follow_up", author=author), "text": text}
        case LearningReport() as report:
            title, *reasons = told(report, words.language(None))
            return {
                "kind": "report",
                "text": title,
                "reasons": [_as_sentence(reason) for reason in reasons],
                "promoted": report.promoted,
            }


def _question(words: Words, asked: Question) -> Object:
    text = question(asked, words.language(asked.language))
    if asked.answered is not None:
        return {"kind": "answer", "text": text}
    buttons: list[Json] = [{"value": str(n), "text": name} for n, name in enumerate(asked.candidates)]
    buttons.append({"value": OTHER, "text": words.say(asked.language, "other")})
    return {"kind": "question", "text": text, "buttons": buttons}


def _card(words: Words, card: Card, reactions: Sequence[tuple[str, str]]) -> Object:
    return {
        "kind": "card",
        "label": card.label,
        "excerpt": card.excerpt,
        "author": words.say(None, "card_from", author=card.author),
        "by": card.by,
        "mark": _mark(words, card),
        "why": why(card, words.language(None), words.base),
        "moved": words.say(None, "card_moved", team=card.moved_to) if card.moved_to is not None else None,
        "reactions": _reactions(card, reactions),
    }


def _mark(words: Words, card: Card) -> str:
    """How sure, or who says so, in two or three words."""
    if card.reason == Reason.WITHDRAWN:
        return words.say(None, "mark_withdrawn")
    if card.by != Author.MODEL:
        return words.say(None, f"mark_{card.by}")
    sure = card.confidence
    key = "mark_very_sure" if sure >= _VERY_SURE else "mark_fairly_sure" if sure >= _FAIRLY_SURE else "mark_unsure"
    return f"{words.say(None, key)} · {sure:.0%}"


def _reactions(card: Card, reactions: Sequence[tuple[str, str]]) -> list[Json]:
    """The emoji that mean something on this card first, then whatever else is on it."""
    legend = dict(card.legend)
    others = dict.fromkeys(emoji for emoji, _ in reactions if emoji not in legend)
    return [_reaction(emoji, legend.get(emoji), card, reactions) for emoji in [*legend, *others]]


def _reaction(emoji: str, label: str | None, card: Card, reactions: Sequence[tuple[str, str]]) -> Object:
    return {
        "emoji": emoji,
        "label": label,
        "confirms": label == card.label,
        "count": sum(other == emoji for other, _ in reactions),
        "mine": (emoji, LEAD) in reactions,
    }


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
