"""What is said under a card always belongs to a team: real database, closed topic, other settings, new process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.delivery import after_said
from bot.domain.errors import Unreachable
from bot.domain.ledger import ThreadingPolicy
from bot.domain.messages import MessageRef, Place
from bot.domain.posts import Card, FollowUp, Notice, OutboxItem, Post, What
from bot.domain.tasks import Task
from bot.flow.receive import Receiver
from bot.platforms.telegram.adapter import Telegram
from db.engine import Database
from db.failed_items import PostgresFailedItems
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import PATIENCE, SETTLE, SURE, VECTOR, after, claimed, decide, message
from tests.integration.platforms.telegram.parts import (
    ANN,
    BILLING,
    IT,
    LEAD,
    TASK,
    config,
    connected,
    in_room,
    listening,
    platform_context,
)
from tests.integration.platforms.telegram.test_outbound import CARD
from tests.servers.telegram import TelegramServer

POLICY = ThreadingPolicy(timedelta(seconds=3), timedelta(hours=24), timedelta(hours=72))
INTERNAL = "internal: this customer cheats"


class Scene:
    """One database, in which any number of processes work one after the other."""

    def __init__(self, server: TelegramServer, database: Database) -> None:
        self.server = server
        self.ledger, self.outbox = PostgresLedger(database, "test"), PostgresOutbox(database)
        self.failures = PostgresFailedItems(database)

    @asynccontextmanager
    async def process(self, task: Task = TASK) -> AsyncIterator[Telegram]:
        inbox = Receiver(self.ledger, POLICY, lambda _: None, self.failures, lambda: datetime.now(UTC))
        async with (
            connected(config(self.server), platform_context(task=task, ledger=self.ledger)) as telegram,
            listening(self.server, telegram, inbox),
        ):
            yield telegram

    async def card(self, telegram: Telegram, room: str) -> int:
        """A request whose card is in that room; the number of the card's message."""
        await self.ledger.add_message(message("m1"), POLICY)
        # The server's own messages have today's date, far ahead of this scene's clock, so the bot does not trust it
        waiting = await self.ledger.claim_undecided(after(5), SETTLE, PATIENCE, 10)
        [case] = [one for one in waiting if one.messages[0].ref.id == "m1"]
        card = Post(Place("telegram", room), CARD)
        under = Post(Place("telegram", room), FollowUp("Ann", "x" * 5_000))
        notice = Post(Place("telegram", room), Notice(What.REOPENED, who="Ann"))
        await decide(self.ledger, case, SURE, [card, under, notice], "refund", VECTOR)
        return await self.deliver(telegram)

    async def deliver(self, telegram: Telegram) -> int:
        first = 0
        while items := await self.outbox.claim_due(["telegram"], after(6), 10):
            for item in items:
                receipt = await self.said(telegram, item)
                first = int(receipt.id) if isinstance(item.post.content, Card) else first
                await self.outbox.said(item, receipt, after(6), after_said(item, receipt))
        return first

    async def said(self, telegram: Telegram, item: OutboxItem) -> MessageRef:
        while True:
            try:
                return await telegram.say(item)
            except Unreachable as error:
                await asyncio.sleep((error.retry_after or timedelta(seconds=1)).total_seconds())

    async def requests(self) -> list[str]:
        """Everything that waits for a decision."""
        cases = await self.ledger.claim_undecided(after(10**9), timedelta(0), timedelta(days=10**4), 50)
        return [one.text for case in cases for one in case.messages]

    async def notes(self) -> list[str]:
        found = []
        now = datetime.now(UTC)
        while claim := await self.ledger.claim_notes(now, 50):
            found += [one.note.text for one in claim]
            for one in claim:
                await self.ledger.conclude_note(one, False, [], now)
        return found

    async def heard(self) -> None:
        """Wait until all earlier updates were processed, by waiting for a later message of another person."""
        await self.server.writes(ANN, "the last word")
        await self.server.until(lambda: not self.server.feed.pending)


@pytest.fixture
async def scene(server: TelegramServer, database: Database) -> Scene:
    return Scene(server, database)


@pytest.mark.parametrize("how", ["by reply", "by reply and by name"])
async def test_a_note_under_a_card_of_a_closed_topic_stays_internal_after_a_restart(scene: Scene, how: str) -> None:
    scene.server.closes(IT, 45)
    async with scene.process() as telegram:
        card = await scene.card(telegram, f"{IT}/45")
    words = INTERNAL if how == "by reply" else f"@switchboard_bot {INTERNAL}"
    async with scene.process():
        await scene.server.writes(LEAD, words, IT, reply_to=card)
        await scene.heard()
    assert (await scene.requests(), await scene.notes()) == (["the last word"], [INTERNAL])


async def test_talk_in_a_group_that_stands_in_for_a_closed_topic_is_no_request_after_a_restart(scene: Scene) -> None:
    scene.server.closes(IT, 45)
    async with scene.process() as telegram:
        await scene.card(telegram, f"{IT}/45")
    async with scene.process():
        await scene.server.writes(LEAD, f"@switchboard_bot {INTERNAL}", IT)
        await scene.heard()
    assert await scene.requests() == ["the last word"]


async def test_another_process_learns_of_a_closed_topic_while_it_listens(scene: Scene) -> None:
    scene.server.closes(IT, 45)
    async with scene.process():
        async with connected(config(scene.server), platform_context(ledger=scene.ledger)) as other:
            await scene.card(other, f"{IT}/45")
        await scene.server.writes(LEAD, f"@switchboard_bot {INTERNAL}", IT)
        await scene.heard()
    assert await scene.requests() == ["the last word"]


@pytest.mark.parametrize("behind", [0, 1, 2, 3], ids=["card", "follow-up", "notice", "its second half"])
async def test_a_room_that_left_the_settings_keeps_its_secrets(scene: Scene, behind: int) -> None:
    async with scene.process() as telegram:
        card = await scene.card(telegram, str(BILLING))
    async with scene.process(in_room("billing", "-1005")):
        await scene.server.writes(LEAD, f"@switchboard_bot {INTERNAL}", BILLING, reply_to=card + behind)
        await scene.heard()
    assert (await scene.requests(), await scene.notes()) == (["the last word"], [INTERNAL])


async def test_a_reply_to_a_note_in_a_room_that_left_the_settings_is_a_note(scene: Scene) -> None:
    async with scene.process() as telegram:
        card = await scene.card(telegram, str(BILLING))
        note = await scene.server.writes(LEAD, "I know her", BILLING, reply_to=card)
        await scene.heard()
    async with scene.process(in_room("billing", "-1005")):
        await scene.server.writes(LEAD, f"@switchboard_bot {INTERNAL}", BILLING, reply_to=note)
        await scene.heard()
    assert await scene.notes() == ["I know her", INTERNAL]
    assert set(await scene.requests()) == {"the last word"}


async def test_what_is_under_a_card_without_a_receipt_waits_and_everybody_else_is_heard(scene: Scene) -> None:
    async with scene.process(in_room("billing", "-1005")) as telegram:
        await scene.ledger.add_message(message("m1"), POLICY)
        case = await claimed(scene.ledger)
        await decide(scene.ledger, case, SURE, [Post(Place("telegram", str(BILLING)), CARD)], "refund", VECTOR)
        [item] = await scene.outbox.claim_due(["telegram"], after(6), 10)
        receipt = await telegram.say(item)
        await scene.server.writes(LEAD, INTERNAL, BILLING, reply_to=int(receipt.id))
        await scene.heard()
        assert await scene.requests() == ["the last word"]
        assert await scene.notes() == []
        await scene.outbox.said(item, receipt, after(7))
    assert await scene.notes() == [INTERNAL]


async def test_a_migrated_group_is_still_a_teams_after_a_restart(scene: Scene) -> None:
    old, new = -4321, -1004321
    scene.server.add_group(old, "billing", kind="group")
    task = in_room("billing", str(old))
    async with scene.process(task):
        await scene.server.migrates(old, new, LEAD)
        await scene.heard()
    async with scene.process(task) as telegram:
        card = await scene.card(telegram, str(old))
        await scene.server.writes(LEAD, INTERNAL, new, reply_to=card)
        await scene.server.writes(LEAD, f"@switchboard_bot {INTERNAL}", new)
        await scene.heard()
    assert await scene.notes() == [INTERNAL]
    assert set(await scene.requests()) == {"the last word"}
