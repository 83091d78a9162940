"""The data kept about Slack while the bot runs is bounded: the oldest entry is removed first, and looked up again."""

import pytest
from aiohttp import ClientSession

from bot.domain.errors import Unreachable
from bot.domain.messages import MessageRef
from bot.platforms.slack import directory, ephemeral
from bot.platforms.slack.blocks import Said
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.ephemeral import EphemeralMessages
from bot.platforms.slack.web_api import web_client
from tests.integration.platforms.slack.parts import BILLING, HELP, IT
from tests.servers.slack import SlackServer, User


async def test_people_and_channels_are_remembered_up_to_a_number(
    server: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_MOST", 2)
    people = ["U0ONE", "U0TWO", "U0THREE"]
    for user in people:
        server.add_user(User(id=user, name=user.lower()))
    async with ClientSession() as session:
        known = Directory(web_client(server.bot_token, server.api_url, session))
        for user in [*people, people[-1], people[0]]:
            assert (await known.profile(user)).name == user.lower()
        for channel in (HELP, BILLING, IT, IT, HELP):
            assert (await known.room(channel)).name == server.space.channels[channel].name
    assert [call.args["user"] for call in server.calls_to("users.info")] == [*people, people[0]]
    assert [call.args["channel"] for call in server.calls_to("conversations.info")] == [HELP, BILLING, IT, HELP]


async def test_an_address_too_old_to_be_remembered_leaves_its_message_as_it_was(
    server: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ephemeral, "_MOST", 2)
    refs = [MessageRef("slack", HELP, str(n)) for n in range(3)]
    async with ClientSession() as session:
        whispers = EphemeralMessages(session)
        for ref in refs:
            whispers.remember(ref, f"{server.url}/no-such-address/{ref.id}")
        await whispers.replace(refs[0], Said("new words", []))
        with pytest.raises(Unreachable, match="response_url: 404"):
            await whispers.replace(refs[2], Said("new words", []))
