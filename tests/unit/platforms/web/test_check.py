"""`switchboard check web`: the local chat has the rooms that the settings name, and the page shows them."""

from dataclasses import replace

from bot.domain.messages import Place
from bot.platforms.web import PLATFORM
from tests.fakes_web import FakeWorld


async def test_the_local_chat_has_the_rooms_of_tell_besides_its_teams() -> None:
    settings = "tasks.fraud.labels.yes.tell.web"
    for room, named in (("security", 1), ("billing", 0)):
        context = replace(FakeWorld().around(), hearing={settings: Place("web", room)})
        found = [one async for one in PLATFORM.check(PLATFORM.parse({}, {}), context)]
        assert all(one.ok for one in found)
        assert len([one for one in found if one.what == f"web: room security ({settings})"]) == named
