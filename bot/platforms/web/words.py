"""What rendering needs to know besides the line itself: the teams, the languages, what emoji mean."""

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
    """The sentences of the page, and what it calls things."""

    task: Task
    languages: tuple[str, ...]
    base: str
    vocabulary: Vocabulary
    listening: tuple[str, ...] = ()
    """Rooms that are no team's, and hear of answers to further questions."""

    def say(self, wanted: str | None, key: str, **words: str | int) -> str:
        """The sentence in the offered language nearest to the wanted one."""
        return sentence(self.language(wanted), key, **words)

    def language(self, wanted: str | None) -> str:
        """The offered language nearest to the wanted one."""
        return choose(wanted, self.languages)

    @property
    def team_language(self) -> str:
        """What teams read."""
        return self.language(None)


def team_rooms(task: Task) -> dict[str, list[Label]]:
    """The rooms that teams have here, in the order of the settings; several teams may share one."""
    rooms: dict[str, list[Label]] = {}
    for label in task.labels:
        if NAME in label.deliver_to:
            rooms.setdefault(label.deliver_to[NAME].chat, []).append(label)
    return rooms


def buttons(*pairs: tuple[str, str]) -> list[Json]:
    """(value, text) of each button of a post."""
    return [{"value": value, "text": text} for value, text in pairs]


def attachments(media: Sequence[Media], language: str) -> list[Json]:
    """What came along, by name; other platforms' links where they have some."""
    return [{"name": attachment(one, language), "link": _safe(one.link)} for one in media]


def readable(text: str) -> str:
    """Marked text as the page shows it, without marks: addresses stand behind the words that lead there."""
    return spelled(flattened(text, quotes=True))


def keyed(line: TranscriptLine, shown: Object) -> Object:
    """What the line says, with what the page knows it by."""
    return {"key": f"{line.ref.chat}/{line.ref.id}", "id": line.ref.id, "at": milliseconds(line.at), **shown}


def link(words: Words, card: MessageRef | None) -> Json:
    """Where the page finds that card; None where it is none of this platform's."""
    if card is None or card.platform != NAME:
        return None
    return {"key": f"{card.chat}/{card.id}", "text": words.say(None, "card_moved_link")}


def mark(meaning: Mapping[str, str], line: TranscriptLine) -> Json:
    """The emoji of this platform, and whether the lead has put it there; None where it has none."""
    emoji = meaning.get(NAME)
    return {"emoji": emoji, "mine": (emoji, LEAD) in line.reactions} if emoji else None


def _safe(link: str | None) -> str | None:
    return link if link and link.startswith("https://") else None


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def as_sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
