"""`switchboard check telegram`, against a Telegram with one fault at a time."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.messages import Place
from bot.platforms import Finding
from bot.platforms.telegram import PLATFORM, Config, live_check
from tests.integration.platforms.telegram.parts import (
    ANN,
    BILLING,
    IT,
    LEAD,
    SECRET,
    TASK,
    config,
    in_room,
    platform_context,
)
from tests.servers.telegram import TelegramServer

SETTING = "tasks.routing.labels.it.deliver_to.telegram"


async def findings(settings: Config, live: bool = False, task: object = TASK) -> list[Finding]:
    around = platform_context(task=task)  # type: ignore[arg-type]
    looking = PLATFORM.live_check(settings, around) if live else PLATFORM.check(settings, around)
    return [finding async for finding in looking]


async def wrong(settings: Config, live: bool = False, task: object = TASK) -> list[tuple[str, str]]:
    return [(one.what, one.remedy) for one in await findings(settings, live, task) if not one.ok]


async def test_where_all_is_well_every_finding_is(server: TelegramServer) -> None:
    found = await findings(config(server))
    assert [one for one in found if not one.ok or one.remedy] == []
    assert "the bot's token: it is @switchboard_bot" in [one.what for one in found]
    assert sum("administrator" in one.what for one in found) == 2
    assert server.account.posts == {}, "nothing is said without --live"


async def test_a_bad_token_is_the_only_finding(server: TelegramServer) -> None:
    [found] = await findings(config(server, token="999:wrong"))
    assert not found.ok
    assert "TELEGRAM_BOT_TOKEN" in found.remedy


@pytest.mark.parametrize(("sees", "word"), [(True, "off"), (False, "on")])
async def test_privacy_mode_is_told(sees: bool, word: str) -> None:
    async with TelegramServer(sees_everything=sees) as server:
        server.add_group(BILLING)
        server.add_group(IT, topics=(45,))
        assert any(f"privacy mode is {word}" in one.what for one in await findings(config(server)))


async def test_a_room_without_us_or_where_we_are_nobody_is_named(server: TelegramServer) -> None:
    server.add_group(BILLING, "billing", bot="member")
    del server.account.chats[IT]
    member, unknown = await wrong(config(server))
    assert "billing" in member[0]
    assert "make the bot an administrator" in member[1]
    assert "Chat not found" in unknown[1]
    assert SETTING in unknown[1]


async def test_reactions_that_a_group_forbids_are_named(server: TelegramServer) -> None:
    server.allows(BILLING, "👀", "👌", "🤝", "❤")
    [(what, remedy)] = await wrong(config(server))
    assert "reactions" in what
    assert "allow 👎 🕊 ✍ 👨\u200d💻 " in remedy


@pytest.mark.parametrize(("fate", "word"), [("closed", "open the topic again"), ("deleted", "it was deleted")])
async def test_a_topic_that_is_closed_or_gone_is_named(server: TelegramServer, fate: str, word: str) -> None:
    if fate == "closed":
        server.closes(IT, 45)
    else:
        server.add_group(IT, "it", topics=(46,))
    [(what, remedy)] = await wrong(config(server))
    assert "topic" in what
    assert word in remedy
    assert SETTING in remedy


async def test_a_group_with_a_new_id_says_what_to_write(server: TelegramServer) -> None:
    server.add_group(-4321, "it", kind="group")
    await server.migrates(-4321, -1004321, LEAD)
    [(_, remedy)] = await wrong(config(server), task=in_room("it", "-4321"))
    assert remedy == f"the group has a new id; write -1004321 for it in {SETTING}"


async def test_a_webhook_beside_polling_is_found(server: TelegramServer) -> None:
    await set_hook(server, "https://elsewhere.example/x")
    [(what, remedy)] = await wrong(config(server))
    assert "polling" in what
    assert "a webhook takes this bot's updates" in remedy


async def test_a_webhook_that_is_not_ours_or_not_set_is_found(server: TelegramServer) -> None:
    ours = config(server, hook="https://bot.example.com/hook")
    [(_, unset)] = await wrong(ours)
    await set_hook(server, "https://elsewhere.example/x")
    [(_, other)] = await wrong(ours)
    await set_hook(server, "https://bot.example.com/hook", ["message"])
    [(_, deaf)] = await wrong(ours)
    assert ("no webhook is set yet" in unset, "another address" in other, "ask for reactions" in deaf) == (True,) * 3


async def set_hook(server: TelegramServer, url: str, allowed: list[str] | None = None) -> None:
    body = {"url": url, "secret_token": SECRET, "allowed_updates": allowed or ["message_reaction"]}
    async with server.http.post(f"{server.api_url}{server.token}/setWebhook", json=body) as answer:
        assert answer.ok


async def test_a_telegram_that_cannot_be_reached_is_no_bad_token(server: TelegramServer) -> None:
    away = replace(config(server), api_base_url="http://127.0.0.1:9/bot", file_base_url="http://127.0.0.1:9/file/bot")
    [(what, remedy)] = await wrong(away)
    assert what == "Telegram answers"
    assert "it takes no connection" in remedy
    assert "api_base_url" in remedy and "TOKEN" not in remedy and server.token not in remedy


async def test_a_clock_that_is_wrong_is_named_with_how_much(server: TelegramServer) -> None:
    server.clock_ahead = -timedelta(minutes=10)
    [(what, remedy)] = await wrong(config(server))
    assert what == "this machine's clock agrees with Telegram's"
    assert re.search(r"it is (599|60[01]) s ahead of Telegram's", remedy)


# ── live ──


async def test_live_waits_for_a_reaction_in_every_room_and_takes_nobodys_updates(server: TelegramServer) -> None:
    await server.writes(ANN, "a request that waits for Switchboard")
    checking = asyncio.create_task(findings(config(server), live=True))
    await server.until(lambda: server.posts(BILLING) and server.posts(IT))
    for chat in (BILLING, IT):
        [post] = server.posts(chat)
        assert "👀" in post.text
        await server.reacts(LEAD, chat, post.message_id, new=["👀"])
    found = await checking
    assert [one.what for one in found if "arrives" in one.what and one.ok] == [
        f"a reaction arrives from {BILLING}",
        f"a reaction arrives from {IT}/45",
    ]
    assert (server.posts(BILLING), server.posts(IT)) == ([], []), "the test messages are gone"
    assert len(server.feed.pending) == 3, "nothing was confirmed"


async def test_live_says_where_no_reaction_arrived(server: TelegramServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_check, "LIVE_SECONDS", 0.1)
    server.add_group(BILLING, "billing", bot="kicked")
    found = await wrong(config(server), live=True)
    assert [what for what, _ in found][-2:] == [
        f"a test message is in {BILLING}; put 👀 on it now",
        f"a reaction arrives from {IT}/45",
    ]


async def test_live_beside_a_running_switchboard_says_to_stop_it(server: TelegramServer) -> None:
    server.fail("getUpdates", status=409, error="Conflict: terminated by other getUpdates request", times=2)
    found = await wrong(config(server), live=True)
    assert [remedy.endswith("stop it while this check runs") for _, remedy in found] == [True, True]


async def test_live_puts_the_webhook_back(server: TelegramServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_check, "LIVE_SECONDS", 0.1)
    await set_hook(server, "https://bot.example.com/hook")
    await findings(config(server, hook="https://bot.example.com/hook"), live=True)
    hook = server.feed.hook
    assert hook is not None
    assert (hook.url, hook.secret) == ("https://bot.example.com/hook", SECRET)


async def test_a_group_that_hears_of_answers_has_to_take_them_without_an_administrator(
    server: TelegramServer,
) -> None:
    server.add_group(-100555, "security", bot="member")
    hearing = {"tasks.fraud.labels.yes.tell.telegram": "-100555", "tasks.fraud.labels.yes.also_to.telegram": "-100777"}
    context = replace(
        platform_context(), hearing={setting: Place("telegram", chat) for setting, chat in hearing.items()}
    )
    found = {one.what: one async for one in PLATFORM.check(config(server), context)}
    assert found["the room -100555 (tasks.fraud.labels.yes.tell.telegram)"].ok
    [wrong] = [one for one in found.values() if not one.ok]
    assert wrong.what == "the room -100777 (tasks.fraud.labels.yes.also_to.telegram)"
    assert "not found" in wrong.remedy
