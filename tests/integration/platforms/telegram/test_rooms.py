"""Changes of teams' groups: they migrate, remove the bot, close topics; and who may do what in them."""

import logging

import pytest

from bot.domain.errors import ChatMoved, Refused
from bot.domain.messages import Person, Place
from bot.domain.posts import Answer, FollowUp
from bot.domain.tasks import Label
from tests.integration.platforms.telegram.parts import (
    ANN,
    BILLING,
    IT,
    LEAD,
    STRANGER,
    TASK,
    Counter,
    Recorder,
    config,
    connected,
    hearing,
    in_room,
    item,
    platform_context,
)
from tests.integration.platforms.telegram.test_outbound import CARD
from tests.servers.telegram import ANONYMOUS, BOT, TelegramServer, User

OLD, NEW = -4321, -1004321
ROOM, TOPIC = Place("telegram", str(BILLING)), Place("telegram", f"{IT}/45")


def person(user: int, platform: str = "telegram") -> Person:
    return Person(platform, str(user))


# ── groups that become supergroups ──


async def test_a_group_that_became_a_supergroup_is_said_with_its_new_id(server: TelegramServer) -> None:
    server.add_group(OLD, "billing", kind="group")
    await server.migrates(OLD, NEW, LEAD)
    async with connected(config(server), platform_context(task=in_room("billing", str(OLD)))) as telegram:
        with pytest.raises(ChatMoved) as caught:
            await telegram.say(item(CARD, str(OLD)))
        receipt = await telegram.say(item(CARD, caught.value.chat))
    assert (caught.value.chat, receipt.chat) == (str(NEW), str(NEW))


async def test_a_migration_is_heard_once_from_each_side_and_the_new_group_is_the_teams_room(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    server.add_group(OLD, "billing", kind="group")
    async with hearing(server, inbox, task=in_room("billing", str(OLD))) as telegram:
        await server.migrates(OLD, NEW, LEAD)
        await server.until(lambda: inbox.moves)
        card = await telegram.say(item(CARD, str(NEW)))
        await server.writes(LEAD, "on it", NEW, reply_to=int(card.id))
        await server.until(lambda: inbox.notes)
    assert [*inbox.moves] == [("telegram", str(OLD), str(NEW))]
    said = next(record for record in caplog.records if record.message.startswith("group has a new id"))
    assert said.__dict__["setting"] == "tasks.routing.labels.billing.deliver_to.telegram"


async def test_a_group_that_moved_while_we_were_away_is_still_the_teams_room(
    server: TelegramServer, inbox: Recorder
) -> None:
    server.add_group(OLD, "billing", kind="group")
    await server.migrates(OLD, NEW, LEAD)
    server.feed.pending.clear()
    async with hearing(server, inbox, task=in_room("billing", str(OLD))) as telegram:
        card = await telegram.say(item(CARD, str(NEW)))
        await server.writes(LEAD, "on it", NEW, reply_to=int(card.id))
        await server.until(lambda: inbox.notes)
        assert await telegram.may_handle(person(LEAD), Place("telegram", str(OLD)))
    assert inbox.messages == {}


# ── groups that refuse the bot or remove it ──


@pytest.mark.parametrize("status", ["member", "kicked", "left"])
async def test_a_team_group_in_which_we_are_no_administrator_is_said_at_the_start_naming_the_setting(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    server.add_group(BILLING, "billing", bot=status)
    async with hearing(server, inbox):
        await server.writes(ANN, "hello")
        await server.until(lambda: inbox.texts == ["hello"])
    [loud] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert loud.__dict__["setting"] == "tasks.routing.labels.billing.deliver_to.telegram"


async def test_a_team_group_that_nobody_knows_is_said_at_the_start(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    del server.account.chats[IT]
    async with hearing(server, inbox):
        pass
    [loud] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (loud.__dict__["chat"], "Chat not found" in loud.__dict__["problem"]) == (str(IT), True)


@pytest.mark.parametrize("status", ["kicked", "left", "member"])
async def test_a_teams_group_that_throws_us_out_or_takes_our_rights_is_an_error_naming_the_setting(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    async with hearing(server, inbox):
        await server.makes_bot(IT, status, by=LEAD)
        await server.writes(ANN, "hello")
        await server.until(lambda: inbox.texts == ["hello"])
    [loud] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (loud.__dict__["setting"], loud.__dict__["status"]) == (
        "tasks.routing.labels.it.deliver_to.telegram",
        status,
    )


async def test_what_we_are_elsewhere_is_nobodys_concern(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    server.add_group(-1008, "lounge")
    async with hearing(server, inbox):
        await server.makes_bot(-1008, "kicked", by=LEAD)
        await server.makes_bot(BILLING, "administrator", by=LEAD)
        await server.blocks(ANN)
        await server.writes(STRANGER, "hello")
        await server.until(lambda: inbox.texts == ["hello"])
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_group_without_us_refuses_a_card_saying_what_to_mend(server: TelegramServer) -> None:
    server.add_group(BILLING, "billing", bot="kicked")
    async with connected(config(server)) as telegram:
        with pytest.raises(Refused, match="add the bot to the group again, as an administrator"):
            await telegram.say(item(CARD, str(BILLING)))


# ── topics ──


@pytest.mark.parametrize("fate", ["closed", "deleted"])
async def test_a_closed_or_deleted_topic_falls_back_to_its_group_and_says_so(
    server: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture, fate: str
) -> None:
    if fate == "closed":
        server.closes(IT, 45)
    else:
        server.add_group(IT, "it")
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(CARD, f"{IT}/45"))
        await server.writes(LEAD, "on it", IT, reply_to=int(card.id))
        await server.until(lambda: inbox.notes)
    [post] = server.posts(IT)
    assert (post.thread, card.chat) == (None, str(IT))
    assert inbox.messages == {}, "a reply to a card in the group itself is no request"
    [loud] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert loud.__dict__["setting"] == "tasks.routing.labels.it.deliver_to.telegram"


async def test_the_topic_general_is_the_group_itself(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        await telegram.say(item(FollowUp("Ann", "x"), str(IT)))
    assert server.posts(IT)[0].thread is None


# ── permissions ──


def team(*leads: str) -> Label:
    return Label("billing", "Invoices", leads={"telegram": frozenset(leads)})


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (person(LEAD), True),
        (person(STRANGER), False),
        (person(BOT), False),
        (person(ANONYMOUS), False),
        (person(LEAD, "slack"), False),
    ],
)
async def test_only_leads_may_correct(server: TelegramServer, who: Person, may: bool) -> None:
    async with connected(config(server)) as telegram:
        assert await telegram.may_correct(who, team(), ROOM) is may


async def test_a_lead_of_one_team_may_correct_its_cards(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        assert await telegram.may_correct(person(STRANGER), team(str(STRANGER)), ROOM)
        assert not await telegram.may_correct(person(STRANGER), team(str(ANN)), ROOM)


@pytest.mark.parametrize(("status", "may"), [("creator", True), ("administrator", True), ("member", False)])
@pytest.mark.parametrize("place", [ROOM, TOPIC])
async def test_administrators_of_the_cards_group_may_correct_if_the_settings_say_so(
    server: TelegramServer, place: Place, status: str, may: bool
) -> None:
    for chat in (BILLING, IT):
        server.add_member(chat, STRANGER, status) if server.account.user(STRANGER) else None
    async with connected(config(server, leads=["admins"])) as telegram:
        assert await telegram.may_correct(person(STRANGER), team(), place) is may
    async with connected(config(server)) as telegram:
        assert not await telegram.may_correct(person(STRANGER), team(), place)
        assert await telegram.may_correct(person(STRANGER), team("admins"), place) is may


async def test_an_administrator_of_another_group_may_not_correct(server: TelegramServer) -> None:
    server.add_member(IT, STRANGER, "administrator")
    async with connected(config(server, leads=["admins"])) as telegram:
        assert not await telegram.may_correct(person(STRANGER), team(), ROOM)
        assert not await telegram.may_correct(person(STRANGER), team(), Place("slack", "C1"))


@pytest.mark.parametrize(
    ("status", "may"),
    [
        ("creator", True),
        ("administrator", True),
        ("member", True),
        ("restricted", True),
        ("left", False),
        ("kicked", False),
    ],
)
async def test_members_of_the_teams_group_may_handle(server: TelegramServer, status: str, may: bool) -> None:
    server.add_member(BILLING, STRANGER, status)
    async with connected(config(server)) as telegram:
        assert await telegram.may_handle(person(STRANGER), ROOM) is may


async def test_bots_strangers_and_other_platforms_may_not_handle(server: TelegramServer) -> None:
    server.add_user(User(id=9, first_name="other", is_bot=True))
    server.add_member(BILLING, 9)
    async with connected(config(server)) as telegram:
        for who in (person(9), person(BOT), person(ANONYMOUS), person(77), person(LEAD, "slack"), person(ANN)):
            assert not await telegram.may_handle(who, ROOM)
        assert not await telegram.may_handle(person(ANN), Place("telegram", str(ANN)))
        assert not await telegram.may_handle(person(LEAD), Place("slack", "C1"))


async def test_who_is_who_is_asked_once_in_a_while(server: TelegramServer) -> None:
    server.add_member(BILLING, STRANGER, "administrator")
    async with connected(config(server, leads=["admins"])) as telegram:
        for _ in range(3):
            assert await telegram.may_correct(person(STRANGER), team(), ROOM)
            assert await telegram.may_handle(person(STRANGER), ROOM)
    assert len(server.calls_to("getChatMember")) == 1


async def test_an_anonymous_administrator_corrects_nothing_and_breaks_nothing(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(CARD, str(BILLING)))
        await server.reacts(None, BILLING, int(card.id), new=["🤝"])
        await server.writes_anonymously(BILLING, "done", reply_to=int(card.id))
        await server.writes(ANN, "hello")
        await server.until(lambda: inbox.texts == ["hello"])
    assert (inbox.reactions, inbox.notes) == ({}, {})


async def test_three_reactions_at_once_custom_and_paid_ones_are_told_apart(
    server: TelegramServer, inbox: Recorder
) -> None:
    strange: list[str | dict[str, object]] = [{"type": "custom_emoji", "custom_emoji_id": "5"}, {"type": "paid"}]
    async with hearing(server, inbox) as telegram:
        card = int((await telegram.say(item(CARD, str(BILLING)))).id)
        await server.reacts(LEAD, BILLING, card, new=["👀", "👎", *strange])
        await server.reacts(LEAD, BILLING, card, new=["👌", "👎", "🤝"])
        await server.until(lambda: len(inbox.reactions) == 5)
    lead = str(LEAD)
    assert inbox.changes == [
        (lead, "👀", True),
        (lead, "👎", True),
        (lead, "👀", False),
        (lead, "👌", True),
        (lead, "🤝", True),
    ]


async def test_stopping_with_answers_still_to_give_is_quiet(server: TelegramServer, inbox: Recorder) -> None:
    server.fail("sendMessage", status=502, times=20)
    async with hearing(server, inbox, Counter()):
        await server.writes(ANN, "/help")
        await server.until(lambda: server.calls_to("sendMessage"))
    assert server.posts(ANN) == []


async def test_a_team_is_called_by_its_title(server: TelegramServer) -> None:
    titled = Label("billing", "Invoices", title="Billing & Co")
    task = type(TASK)("routing", "?", (titled, TASK.labels[1]), "it")
    await server.writes(ANN, "hello")
    async with connected(config(server), platform_context(task=task)) as telegram:
        await telegram.say(item(Answer("billing", "en"), str(ANN)))
    assert "This is one for Billing & Co." in server.posts(ANN)[0].text
