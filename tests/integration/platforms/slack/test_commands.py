"""`/switchboard`: answered only to the person, in their language; commands of leads are refused to others."""

import pytest

from bot.domain.messages import MessageRef, Place
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import (
    ANN,
    BEN,
    BILLING,
    HELP,
    LEAD,
    LOUNGE,
    STRANGER,
    TEAM_LEAD,
    FakeDesk,
    Recorder,
    account,
    adapter_called,
    config,
    request,
    settled,
    speaking,
    whispered,
)
from tests.servers.slack import BOT_USER, SlackServer
from tests.servers.slack.blocks import buttons


async def answered(server: SlackServer, user: str, text: str, channel: str = LOUNGE) -> str:
    """Everything that the person is shown for the command."""
    before = len(server.ephemerals(channel, user))
    await server.clicks.command(user, channel, text)
    await server.until(lambda: len(server.ephemerals(channel, user)) > before)
    shown = server.ephemerals(channel, user)[-1]
    return f"{shown.text}\n{shown.blocks}"


@pytest.mark.parametrize("text", ["", "help", "HELP", "dance"])
async def test_help_is_shown_in_the_persons_language_over_either_transport(
    server: SlackServer, slack: Slack, text: str
) -> None:
    answer = await answered(server, ANN, text)
    assert "Escreva para mim" in answer
    assert "Para líderes" not in answer
    assert settled(server)()
    assert server.posts(LOUNGE) == [], "nobody else sees it"


async def test_leads_are_shown_what_leads_can_do(server: SlackServer, socket: Slack) -> None:
    assert "For leads" in await answered(server, LEAD, "help")
    assert "For leads" in await answered(server, TEAM_LEAD, "help")


async def test_status_lists_ones_own_open_requests_with_links(
    server: SlackServer, socket: Slack, chat_commands: FakeDesk
) -> None:
    ts = await server.writes(ANN, HELP, "I was charged twice")
    chat_commands.requests[ANN] = [request(MessageRef("slack", HELP, ts))]
    answer = await answered(server, ANN, "status")
    assert "Seus pedidos em aberto" in answer
    assert "I was charged twice" in answer
    assert f"/archives/{HELP}/p{ts.replace('.', '')}" in answer
    assert "You have no open requests" in await answered(server, BEN, "status")


async def test_a_leads_status_tells_the_backlog_too(server: SlackServer, socket: Slack) -> None:
    assert "2 not sorted yet, 1 not said yet" in await answered(server, LEAD, "status")


async def test_teams_are_listed_by_title_with_their_emoji(server: SlackServer, socket: Slack) -> None:
    answer = await answered(server, BEN, "teams")
    assert ":wrench: *IT &amp; Tools* (it): Laptops" in answer


# ── why ──


async def test_why_is_told_to_leads_and_to_the_person_who_asked(
    server: SlackServer, socket: Slack, chat_commands: FakeDesk
) -> None:
    ts = await server.writes(ANN, HELP, "I was charged twice")
    ref = MessageRef("slack", HELP, ts)
    chat_commands.accounts[ref] = account(ref)
    chat_commands.requests[ANN] = [request(ref)]
    link = f"why https://test.slack.com/archives/{HELP}/p{ts.replace('.', '')}"
    assert "billing, says the model (90%, routing-3)" in await answered(server, LEAD, link)
    assert "diz o modelo" in await answered(server, ANN, link)
    assert "charged 2x" in await answered(server, LEAD, link)
    assert "charged 2x" not in await answered(server, ANN, link)  # another person wrote that
    for nosy in (BEN, STRANGER):
        answer = await answered(server, nosy, link)
        assert "I tell that to leads" in answer
        assert "charged" not in answer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("why", "with the link of the request"),
        ("why billing", "with the link"),
        ("why https://x/archives/C1/p1764000000000100", "no request"),
    ],
)
async def test_why_without_a_request_says_how(server: SlackServer, socket: Slack, text: str, told: str) -> None:
    assert told in await answered(server, LEAD, text)


# ── route ──


async def test_a_request_made_in_an_intake_channel_gets_a_thread_there(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    answer = await answered(server, ANN, "route my laptop &amp; <@U0BEN|ben>'s is broken", HELP)
    [post] = server.posts(HELP)
    [message] = inbox.messages.values()
    assert (message.ref, message.place) == (MessageRef("slack", HELP, post.ts), Place("slack", HELP, post.ts))
    assert (message.author.id, message.author.name, message.opens) == (ANN, "Ann", True)
    assert message.text == "my laptop & @ben's is broken"
    assert "Ann pede" in post.text
    assert f"/archives/{HELP}/p{post.ts.replace('.', '')}" in answer


async def test_a_request_made_elsewhere_goes_to_the_persons_direct_messages(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    await answered(server, ANN, "route my laptop is broken", LOUNGE)
    await answered(server, ANN, "route my salary is wrong", BILLING)
    assert len(server.posts("D0ANN")) == 2
    assert server.posts(LOUNGE) == server.posts(BILLING) == []
    assert {message.place.chat for message in inbox.messages.values()} == {"D0ANN"}


@pytest.mark.parametrize("text", ["route", "route billing", "route  IT "])
async def test_route_without_words_says_how(server: SlackServer, socket: Slack, inbox: Recorder, text: str) -> None:
    assert "with what you need" in await answered(server, LEAD, text)
    assert inbox.messages == {}


async def test_a_request_that_could_not_be_taken_says_so(server: SlackServer, socket: Slack, inbox: Recorder) -> None:
    server.fail("conversations.open", error="user_disabled")
    assert "did not work just now" in await answered(server, BEN, "route my laptop is broken")
    inbox.down = True
    assert "did not work just now" in await answered(server, BEN, "route my laptop is broken")


# ── leads only ──


@pytest.mark.parametrize("verb", ["learn", "models", "promote routing-2", "rollback"])
async def test_the_model_is_the_leads_business(
    server: SlackServer, socket: Slack, chat_commands: FakeDesk, verb: str
) -> None:
    for other in (BEN, TEAM_LEAD, STRANGER):
        assert "Only leads can do that" in await answered(server, other, verb)
    assert chat_commands.did == []


async def test_learning_is_asked_for_once(server: SlackServer, socket: Slack, chat_commands: FakeDesk) -> None:
    assert "I learn now" in await answered(server, LEAD, "learn")
    assert "waits already" in await answered(server, LEAD, "learn")
    assert chat_commands.did == [("learn", LEAD), ("learn", LEAD)]


async def test_models_are_listed_and_the_pointer_is_moved(
    server: SlackServer, socket: Slack, chat_commands: FakeDesk
) -> None:
    assert "starter serves" in await answered(server, LEAD, "models")
    chat_commands.adapters = [(adapter_called("routing-1"), False), (adapter_called("routing-2"), True)]
    assert "routing-2 (2026-03-02)  ✓ serves" in await answered(server, LEAD, "models")
    assert "routing-2 serves from now on" in await answered(server, LEAD, "promote routing-2")
    assert "There is no adapter called routing-9" in await answered(server, LEAD, "promote routing-9")
    assert "promote NAME" in await answered(server, LEAD, "promote")
    assert "routing-1 serves again" in await answered(server, LEAD, "rollback")
    assert chat_commands.did == [("promote routing-2", LEAD), ("rollback", LEAD)]


# ── forget me ──


async def test_somebody_is_forgotten_once_they_confirm_and_only_themselves(
    server: SlackServer, socket: Slack, chat_commands: FakeDesk
) -> None:
    assert "forget me" in await answered(server, ANN, "forget")
    await answered(server, ANN, "forget me")
    shown = server.ephemerals(LOUNGE, ANN)[-1]
    assert [button["action_id"] for button in buttons(shown.blocks)] == ["forget_me"]
    assert chat_commands.did == []
    await server.presses(ANN, LOUNGE, shown.ts, "forget_me")
    await server.until(lambda: "Apagado: pedidos 2, exemplos 1." in server.ephemerals(LOUNGE, ANN)[-1].text)
    assert list(buttons(server.ephemerals(LOUNGE, ANN)[-1].blocks)) == []
    await server.presses(BEN, LOUNGE, shown.ts, "forget_me", value="yes")
    await server.until(lambda: len(chat_commands.did) == 2)
    assert chat_commands.did == [("forget", ANN), ("forget", BEN)], "a forged press forgets whoever pressed"


async def test_a_desk_that_is_down_is_said_kindly(server: SlackServer, socket: Slack, chat_commands: FakeDesk) -> None:
    chat_commands.down = True
    assert "did not work just now" in await answered(server, BEN, "status")


async def test_a_command_waits_for_nothing_to_be_acknowledged(server: SlackServer, socket: Slack) -> None:
    server.fail("users.info", delay=0.9)
    delivery = await server.clicks.command(BEN, LOUNGE, "status")
    assert delivery is not None
    await server.until(lambda: delivery.acked)
    assert delivery.acked_after < 0.5
    await whispered(server, LOUNGE, BEN)


async def test_without_listening_no_command_is_answered(server: SlackServer) -> None:
    async with speaking(config(server)):
        await server.clicks.command(ANN, LOUNGE, f"help <@{BOT_USER}>")
    assert server.calls_to("response_url") == []


async def test_an_unknown_word_is_called_unknown_before_the_help(server: SlackServer, socket: Slack) -> None:
    answer = await answered(server, LEAD, "dance")
    assert "I do not know “dance”" in answer
    assert "switchboard status" in answer
    assert "I do not know" not in await answered(server, LEAD, "help")
