"""A process is killed after Telegram accepted its posts and before their receipts are stored: each stands once."""

from collections.abc import Sequence

import pytest

from bot.domain.messages import Message, MessageRef, Place
from bot.domain.posts import Answer, FollowUp, OutboxItem, Post
from bot.flow.deliver import Deliverer
from bot.platforms.telegram.adapter import Telegram
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import ANN as HER
from tests.integration.db.scenes import JOINING, SURE, after, card, claimed, decide
from tests.integration.platforms.telegram.parts import ANN, BILLING, TASK, config, connected, platform_context
from tests.servers.telegram import TelegramServer

_STEPS = 3
"""The answer and the card; the follow-up under the card; nothing."""


class Killed(Exception):
    """The process ends here."""


class Victim(PostgresOutbox):
    """An outbox whose process dies before it stores a receipt."""

    async def said_all(self, receipts: object, now: object) -> Sequence[bool]:
        raise Killed

    async def said(self, item: object, ref: object, now: object, posts: object = ()) -> None:
        raise Killed


def _deliverer(outbox: PostgresOutbox, ledger: PostgresLedger, telegram: Telegram, seconds: float) -> Deliverer:
    return Deliverer(TASK, outbox, ledger, {"telegram": telegram}, lambda: after(seconds))


async def _handle(deliverer: Deliverer, item: OutboxItem) -> bool:
    """Whether it lived to the end."""
    try:
        await deliverer.handle(item)
    except Killed:
        return False
    return True


async def _once(server: TelegramServer, ledger: PostgresLedger, outbox: PostgresOutbox, seconds: float) -> list[bool]:
    """A process that delivers what is due at that time; which of its posts got a receipt."""
    async with connected(config(server), platform_context(ledger=ledger)) as telegram:
        deliverer = _deliverer(outbox, ledger, telegram, seconds)
        return [await _handle(deliverer, item) for item in await deliverer.claim(10)]


@pytest.mark.parametrize("kills", [1, 2])
async def test_each_post_stands_once(server: TelegramServer, database: Database, kills: int) -> None:
    ledger, outbox = PostgresLedger(database, "tiny"), PostgresOutbox(database)
    number = await server.writes(ANN, "where is my refund")
    ref, place = MessageRef("telegram", str(ANN), str(number)), Place("telegram", str(ANN))
    await ledger.add_message(Message(ref, place, HER, "where is my refund", after(0)), JOINING)
    case = await claimed(ledger)
    await _greeted(server, ledger, outbox)
    room = Place("telegram", str(BILLING))
    posts = [Post(place, Answer("billing", "en")), Post(room, card(1)), Post(room, FollowUp("Ann", "more"))]
    assert await decide(ledger, case, SURE, posts, "where is my refund", None)
    for step in range(_STEPS):
        for kill in range(kills):
            await _once(server, ledger, Victim(database), 1_000 * step + 100 * kill + 10)
        assert all(await _once(server, ledger, outbox, 1_000 * step + 900))
    assert [post.text for post in server.posts(ANN)] == ["Thanks! This is one for billing. It is with them now."]
    _, stands, more = server.posts(BILLING)
    assert ("where is" in stands.text, more.text) == (True, "Ann added\nmore")


async def _greeted(server: TelegramServer, ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    """Something was said in the team's room before."""
    await outbox.add([Post(Place("telegram", str(BILLING)), FollowUp("Ben", "hello"))], after(1))
    assert await _once(server, ledger, outbox, 2) == [True]
