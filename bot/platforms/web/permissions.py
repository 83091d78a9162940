"""Who may correct, and who may handle."""

from dataclasses import dataclass

from bot.domain.messages import Person
from bot.domain.tasks import Label
from bot.platforms.web.events import LEAD, NAME


@dataclass(frozen=True, slots=True)
class Permissions:
    """Decides by the settings: the chat has three people and nobody else."""

    leads: frozenset[str]

    def may_correct(self, person: Person, team: Label) -> bool:
        """Whether the person is a lead of all teams, or of this one."""
        return person.platform == NAME and person.id in self.leads | team.leads.get(NAME, frozenset())

    def may_handle(self, person: Person) -> bool:
        """Whether the person may take a card: all of the company's own people."""
        return person.platform == NAME and person.id == LEAD

    def may_teach(self) -> bool:
        """Whether the page's lead may ask for a learning cycle."""
        return LEAD in self.leads
