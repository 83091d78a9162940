"""Looks up people's names after their message is stored: one call a person, a few at a time."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field, replace

from bot.domain.errors import Unreachable
from bot.domain.messages import Person
from bot.domain.ports import Inbox
from bot.platforms.slack.background_tasks import BackgroundTasks
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.payload import NAME

log = logging.getLogger(__name__)

_AT_ONCE = 4
"""Calls at a time: Slack limits them, and people wait for other answers."""
_MOST = 10_000
"""The most people in the queue; others are looked up with their next message."""
_TRIES, _PAUSE_SECONDS = 4, 5.0


@dataclass(slots=True)
class LateNames:
    """Looks up the writers' names and hands them to the inbox."""

    directory: Directory
    inbox: Inbox
    background: BackgroundTasks
    _wanted: deque[Person] = field(default_factory=deque)
    _known: set[str] = field(default_factory=set)
    """The ids in the queue, so that nobody is looked up twice at a time."""
    _askers: int = 0

    def find(self, person: Person) -> None:
        """Queue the person for a lookup."""
        if person.id in self._known or len(self._known) >= _MOST:
            return
        self._known.add(person.id)
        self._wanted.append(person)
        if self._askers < _AT_ONCE:
            self._askers += 1
            self.background.start(self._ask(), "slack names")

    async def _ask(self) -> None:
        try:
            while self._wanted:
                person = self._wanted.popleft()
                try:
                    await self._told(person)
                finally:
                    self._known.discard(person.id)
        finally:
            self._askers -= 1

    async def _told(self, person: Person) -> None:
        for attempt in range(_TRIES):
            try:
                profile = await self.directory.profile(person.id)
                if profile.known:
                    named = replace(person, name=profile.name, language=profile.language, external=profile.external)
                    await self.inbox.person(named)
            except Unreachable as error:
                wait = error.retry_after.total_seconds() if error.retry_after else _PAUSE_SECONDS
                await asyncio.sleep(wait * (attempt + 1))
            else:
                return
        log.warning("name not looked up: unknown until that person writes again", extra={"platform": NAME})
