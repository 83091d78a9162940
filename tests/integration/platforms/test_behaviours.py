"""What a careful reviewer would test, through both real clients, the whole flow and a real database."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.platforms.telegram import rate_limits
from db.engine import Database
from db.tables import ConversationRow, DecisionRow, MessageRow, PostRow, PressRow, ReactionRow
from tests.integration.platforms.slack import parts as slack
from tests.servers.slack import BOT_USER
from tests.servers.telegram import User as Customer
from tests.worlds.both_platforms import nobody_waits_for_a_turn
from tests.worlds.three_teams import ANN, BO, KIM, LEE, MIA, ROOMS, SAM, Town, town_of_three_teams

ODD = [
    "the laptop " * 1000,
    "🔥🔥🔥",
    "המחשב שלי שבור laptop",
    "a\u200b\u200d\u2060 laptop",
    "lap\x00top \x00",
    "<!channel> & <b>_*[",
]


@pytest.fixture
async def town(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    nobody_waits_for_a_turn(monkeypatch)
    async with town_of_three_teams(database, tmp_path) as set_up:
        yield set_up


# --- intake ---


async def test_however_often_and_wherever_an_event_arrives_there_is_one_answer_and_one_look_at_the_model(
    town: Town,
) -> None:
    town.slack.courier.mischief.twice = True
    ts = await town.slack.writes(MIA, slack.HELP, f"<@{BOT_USER}> I was charged twice")
    await town.settles()
    for delivery in list(town.slack.deliveries):
        await town.slack.repeats(delivery.event_id)
    await town.settles()
    assert sum(delivery.attempts for delivery in town.slack.deliveries if "charged" in str(delivery.payload)) >= 6
    assert (len(town.replies(ts)), len(town.cards("billing")), town.story.predictor.asked) == (1, 1, 1)
    assert await town.count(ConversationRow) == await town.count(DecisionRow) == 1


async def test_an_edit_before_the_decision_is_what_is_routed(town: Town) -> None:
    ts = await town.slack.writes(MIA, slack.HELP, "my laptop is broken")
    await town.slack.until(lambda: all(delivery.acked for delivery in town.slack.deliveries))
    await town.slack.edits(MIA, slack.HELP, ts, "I was charged twice")
    number = await town.telegram.writes(ANN, "my laptop is broken")
    await town.telegram.edits(ANN, ANN, number, "where is my parcel")
    await town.settles()
    assert (town.standing(), town.cards("it"), town.telegram_cards("it")) == (["billing"], [], [])
    assert "where is my parcel" in town.telegram_cards("delivery")[0].text


@pytest.mark.parametrize("text", ODD, ids=["long", "emoji", "right to left", "zero width", "null", "markup"])
async def test_odd_words_are_routed_like_others_on_both_platforms(town: Town, text: str) -> None:
    ts = await town.asks(text)
    await town.says(text[:4096])
    assert len(town.replies(ts)) == len(town.told()) == 1
    assert await town.count(ConversationRow) == 2
    for post in (*town.replies(ts), *(card for team in ROOMS for card in town.cards(team))):
        assert "<!channel>" not in f"{post.text} {[b for b in post.blocks or [] if 'mrkdwn' in str(b)]}"


async def test_an_album_of_five_is_one_request_and_a_voice_message_is_asked_for_words_once(town: Town) -> None:
    for number in range(5):
        caption = "I was charged twice" if number == 0 else ""
        await town.telegram.shows(ANN, "photo", f"photo {number}", album="holiday", caption=caption)
    await town.settles()
    assert (len(town.told()), len(town.telegram_cards("billing"))) == (1, 1)
    await town.telegram.shows(SAM, "voice", b"hum")
    await town.telegram.shows(SAM, "voice", b"hum hum")
    await town.settles()
    assert len(town.telegram.posts(SAM)) == 1
    assert await town.count(ConversationRow) == 2


async def test_a_socket_that_drops_in_the_middle_loses_and_doubles_nothing(town: Town) -> None:
    asked = []
    for number in range(8):
        asked.append(await town.slack.writes(MIA, slack.HELP, f"I was charged {number} times"))
        if number == 3:
            await town.slack.sockets.close()
        if number == 5:
            await town.slack.sockets.disconnect("refresh_requested")
    await town.slack.until(lambda: all(delivery.acked for delivery in town.slack.deliveries), 30)
    await town.settles()
    assert await town.count(MessageRow) == 8
    assert await town.count(DecisionRow) == await town.count(ConversationRow)
    assert sum(len(town.replies(ts)) for ts in asked) == await town.count(ConversationRow)


# --- who is asked, and who may answer ---


async def test_only_the_person_answers_the_question_in_slack_and_only_once(town: Town) -> None:
    ts = await town.asks("something odd happened here")
    [question] = town.replies(ts)
    assert town.standing() == []
    await town.slack.presses(BO, slack.HELP, question.ts, "choose_0")
    await town.slack.presses(MIA, slack.HELP, question.ts, "choose_0", "42:billing")
    await town.settles()
    assert town.standing() == []
    await town.slack.presses(MIA, slack.HELP, question.ts, "choose_0")
    await town.settles()
    teams = town.standing()
    assert len(teams) == 1
    assert "button" not in str(town.slack.space.post(slack.HELP, question.ts).blocks)
    await town.slack.presses(MIA, slack.HELP, question.ts, "choose_1", "1")
    await town.settles()
    assert town.standing() == teams
    assert await town.count(PressRow) == 4, "what was refused is on record, too"


async def test_a_strangers_and_a_forged_press_in_a_telegram_group_are_let_go_and_on_record(town: Town) -> None:
    lounge = -1009
    town.telegram.add_group(lounge, "lounge")
    await town.telegram.writes(ANN, "@switchboard_bot something odd happened", lounge)
    await town.settles()
    question = town.telegram.posts(lounge)[-1]
    assert question.buttons
    presses = [
        await town.telegram.presses(SAM, lounge, question.message_id, "0"),
        await town.telegram.presses(ANN, lounge, question.message_id, "7:billing"),
    ]
    await town.settles()
    assert not [card for team in ROOMS for card in town.telegram_cards(team)]
    assert all(town.telegram.answers(press) is not None for press in presses)
    await town.telegram.presses(ANN, lounge, question.message_id, "0")
    await town.settles()
    await town.telegram.presses(ANN, lounge, question.message_id, "1")
    await town.settles()
    assert len([card for team in ROOMS for card in town.telegram_cards(team)]) == 1
    assert await town.count(PressRow) == 4


async def test_a_language_that_we_do_not_speak_is_answered_in_english(town: Town) -> None:
    for user, language in ((501, "de"), (502, None), (503, "pt-br")):
        town.telegram.add_user(Customer(id=user, first_name="Kai", language_code=language))
        await town.telegram.writes(user, "I was charged twice")
    await town.settles()
    heard = [town.telegram.posts(user)[0].text.split()[0] for user in (501, 502, 503)]
    assert heard == ["Thanks!", "Thanks!", "Obrigado!"]


# --- corrections ---


async def test_two_leads_a_moment_apart_make_one_final_team(town: Town) -> None:
    ts = await town.asks("I was charged twice")
    [card] = town.cards("billing")
    await town.slack.reacts(BO, slack.BILLING, card.ts, "wrench")
    await town.slack.until(lambda: all(delivery.acked for delivery in town.slack.deliveries))
    await town.slack.reacts(KIM, slack.BILLING, card.ts, "package")
    await town.settles()
    await town.settles()
    assert town.standing() == ["delivery"]
    assert town.cards("it") == []
    assert len([post for post in town.replies(ts) if "has your request now" in post.text]) == 1
    assert await town.count(ReactionRow) == 2
    assert await town.story.examples.waiting_corrections("routing") == 0, "leads who disagree teach nothing"


async def test_a_removal_that_is_delivered_before_its_reaction_is_the_last_word(town: Town) -> None:
    await town.asks("I was charged twice")
    [card] = town.cards("billing")
    town.slack.courier.mischief.held = []
    await town.slack.reacts(BO, slack.BILLING, card.ts, "wrench")
    await town.slack.unreacts(BO, slack.BILLING, card.ts, "wrench")
    await town.slack.until(lambda: len(town.slack.courier.mischief.held or []) == 2)
    await town.slack.courier.release()
    await town.settles()
    assert town.standing() == ["billing"]
    assert await town.count(ReactionRow) == 2


async def test_an_emoji_on_the_persons_own_message_or_on_anything_else_moves_nothing(town: Town) -> None:
    ts = await town.asks("I was charged twice")
    await town.slack.reacts(BO, slack.HELP, ts, "wrench")
    await town.slack.reacts(BO, slack.HELP, town.replies(ts)[0].ts, "wrench")
    talk = await town.slack.writes(BO, slack.BILLING, "lunch?")
    await town.slack.reacts(BO, slack.BILLING, talk, "wrench")
    await town.settles()
    assert town.standing() == ["billing"]


async def test_in_telegram_a_switch_is_one_move_and_taking_all_away_reverts_it(town: Town) -> None:
    await town.says("I was charged twice")
    [card] = town.telegram_cards("billing")
    billing = ROOMS["billing"][1]
    await town.telegram.reacts(LEE, billing, card.message_id, ["👎"])
    await town.settles()
    await town.telegram.reacts(LEE, billing, card.message_id, ["👀"])
    await town.settles()
    assert "Lee is on it" in town.telegram_cards("billing")[0].text
    assert [post for post in town.telegram.posts(billing) if post.buttons and "choose" in str(post.buttons)] == []
    await town.telegram.reacts(LEE, billing, card.message_id, ["🎅"])
    await town.settles()
    assert len(town.telegram_cards("delivery")) == 1
    assert len(town.told()) == 2
    await town.telegram.reacts(LEE, billing, card.message_id, ["👨‍💻"])
    await town.settles()
    assert (len(town.telegram_cards("delivery")), len(town.telegram_cards("it"))) == (1, 1)
    await town.telegram.reacts(LEE, billing, card.message_id, [])
    await town.settles()
    assert "Moved to billing" in town.telegram_cards("it")[-1].text
    assert await town.story.examples.waiting_corrections("routing") == 0, "withdrawn"


# --- rooms that fail ---


@pytest.mark.parametrize("problem", ["is_archived", "not_in_channel", "channel_not_found"])
async def test_a_channel_that_takes_no_card_loses_no_request_and_its_setting_is_named(town: Town, problem: str) -> None:
    channels = town.slack.space.channels
    match problem:
        case "is_archived":
            channels[slack.BILLING] = replace(channels[slack.BILLING], is_archived=True)
        case "not_in_channel":
            channels[slack.BILLING] = replace(channels[slack.BILLING], has_bot=False)
        case _:
            del channels[slack.BILLING]
    ts = await town.asks("I was charged twice")
    [card] = town.cards("it")
    told = [post.text for post in town.slack.posts(slack.IT) if post.thread_ts == card.ts]
    assert any("tasks.routing.labels.billing.deliver_to.slack" in text for text in told)
    assert len(town.replies(ts)) >= 1
    await town.settles()
    assert len(town.cards("it")) == 1


async def test_a_group_that_threw_us_out_sends_its_card_to_the_fallback_team_with_what_to_mend(
    town: Town,
) -> None:
    await town.telegram.makes_bot(ROOMS["billing"][1], "kicked", LEE)
    await town.says("I was charged twice")
    [card] = town.telegram_cards("it")
    told = [post.text for post in town.telegram.posts(ROOMS["it"][1]) if post.reply_to == card.message_id]
    assert any("A card for billing" in text and "add the bot to the group again" in text for text in told)
    assert len(town.told()) >= 1


async def test_what_could_not_be_said_for_a_token_that_was_taken_back_is_said_with_the_next_one(town: Town) -> None:
    for method in ("chat.postMessage", "chat.getPermalink"):
        town.slack.fail(method, error="token_revoked", times=100)
    town.telegram.fail("sendMessage", status=401, error="Unauthorized", times=100)
    ts = await town.asks("I was charged twice")
    await town.says("where is my parcel")
    assert (town.replies(ts), town.told(), town.standing()) == ([], [], [])
    town.slack.heal()
    town.telegram.heal()
    for minutes in (15, 4, 4, 4):  # its back-off depends on how often it was tried
        town.story.later(minutes=minutes)
        await town.settles()
    assert (len(town.replies(ts)), len(town.told()), town.standing()) == (1, 1, ["billing"])
    assert (len(town.telegram_cards("delivery")), town.telegram_cards("it")) == (1, [])


# --- what nobody takes, and what belongs to another team ---


async def test_what_nobody_takes_is_said_to_the_team_and_then_to_the_fallback_team(town: Town) -> None:
    await town.asks("I was charged twice")
    await town.says("where is my parcel")
    for minutes, rooms in ((31, ("billing", "delivery")), (31, ("it", "it"))):
        before = len(town.slack.posts(ROOMS[rooms[0]][0])), len(town.telegram.posts(ROOMS[rooms[1]][1]))
        town.story.later(minutes=minutes)
        await town.settles()
        after = len(town.slack.posts(ROOMS[rooms[0]][0])), len(town.telegram.posts(ROOMS[rooms[1]][1]))
        assert after == (before[0] + 1, before[1] + 1)
        assert "Nobody" in town.slack.posts(ROOMS[rooms[0]][0])[-1].text
    town.story.later(minutes=300)
    said = len(town.slack.calls_to("chat.postMessage"))
    await town.settles()
    assert len(town.slack.calls_to("chat.postMessage")) == said, "nobody is reminded for ever"


async def test_another_matter_in_a_private_chat_is_split_off_with_one_tap(town: Town) -> None:
    await town.says("I was charged twice")
    await town.says("and besides, where is my parcel of last week")
    offer = town.told()[-1]
    [value] = re.findall(r"callback_data': '(\w+)'", str(offer.buttons))
    assert town.telegram_cards("delivery") == []
    await town.telegram.presses(ANN, ANN, offer.message_id, value)
    await town.settles()
    assert len(town.telegram_cards("delivery")) == 1
    assert await town.count(ConversationRow) == 2


async def test_the_sending_emoji_sends_a_note_from_slack_to_slack_and_shows_its_tick(town: Town) -> None:
    ts = await town.asks("I was charged twice")
    [card] = town.cards("billing")
    note = await town.slack.writes(BO, slack.BILLING, "the money is on its way", thread_ts=card.ts)
    await town.settles()
    assert len(town.replies(ts)) == 1
    await town.slack.reacts(BO, slack.BILLING, note, "outbox_tray")
    await town.settles()
    assert "the money is on its way" in town.replies(ts)[-1].text
    thread = [post.text for post in town.slack.posts(slack.BILLING) if post.thread_ts == card.ts]
    assert any("✓" in text and "sent to" in text for text in thread)


# --- pace ---


async def test_sixty_corrections_in_one_group_within_a_minute_stay_within_its_limit_and_none_is_lost(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The minute is long enough for sixty corrections on any machine; then it is over."""
    customers = range(900, 910)
    for user in customers:
        await town.telegram.writes(user, "I was charged twice")
    await town.settles()
    cards = town.telegram_cards("billing")
    assert len(cards) == len(customers)
    _sets_pace(town, monkeypatch, seconds=600.0)
    before = len(town.telegram.calls)
    for emoji in (["👀"], [], ["👀"], [], ["👀"], ["👌"]):
        for card in cards:
            await town.telegram.reacts(LEE, card.chat, card.message_id, emoji)
        await town.settles()
    assert _said_in_billing(town, before) == 20
    assert await _owed(town)
    _sets_pace(town, monkeypatch, seconds=3.0)
    town.story.later(seconds=601)
    async with asyncio.timeout(60):
        while await _owed(town):
            await town.settles()
    assert all("Done" in card.text for card in town.telegram_cards("billing"))
    assert _said_in_billing(town, before) < 60, "of wordings that wait only the newest is said"


def _sets_pace(town: Town, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Allow twenty posts in a group in so many seconds, counted from now on."""
    monkeypatch.setattr(rate_limits, "_GROUP", (20, seconds))
    town.story.chats[0]._sender._pace = rate_limits.Pace()  # type: ignore[attr-defined]


def _said_in_billing(town: Town, since: int) -> int:
    group = str(ROOMS["billing"][1])
    said = [call for call in town.telegram.calls[since:] if call.method in ("sendMessage", "editMessageText")]
    return sum(str(call.args["chat_id"]) == group for call in said)


async def _owed(town: Town) -> int:
    return await town.count(PostRow, PostRow.said_at.is_(None), PostRow.given_up_at.is_(None))
