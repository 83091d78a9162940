"""A post is sent, delayed, moved or given up; and what follows from that."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.decisions import Reason, fallback
from bot.domain.delivery import MOST_ATTEMPTS_WITH_FILES
from bot.domain.errors import ChatMoved, Refused, Unreachable
from bot.domain.messages import File, Media, MessageRef, Place
from bot.domain.posts import Answer, Card, Content, FollowUp, Notice, OutboxItem, Post, Reply, Sent, What
from bot.domain.report_posts import PICTURE
from bot.flow import deliver, transfers
from bot.flow.deliver import Deliverer
from bot.picture import picture
from tests.fakes import FakePlatform
from tests.fakes_ledger import Concluded, FakeLedger, FakeOutbox
from tests.samples import COMPARED, NOW, PHOTO, STRANGER, TASK, card

REPLY = Reply("billing", "on its way", "en", "Ada", to="Cleo")
FROM_TELEGRAM = replace(PHOTO, platform="telegram")


def now() -> datetime:
    return NOW


class Round:
    """A courier between a web chat and a Telegram."""

    def __init__(self) -> None:
        self.web, self.telegram = FakePlatform(), FakePlatform("telegram", whispers=False)
        self.outbox, self.ledger = FakeOutbox(), FakeLedger()
        platforms = {"web": self.web, "telegram": self.telegram}
        self.courier = Deliverer(TASK, self.outbox, self.ledger, platforms, now)

    async def carries(self, item: OutboxItem) -> Concluded:
        self.outbox.owed.append(item)
        assert await self.courier.step() == 1
        return self.outbox.concluded[-1]


def item(content: Content, platform: str = "web", chat: str = "billing", attempt: int = 1) -> OutboxItem:
    return OutboxItem(9, Post(Place(platform, chat), content), attempt)


async def test_what_was_said_has_a_receipt_and_its_consequences() -> None:
    result = await Round().carries(item(REPLY, chat="customer"))
    assert result.outcome == MessageRef("web", "customer", "post 9")
    assert result.contents() == [Sent("on its way", "Ada", "Cleo")]


@pytest.mark.parametrize("content", [REPLY, Answer("billing", "en")], ids=["with more to say", "alone"])
async def test_what_was_said_while_the_database_was_away_is_not_said_again(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "_RECEIPT_AGAIN", 0.0)
    way = Round()
    way.outbox.away = [Unreachable("database: no connection")] * 3
    result = await way.carries(item(content, chat="customer"))
    assert result.outcome == MessageRef("web", "customer", "post 9")
    assert (len(way.web.said), way.outbox.away, len(way.outbox.concluded)) == (1, [], 1)


async def test_what_was_said_is_not_said_again_by_who_had_no_time_to_store_the_receipt() -> None:
    way = Round()
    way.outbox.away = [Unreachable("database: no connection")] * 1_000
    owed = item(Answer("billing", "en"), chat="customer")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await way.courier.handle(owed)
    way.outbox.away.clear()
    result = await way.carries(replace(owed, attempt=2))
    assert (result.outcome, len(way.web.said)) == (MessageRef("web", "customer", "post 9"), 1)
    await way.carries(replace(owed, attempt=3))
    assert len(way.web.said) == 2, "only until it is stored"


async def test_the_picture_of_a_report_is_drawn_on_its_way() -> None:
    way = Round()
    await way.carries(item(COMPARED, platform="telegram", chat="leads"))
    [said] = way.telegram.said
    [file] = said.files
    assert (file.media, file.content) == (PICTURE, picture(COMPARED))


async def test_who_must_wait_waits_longer_each_time_or_as_long_as_asked() -> None:
    for attempt, wait in ((1, 1), (4, 8), (99, 600)):
        way = Round()
        way.web.failures = [Unreachable("timed out")]
        assert (await way.carries(item(REPLY, attempt=attempt))).outcome == NOW + timedelta(seconds=wait)
    way.web.failures = [Unreachable("flood", timedelta(seconds=30))]
    assert (await way.carries(item(REPLY))).outcome == NOW + timedelta(seconds=30)


async def test_a_chat_that_moved_is_known_from_now_on_and_tried_again_at_once() -> None:
    way = Round()
    way.web.failures = [ChatMoved("now a supergroup", "-100")]
    assert (await way.carries(item(card()))).outcome == NOW
    assert way.ledger.stored == [("web", "billing", "-100")]


async def test_a_chat_that_keeps_moving_is_not_asked_without_end() -> None:
    way = Round()
    way.web.failures = [ChatMoved("again", "-100")]
    assert (await way.carries(item(card(), attempt=5))).outcome == NOW + timedelta(seconds=16)


async def test_a_card_that_is_refused_goes_to_the_fallback_team() -> None:
    way = Round()
    way.web.failures = [Refused("not_in_channel: invite the bot to the channel")]
    result = await way.carries(item(card()))
    assert result.outcome == ("not_in_channel: invite the bot to the channel", fallback(TASK, Reason.UNDELIVERABLE))
    new, notice = result.contents()
    assert isinstance(new, Card) and isinstance(notice, Notice)
    assert (new.label, notice.what) == ("triage", What.MISDELIVERED)


async def test_when_no_room_takes_it_somebody_is_alarmed(caplog: pytest.LogCaptureFixture) -> None:
    way = Round()
    way.web.failures = [Refused("archived")]
    result = await way.carries(item(card("triage"), chat="triage"))
    assert result.posts == ()
    assert "card given up: no team's room takes it" in caplog.text


async def test_every_line_about_a_post_names_its_conversation(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    way = Round()
    await way.carries(replace(item(REPLY), conversation=7))
    way.web.failures = [Unreachable("timed out")]
    await way.carries(replace(item(REPLY), conversation=7))
    lines = [(record.message, record.__dict__["conversation"]) for record in caplog.records]
    assert lines == [("delivered", 7), ("delivery postponed", 7)]


async def test_a_whisper_is_not_said_aloud_and_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    way = Round()
    whisper = Post(Place("telegram", "-1"), Notice(What.NO_LEAD), only_for=STRANGER)
    result = await way.carries(OutboxItem(9, whisper, 1))
    assert way.telegram.said == []
    assert isinstance(result.outcome, tuple)
    assert result.posts == ()
    assert "delivery given up" not in caplog.text


async def test_a_whisper_is_said_where_one_can() -> None:
    way = Round()
    await way.carries(OutboxItem(9, Post(Place("web", "billing"), Notice(What.NO_LEAD), only_for=STRANGER), 1))
    assert len(way.web.said) == 1


@pytest.mark.parametrize(
    "content",
    [
        FollowUp("Cleo", "look", (FROM_TELEGRAM,)),
        replace(REPLY, media=(FROM_TELEGRAM,)),
        replace(card(), media=(FROM_TELEGRAM,)),
    ],
)
async def test_attachments_of_another_platform_are_fetched(content: Content) -> None:
    way = Round()
    way.telegram.files["photo-1"] = b"jpeg"
    await way.carries(item(content))
    [said] = way.web.said
    assert said.files == (File(FROM_TELEGRAM, b"jpeg"),)
    assert said.post.content == content


async def test_its_own_attachments_a_platform_finds_itself() -> None:
    way = Round()
    await way.carries(item(FollowUp("Cleo", "look", (PHOTO,))))
    assert way.web.said[0].files == ()


async def test_a_rewriting_brings_no_attachment_again() -> None:
    way = Round()
    way.telegram.files["photo-1"] = b"jpeg"
    rewritten = Post(Place("web", "billing"), replace(card(), media=(FROM_TELEGRAM,), taken_by="Ada"), edits=3)
    await way.carries(OutboxItem(9, rewritten, 1))
    assert way.web.said[0].files == ()


async def test_an_attachment_that_is_too_large_or_gone_is_named_and_the_words_still_go() -> None:
    way = Round()
    way.telegram.files["photo-2"] = b"jpeg"
    other = replace(FROM_TELEGRAM, id="photo-2")
    result = await way.carries(item(FollowUp("Cleo", "look", (FROM_TELEGRAM, other))))
    [said] = way.web.said
    assert said.post.content == FollowUp("Cleo", "look\n📎 receipt.jpg", (other,))
    assert said.files == (File(other, b"jpeg"),)
    assert result.of == item(FollowUp("Cleo", "look", (FROM_TELEGRAM, other)))


async def test_an_attachment_of_a_platform_that_is_not_set_up_any_more_is_named() -> None:
    way = Round()
    await way.carries(item(FollowUp("Cleo", "look", (replace(PHOTO, platform="slack"),))))
    assert way.web.said[0].post.content == FollowUp("Cleo", "look\n📎 receipt.jpg")


async def test_an_attachment_that_may_be_had_later_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: object) -> bytes:
        raise Unreachable("telegram: timed out")

    way = Round()
    monkeypatch.setattr(way.telegram, "fetch", away)
    result = await way.carries(item(FollowUp("Cleo", "look", (FROM_TELEGRAM,))))
    assert result.outcome == NOW + timedelta(seconds=1)
    assert way.web.said == []


async def test_an_attachment_that_cannot_be_had_for_long_is_named_and_the_words_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(_: object) -> bytes:
        raise Unreachable("telegram: timed out")

    way = Round()
    monkeypatch.setattr(way.telegram, "fetch", away)
    waits = [
        (await way.carries(item(FollowUp("Cleo", "look", (FROM_TELEGRAM,)), attempt=attempt))).outcome
        for attempt in range(1, MOST_ATTEMPTS_WITH_FILES + 1)
    ]
    assert waits == [*(NOW + timedelta(seconds=2**n) for n in range(4)), MessageRef("web", "billing", "post 9")]
    assert [said.post.content for said in way.web.said] == [FollowUp("Cleo", "look\n📎 receipt.jpg")]


async def test_an_attachment_that_hangs_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(_: object) -> bytes:
        await asyncio.Event().wait()
        return b""

    way = Round()
    monkeypatch.setattr(way.telegram, "fetch", hangs)
    monkeypatch.setattr(deliver, "_FETCH_SECONDS", 0.01)
    result = await way.carries(item(FollowUp("Cleo", "look", (FROM_TELEGRAM,))))
    assert result.outcome == NOW + timedelta(seconds=1)


async def test_one_chat_that_must_wait_holds_up_no_other() -> None:
    way = Round()
    way.telegram.failures = [Unreachable("flood")]
    way.outbox.owed = [item(Answer("it", "en"), "telegram", "1"), item(Answer("it", "en"))]
    assert await way.courier.step() == 2
    assert len(way.web.said) == 1


async def test_of_thirty_posts_with_attachments_two_are_carried_at_a_time_and_the_rest_wait_unharmed() -> None:
    """Their bytes are in memory meanwhile. Posts without attachments overtake them."""
    way, held, most = Round(), asyncio.Event(), 0

    class Slow(FakePlatform):
        async def fetch(self, media: Media) -> bytes:
            nonlocal most
            most = max(most, way.courier.transfers._now)
            await held.wait()
            return b"a document"

    way.courier.platforms["telegram"] = Slow("telegram")  # type: ignore[index]
    posts = [replace(item(replace(REPLY, media=(FROM_TELEGRAM,))), id=number) for number in range(30)]
    carrying = [asyncio.create_task(way.courier.handle(post)) for post in posts]
    await asyncio.wait(carrying[2:])
    await way.courier.handle(item(REPLY))
    assert (most, len(way.web.said)) == (2, 1)
    assert [until for _, until in way.outbox.reserved] == [NOW + transfers.WAIT] * 28
    held.set()
    await asyncio.wait(carrying)
    assert (len(way.web.said), way.courier.transfers.full) == (3, False)


async def test_what_fails_on_its_way_makes_room() -> None:
    way = Round()
    way.telegram.files["photo-1"] = b"jpeg"
    way.web.failures = [Unreachable("timed out")] * 5
    for _ in range(5):
        await way.carries(item(replace(REPLY, media=(FROM_TELEGRAM,))))
    assert not way.courier.transfers.full
