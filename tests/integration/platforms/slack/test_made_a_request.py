"""🎫 by anybody, on any message of a channel that the bot is in: it becomes a request of its writer."""

from bot.domain.messages import MessageRef, Place
from bot.platforms.slack.adapter import Slack
from tests.fakes_ledger import FakeLedger
from tests.integration.platforms.slack.parts import (
    ANN,
    BEN,
    BILLING,
    LOUNGE,
    Recorder,
    around,
    config,
    listening,
    settled,
    speaking,
)
from tests.servers.slack import SlackServer


async def test_a_message_that_was_not_said_to_us_becomes_its_writers_request(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    ts = await server.writes(ANN, LOUNGE, "the lamp flickers, by the way")
    await server.writes(ANN, LOUNGE, "nice weather")
    await server.reacts(BEN, LOUNGE, ts, "ticket")
    await server.until(lambda: inbox.messages and settled(server)())
    [message] = inbox.messages.values()
    assert (message.text, message.author.id) == ("the lamp flickers, by the way", ANN)
    assert (message.ref, message.place) == (MessageRef("slack", LOUNGE, ts), Place("slack", LOUNGE, ts))
    assert not inbox.reactions


async def test_a_reply_in_a_thread_does_too(server: SlackServer, socket: Slack, inbox: Recorder) -> None:
    root = await server.writes(BEN, LOUNGE, "how is everybody")
    ts = await server.writes(ANN, LOUNGE, "cold: the heating is off", thread_ts=root)
    await server.reacts(BEN, LOUNGE, ts, "ticket")
    await server.until(lambda: inbox.messages and settled(server)())
    [message] = inbox.messages.values()
    assert (message.text, message.place) == ("cold: the heating is off", Place("slack", LOUNGE, root))


async def test_what_is_stored_is_not_read_again_and_other_emoji_make_no_request(
    server: SlackServer, inbox: Recorder
) -> None:
    ledger = FakeLedger()
    async with speaking(config(server), around(ledger=ledger)) as platform, listening(server, platform, inbox):
        ts = await server.writes(ANN, LOUNGE, "the lamp flickers")
        await server.reacts(BEN, LOUNGE, ts, "tada")
        await server.reacts(BEN, LOUNGE, ts, "ticket")
        await server.until(lambda: inbox.messages and settled(server)())
        ledger.stored += list(inbox.messages.values())
        read = len(server.calls_to("conversations.history"))
        await server.reacts(ANN, LOUNGE, ts, "ticket")
        await server.until(lambda: len(ledger.wanted) == 3 and settled(server)())
    assert len(server.calls_to("conversations.history")) == read == 1
    assert set(ledger.wanted) == {MessageRef("slack", LOUNGE, ts)}


async def test_in_a_teams_channel_nothing_becomes_a_request(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    ts = await server.writes(BEN, BILLING, "lunch?")
    await server.reacts(BEN, BILLING, ts, "ticket")
    await server.until(lambda: inbox.reactions and settled(server)())
    assert inbox.messages == {}
