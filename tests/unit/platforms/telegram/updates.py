"""The people in the tests of Telegram's updates, and the content of their updates."""

from datetime import UTC, datetime

from telegram import Update

from bot.platforms.telegram.events import read
from bot.platforms.telegram.facts import BotIdentity, Fact

ME, ANN, LEAD, TEAM, LOUNGE = 123456, 111, 222, -1001234567890, -1009
DATE = 1764000000
AT = datetime.fromtimestamp(DATE, UTC)
EARS = BotIdentity(ME, "switchboard_bot", frozenset({str(TEAM), f"{LOUNGE}/9"}))

Fields = dict[str, object]

US: Fields = {"id": ME, "is_bot": True, "first_name": "Switchboard", "username": "switchboard_bot"}
WRITER: Fields = {"id": ANN, "is_bot": False, "first_name": "Ann", "last_name": "Li", "language_code": "pt-br"}
CHATS: dict[int, Fields] = {
    ANN: {"id": ANN, "type": "private", "first_name": "Ann"},
    TEAM: {"id": TEAM, "type": "supergroup", "title": "billing"},
    LOUNGE: {"id": LOUNGE, "type": "supergroup", "title": "lounge", "is_forum": True},
}


def facts(kind: str, payload: Fields, number: int = 700) -> list[Fact]:
    update = Update.de_json({"update_id": number, kind: payload})
    return read(update, EARS)
