"""`switchboard check web`: whether the settings give the local chat its rooms; nothing else can fail."""

from collections.abc import AsyncIterator

from bot.platforms import Finding, PlatformContext
from bot.platforms.web.events import NAME
from bot.platforms.web.words import team_rooms


async def check(context: PlatformContext) -> AsyncIterator[Finding]:
    """Check that teams have rooms in the chat, which lives in this process and its database and needs no token."""
    rooms = team_rooms(context.task)
    remedy = 'Nobody can answer here: give a team a room, deliver_to = { web = "billing" }'
    yield Finding("web: rooms of teams in the local chat", bool(rooms), "" if rooms else remedy)
    for room, settings in context.hearing_on(NAME).items():
        yield Finding(f"web: room {room} ({settings})", True, "")
