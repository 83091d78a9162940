"""Logs contain nothing about people: no text, no name, no token."""

import logging

import pytest

from bot.domain.errors import Refused
from bot.domain.posts import FollowUp
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import ANN, HELP, Recorder, item, settled
from tests.servers.slack import SlackServer


async def test_no_text_name_or_token_reaches_the_log(
    server: SlackServer, slack: Slack, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    inbox.down = True
    await server.writes(ANN, HELP, "the words themselves")
    await server.until(lambda: inbox.tried == 1)
    inbox.down = False
    await server.until(settled(server))
    await server.clicks.command(ANN, HELP, "route the words themselves")
    await server.until(lambda: server.calls_to("response_url"))
    server.fail("chat.postMessage", error="not_in_channel")
    with pytest.raises(Refused):
        await slack.say(item(FollowUp("Ann", "the words themselves")))
    opened = len(server.calls_to("apps.connections.open"))
    await server.sockets.disconnect("warning")
    await server.until(
        lambda: slack.healthy() and (not opened or len(server.calls_to("apps.connections.open")) > opened)
    )
    written = caplog.text + str([record.__dict__ for record in caplog.records])
    for secret in ("the words themselves", "'Ann'", server.bot_token, server.app_token, server.signing_secret):
        assert secret not in written
