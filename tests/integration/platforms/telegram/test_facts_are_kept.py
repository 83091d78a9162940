"""What the real ledger stores of Telegram's updates."""

from datetime import timedelta

from telegram import Update

from bot.domain.ledger import ThreadingPolicy
from bot.domain.messages import Message
from bot.platforms.telegram.events import read
from bot.platforms.telegram.facts import BotIdentity, Fact
from db.engine import Database
from db.ledger import PostgresLedger
from tests.integration.platforms.telegram.parts import ANN, STRANGER
from tests.samples import NOW

COMMUNITY = {"id": -1008, "type": "supergroup", "title": "community", "is_forum": True}
SECONDS = timedelta(seconds=3)
JOINING = ThreadingPolicy(SECONDS, timedelta(hours=24), timedelta(hours=72))


def asked(number: int, user: int, **changes: object) -> Fact:
    """A person addresses the bot in a topic of a group."""
    message = {
        "message_id": number,
        "date": int(NOW.timestamp()),
        "chat": COMMUNITY,
        "from": {"id": user, "is_bot": False, "first_name": "Somebody"},
        "text": "@switchboard_bot my parcel is lost",
        "message_thread_id": 45,
        "is_topic_message": True,
    }
    [fact] = read(
        Update.de_json({"update_id": number, "message": message | changes}), BotIdentity(1, "switchboard_bot")
    )
    return fact


async def test_two_people_in_one_topic_have_two_conversations_and_a_repeat_changes_nothing(database: Database) -> None:
    ledger = PostgresLedger(database, "none")
    said = [asked(5, ANN), asked(6, STRANGER), asked(7, ANN, text="@switchboard_bot since Monday")]
    stored = []
    for fact in [*said, *said]:
        assert isinstance(fact, Message)
        stored.append(await ledger.add_message(fact, JOINING))
    assert stored == [True] * 3 + [False] * 3
    cases = await ledger.claim_undecided(NOW + timedelta(minutes=1), SECONDS, timedelta(minutes=10), 10)
    assert sorted([[message.text for message in case.messages] for case in cases]) == [
        ["my parcel is lost"],
        ["my parcel is lost", "since Monday"],
    ]
