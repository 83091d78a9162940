"""Who may correct, and who may handle."""

from dataclasses import dataclass

from bot.domain.messages import Person
from bot.domain.tasks import Label
from switchboard_hooks import NAME


@dataclass(frozen=True, slots=True)
class Permissions:
    """Answers from the settings. Never yes for people of other companies."""

    leads: frozenset[str]

    def may_correct(self, person: Person, team: Label) -> bool:
        """Whether they are a lead of all teams, or of this one."""
        return self.may_handle(person) and person.id in self.leads | team.leads.get(NAME, frozenset())

    def may_handle(self, person: Person) -> bool:
        """Everybody in the chat: it lets nobody else into a team's room."""
        return person.platform == NAME and not person.external
