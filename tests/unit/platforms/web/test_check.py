"""`switchboard check web`: rooms that nobody can read are named."""

from dataclasses import replace

from bot.domain.messages import Place
from bot.platforms.web import PLATFORM
from tests.fakes_web import FakeWorld


async def test_the_local_chat_has_no_rooms_besides_its_teams() -> None:
    settings = "tasks.fraud.labels.yes.tell.web"
    for room, good in (("security", False), ("billing", True)):
        context = replace(FakeWorld().around(), hearing={settings: Place("web", room)})
        found = [one async for one in PLATFORM.check(PLATFORM.parse({}, {}), context)]
        assert all(one.ok for one in found) is good
        assert good or (found[-1].what == f"web: room security ({settings})" and "billing" in found[-1].remedy)
