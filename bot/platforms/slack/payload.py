"""Reads Slack's payloads, in which any field may be missing or of another type. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from bot.domain.rich_text import plain
from bot.platforms.slack.mrkdwn import read_mrkdwn

NAME = "slack"
BUTTON = "choose_"
"""The prefix of the action ids of all buttons whose presses the flow handles."""

Payload = Mapping[str, object]


def inner(payload: Payload, *keys: str) -> Payload:
    """The object at that path of keys; an empty one when there is none."""
    for key in keys:
        value = payload.get(key)
        payload = value if isinstance(value, dict) else {}
    return payload


def word(payload: Payload, key: str) -> str:
    """The text under that key; empty when there is none."""
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def each(payload: Payload, key: str) -> Iterator[Payload]:
    """The objects in the list under that key."""
    value = payload.get(key)
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def moment(ts: str) -> datetime | None:
    """The time of a Slack timestamp; None when it is none. (Where a ts serves as a key, it stays text.)"""
    found = re.fullmatch(r"(\d{1,11})(?:\.(\d{1,6}))?", ts)
    if found is None:
        return None
    fraction = timedelta(microseconds=int((found[2] or "").ljust(6, "0")))
    return datetime.fromtimestamp(int(found[1]), UTC) + fraction


def readable(text: str, own: str) -> str:
    """Slack's notation in plain words: links by their label, no ids, without our own mention."""
    return plain(read_mrkdwn(text, own))
