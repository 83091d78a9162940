"""Emoji names in one normal form: no skin tone, no second name, no alias of the workspace's own. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from bot.platforms import PlatformContext
from bot.platforms.slack.payload import NAME

_ALIASES = {
    # Short names of the same character in iamcal/emoji-data, the source of Slack's names; Slack sends the right one.
    "thumbsup": "+1",
    "thumbsdown": "-1",
    "collision": "boom",
    "cooking": "fried_egg",
    "envelope": "email",
    "heavy_exclamation_mark": "exclamation",
    "honeybee": "bee",
    "knife": "hocho",
    "lady_beetle": "ladybug",
    "lantern": "izakaya_lantern",
    "open_book": "book",
    "paw_prints": "feet",
    "pencil": "memo",
    "poop": "hankey",
    "punch": "facepunch",
    "raised_hand": "hand",
    "red_car": "car",
    "running": "runner",
    "sailboat": "boat",
    "satisfied": "laughing",
    "shocked_face_with_exploding_head": "exploding_head",
    "shoe": "mans_shoe",
    "telephone": "phone",
    "tshirt": "shirt",
}


def normal(written: str) -> str:
    """An emoji's first short name, as settings and events are compared. Raises ValueError for anything else."""
    name = re.sub(r"::skin-tone-\d$", "", written.strip().strip(":").lower())
    if not name or len(name) > 100 or not all(_may_name(char) for char in name):
        raise ValueError(f"{written!r} is no short name; write an emoji as Slack names it, like moneybag for 💰")
    return _ALIASES.get(name, name)


def aliases(listed: Mapping[str, object]) -> dict[str, str]:
    """The workspace's aliases in the answer of `emoji.list`: alias -> the name it stands for."""
    return {
        name: target.removeprefix("alias:")
        for name, target in listed.items()
        if isinstance(target, str) and target.startswith("alias:")
    }


def named_emoji(context: PlatformContext) -> frozenset[str]:
    """All emoji that the settings name for Slack."""
    words = context.vocabulary
    tables = [label.emoji for label in context.task.labels] + [
        *(words.take, words.done, words.wrong, words.send),
        *(words.request, words.no_request),
    ]
    return frozenset(table[NAME] for table in tables if NAME in table)


class EmojiNames:
    """Translates any name of an emoji in this workspace to the one that our settings use."""

    def __init__(self, configured: Iterable[str], own: Mapping[str, str] | None = None) -> None:
        self._own = own or {}
        self._named = sorted(configured)
        self._configured = {self._first(name): name for name in self._named}

    def meant(self, name: str) -> str:
        """The configured name of this emoji; its first name where the settings have none."""
        first = self._first(name)
        return self._configured.get(first, first)

    def clashes(self) -> list[tuple[str, str]]:
        """Pairs of the settings' emoji that are the same in this workspace."""
        return [(name, kept) for name in self._named if (kept := self._configured[self._first(name)]) != name]

    def _first(self, name: str) -> str:
        # An alias may stand for an alias; a cycle of them ends where it began.
        seen = {name}
        while (target := self._own.get(name)) is not None and target not in seen:
            name = _ALIASES.get(target, target)
            seen.add(target)
        return name


def _may_name(char: str) -> bool:
    # Custom emoji may be named in any script; vowel signs are marks, and so is a variation selector.
    return char in "_-+'&.()" or (unicodedata.category(char)[0] in "LNM" and char not in "\ufe0e\ufe0f\u20e3")
