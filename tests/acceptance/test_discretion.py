"""What a running bot writes to its most detailed log about people: no text, names, numbers or tokens."""

import re
from dataclasses import replace
from pathlib import Path

from tests.acceptance.processes import Home
from tests.acceptance.unserved import Records, bot, settings
from tests.postgres import make_database
from tests.servers.slack import User as Employee
from tests.servers.telegram import User as Customer
from tests.worlds.company import CHANNELS, GROUPS, HELP, SLACK_LEAD, TELEGRAM_LEAD, Town, town

WORD = "xylophone"
"""A word that every message in this test contains."""
SECRETS = (WORD, "Zebulon", "Quirina", "Ludmilla", "Ottokar", "zebby", "491701234567")
MIRA, ASKS = 8800, "U0ZEB"


async def test_after_everything_that_can_happen_no_word_name_number_or_token_was_written_down(
    postgres_url: str, homes: Path
) -> None:
    folder = homes / "discretion"
    folder.mkdir()
    records = Records(make_database(postgres_url, "discretion"))
    async with town() as around:
        home = Home(folder, around.environment() | {"SWITCHBOARD_LOG": "DEBUG"})
        home.settings(settings(around, records.url))
        around.slack.add_user(Employee(id=ASKS, name="Zebulon"))
        around.slack.add_user(Employee(id=SLACK_LEAD, name="Ludmilla"))
        around.telegram.add_user(Customer(id=MIRA, first_name="Quirina", username="zebby"))
        around.telegram.add_user(Customer(id=TELEGRAM_LEAD, first_name="Ottokar"))
        for group in GROUPS.values():
            around.telegram.add_member(group, TELEGRAM_LEAD)
        async with bot(home, around.listen) as talkative:
            await _a_day_in_slack(around, records)
            await _a_day_in_telegram(around, records)
            await _bad_luck(around, records)
            told = await talkative.page("/metrics") + await talkative.page("/readyz")
            done = await talkative.process.stops()
        assert done.code == 0
        written = done.out + done.err
        assert (
            "delivered" in written
            and "delivery postponed" in written
            and "delivery given up" in written
            and "update skipped" in written
        )
        tokens = (around.slack.bot_token, around.slack.app_token, around.telegram.token)
        found = [(secret, _line(written, secret)) for secret in (*SECRETS, *tokens) if secret in written]
        assert not found
        assert not [secret for secret in (*SECRETS, *tokens) if secret in told]
        left = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert not [(path, token) for path, what in left.items() for token in tokens if token.encode() in what]
        for platform in ("slack", "telegram"):
            assert re.search(
                rf'switchboard_decisions{{by="(examples|memory)",label="billing",platform="{platform}"', told
            )


async def _a_day_in_slack(around: Town, records: Records) -> None:
    """Asked, edited, corrected, noted, answered, closed, moved by command, deleted, and forgotten at the end."""
    slack, room = around.slack, CHANNELS["billing"]
    ts = await slack.writes(ASKS, HELP, f"I was charged twice, {WORD}")
    card = await around.slack_card("billing", WORD)
    await slack.edits(ASKS, HELP, ts, f"I was charged twice, really, {WORD}")
    await slack.writes(ASKS, HELP, f"and once more {WORD}", thread_ts=ts)
    await slack.writes(SLACK_LEAD, room, f"what a {WORD}", thread_ts=card.ts)
    await slack.writes(SLACK_LEAD, room, f"reply: wait for the {WORD}", thread_ts=card.ts)
    await around.replied(ts, 2)
    await slack.reacts(SLACK_LEAD, room, card.ts, "package")
    moved = await around.slack_card("delivery", WORD)
    for name in ("eyes", "white_check_mark", "-1"):
        await slack.reacts(SLACK_LEAD, CHANNELS["delivery"], moved.ts, name)
    await slack.attaches(
        ASKS, ASKS, f"Where is my parcel, {WORD}?", slack.files.add(f"{WORD}.png", b"x", "image/png", HELP)
    )
    await slack.clicks.command(ASKS, HELP, f"route When will I get my refund, {WORD}?")
    await slack.clicks.command(SLACK_LEAD, HELP, f"why {WORD}")
    await slack.opens_home(SLACK_LEAD)
    await records.until_said(4, 30)
    await slack.deletes(ASKS, HELP, ts)
    await slack.clicks.command(ASKS, HELP, "forget me")
    [shown] = await slack.until(lambda: [one for one in slack.ephemerals(HELP, ASKS) if "forget_me" in str(one.blocks)])
    await slack.presses(ASKS, HELP, shown.ts, "forget_me")
    await slack.until(lambda: WORD not in str([post.blocks for post in slack.posts(CHANNELS["delivery"])]), 30)


async def _a_day_in_telegram(around: Town, records: Records) -> None:
    """Text, unusual text, an album, a contact, unparsable updates, notes, reactions, a block and commands."""
    telegram, group = around.telegram, GROUPS["billing"]
    heard = records.count("SELECT count(*) FROM messages")
    await telegram.writes(MIRA, f"I was charged twice, {WORD}")
    card = await around.telegram_card("billing", WORD)
    for text in (f"{WORD} \x00\u202e\ud800 <b>&", f"{WORD} " * 500):
        await telegram.writes(MIRA, text.encode("utf-16", "replace").decode("utf-16"))
    telegram.sends("message", {"message_id": 1, "text": f"no chat, no date, {WORD}"})
    await telegram.shows(MIRA, "photo", WORD, caption=WORD)
    phone: dict[str, object] = {"contact": {"phone_number": "+491701234567", "first_name": "Quirina", "user_id": MIRA}}
    await telegram.writes(MIRA, "", extra=phone)
    await telegram.writes(TELEGRAM_LEAD, f"not ours, {WORD}", group, reply_to=card.message_id)
    await telegram.writes(TELEGRAM_LEAD, f"reply: soon, {WORD}", group, reply_to=card.message_id)
    for emoji in ("👀", "👎", "🎅"):
        await telegram.reacts(TELEGRAM_LEAD, group, card.message_id, [emoji])
    await telegram.presses(666, group, card.message_id, f"{WORD}:forged")
    for command in ("/start tkt", "/status", "/privacy", f"/language {WORD}", f"/{WORD}"):
        await telegram.writes(MIRA, command)
    await telegram.until(lambda: not telegram.feed.pending, 30)
    await records.until_said(heard + 5, 90)


async def _bad_luck(around: Town, records: Records) -> None:
    """Slack and Telegram limit, refuse, fail and lose answers; a person blocks the bot; a room is closed."""
    slack, telegram = around.slack, around.telegram
    for method, talk in (("chat.postMessage", slack), ("sendMessage", telegram)):
        talk.fail(method, retry_after=1)
        talk.fail(method, status=503)
        talk.fail(method, lose_response=True)
    slack.add_channel(replace(slack.space.channels[CHANNELS["support"]], is_archived=True))
    heard = records.count("SELECT count(*) FROM messages")
    await slack.writes(ASKS, HELP, f"The app crashes when I open it {WORD}")
    await telegram.writes(MIRA, "/new")
    await telegram.writes(MIRA, f"Where is my parcel, {WORD}?")
    card = await around.telegram_card("delivery", WORD)
    await telegram.blocks(MIRA)
    await telegram.writes(TELEGRAM_LEAD, f"reply: {WORD}!", GROUPS["delivery"], reply_to=card.message_id)
    await slack.sockets.disconnect("refresh_requested")
    await telegram.until(lambda: not telegram.feed.pending, 30)
    await records.until_said(heard + 2, 120)
    slack.emits({"type": "message", "channel": {"odd": WORD}, "user": [WORD], "text": {"a": WORD}, "ts": WORD})
    await slack.until(lambda: slack.deliveries[-1].attempts)


def _line(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)
