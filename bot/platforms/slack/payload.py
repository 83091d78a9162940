"""Reading what Slack sends, none of whose fields can be relied on. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

NAME = "slack"
BUTTON = "choose_"
"""What the action id of every button begins with whose press is the flow's to understand."""

Payload = Mapping[str, object]


def inner(payload: Payload, *keys: str) -> Payload:
    """The object under that key, of that key, …; an empty one when there is none."""
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
    """When, by one of Slack's timestamps; None when it is none. (As a key, a ts stays the text it is.)"""
    found = re.fullmatch(r"(\d{1,11})(?:\.(\d{1,6}))?", ts)
    if found is None:
        return None
    fraction = timedelta(microseconds=int((found[2] or "").ljust(6, "0")))
    return datetime.fromtimestamp(int(found[1]), UTC) + fraction


def readable(text: str, own: str) -> str:
    """Slack's notation as a person would read it: links by their label, no ids, our own mention left out."""
    spoken = re.sub(rf"<@{re.escape(own)}(?:\|[^<>]*)?>[,:]?", " ", text) if own else text
    plain = re.sub(r"<([^<>]+)>", _plain, spoken)
    # &amp; last, so that a person's own "&lt;" stays what it was
    decoded = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return re.sub(r"[ \t]{2,}", " ", decoded).strip()


def _plain(token: re.Match[str]) -> str:
    """One <…> of Slack's notation in words."""
    target, _, label = token[1].partition("|")
    sort = target[:1]
    if sort == "@":
        return f"@{label or 'someone'}"
    if sort == "#":
        return f"#{label or 'channel'}"
    if sort == "!":
        return label or f"@{target[1:].partition('^')[0]}"
    return label or target.removeprefix("mailto:").removeprefix("tel:")
