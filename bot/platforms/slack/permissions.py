"""Who may correct, and who may handle."""

from dataclasses import dataclass

from bot.domain.errors import Unreachable
from bot.domain.messages import Person
from bot.domain.tasks import Label, Task
from bot.platforms.slack import Config
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.payload import NAME

_GROUP = "S"
"""The prefix of user groups' ids."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """Decides by id and by user group; never grants anything to bots or to people of other companies.

    Every method may raise Unreachable, when Slack must be asked and does not answer: an outage must not reject anybody.
    """

    config: Config
    directory: Directory
    task: Task

    async def may_correct(self, person: Person, team: Label) -> bool:
        """Whether the person is a lead of all teams, or of this one."""
        everywhere = self.config.leads | self.config.lead_groups
        return await self._is_among(person, everywhere | team.leads.get(NAME, frozenset()))

    async def may_handle(self, person: Person) -> bool:
        """Whether the person may take a card: all our own people who can see it may."""
        return person.platform == NAME and not person.external and await self._is_ours(person.id)

    async def runs(self, user: str) -> bool:
        """Whether the person is a lead of all teams, and so may do what concerns the model."""
        return await self._is_among(Person(NAME, user), self.config.leads | self.config.lead_groups)

    async def leads(self, user: str) -> bool:
        """Whether the person is a lead of any team; of which one is checked when their statement is acted on."""
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
        """Whether the person is in a listed group. A failed lookup raises only when no other group has them."""
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
