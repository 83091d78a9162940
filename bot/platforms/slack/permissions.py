"""Who may correct, and who may handle."""

from dataclasses import dataclass

from bot.domain.errors import Unreachable
from bot.domain.messages import Person
from bot.domain.tasks import Label, Task
from bot.platforms.slack import Config
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.payload import NAME

_GROUP = "S"
"""What a user group's id begins with."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """Answers by id and by user group. Never yes for bots and for people of other companies.

    Every answer may raise Unreachable, when Slack must be asked and does not answer: an outage turns nobody away.
    """

    config: Config
    directory: Directory
    task: Task

    async def may_correct(self, person: Person, team: Label) -> bool:
        """Whether they are a lead of all teams, or of this one."""
        everywhere = self.config.leads | self.config.lead_groups
        return await self._is_among(person, everywhere | team.leads.get(NAME, frozenset()))

    async def may_handle(self, person: Person) -> bool:
        """Whoever of our own people can see a card may take it."""
        return person.platform == NAME and not person.external and await self._is_ours(person.id)

    async def runs(self, user: str) -> bool:
        """Whether they are a lead of all teams: for what concerns the model."""
        return await self._is_among(Person(NAME, user), self.config.leads | self.config.lead_groups)

    async def leads(self, user: str) -> bool:
        """Whether they are a lead of any team; which one is looked at when their word is acted on."""
        listed = self.config.leads | self.config.lead_groups
        for label in self.task.labels:
            listed = listed | label.leads.get(NAME, frozenset())
        return await self._is_among(Person(NAME, user), listed)

    async def _is_among(self, person: Person, listed: frozenset[str]) -> bool:
        if person.platform != NAME or person.external:
            return False
        if person.id not in listed and not await self._in_groups(person.id, listed):
            return False
        return await self._is_ours(person.id)

    async def _in_groups(self, user: str, listed: frozenset[str]) -> bool:
        """A group that cannot be looked up matters only to people who are in none of the others."""
        problem: Unreachable | None = None
        for group in sorted(name for name in listed if name.startswith(_GROUP)):
            try:
                if user in await self.directory.members(group):
                    return True
            except Unreachable as error:
                problem = error
        if problem is not None:
            raise problem
        return False

    async def _is_ours(self, user: str) -> bool:
        profile = await self.directory.profile(user)
        return not (profile.is_bot or profile.external or profile.gone)
