"""What rendering needs besides the lines: the teams, the languages, the meaning of emoji."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bot.domain.messages import Media, MessageRef
from bot.domain.queries import TranscriptLine
from bot.domain.rich_text import flattened, spelled
from bot.domain.tasks import Label, Task, Vocabulary
from bot.locales import choose
from bot.platforms.web.events import LEAD, NAME
from bot.platforms.web.locales import sentence
from bot.platforms.wording import attachment

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Object: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Words:
    """The page's sentences and names."""

    task: Task
    languages: tuple[str, ...]
    base: str
    vocabulary: Vocabulary
    listening: tuple[str, ...] = ()
    """Rooms that are no team's, and are informed of answers to further questions."""

    def say(self, wanted: str | None, key: str, **words: str | int) -> str:
        """The sentence in the offered language nearest to the wanted one."""
        return sentence(self.language(wanted), key, **words)

    def language(self, wanted: str | None) -> str:
        """The offered language nearest to the wanted one."""
        return choose(wanted, self.languages)

    @property
    def team_language(self) -> str:
        """The language that teams read."""
        return self.language(None)


def team_rooms(task: Task) -> dict[str, list[Label]]:
    """The teams' rooms in the chat, in the order of the settings; several teams may share one."""
    rooms: dict[str, list[Label]] = {}
    for label in task.labels:
        if NAME in label.deliver_to:
            rooms.setdefault(label.deliver_to[NAME].chat, []).append(label)
    return rooms


def buttons(*pairs: tuple[str, str]) -> list[Json]:
    """(value, text) of each button of a post."""
    return [{"value": value, "text": text} for value, text in pairs]


def attachments(media: Sequence[Media], language: str) -> list[Json]:
    """The attachments by name, with their links if these are safe."""
    return [{"name": attachment(one, language), "link": _safe(one.link)} for one in media]


def readable(text: str) -> str:
    """Marked text as the page shows it, without marks: a link's address follows its words."""
    return spelled(flattened(text, quotes=True))


def keyed(line: TranscriptLine, shown: Object) -> Object:
    """What is shown of a line, with the keys by which the page identifies it."""
    return {"key": f"{line.ref.chat}/{line.ref.id}", "id": line.ref.id, "at": milliseconds(line.at), **shown}


def link(words: Words, card: MessageRef | None) -> Json:
    """The page's key of that card; None where it is on another platform."""
    if card is None or card.platform != NAME:
        return None
    return {"key": f"{card.chat}/{card.id}", "text": words.say(None, "card_moved_link")}


def mark(meaning: Mapping[str, str], line: TranscriptLine) -> Json:
    """The emoji for this meaning in the chat, and whether the lead put it on the line; None where there is none."""
    emoji = meaning.get(NAME)
    return {"emoji": emoji, "mine": (emoji, LEAD) in line.reactions} if emoji else None


def _safe(link: str | None) -> str | None:
    return link if link and link.startswith("https://") else None


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def as_sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
