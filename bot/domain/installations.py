"""What a platform handed us when somebody installed the bot there: whose it is, and the key that lets us in."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Installation:
    """The bot as it is installed on one platform."""

    platform: str
    account: str
    """Where it is installed, as the platform calls it: a Slack workspace's id."""
    secret: str = field(repr=False)
    """The token, encrypted by the platform's own code; whoever stores it cannot read it. Empty: taken back."""
    at: datetime


class Installations(Protocol):
    """Remembers installations, and the browsers that are on their way through one."""

    async def found(self, platform: str) -> Installation | None:
        """The installation that is known there, taken back ones included."""

    async def save(self, installation: Installation) -> str:
        """Remember it, and say which account is installed here from now on.

        An earlier installation of the same account is replaced. One of another account changes nothing: the first
        keeps its place for ever, for the database holds what was said there.
        """

    async def take_back(self, platform: str, secret: str) -> None:
        """The platform no longer takes this token: forget it, unless a newer one is stored.

        The account keeps its place.
        """

    async def issue(self, state: str, until: datetime) -> None:
        """Somebody begins an installation; until then they may come back with this word."""

    async def consume(self, state: str, now: datetime) -> bool:
        """Whether somebody may come back with this word. Only once, however many ask at the same moment."""
