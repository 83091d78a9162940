"""Posts are sent once, to the right place, and to the people whom they concern."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import MessageRef, Place
from bot.domain.posts import Answer, FollowUp, Notice, Offer, Question, Reply, What, WrongTeam
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import ANN, BEN, BILLING, HELP, IT, Recorder, card, item, person, settled
from tests.servers.slack import Channel, SlackServer


async def test_an_answer_is_said_in_the_thread_once_and_carries_the_posts_id(server: SlackServer, mouth: Slack) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice")
    receipt = await mouth.say(item(Answer("billing", "es"), Place("slack", HELP, root)))
    [post] = server.posts(HELP)
    assert receipt == MessageRef("slack", HELP, post.ts)
    assert (post.thread_ts, post.text) == (root, "¡Gracias! Esto es para el equipo billing. Ya tiene tu solicitud.")
    assert post.metadata == {"event_type": "switchboard_post", "event_payload": {"post": 41, "kind": "Answer"}}
    sent = server.calls_to("chat.postMessage")[0].args
    assert (str(sent["unfurl_links"]), str(sent["unfurl_media"])) == ("False", "False")


async def test_a_card_links_to_the_conversation_and_pings_nobody(server: SlackServer, mouth: Slack) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice <!channel>")
    await mouth.say(item(card(MessageRef("slack", HELP, root)), Place("slack", BILLING)))
    [post] = server.posts(BILLING)
    assert f"/archives/{HELP}/p{root.replace('.', '')}|" in str(post.blocks)
    assert "<!channel>" not in post.text
    assert post.thread_ts is None


@pytest.mark.parametrize(
    "source",
    [MessageRef("slack", HELP, "1.1"), MessageRef("slack", "D0ANN", "1.1"), MessageRef("telegram", "5", "6")],
    ids=["unknown", "direct", "elsewhere"],
)
async def test_a_card_without_a_place_to_link_to_is_posted_all_the_same(
    server: SlackServer, mouth: Slack, source: MessageRef
) -> None:
    await mouth.say(item(card(source), Place("slack", BILLING)))
    [post] = server.posts(BILLING)
    assert "See the conversation" not in str(post.blocks)


async def test_an_edit_rewrites_the_post_and_takes_its_buttons_away(server: SlackServer, mouth: Slack) -> None:
    asked = await mouth.say(item(Question(("billing", "it"), None)))
    again = await mouth.say(item(Question((), None, answered="it", chosen=True), edits=asked))
    assert again == asked
    [post] = server.posts(HELP)
    assert "You chose IT &amp; Tools." in post.text
    assert "button" not in str(post.blocks)


async def test_a_follow_up_goes_under_its_card(server: SlackServer, mouth: Slack) -> None:
    receipt = await mouth.say(item(card(MessageRef("slack", "D0ANN", "1.1")), Place("slack", BILLING)))
    await mouth.say(item(FollowUp("Ann", "and it is urgent"), Place("slack", BILLING), under=receipt))
    assert server.posts(BILLING)[1].thread_ts == receipt.id


async def test_a_struck_card_links_to_the_one_that_took_its_place(server: SlackServer, mouth: Slack) -> None:
    old = await mouth.say(item(card(), Place("slack", BILLING)))
    new = await mouth.say(item(card(), Place("slack", IT)))
    await mouth.say(item(card(moved_to="it", moved_link=new), Place("slack", BILLING), edits=old))
    [post] = server.posts(BILLING)
    assert f"/archives/{IT}/p{new.id.replace('.', '')}|See it there" in str(post.blocks)


async def test_a_notice_in_another_room_links_to_the_card_it_is_about(server: SlackServer, mouth: Slack) -> None:
    there = await mouth.say(item(card(), Place("slack", BILLING)))
    await mouth.say(item(Notice(What.UNTAKEN, "billing", "Ann", minutes=60, about=there), Place("slack", IT)))
    [post] = server.posts(IT)
    assert f"/archives/{BILLING}/p{there.id.replace('.', '')}|See it there" in str(post.blocks)
    assert "Ann" in post.text


async def test_buttons_for_leads_and_replies_for_people_land_where_they_belong(
    server: SlackServer, mouth: Slack
) -> None:
    receipt = await mouth.say(item(card(), Place("slack", BILLING)))
    root = await server.writes(ANN, ANN, "I was charged twice")
    await mouth.say(item(WrongTeam(("billing", "it")), Place("slack", BILLING), under=receipt))
    await mouth.say(item(Reply("billing", "We paid.", "pt-BR", "Ben"), Place("slack", "D0ANN", root)))
    assert server.posts(BILLING)[1].thread_ts == receipt.id
    [reply] = server.posts("D0ANN")
    assert reply.thread_ts == root
    assert "billing escreve" in reply.text and "We paid." in reply.text


# ── messages to one person ──


async def test_what_is_only_for_one_person_is_shown_to_them_alone(server: SlackServer, mouth: Slack) -> None:
    assert mouth.whispers
    server.space.user(BEN)
    receipt = await mouth.say(item(card(), Place("slack", BILLING)))
    notice = item(Notice(What.NO_LEAD), Place("slack", BILLING), only_for=person(BEN), under=receipt)
    await mouth.say(notice)
    [shown] = server.ephemerals(BILLING, BEN)
    assert "Only leads move requests" in shown.text
    assert shown.thread_ts == receipt.id
    assert len(server.posts(BILLING)) == 1


async def test_an_offer_loses_its_button_once_it_was_pressed_and_sent(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    server.space.user(BEN)
    place = Place("slack", BILLING)
    receipt = await socket.say(item(card(), place))
    offer = await socket.say(item(Offer(3, "Ann", "We paid."), place, only_for=person(BEN), under=receipt))
    await server.presses(BEN, BILLING, offer.id, "choose_send")
    await server.until(lambda: inbox.presses)
    assert (inbox.presses[0].ref, inbox.presses[0].value) == (offer, "send")
    done = await socket.say(item(Offer(3, "Ann", "We paid.", sent=True), place, only_for=person(BEN), edits=offer))
    assert done == offer
    [shown] = server.ephemerals(BILLING, BEN)
    assert "On its way to Ann" in shown.text
    assert "button" not in str(shown.blocks)
    assert server.calls_to("chat.update") == []


async def test_a_whisper_that_nobody_pressed_stays_as_it_was(server: SlackServer, mouth: Slack) -> None:
    server.space.user(BEN)
    place = Place("slack", BILLING)
    offer = await mouth.say(item(Offer(3, "Ann", "We paid."), place, only_for=person(BEN)))
    again = item(Offer(3, "Ann", "We paid.", sent=True), place, only_for=person(BEN), edits=offer)
    assert await mouth.say(again) == offer


# ── never twice ──


@pytest.mark.parametrize("threaded", [False, True], ids=["in the channel", "in a thread"])
async def test_a_post_whose_answer_got_lost_is_found_and_not_said_again(
    server: SlackServer, mouth: Slack, threaded: bool
) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice") if threaded else None
    place = Place("slack", HELP, root)
    server.fail("chat.postMessage", lose_response=True)
    with pytest.raises(Unreachable):
        await mouth.say(item(Answer("billing", None), place))
    receipt = await mouth.say(item(Answer("billing", None), place, attempt=2))
    [post] = server.posts(HELP)
    assert receipt == MessageRef("slack", HELP, post.ts)
    assert len(server.calls_to("chat.postMessage")) == 1


async def test_a_post_that_was_not_said_is_said_by_the_second_attempt(server: SlackServer, mouth: Slack) -> None:
    server.fail("chat.postMessage", status=503)
    with pytest.raises(Unreachable):
        await mouth.say(item(Answer("billing", None)))
    await mouth.say(item(Answer("billing", None), id=40, attempt=1))
    await mouth.say(item(Answer("billing", None), attempt=2))
    assert len(server.posts(HELP)) == 2, "another post's metadata is not taken for this one's"


async def test_it_is_found_among_hundreds_of_later_replies(server: SlackServer, mouth: Slack) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice")
    for number in range(150):
        await server.writes(BEN, HELP, f"me too {number}", thread_ts=root)
    first = await mouth.say(item(Answer("billing", None), Place("slack", HELP, root)))
    again = await mouth.say(item(Answer("billing", None), Place("slack", HELP, root), attempt=2))
    assert again == first
    assert len(server.calls_to("conversations.replies")) == 2


async def test_while_slack_cannot_say_whether_it_was_said_nothing_is_said(server: SlackServer, mouth: Slack) -> None:
    server.fail("conversations.history", status=503)
    with pytest.raises(Unreachable):
        await mouth.say(item(Answer("billing", None), attempt=2))
    assert server.posts(HELP) == []


# ── at Slack's pace ──


async def test_one_channels_rate_limit_holds_up_no_other(server: SlackServer, mouth: Slack) -> None:
    server.fail("chat.postMessage", retry_after=2)
    with pytest.raises(Unreachable):
        await mouth.say(item(Answer("billing", None)))
    assert mouth.delay(item(card(), Place("slack", BILLING))) == timedelta(0)
    assert timedelta(seconds=1) < mouth.delay(item(Answer("billing", None))) <= timedelta(seconds=2)


async def test_a_burst_in_one_channel_is_said_at_about_one_a_second(server: SlackServer, mouth: Slack) -> None:
    waits = [mouth.delay(item(Answer("billing", None), id=number)) for number in range(7)]
    assert waits[:5] == [timedelta(0)] * 5
    assert timedelta(seconds=0.5) < waits[5] <= timedelta(seconds=1) < waits[6] <= timedelta(seconds=2)
    rewriting = replace(item(Answer("billing", None), id=8), edits=MessageRef("slack", HELP, "1.1"))
    assert mouth.delay(rewriting) == timedelta(0)


async def test_reads_wait_for_as_long_as_slack_asks(server: SlackServer, mouth: Slack) -> None:
    server.fail("conversations.info", retry_after=1, times=2)
    await mouth.say(item(card(), Place("slack", BILLING)))
    assert len(server.posts(BILLING)) == 1


# ── with strangers in the channel ──


async def test_a_card_is_not_shown_to_another_company_and_the_setting_is_named(
    server: SlackServer, mouth: Slack
) -> None:
    server.add_channel(Channel(id=BILLING, name="billing", is_shared=True))
    for content in (card(), FollowUp("Ann", "and more")):
        with pytest.raises(
            Refused, match=r"shared with another company.*tasks\.routing\.labels\.billing\.deliver_to\.slack"
        ):
            await mouth.say(item(content, Place("slack", BILLING)))
    assert server.posts(BILLING) == []


async def test_a_channel_that_was_shared_meanwhile_is_noticed(server: SlackServer, socket: Slack) -> None:
    await socket.say(item(card(), Place("slack", BILLING)))
    server.add_channel(Channel(id=BILLING, name="billing", is_shared=True))
    server.emits({"type": "channel_shared", "channel": BILLING, "connected_team_id": "T0OTHER"})
    await server.until(settled(server))
    with pytest.raises(Refused, match="shared"):
        await socket.say(item(card(), Place("slack", BILLING)))


async def test_a_stranger_is_answered_in_a_shared_channel(server: SlackServer, mouth: Slack) -> None:
    server.add_channel(Channel(id=HELP, name="help", is_shared=True))
    await mouth.say(item(Answer("billing", None)))
    assert len(server.posts(HELP)) == 1
