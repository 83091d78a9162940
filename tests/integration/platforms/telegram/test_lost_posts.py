"""A post that Telegram accepted without our learning of it is found, not sent again, and nothing else is changed."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.domain.errors import Unreachable
from bot.domain.messages import File, Media, MediaKind, MessageRef
from bot.domain.posts import Answer, Content, FollowUp, OutboxItem, Question, Reply, WordsPlease
from bot.platforms.telegram.adapter import Telegram
from bot.platforms.telegram.lost_posts import MOST
from tests.fakes_ledger import FakeLedger
from tests.integration.platforms.telegram.parts import ANN, BILLING, IT, LEAD, config, connected, item, platform_context
from tests.servers.telegram import Post, TelegramServer

TWICE = "post may stand twice"
BEN, GROUP = 444, -55
HELLO = FollowUp("Ann", "more")


@dataclass(slots=True)
class Scene:
    """A bot that died, one that came after it, and what the database knows."""

    server: TelegramServer
    ledger: FakeLedger = field(default_factory=FakeLedger)

    def knows(self, chat: int, *numbers: int, before: bool = False) -> None:
        refs = [MessageRef("telegram", str(chat), str(number)) for number in numbers]
        self.ledger.known.update(refs)
        self.ledger.before += refs if before else []

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Telegram]:
        async with connected(config(self.server), platform_context(ledger=self.ledger)) as telegram:
            yield telegram

    async def lose(self, *posts: OutboxItem) -> None:
        """Say the posts and die before there is a receipt."""
        async with self.bot() as telegram:
            for post in posts:
                await telegram.say(post)

    async def again(self, *posts: OutboxItem) -> list[MessageRef]:
        async with self.bot() as telegram:
            return [await telegram.say(replace(post, attempt=2)) for post in posts]


def numbered(number: int, content: Content, chat: int | str, under: MessageRef | None = None) -> OutboxItem:
    return replace(item(content, str(chat), under=under), id=number)


def receipt(post: Post) -> MessageRef:
    return MessageRef("telegram", str(post.chat), str(post.message_id))


def buttons(post: Post) -> int:
    rows = post.buttons.get("inline_keyboard", [])
    assert isinstance(rows, list)
    return sum(len(row) for row in rows)


@pytest.fixture
async def scene(server: TelegramServer) -> Scene:
    scene = Scene(server)
    scene.knows(ANN, await server.writes(ANN, "hello"), before=True)
    scene.knows(BILLING, await server.writes(LEAD, "@switchboard_bot hello", BILLING), before=True)
    return scene


@pytest.mark.parametrize("chat", [ANN, BILLING], ids=["private", "supergroup"])
async def test_a_lost_post_is_found(scene: Scene, chat: int, caplog: pytest.LogCaptureFixture) -> None:
    lost = numbered(1, Answer("billing", "en"), chat)
    await scene.lose(lost)
    [found] = await scene.again(lost)
    [post] = scene.server.posts(chat)
    assert found == receipt(post)
    assert TWICE not in caplog.text


async def test_an_answer_lost_on_its_way_is_looked_for_by_the_same_process(scene: Scene) -> None:
    lost = numbered(1, Answer("billing", "en"), ANN)
    scene.server.fail("sendMessage", lose_response=True)
    async with scene.bot() as telegram:
        with pytest.raises(Unreachable):
            await telegram.say(lost)
        found = await telegram.say(replace(lost, attempt=2))
    [post] = scene.server.posts(ANN)
    assert found == receipt(post)


async def test_a_post_that_never_arrived_is_sent_and_no_message_is_changed(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.server.writes(ANN, "anybody there?")
    await scene.again(numbered(1, Answer("billing", "en"), ANN))
    assert len(scene.server.posts(ANN)) == 1
    assert not [call for call in scene.server.calls if call.method.startswith("edit")]
    assert TWICE not in caplog.text


async def test_several_lost_posts_of_a_chat_are_told_apart_and_keep_their_words_and_buttons(scene: Scene) -> None:
    lost = [
        numbered(1, Question(("billing", "it"), "en"), ANN),
        numbered(2, Answer("billing", "en"), ANN),
        numbered(3, WordsPlease("en"), ANN),
    ]
    await scene.lose(*lost)
    stood = scene.server.posts(ANN)
    found = await scene.again(*reversed(lost))
    stand = scene.server.posts(ANN)
    assert found == [receipt(post) for post in reversed(stood)]
    assert [(post.text, post.buttons) for post in stand] == [(post.text, post.buttons) for post in stood]
    assert [buttons(post) for post in stand] == [3, 0, 0]


async def test_equal_posts_are_each_taken_once(scene: Scene) -> None:
    lost = [numbered(number, WordsPlease("en"), ANN) for number in (1, 2)]
    await scene.lose(*lost)
    found = await scene.again(*lost, numbered(3, WordsPlease("en"), ANN))
    assert len(set(found)) == 3
    assert [receipt(post) for post in scene.server.posts(ANN)] == found


async def test_what_is_said_under_another_card_or_in_another_topic_is_another_post(scene: Scene) -> None:
    scene.server.add_group(IT, "it", topics=(45, 46))
    await scene.server.writes(LEAD, "hello", IT)
    scene.knows(IT, 1, before=True)
    cards = [await scene.server.writes(LEAD, "a card", IT) for _ in range(2)]
    one, two = (MessageRef("telegram", str(IT), str(card)) for card in cards)
    lost = [
        numbered(1, HELLO, IT, one),
        numbered(2, HELLO, IT, two),
        numbered(3, HELLO, f"{IT}/45"),
        numbered(4, HELLO, f"{IT}/46"),
    ]
    await scene.lose(*lost)
    stood = [receipt(post) for post in scene.server.posts(IT)]
    assert await scene.again(*reversed(lost)) == stood[::-1]


async def test_messages_that_are_known_and_those_of_other_people_are_left_alone(scene: Scene) -> None:
    asked = numbered(1, Question(("billing", "it"), "en"), ANN)
    await scene.lose(asked)
    [post] = scene.server.posts(ANN)
    scene.knows(ANN, post.message_id)
    await scene.server.writes(ANN, "what?")
    await scene.again(numbered(2, Answer("billing", "en"), ANN))
    stands, _ = scene.server.posts(ANN)
    assert (stands.text, stands.edits) == (post.text, ())


async def test_the_private_chats_and_basic_groups_of_a_bot_share_their_numbers(scene: Scene) -> None:
    scene.server.add_group(GROUP, "old group", kind="group")
    await scene.server.writes(BEN, "hello")
    lost = numbered(1, Answer("billing", "en"), BEN)
    await scene.lose(numbered(2, HELLO, GROUP), numbered(3, Answer("it", "en"), ANN), lost)
    found = await scene.again(lost)  # nothing is known of Ben's chat itself
    assert found == [receipt(post) for post in scene.server.posts(BEN)]


async def test_where_too_many_messages_came_between_a_copy_is_possible_and_is_said(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    lost = numbered(1, HELLO, BILLING)
    for _ in range(MOST):
        await scene.server.writes(LEAD, "talk among colleagues", BILLING)
    await scene.lose(lost)
    await scene.again(lost)
    assert len(scene.server.posts(BILLING)) == 2
    assert TWICE in caplog.text
    assert len(scene.server.calls_to("stopMessageLiveLocation")) == MOST


@pytest.mark.parametrize("before", [0, 1, 60], ids=["nothing was ever said", "a word was said", "much was said"])
async def test_where_nothing_is_known_from_before_the_last_messages_of_the_group_are_looked_at(
    scene: Scene, before: int, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(before):
        await scene.server.writes(LEAD, "talk among colleagues", IT)
    lost = numbered(1, HELLO, IT)
    await scene.lose(lost)
    for _ in range(3):
        await scene.server.writes(LEAD, "talk among colleagues", IT)
    [found] = await scene.again(lost)
    assert [found] == [receipt(post) for post in scene.server.posts(IT)]
    assert TWICE not in caplog.text
    assert len(scene.server.calls_to("stopMessageLiveLocation")) < MOST


async def test_where_nothing_is_known_from_before_a_copy_is_possible_and_is_said(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.again(numbered(1, HELLO, IT))
    assert len(scene.server.posts(IT)) == 1
    assert TWICE in caplog.text


async def test_an_answer_that_says_nothing_of_the_message_ends_the_search(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.server.fail("stopMessageLiveLocation", status=400, error="Bad Request: something new")
    await scene.again(numbered(1, HELLO, BILLING))
    assert len(scene.server.posts(BILLING)) == 1
    assert TWICE in caplog.text and "message not looked at" in caplog.text


async def test_a_search_that_fails_comes_again_but_not_for_ever(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    lost = numbered(1, HELLO, BILLING)
    scene.server.fail("stopMessageLiveLocation", status=502, times=3)
    async with scene.bot() as telegram:
        for attempt in (2, 3, 4):
            with pytest.raises(Unreachable):
                await telegram.say(replace(lost, attempt=attempt))
        assert scene.server.posts(BILLING) == []
        await telegram.say(replace(lost, attempt=5))
    assert len(scene.server.posts(BILLING)) == 1
    assert TWICE in caplog.text


async def test_a_flood_wait_during_a_search_postpones_the_post(scene: Scene) -> None:
    lost = numbered(1, HELLO, BILLING)
    await scene.lose(lost)
    scene.server.fail("stopMessageLiveLocation", retry_after=7)
    async with scene.bot() as telegram:
        with pytest.raises(Unreachable) as told:
            await telegram.say(replace(lost, attempt=2))
        found = await telegram.say(replace(lost, attempt=3))
    assert told.value.retry_after == timedelta(seconds=7)
    assert [found] == [receipt(post) for post in scene.server.posts(BILLING)]


async def test_nothing_is_read_while_another_process_posts_in_the_chat(scene: Scene) -> None:
    lost = numbered(1, HELLO, BILLING)
    await scene.lose(lost)
    scene.ledger.others_saying = True
    with pytest.raises(Unreachable, match="another process"):
        await scene.again(lost)
    assert not scene.server.calls_to("editMessageReplyMarkup")


async def test_a_found_post_that_is_deleted_meanwhile_counts_as_said(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lost = numbered(1, HELLO, BILLING)
    await scene.lose(lost)
    stood = scene.server.posts(BILLING)
    scene.server.fail("editMessageText", status=400, error="Bad Request: message to edit not found")
    assert await scene.again(lost) == [receipt(stood[0])]
    assert "message to edit no longer exists" in caplog.text


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("arrived", [0, 1, 2])
async def test_attachments_that_arrived_are_not_sent_again(scene: Scene, arrived: int, recorded: bool) -> None:
    files = tuple(
        File(Media("slack", f"F{number}", MediaKind.DOCUMENT, f"{number}.txt", 5), b"bytes") for number in range(2)
    )
    whole = numbered(1, Reply("billing", "see these", "en", "Lea", tuple(file.media for file in files)), ANN)
    content = Reply("billing", "see these", "en", "Lea", tuple(file.media for file in files[:arrived]))
    await scene.lose(replace(numbered(1, content, ANN), files=files[:arrived]))
    if not recorded:
        scene.ledger.parts.clear()
    [found] = await scene.again(replace(whole, files=files))
    text, *sent = scene.server.posts(ANN)
    assert found == receipt(text)
    assert [_name(post) for post in sent] == ["0.txt", "1.txt"]


def _name(post: Post) -> object:
    document = post.extra["document"]
    assert isinstance(document, dict)
    return document["file_name"]
