"""Does everything work that we need of the local chat? It has its rooms from the settings, and nothing else to fail."""

from collections.abc import AsyncIterator

from bot.platforms import Finding, PlatformContext
from bot.platforms.web.events import NAME
from bot.platforms.web.words import team_rooms


async def check(context: PlatformContext) -> AsyncIterator[Finding]:
    """That teams have rooms here. The chat lives in this process and its database: there is nothing to sign in to."""
    rooms = team_rooms(context.task)
    remedy = 'Nobody can answer here: give a team a room, deliver_to = { web = "billing" }'
    yield Finding("web: rooms of teams in the local chat", bool(rooms), "" if rooms else remedy)
    for room, settings in context.hearing_on(NAME).items():
        yield Finding(f"web: room {room} ({settings})", True, "")
