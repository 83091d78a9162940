"""The Home tab: what people see there, and what only leads can do there."""

import json

import pytest

from bot.domain.messages import MessageRef, Place, choice
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import (
    ANN,
    BEN,
    BILLING,
    HELP,
    LEAD,
    STRANGER,
    TEAM_LEAD,
    FakeDesk,
    Recorder,
    card,
    item,
    request,
)
from tests.servers.slack import SlackServer


async def opened(server: SlackServer, user: str) -> str:
    """The person's Home tab, newly opened."""
    server.views.homes.pop(user, None)
    await server.opens_home(user)
    await server.until(lambda: user in server.views.homes)
    return json.dumps(server.views.homes[user], ensure_ascii=False)


async def test_people_see_their_open_requests_in_their_language(
    server: SlackServer, slack: Slack, chat_commands: FakeDesk
) -> None:
    ts = await server.writes(ANN, HELP, "I was charged twice")
    chat_commands.requests[ANN] = [request(MessageRef("slack", HELP, ts))]
    shown = await opened(server, ANN)
    assert "Seus pedidos em aberto" in shown and "I was charged twice" in shown
    assert "routing-3" not in shown and "home_learn" not in shown


async def test_leads_see_the_doubtful_with_a_link_to_the_card(
    server: SlackServer, socket: Slack, chat_commands: FakeDesk
) -> None:
    receipt = await socket.say(item(card(), Place("slack", BILLING)))
    chat_commands.doubts = [request(MessageRef("telegram", "42", "7"), card=receipt, label=None)]
    shown = await opened(server, LEAD)
    assert f"/archives/{BILLING}/p{receipt.id.replace('.', '')}" in shown
    for part in ("not sorted yet", "10 sorted, 80%", "routing-3 serves", "home_learn", "home_rollback", "home_route"):
        assert part in shown


async def test_a_team_picked_at_home_is_a_leads_choice_for_that_conversation(
    server: SlackServer, socket: Slack, inbox: Recorder, chat_commands: FakeDesk
) -> None:
    source = MessageRef("telegram", "42", "7")
    chat_commands.doubts = [request(source)]
    await opened(server, TEAM_LEAD)
    await server.clicks.press_home(TEAM_LEAD, "home_route", "it")
    await server.until(lambda: inbox.reactions)
    [said] = inbox.reactions
    assert (said.ref, said.actor.id, said.emoji, said.added) == (source, TEAM_LEAD, choice("it"), True)
    await server.until(lambda: len(server.calls_to("views.publish")) == 2)


@pytest.mark.parametrize("who", [ANN, STRANGER])
async def test_a_forged_press_of_somebody_who_leads_nothing_changes_nothing(
    server: SlackServer, socket: Slack, inbox: Recorder, chat_commands: FakeDesk, who: str
) -> None:
    element = {"type": "static_select", "action_id": "home_route", "block_id": "slack C0HELP 1.1"}
    await server.clicks.forge_home(who, dict(element), "it")
    for name in ("home_learn", "home_rollback"):
        await server.clicks.forge_home(who, {"type": "button", "action_id": name, "value": "x"}, "")
    await server.until(lambda: len(server.calls_to("views.publish")) == 3)
    assert inbox.reactions == []
    assert chat_commands.did == []


async def test_a_lead_of_one_team_cannot_press_what_concerns_all(
    server: SlackServer, socket: Slack, chat_commands: FakeDesk
) -> None:
    await server.clicks.forge_home(TEAM_LEAD, {"type": "button", "action_id": "home_rollback", "value": "x"}, "")
    await server.until(lambda: "Only leads can do that" in str(server.views.homes.get(TEAM_LEAD)))
    assert chat_commands.did == []


async def test_an_unknown_team_is_no_choice(server: SlackServer, socket: Slack, inbox: Recorder) -> None:
    element = {"type": "static_select", "action_id": "home_route", "block_id": "slack C0HELP 1.1"}
    await server.clicks.forge_home(LEAD, dict(element), "nobody")
    await server.until(lambda: server.calls_to("views.publish"))
    assert inbox.reactions == []


async def test_the_buttons_work_and_say_how_it_went(
    server: SlackServer, socket: Slack, chat_commands: FakeDesk
) -> None:
    await opened(server, LEAD)
    await server.clicks.press_home(LEAD, "home_learn")
    await server.until(lambda: "I learn now" in str(server.views.homes[LEAD]))
    await server.clicks.press_home(LEAD, "home_rollback")
    await server.until(lambda: "routing-1 serves again" in str(server.views.homes[LEAD]))
    assert chat_commands.did == [("learn", LEAD), ("rollback", LEAD)]


async def test_a_choice_that_could_not_be_stored_is_not_acknowledged(
    server: SlackServer, socket: Slack, inbox: Recorder, chat_commands: FakeDesk
) -> None:
    chat_commands.doubts = [request(MessageRef("slack", HELP, "1.1"))]
    await opened(server, LEAD)
    inbox.down = True
    pressed = await server.clicks.press_home(LEAD, "home_route", "it")
    await server.until(lambda: pressed.given_up)
    assert not pressed.acked


async def test_the_messages_tab_is_not_published(server: SlackServer, socket: Slack) -> None:
    await server.opens_home(BEN, tab="messages")
    await server.until(lambda: server.deliveries and server.deliveries[-1].acked)
    assert server.calls_to("views.publish") == []
