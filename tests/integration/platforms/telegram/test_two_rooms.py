"""A customer and two teams, all in Telegram, through the whole flow: what one of them does, the others see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from bot.domain.tasks import Task
from bot.flow.chat_commands import ChatCommandHandler
from db.engine import Database
from db.erasure import PostgresErasure
from db.ledger import PostgresLedger
from db.queries import PostgresQueries
from db.registry import PostgresRegistry
from tests.fakes import FakePlatform
from tests.integration.platforms.telegram.parts import (
    ANN,
    BILLING,
    IT,
    LEAD,
    STRANGER,
    TASK,
    VOCABULARY,
    config,
    connected,
    in_room,
    listening,
    platform_context,
)
from tests.servers.telegram import Post, TelegramServer, User
from tests.worlds.both_platforms import follows, heard, nobody_waits_for_a_turn
from tests.worlds.story import Story


class Scene:
    """Everything between people in a local Telegram and what they read there."""

    def __init__(self, story: Story, server: TelegramServer) -> None:
        self.story = story
        self.server = server

    async def settles(self) -> None:
        """Receive what people did, and do everything that follows from it."""
        await heard(self.server)
        await follows(self.story)

    async def brought(self, text: str = "I was charged twice") -> Post:
        """Ann writes, and billing has a card."""
        await self.server.writes(ANN, text)
        await self.settles()
        return self.card(BILLING)

    async def notes(self, text: str, card: Post, by: int = LEAD) -> int:
        number = await self.server.writes(by, text, card.chat, thread=card.thread, reply_to=card.message_id)
        await self.settles()
        return number

    async def reacts(self, on: Post, *emoji: str, by: int = LEAD) -> None:
        await self.server.reacts(by, on.chat, on.message_id, new=emoji)
        await self.settles()

    async def presses(self, on: Post, words: str, by: int = LEAD) -> None:
        rows = on.buttons["inline_keyboard"]
        assert isinstance(rows, list)
        value = next(str(one["callback_data"]) for row in rows for one in row if one["text"] == words)
        await self.server.presses(by, on.chat, on.message_id, value)
        await self.settles()

    def last(self, chat: int) -> Post:
        return self.server.posts(chat)[-1]

    def card(self, chat: int) -> Post:
        """The present text of the newest card there."""
        return next(post for post in reversed(self.server.posts(chat)) if post.text.startswith("New request"))

    def read(self, chat: int) -> list[str]:
        return [post.text for post in self.server.posts(chat)]


@pytest.fixture
async def quick(server: TelegramServer, monkeypatch: pytest.MonkeyPatch) -> TelegramServer:
    """The server with its people, without rate limits."""
    nobody_waits_for_a_turn(monkeypatch)
    server.add_user(User(id=ANN, first_name="Ann", language_code="en"))
    server.add_user(User(id=LEAD, first_name="Lee"))
    for chat in (BILLING, IT):
        server.add_member(chat, LEAD)
    return server


@asynccontextmanager
async def staged(server: TelegramServer, database: Database, folder: Path, task: Task) -> AsyncIterator[Scene]:
    async with connected(config(server), platform_context(chat_commands(database), task)) as telegram:
        story = Story(database, folder, task, [cast(FakePlatform, telegram)], vocabulary=VOCABULARY)
        async with listening(server, telegram, story.inbox):
            yield Scene(story, server)


@pytest.fixture
async def scene(quick: TelegramServer, database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with staged(quick, database, tmp_path, TASK) as set_up:
        yield set_up


def chat_commands(database: Database) -> ChatCommandHandler:
    return ChatCommandHandler(
        TASK,
        "starter",
        PostgresQueries(database),
        PostgresRegistry(database),
        PostgresLedger(database, "none"),
        PostgresErasure(database),
        lambda: datetime.now(UTC),
    )


async def test_a_note_is_sent_with_one_tap_and_the_persons_next_words_come_under_the_card(scene: Scene) -> None:
    card = await scene.brought()
    assert "This is one for billing" in scene.last(ANN).text
    note = await scene.notes("the refund is on its way", card)
    offer = scene.last(BILLING)
    assert (offer.reply_to, offer.quiet, len(scene.read(ANN))) == (note, True, 1), "nothing went to the person"
    await scene.presses(offer, "Send")
    assert scene.last(ANN).text == "billing writes:\nthe refund is on its way"
    assert scene.read(BILLING)[-2:] == ["On its way to Ann", "Lee sent to Ann ✓\nthe refund is on its way"]
    await scene.server.shows(ANN, "photo", b"png", caption="this is the bill")
    await scene.settles()
    words, photo = scene.server.posts(BILLING)[-2:]
    assert (words.text, words.reply_to) == ("Ann added\nthis is the bill", card.message_id)
    assert (photo.reply_to, "photo" in photo.extra) == (words.message_id, True)


@pytest.mark.parametrize("text", ["reply: look here", "REPLY:  look here"])
async def test_a_note_with_the_prefix_is_sent_at_once(scene: Scene, text: str) -> None:
    await scene.notes(text, await scene.brought())
    assert scene.last(ANN).text == "billing writes:\nlook here"


async def test_the_emoji_on_a_note_sends_it_and_a_strangers_does_not(scene: Scene) -> None:
    card = await scene.brought()
    number = await scene.notes("try again now", card)
    note = scene.server.account.posts[BILLING, number]
    await scene.reacts(note, "🕊", by=STRANGER)
    assert len(scene.read(ANN)) == 1
    await scene.reacts(note, "🕊")
    assert scene.last(ANN).text == "billing writes:\ntry again now"


async def test_a_photo_that_a_team_sends_reaches_the_person(scene: Scene) -> None:
    card = await scene.brought()
    await scene.server.shows(LEAD, "photo", b"png", chat=BILLING, caption="reply: look here", reply_to=card.message_id)
    await scene.settles()
    words, photo = scene.server.posts(ANN)[-2:]
    assert words.text == "billing writes:\nlook here"
    assert "photo" in photo.extra
    assert photo.extra.get("caption") is None


async def test_edits_travel_both_ways(scene: Scene) -> None:
    card = await scene.brought()
    await scene.server.edits(ANN, ANN, 1, "I was charged twice in May")
    await scene.settles()
    assert "I was charged twice in May" in scene.card(BILLING).text
    assert "changed their words" in scene.card(BILLING).text
    note = await scene.notes("reply: on its weigh", card)
    await scene.server.edits(LEAD, BILLING, note, "reply: on its way")
    await scene.settles()
    assert scene.last(ANN).text == "billing writes (edited):\non its way"


async def test_a_leads_thumb_offers_teams_and_a_press_moves_the_card_with_its_history(scene: Scene) -> None:
    card = await scene.brought()
    await scene.notes("not ours", card)
    await scene.reacts(card, "👎")
    await scene.presses(scene.last(BILLING), "IT", by=STRANGER)
    assert scene.server.posts(IT) == []
    await scene.presses(scene.last(BILLING), "IT")
    moved, new = scene.card(BILLING), scene.card(IT)
    assert ("Moved to IT" in moved.text, new.thread) == (True, 45)
    assert [one["url"] for one in moved.entities if one["type"] == "text_link"] == [
        f"https://t.me/c/{str(IT)[4:]}/{new.message_id}"
    ]
    assert "So far\nLee: not ours" in new.text
    assert scene.last(ANN).text.startswith("IT has your request now")
    await scene.reacts(moved)
    assert "New request for billing" in scene.card(BILLING).text, "taking 👎 away takes the move back"
    assert "Moved to billing" in scene.card(IT).text


async def test_taken_done_and_not_solved_after_all(scene: Scene) -> None:
    card = await scene.brought()
    await scene.reacts(card, "👀")
    assert "Lee is on it" in scene.card(BILLING).text
    await scene.reacts(card, "👌")
    await scene.presses(scene.last(ANN), "Not yet", by=ANN)
    assert scene.last(BILLING).text.startswith("Ann says that it is not solved.")
    assert scene.last(ANN).buttons == {}


async def test_who_blocked_the_bot_is_shown_to_the_team_with_the_reason(scene: Scene) -> None:
    card = await scene.brought()
    await scene.server.blocks(ANN)
    await scene.notes("reply: hello?", card)
    assert any("✗" in text and "blocked the bot" in text for text in scene.read(BILLING))


async def test_in_a_closed_topic_cards_and_notes_go_on_in_the_group(scene: Scene) -> None:
    scene.server.closes(IT, 45)
    await scene.server.writes(ANN, "my laptop is broken")
    await scene.settles()
    card = scene.card(IT)
    assert card.thread is None
    await scene.notes("reply: bring it to us", card)
    assert scene.last(ANN).text == "IT writes:\nbring it to us"


@pytest.mark.parametrize("heard", [True, False])
async def test_a_group_that_becomes_a_supergroup_keeps_its_card_its_notes_and_its_next_cards(
    quick: TelegramServer, database: Database, tmp_path: Path, heard: bool
) -> None:
    old, new = -4321, -1004321
    quick.add_group(old, "billing", kind="group")
    quick.add_member(old, LEAD)
    async with staged(quick, database, tmp_path, in_room("billing", str(old))) as scene:
        await quick.writes(ANN, "I was charged twice")
        await scene.settles()
        assert scene.card(old)
        await quick.migrates(old, new, LEAD)
        if not heard:
            quick.feed.pending.clear()
        await scene.settles()
        await quick.writes(ANN, "since Monday")
        await scene.settles()
        assert scene.read(new) == ["Ann added\nsince Monday"]
        await scene.notes("reply: on its way", scene.last(new))
        assert scene.last(ANN).text == "billing writes:\non its way"


async def test_new_begins_another_request_status_lists_both_and_forget_leaves_nothing(scene: Scene) -> None:
    await scene.brought()
    await scene.server.writes(ANN, "/new")
    await scene.server.writes(ANN, "my laptop is broken")
    await scene.settles()
    assert "my laptop is broken" in scene.card(IT).text
    await scene.server.writes(ANN, "/status")
    await scene.settles()
    await scene.server.until(lambda: "charged twice" in scene.last(ANN).text)
    assert "my laptop is broken – with IT" in scene.last(ANN).text
    await scene.server.writes(ANN, "/forget")
    await scene.server.until(lambda: "erase everything" in scene.last(ANN).text)
    await scene.presses(scene.last(ANN), "Yes, erase it", by=ANN)
    assert not [text for chat in (BILLING, IT) for text in scene.read(chat) if "laptop" in text or "charged" in text]
