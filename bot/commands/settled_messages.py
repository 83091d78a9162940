"""Past messages to judge by in place of a file: those whose label was settled by later events."""

from datetime import datetime
from pathlib import Path

from bot.commands.period import period
from bot.domain.errors import UsageError
from bot.domain.outcomes import Outcomes
from bot.domain.settled import SettledMessages, settled_messages
from bot.domain.tasks import Task

MOST = 20_000
"""The most conversations that are looked at, the newest."""


def asked_when(file: Path | None, since: str | None, task: Task, now: datetime) -> tuple[datetime, datetime] | None:
    """The period of --since; None when a file is given. Raises UsageError unless exactly one of both is."""
    if file is not None and since is not None:
        raise UsageError("both a file and --since are given; judge by one of them")
    if since is not None:
        return period(since, task.learning.timezone, now)
    if file is None:
        raise UsageError("nothing to judge by; name a labelled file, or past weeks with --since 30d")
    return None


async def settled_between(outcomes: Outcomes, task: Task, when: tuple[datetime, datetime]) -> SettledMessages:
    """The messages decided in that period. Raises UsageError where none can be judged by."""
    found = settled_messages(await outcomes.outcomes(task.name, *when, MOST), task.names)
    if not found.examples:
        raise UsageError(
            f"nothing to judge by: of the conversations of {task.name} since {when[0]:%Y-%m-%d %H:%M} UTC "
            f"{found.unsettled} were settled by nobody, {found.learned} are on the side that is learned from, and "
            f"{found.doubtful + found.gone} are in doubt, erased or of no team; go further back, or name a file"
        )
    return found
