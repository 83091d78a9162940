"""Forms: "Send to a team" on any message, "Reply" on a card."""

import json

import pytest

from bot.domain.messages import Media, MediaKind, MessageRef, Place, choice
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import (
    ANN,
    BEN,
    BILLING,
    HELP,
    LEAD,
    LOUNGE,
    ROBOT,
    STRANGER,
    FakeDesk,
    Recorder,
    account,
    card,
    item,
    whispered,
)
from tests.servers.slack import BOT_USER, Channel, SlackServer
from tests.servers.slack.views import View


async def form_of(server: SlackServer) -> View:
    """The form that opens next."""
    await server.until(lambda: server.views.forms)
    return list(server.views.forms.values())[-1]


async def test_anybody_may_make_a_message_a_request_and_we_decide(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    file = server.files.add("screen.png", b"bytes", "image/png", LOUNGE)
    ts = await server.attaches(BEN, LOUNGE, "my laptop &amp; screen are broken", file)
    await server.clicks.shortcut(ANN, LOUNGE, ts)
    form = await form_of(server)
    assert "static_select" not in json.dumps(form.content)
    sent = await server.clicks.submit(ANN, form, "")
    await server.until(lambda: sent.acked)
    [message] = inbox.messages.values()
    assert (message.ref, message.place) == (MessageRef("slack", LOUNGE, ts), Place("slack", LOUNGE, ts))
    assert (message.author.id, message.text, message.opens) == (BEN, "my laptop & screen are broken", True)
    link = f"https://test.slack.com/files/{file.id}"
    assert message.media == (Media("slack", file.id, MediaKind.PHOTO, "screen.png", len(file.content), link),)
    assert inbox.reactions == []


async def test_a_leads_pick_makes_the_request_and_says_the_team(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    ts = await server.writes(BEN, LOUNGE, "my laptop is broken")
    await server.clicks.shortcut(LEAD, LOUNGE, ts)
    form = await form_of(server)
    assert form.content["title"] == {"type": "plain_text", "text": "Send to a team"}
    await server.clicks.submit(LEAD, form, "it")
    await server.until(lambda: inbox.reactions)
    ref = MessageRef("slack", LOUNGE, ts)
    assert inbox.messages[ref].author.id == BEN
    assert [(said.ref, said.actor.id, said.emoji) for said in inbox.reactions] == [(ref, LEAD, choice("it"))]


async def test_a_lead_may_let_us_decide_too(server: SlackServer, socket: Slack, inbox: Recorder) -> None:
    ts = await server.writes(BEN, LOUNGE, "my laptop is broken")
    await server.clicks.shortcut(LEAD, LOUNGE, ts)
    await server.clicks.submit(LEAD, await form_of(server), "-")
    await server.until(lambda: inbox.messages)
    assert inbox.reactions == []


async def test_a_leads_pick_on_a_request_moves_it(
    server: SlackServer, socket: Slack, inbox: Recorder, chat_commands: FakeDesk
) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice")
    reply = await server.writes(ANN, HELP, "on Monday", thread_ts=root)
    source = MessageRef("slack", HELP, root)
    chat_commands.accounts[source] = account(source)
    await server.until(lambda: len(inbox.messages) == 2)
    await server.clicks.shortcut(LEAD, HELP, reply)
    form = await form_of(server)
    assert '"value": "-"' not in json.dumps(form.content), "it is decided already: it can only be moved"
    await server.clicks.submit(LEAD, form, "it")
    await server.until(lambda: inbox.reactions)
    assert (inbox.reactions[0].ref, inbox.reactions[0].emoji) == (source, choice("it"))
    assert len(inbox.messages) == 2


async def test_others_are_told_that_it_is_a_request_already(
    server: SlackServer, socket: Slack, chat_commands: FakeDesk
) -> None:
    ts = await server.writes(BEN, HELP, "I was charged twice")
    ref = MessageRef("slack", HELP, ts)
    chat_commands.accounts[ref] = account(ref)
    await server.clicks.shortcut(BEN, HELP, ts)
    assert "This is a request already" in (await whispered(server, HELP, BEN)).text
    assert server.views.forms == {}


@pytest.mark.parametrize("who", [BEN, STRANGER])
async def test_a_forged_pick_of_somebody_who_leads_nothing_is_refused_in_the_form(
    server: SlackServer, slack: Slack, inbox: Recorder, who: str
) -> None:
    ts = await server.writes(ANN, LOUNGE, "my laptop is broken")
    await server.clicks.shortcut(LEAD, LOUNGE, ts)
    sent = await server.clicks.submit(who, await form_of(server), "it")
    await server.until(lambda: sent.acked)
    assert sent.answer == {"response_action": "errors", "errors": {"answer": "Only leads can do that."}}
    assert inbox.messages == {} and inbox.reactions == []


async def test_a_trigger_that_is_too_old_is_explained(server: SlackServer, slack: Slack) -> None:
    ts = await server.writes(BEN, LOUNGE, "my laptop is broken")
    await server.clicks.shortcut(BEN, LOUNGE, ts, wait=0.0)
    assert "That took too long" in (await whispered(server, LOUNGE, BEN)).text


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        (Channel(id=BILLING, name="billing"), "no request"),
        (Channel(id="C0ALIEN", name="alien", has_bot=False), "Invite me first"),
        (Channel(id="D0OTHERS", name="others", kind="im", has_bot=False), "Invite me first"),
    ],
)
async def test_where_no_answer_could_be_given_no_request_is_taken(
    server: SlackServer, socket: Slack, channel: Channel, told: str
) -> None:
    server.add_channel(channel)
    if channel.kind == "im":
        server.fail("conversations.info", error="channel_not_found", times=10)  # the check at the start asks, too
    ts = await server.writes(BEN, channel.id, "my laptop is broken")
    await server.clicks.shortcut(BEN, channel.id, ts)
    assert told in (await whispered(server, channel.id, BEN)).text
    assert server.views.forms == {}


async def test_what_a_bot_posted_becomes_the_request_of_who_sends_it(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    ts = await server.writes(ROBOT, LOUNGE, "monitor: disk full", extra={"bot_id": "B0ROBOT"})
    await server.clicks.shortcut(BEN, LOUNGE, ts)
    await server.clicks.submit(BEN, await form_of(server), "")
    await server.until(lambda: inbox.messages)
    assert next(iter(inbox.messages.values())).author.id == BEN


async def test_a_message_of_ten_thousand_characters_fits_a_form(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    ts = await server.writes(BEN, LOUNGE, "Щ" * 10_000)
    await server.clicks.shortcut(BEN, LOUNGE, ts)
    await server.clicks.submit(BEN, await form_of(server), "")
    await server.until(lambda: inbox.messages)
    assert len(inbox.texts[0]) > 2_000


async def test_a_form_that_could_not_be_stored_stays_open(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    ts = await server.writes(BEN, LOUNGE, "my laptop is broken")
    await server.clicks.shortcut(BEN, LOUNGE, ts)
    form = await form_of(server)
    inbox.down = True
    sent = await server.clicks.submit(BEN, form, "")
    await server.until(lambda: sent.given_up)
    inbox.down = False
    again = await server.clicks.submit(BEN, form, "")
    await server.until(lambda: again.acked)
    assert inbox.texts == ["my laptop is broken"]


# ── replying from the card ──


async def test_what_is_written_in_the_form_of_a_card_is_a_note_to_be_sent(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    receipt = await slack.say(item(card(), Place("slack", BILLING)))
    await server.presses(BEN, BILLING, receipt.id, "write_reply")
    form = await form_of(server)
    for _ in range(2):
        sent = await server.clicks.submit(BEN, form, "We paid you back.")
        await server.until(lambda: sent.acked)  # noqa: B023
    [note] = inbox.notes.values()
    assert (note.under, note.author.id, note.text, note.send) == (receipt, BEN, "We paid you back.", True)
    assert inbox.presses == []


async def test_people_of_another_company_cannot_reply(server: SlackServer, socket: Slack) -> None:
    receipt = await socket.say(item(card(), Place("slack", BILLING)))
    await server.presses(STRANGER, BILLING, receipt.id, "write_reply")
    assert "Only people of this company" in (await whispered(server, BILLING, STRANGER)).text
    assert server.views.forms == {}


async def test_another_apps_form_is_none_of_ours(server: SlackServer, socket: Slack, inbox: Recorder) -> None:
    alien = View("V0ALIEN", BEN, {"type": "modal", "callback_id": "survey", "blocks": []})
    sent = await server.clicks.submit(BEN, alien, f"<@{BOT_USER}>")
    await server.until(lambda: sent.acked)
    assert (inbox.messages, inbox.notes, sent.answer) == ({}, {}, {})
