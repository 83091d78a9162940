"""What the adapter sends to Telegram, and how it handles refusals."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from telegram.request import HTTPXRequest

from bot.domain.continuation import first
from bot.domain.decisions import Author, Reason
from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import MessageRef
from bot.domain.posts import OTHER, Answer, Card, Content, FollowUp, Question
from tests.integration.platforms.telegram.parts import (
    ANN,
    BILLING,
    IT,
    LEAD,
    Recorder,
    config,
    connected,
    hearing,
    item,
)
from tests.servers.telegram import TelegramServer

NASTY = "<b>_*[x](http://y) & <script> " + "щ" * 5_000
CARD = Card(
    conversation=7,
    label="billing",
    excerpt=NASTY,
    author="<i>Ann</i>",
    source=MessageRef("telegram", str(ANN), "1"),
    by=Author.MODEL,
    reason=Reason.CONFIDENT,
    confidence=0.9,
    adapter=None,
    legend=(("🤝", "billing"), ("👨‍💻", "it")),
)


async def test_an_answer_is_said_in_the_persons_language(server: TelegramServer) -> None:
    await server.writes(ANN, "hello")
    async with connected(config(server)) as telegram:
        receipt = await telegram.say(item(Answer("billing", "pt"), str(ANN)))
    [post] = server.posts(ANN)
    assert receipt == MessageRef("telegram", str(ANN), str(post.message_id))
    assert post.text == "Obrigado! Isto é com a equipe billing. O pedido já está com ela."
    [call] = server.calls_to("sendMessage")
    assert "is_disabled" in str(call.args["link_preview_options"])


async def test_a_card_shows_whatever_people_wrote_as_they_wrote_it(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        await telegram.say(item(CARD, str(BILLING)))
        await telegram.say(item(FollowUp("Ann", NASTY), str(BILLING)))
    card, follow_up = server.posts(BILLING)
    assert "<b>_*[x](http://y) & <script> щ" in card.text
    assert "From <i>Ann</i>" in card.text
    assert follow_up.text.removeprefix("Ann added\n") == first(NASTY)


async def test_a_topic_is_spoken_in_and_its_receipt_is_what_reactions_point_at(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hearing(server, inbox) as telegram:
        receipt = await telegram.say(item(CARD, f"{IT}/45"))
        await telegram.say(item(FollowUp("Ann", "more"), f"{IT}/45", under=receipt))
        await server.reacts(LEAD, IT, int(receipt.id), new=["🤝"])
        await server.until(lambda: inbox.reactions)
    card, follow_up = server.posts(IT)
    assert (card.thread, follow_up.thread, follow_up.reply_to) == (45, 45, card.message_id)
    assert [reaction.ref for reaction in inbox.reactions] == [receipt]


async def test_a_follow_up_outlives_its_card(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        await telegram.say(
            item(FollowUp("Ann", "more"), str(BILLING), under=MessageRef("telegram", str(BILLING), "77"))
        )
    [post] = server.posts(BILLING)
    assert post.reply_to is None


async def test_a_question_loses_its_buttons_once_it_is_answered(server: TelegramServer) -> None:
    await server.writes(ANN, "hello")
    async with connected(config(server)) as telegram:
        receipt = await telegram.say(item(Question(("billing", "it"), "en"), str(ANN)))
        [asked] = server.posts(ANN)
        again = await telegram.say(item(Question((), "en", answered="it", chosen=True), str(ANN), edits=receipt))
    rows = asked.buttons["inline_keyboard"]
    assert isinstance(rows, list)
    assert [button["callback_data"] for row in rows for button in row] == ["0", "1", OTHER]
    [answered] = server.posts(ANN)
    assert (answered.text, answered.buttons, again) == ("You chose IT.", {}, receipt)


async def test_rewriting_to_the_same_words_is_done_already(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        receipt = await telegram.say(item(CARD, str(BILLING)))
        assert await telegram.say(item(CARD, str(BILLING), edits=receipt)) == receipt


async def test_a_rewrite_of_what_is_gone_is_refused(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        with pytest.raises(Refused, match="Message to edit not found"):
            await telegram.say(item(CARD, str(BILLING), edits=MessageRef("telegram", str(BILLING), "77")))


async def test_a_flood_wait_is_passed_on_and_only_that_chat_waits(server: TelegramServer) -> None:
    await server.writes(ANN, "hello")
    server.fail("sendMessage", retry_after=7)
    async with connected(config(server)) as telegram:
        with pytest.raises(Unreachable) as told:
            await telegram.say(item(CARD, str(BILLING)))
        remembered = telegram.delay(item(CARD, str(BILLING)))
        assert telegram.delay(replace(item(Answer("billing", "en"), str(ANN)), id=2)) == timedelta(0)
        await telegram.say(item(Answer("billing", "en"), str(ANN)))
    assert told.value.retry_after == timedelta(seconds=7)
    assert timedelta(seconds=6) < remembered <= timedelta(seconds=7)
    assert len(server.calls_to("sendMessage")) == 2, "the second card was not even tried"
    assert len(server.posts(ANN)) == 1


async def test_a_burst_into_one_group_is_spread_and_nobody_sleeps_for_a_turn(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        waits = [telegram.delay(replace(item(FollowUp("Ann", "x"), str(BILLING)), id=n)) for n in range(60)]
        assert telegram.delay(replace(item(Answer("billing", "en"), str(ANN)), id=99)) == timedelta(0)
    assert waits[:3] == [timedelta(0)] * 3
    tenths = [round(wait.total_seconds(), 1) for wait in waits[3:]]  # time passes while they are counted
    assert tenths == sorted(tenths)
    assert timedelta(seconds=2) < waits[3] and timedelta(seconds=115) < waits[-1] < timedelta(minutes=3)


SAD = [
    ("blocked", 403, "Forbidden: bot was blocked by the user", "unblock"),
    ("kicked", 403, "Forbidden: bot was kicked from the supergroup chat", "administrator"),
    ("unknown chat", 400, "Bad Request: chat not found", "deliver_to"),
    ("topic gone", 400, "Bad Request: message thread not found", "topic in deliver_to"),
    ("quoted", 400, 'Bad Request: can\'t parse entities: Unsupported start tag "mine" at byte offset 0', "parse"),
]


@pytest.mark.parametrize(("status", "error", "advice"), [case[1:] for case in SAD], ids=[case[0] for case in SAD])
async def test_what_telegram_will_never_do_is_refused_with_advice(
    server: TelegramServer, status: int, error: str, advice: str
) -> None:
    server.fail("sendMessage", status=status, error=error)
    async with connected(config(server)) as telegram:
        with pytest.raises(Refused, match=advice) as caught:
            await telegram.say(item(CARD, str(BILLING)))
    assert "mine" not in str(caught.value)


async def test_a_person_who_blocked_us_is_out_of_reach_for_good(server: TelegramServer) -> None:
    await server.blocks(ANN)
    async with connected(config(server)) as telegram:
        with pytest.raises(Refused, match="they blocked the bot; only they can unblock it"):
            await telegram.say(item(Answer("billing", "en"), str(ANN)))


@pytest.mark.parametrize("status", [500, 502])
async def test_what_may_work_later_is_unreachable(server: TelegramServer, status: int) -> None:
    server.fail("sendMessage", status=status)
    async with connected(config(server)) as telegram:
        with pytest.raises(Unreachable) as caught:
            await telegram.say(item(CARD, str(BILLING)))
    assert caught.value.retry_after is None


async def test_no_connection_is_unreachable_and_says_nothing_of_the_token() -> None:
    async with TelegramServer() as server:
        settings = config(server)
    async with connected(settings) as telegram:
        with pytest.raises(Unreachable) as caught:
            await telegram.say(item(CARD, str(BILLING)))
    assert server.token not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_the_logs_know_neither_the_token_nor_what_people_wrote(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for name in ("httpx", "telegram"):
        caplog.set_level(logging.WARNING, name)
    wrong: Content = Answer("a-name-to-hide", "en")
    async with hearing(server, inbox) as telegram:
        await server.writes(ANN, "a-text-to-hide")
        await server.until(lambda: inbox.messages)
        server.fail("sendMessage", status=500)
        with pytest.raises(Unreachable):
            await telegram.say(item(wrong, str(ANN)))
    assert not [hidden for hidden in (server.token, "to-hide") if hidden in caplog.text]


def test_a_broken_answer_is_not_quoted_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Exception, match="Invalid server response"):
        HTTPXRequest.parse_json_payload(b'{"text": "a secret of mine"')
    assert caplog.records == []


async def test_a_post_that_may_stand_twice_is_told_and_one_that_was_turned_away_is_not(
    server: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    await server.writes(ANN, "hello")
    first_try, again = (
        item(Answer("billing", "en"), str(ANN)),
        replace(item(Answer("billing", "en"), str(ANN)), attempt=2),
    )
    told = "post may stand twice"
    async with connected(config(server)) as telegram:
        server.fail("sendMessage", retry_after=1)
        with pytest.raises(Unreachable):
            await telegram.say(first_try)
        await telegram.say(again)
        assert (told in caplog.text, len(server.posts(ANN))) == (False, 1)
        server.fail("sendMessage", lose_response=True)
        with pytest.raises(Unreachable):
            await telegram.say(first_try)
        await telegram.say(again)
    assert (told in caplog.text, len(server.posts(ANN))) == (True, 3)
