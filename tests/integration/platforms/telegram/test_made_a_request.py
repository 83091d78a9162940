"""✍ by anybody, on any message of a group that the bot is in: it becomes a request of its writer."""

from bot.domain.messages import Place
from tests.integration.platforms.telegram.parts import ANN, BILLING, IT, LEAD, Recorder, hearing
from tests.servers.telegram import TelegramServer

LOUNGE = -1008


def lounge(server: TelegramServer) -> None:
    server.add_group(BILLING)
    server.add_group(IT, topics=(45,))
    server.add_group(LOUNGE, "lounge", bot="administrator")


async def test_a_message_that_was_not_said_to_us_becomes_its_writers_request(inbox: Recorder) -> None:
    async with TelegramServer(sees_everything=True) as server:
        lounge(server)
        async with hearing(server, inbox):
            await server.writes(ANN, "chatter", LOUNGE)
            said = await server.writes(ANN, "the lamp flickers", LOUNGE)
            await server.reacts(LEAD, LOUNGE, said, ["✍"])
            await server.until(lambda: inbox.messages)
    [message] = inbox.messages.values()
    assert (message.text, message.author.id) == ("the lamp flickers", str(ANN))
    assert message.place == Place("telegram", str(LOUNGE))
    assert not inbox.reactions


async def test_other_emoji_make_no_request(inbox: Recorder) -> None:
    async with TelegramServer(sees_everything=True) as server:
        lounge(server)
        async with hearing(server, inbox):
            said = await server.writes(ANN, "the lamp flickers", LOUNGE)
            await server.reacts(LEAD, LOUNGE, said, ["👍"])
            await server.until(lambda: inbox.reactions)
    assert inbox.messages == {}
