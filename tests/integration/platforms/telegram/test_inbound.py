"""Events in Telegram, through the real python-telegram-bot, from a local Telegram into the inbox."""

import asyncio
import logging

import httpx
import pytest

from bot.domain.errors import Refused
from bot.domain.messages import Person, Place
from bot.domain.posts import Question
from bot.domain.rich_text import Style, plain, runs
from bot.platforms.telegram import adapter
from bot.platforms.telegram.events import HEARD
from tests.fakes_ledger import FakeLedger
from tests.integration.platforms.telegram.parts import (
    ANN,
    BILLING,
    IT,
    LEAD,
    POISON,
    Recorder,
    config,
    connected,
    hearing,
    hooked,
    item,
    listening,
    platform_context,
)
from tests.servers.telegram import TelegramServer, User

LOUNGE = -1008


async def test_a_private_message_is_heard_with_its_writer(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox):
        await server.writes(ANN, "I was charged twice")
        await server.until(lambda: inbox.messages)
    [message] = inbox.messages.values()
    assert (message.text, message.place) == ("I was charged twice", Place("telegram", str(ANN)))
    assert message.author == Person("telegram", str(ANN), "Ann", "pt-br")


async def test_what_people_wrote_while_we_were_away_is_heard(server: TelegramServer, inbox: Recorder) -> None:
    await server.writes(ANN, "before")
    async with hearing(server, inbox):
        await server.until(lambda: inbox.texts == ["before"])


async def test_every_poll_asks_for_what_we_handle(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox):
        await server.writes(ANN, "hello")
        await server.until(lambda: len(server.calls_to("getUpdates")) >= 3)
    assert server.feed.allowed == set(HEARD)
    assert set(HEARD) == {
        *("message", "edited_message", "channel_post", "callback_query", "message_reaction", "my_chat_member"),
    }
    assert all("message_reaction" in str(call.args["allowed_updates"]) for call in server.calls_to("getUpdates"))


async def test_only_what_is_stored_is_confirmed_to_telegram(
    server: TelegramServer, inbox: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_FIRST_WAIT", 0.05)
    async with hearing(server, inbox) as telegram:
        inbox.down = True
        await server.writes(ANN, "one")
        await server.writes(ANN, "two")
        await server.until(lambda: inbox.tried >= 3)
        assert len(server.feed.pending) == 2, "nothing was stored, nothing may be confirmed"
        assert not telegram.healthy()
        inbox.down = False
        await server.until(lambda: inbox.texts == ["one", "two"])
        await server.until(lambda: not server.feed.pending)
        await server.until(telegram.healthy)


async def test_a_store_that_stays_down_is_asked_ever_more_rarely(
    server: TelegramServer, inbox: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(adapter, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(adapter, "_LONGEST_WAIT", 0.05)
    inbox.down = True
    await server.writes(ANN, "one")
    async with connected(config(server)) as telegram:
        task = asyncio.create_task(telegram.listen(inbox))
        await server.until(lambda: inbox.tried >= 6)
        task.cancel()
        await asyncio.wait([task])
    assert [record.__dict__["seconds"] for record in caplog.records[:5]] == [0.01, 0.02, 0.04, 0.05, 0.05]
    assert inbox.tried <= len(caplog.records) + 1, "once after each pause"


async def test_stopping_between_storing_and_confirming_repeats_and_loses_nothing(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hearing(server, inbox):
        await server.until(lambda: len(server.calls_to("getUpdates")) == 2)
        server.fail("getUpdates", delay=5.0)
        await server.writes(ANN, "one")
        await server.until(lambda: inbox.messages)
    assert len(server.feed.pending) == 1
    async with hearing(server, inbox):
        await server.until(lambda: not server.feed.pending)
    assert inbox.tried == 2
    assert inbox.texts == ["one"]


async def test_no_offset_outlives_a_silence_for_the_numbers_may_begin_anew(
    server: TelegramServer, inbox: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_POLL_SECONDS", 1)
    async with hearing(server, inbox):
        await server.writes(ANN, "one")
        await server.until(lambda: "offset" in server.calls_to("getUpdates")[-1].args)
        await server.until(lambda: "offset" not in server.calls_to("getUpdates")[-1].args)
    assert server.feed.pending == {}


async def test_an_update_that_cannot_be_parsed_stops_nobody_and_says_nothing_of_its_content(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with hearing(server, inbox):
        number = server.sends("message", POISON)
        await server.writes(ANN, "behind the poison")
        await server.until(lambda: inbox.texts == ["behind the poison"])
        await server.until(lambda: not server.feed.pending)
    [skipped] = [record for record in caplog.records if record.message == "update skipped"]
    assert (skipped.__dict__["update"], skipped.__dict__["problem"]) == (number, "KeyError")
    assert "a secret of mine" not in caplog.text
    assert len(server.calls_to("getUpdates")) < 10


async def test_an_update_over_which_we_stumble_again_and_again_stops_nobody(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.broken = "a secret of mine"
    async with hearing(server, inbox):
        await server.writes(ANN, inbox.broken)
        await server.writes(ANN, "behind it")
        await server.until(lambda: any(record.message == "update skipped" for record in caplog.records))
        await server.until(lambda: inbox.texts == ["behind it"])
    assert inbox.tried >= 3
    [skipped] = [record for record in caplog.records if record.message == "update skipped"]
    assert skipped.__dict__["problem"] == "ZeroDivisionError"
    assert "a secret of mine" not in caplog.text


async def test_an_edit_is_heard_under_the_messages_own_name(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox):
        number = await server.writes(ANN, "I was chargd twice")
        await server.edits(ANN, ANN, number, "I was charged twice")
        await server.until(lambda: inbox.edits)
    [edit] = inbox.edits
    assert (edit.text, [edit.ref]) == ("I was charged twice", [*inbox.messages])


@pytest.mark.parametrize("sees_everything", [True, False])
async def test_in_a_group_only_what_is_said_to_us_is_a_request(inbox: Recorder, sees_everything: bool) -> None:
    async with TelegramServer(sees_everything=sees_everything) as server:
        server.add_group(BILLING)
        server.add_group(IT, topics=(45,))
        server.add_group(LOUNGE, "lounge", bot="member", topics=(7,))
        async with hearing(server, inbox):
            await server.writes(ANN, "chatter", LOUNGE)
            await server.writes(ANN, "@switchboard_bot my parcel is lost", LOUNGE, thread=7)
            await server.until(lambda: inbox.texts == ["my parcel is lost"])
    [message] = inbox.messages.values()
    assert message.place == Place("telegram", f"{LOUNGE}/7")


async def test_a_forwarded_message_counts_as_what_its_sender_needs(server: TelegramServer, inbox: Recorder) -> None:
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Ben"}
    async with hearing(server, inbox):
        await server.writes(ANN, "my parcel is lost", extra={"forward_origin": origin})
        await server.until(lambda: inbox.messages)
    [message] = inbox.messages.values()
    assert (plain(message.text), message.author.id) == ("my parcel is lost", str(ANN))
    assert runs(message.text)[0].value(Style.CITED) == "Ben"


@pytest.mark.parametrize("text", ["x" * 10_000, "👍", "שלום", "\u200b", "a\x00b", "<b>_*[", "  "])
async def test_whatever_is_written_is_heard(server: TelegramServer, inbox: Recorder, text: str) -> None:
    async with hearing(server, inbox):
        await server.writes(ANN, text)
        await server.writes(ANN, "behind it")
        await server.until(lambda: "behind it" in inbox.texts)
    assert text.strip() in inbox.texts


async def test_what_other_bots_say_starts_no_loop(server: TelegramServer, inbox: Recorder) -> None:
    server.add_user(User(id=9, first_name="other", is_bot=True))
    async with hearing(server, inbox):
        await server.writes(9, "hello")
        await server.writes(ANN, "a request")
        await server.until(lambda: inbox.texts == ["a request"])
    assert len(inbox.messages) == 1


async def test_nothing_people_send_shows_in_the_log(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for name in ("httpx", "telegram"):
        caplog.set_level(logging.WARNING, name)
    contact: dict[str, object] = {"contact": {"phone_number": "+351000", "first_name": "Hidden"}}
    async with hearing(server, inbox) as telegram:
        await server.writes(ANN, "", extra=contact)
        await server.writes(ANN, "/forget hidden")
        await server.until(lambda: inbox.messages and server.posts(ANN))
        with pytest.raises(Refused):
            await telegram.fetch(next(iter(inbox.messages.values())).media[0])
    assert not [word for word in ("351000", "idden", server.token) if word in caplog.text]


async def test_reactions_come_as_what_was_added_and_removed(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox) as telegram:
        card = int((await telegram.say(item(Question((), "en"), str(BILLING)))).id)
        await server.reacts(LEAD, BILLING, card, new=["👎"])
        await server.reacts(LEAD, BILLING, card, new=["🤝"])
        await server.reacts(None, BILLING, card, new=["👎"])
        await server.reacts(LEAD, BILLING, card, new=["🤝", {"type": "custom_emoji", "custom_emoji_id": "5"}])
        await server.reacts(LEAD, BILLING, card, new=[])
        await server.until(lambda: len(inbox.reactions) == 4)
    lead = str(LEAD)
    assert inbox.changes == [(lead, "👎", True), (lead, "👎", False), (lead, "🤝", True), (lead, "🤝", False)]
    assert {(reaction.ref.chat, reaction.ref.id) for reaction in inbox.reactions} == {(str(BILLING), str(card))}
    moments = [reaction.at for reaction in inbox.reactions]
    assert moments == sorted(set(moments)), "in one second, and yet in order"


async def test_a_press_is_stored_and_its_button_let_go(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox) as telegram:
        await server.writes(ANN, "hello")
        receipt = await telegram.say(item(Question(("billing", "it"), "en"), str(ANN)))
        query = await server.presses(ANN, ANN, int(receipt.id), "1")
        await server.until(lambda: server.answers(query))
    [press] = inbox.presses
    assert (press.ref, press.actor.id, press.value) == (receipt, str(ANN), "1")


@pytest.mark.parametrize("fault", [{"error": "Bad Request: query is too old"}, {"status": 500}, {"retry_after": 1}])
async def test_a_press_that_cannot_be_answered_any_more_counts_all_the_same(
    server: TelegramServer, inbox: Recorder, fault: dict[str, int]
) -> None:
    async with hearing(server, inbox) as telegram:
        await server.writes(ANN, "hello")
        receipt = await telegram.say(item(Question(("billing",), "en"), str(ANN)))
        server.fail("answerCallbackQuery", **fault)  # type: ignore[arg-type]
        await server.presses(ANN, ANN, int(receipt.id), "0")
        await server.writes(ANN, "and this")
        await server.until(lambda: inbox.texts == ["hello", "and this"])
    assert [press.value for press in inbox.presses] == ["0"]


async def test_a_webhook_somebody_left_is_taken_away_and_what_waited_is_heard(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hooked(server) as (telegram, _), listening(server, telegram, inbox):
        hook = server.feed.hook
    assert hook is not None, "stopping leaves it in place"
    await server.writes(ANN, "while nobody listened")
    async with hearing(server, inbox):
        await server.until(lambda: inbox.texts == ["while nobody listened"])
    assert server.feed.hook is None


async def test_a_second_poller_is_said_loudly_and_not_fought_with(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    async with hearing(server, inbox) as telegram:
        await server.until(lambda: len(server.calls_to("getUpdates")) == 2)
        async with httpx.AsyncClient() as other:
            await other.get(f"{server.api_url}{server.token}/getUpdates")
            await server.until(lambda: not telegram.healthy())
            for _ in range(10):
                assert (await other.get(f"{server.api_url}{server.token}/getUpdates")).status_code == 200
        assert len(server.calls_to("getUpdates")) == 13, "only the other one's came since"
    [loud] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert loud.message == "not listening"
    assert "another process" in loud.__dict__["problem"]


async def test_after_the_second_poller_is_gone_we_listen_again(
    server: TelegramServer, inbox: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_OVERTAKEN_SECONDS", 0.2)
    async with hearing(server, inbox) as telegram:
        await server.until(lambda: len(server.calls_to("getUpdates")) == 2)
        async with httpx.AsyncClient() as other:
            await other.get(f"{server.api_url}{server.token}/getUpdates")
        await server.until(lambda: not telegram.healthy())
        await server.writes(ANN, "still there?")
        await server.until(lambda: inbox.texts == ["still there?"])
        await server.until(telegram.healthy)


async def test_of_two_processes_one_polls_and_the_other_takes_over(
    server: TelegramServer, inbox: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_STANDBY_SECONDS", 0.1)
    ledger = FakeLedger()
    async with (
        connected(config(server), platform_context(ledger=ledger)) as first,
        connected(config(server), platform_context(ledger=ledger)) as second,
    ):
        polling = asyncio.create_task(first.listen(inbox), name="first")
        await server.until(lambda: server.calls_to("getUpdates"))
        async with listening(server, second, inbox):
            await server.writes(ANN, "to whoever listens")
            await server.until(lambda: inbox.texts == ["to whoever listens"])
            assert first.healthy() and second.healthy()
            polling.cancel()
            await asyncio.wait([polling])
            await server.writes(ANN, "and now?")
            await server.until(lambda: inbox.texts == ["to whoever listens", "and now?"])


@pytest.mark.parametrize("fault", [{"status": 502}, {"error": "nonsense", "status": 200}, {"retry_after": 1}])
async def test_polling_survives_what_telegram_answers_in_its_bad_hours(
    server: TelegramServer, inbox: Recorder, fault: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_FIRST_WAIT", 0.05)
    server.fail("getUpdates", times=2, **fault)  # type: ignore[arg-type]
    await server.writes(ANN, "hello")
    async with hearing(server, inbox):
        await server.until(lambda: inbox.texts == ["hello"])


async def test_a_bad_token_is_refused_in_one_sentence_without_it(
    server: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Refused, match="TELEGRAM_BOT_TOKEN") as caught:
        async with connected(config(server, token="999:wrong-one")):
            pass
    assert caught.value.__cause__ is None
    assert "wrong-one" not in f"{caught.value} {caplog.text}"


async def test_telegram_out_of_reach_is_no_reason_not_to_start(server: TelegramServer, inbox: Recorder) -> None:
    server.fail("getMe", status=502)
    async with connected(config(server)) as telegram:
        assert not telegram.healthy()
        async with listening(server, telegram, inbox):
            await server.writes(ANN, "hello")
            await server.until(lambda: inbox.texts == ["hello"])
