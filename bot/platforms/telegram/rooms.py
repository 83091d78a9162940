"""The teams' rooms in Telegram: groups and topics, and their changes while the process runs."""

from bot.domain.ledger import Ledger
from bot.domain.tasks import Task
from bot.platforms.telegram import NAME, room


class Rooms:
    """The teams' rooms. What is said in them is between colleagues, never a request."""

    def __init__(self, task: Task) -> None:
        self._task = task.name
        self._labels: dict[str, list[str]] = {}
        for label in task.labels:
            if NAME in label.deliver_to:
                self._labels.setdefault(label.deliver_to[NAME].chat, []).append(label.name)
        self._instead: dict[str, str] = {}
        self._moved: dict[str, str] = {}

    @property
    def names(self) -> frozenset[str]:
        """Every room, as `Place.chat` holds it."""
        return frozenset(self._labels) | frozenset(map(self.now, self._labels)) | self._standing_in()

    @property
    def written(self) -> dict[str, list[str]]:
        """Room -> the labels whose room it is, as written in the settings."""
        return dict(self._labels)

    def settings(self, chat: str) -> str:
        """The settings that name this group or a topic in it, as a hint for mending them; empty when none does."""
        names = [name for where, labels in self._labels.items() if self._group(where) == chat for name in labels]
        return ", ".join(f"tasks.{self._task}.labels.{name}.deliver_to.{NAME}" for name in names)

    def widen(self, where: str, chat: str) -> None:
        """Make the whole group the room of a closed topic, for as long as the settings name the topic."""
        self._instead[where] = chat

    def shares(self, chat: str) -> bool:
        """Whether a team has a topic in the group, so that the whole group may have become its room."""
        return any("/" in where and self._group(where) == chat for where in self._labels)

    async def learn(self, ledger: Ledger) -> None:
        """Load the changes that this or another process recorded before. Raises Unreachable."""
        self._instead |= await ledger.learned_rooms(NAME)
        self._moved |= await ledger.moved_chats(NAME)

    def _standing_in(self) -> frozenset[str]:
        known = {*self._labels, *map(self.now, self._labels)}
        return frozenset(self.now(chat) for where, chat in self._instead.items() if where in known)

    def move(self, before: str, after: str) -> None:
        """The group has a new id."""
        self._moved[before] = after

    def now(self, where: str) -> str:
        """The room under its present id."""
        chat, _, topic = where.partition("/")
        return room(self._moved.get(chat, chat), int(topic) if topic else None)

    def _group(self, where: str) -> str:
        return self.now(where).partition("/")[0]
