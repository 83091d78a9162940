"""Emoji in the one normal form of Telegram's reactions, of which few are allowed."""

from collections.abc import Sequence

from telegram import ReactionType, ReactionTypeEmoji
from telegram.constants import ReactionEmoji


def normal(written: str) -> str:
    """An emoji as settings and events are compared. Raises ValueError for one that is no reaction in Telegram."""
    emoji = bare(written.strip())
    if emoji not in _ALLOWED:
        some = " ".join(list(_ALLOWED)[:24])
        raise ValueError(
            f"{written!r} is no reaction in Telegram; choose from {some} "
            f"or the rest of the {len(_ALLOWED)}: https://core.telegram.org/bots/api#reactiontypeemoji"
        )
    return emoji


def bare(emoji: str) -> str:
    """The emoji without variation selector, which makes two spellings of one emoji."""
    # Some keyboards add the variation selector and some do not; Telegram itself does both.
    return emoji.replace("\ufe0f", "")


_ALLOWED = tuple(bare(emoji.value) for emoji in ReactionEmoji)


def of_reactions(reactions: Sequence[ReactionType]) -> list[str]:
    """The reactions that can mean a team: no custom emoji, no paid stars, nothing newer than this library."""
    plain = [bare(one.emoji) for one in reactions if isinstance(one, ReactionTypeEmoji)]
    return [emoji for emoji in plain if emoji in _ALLOWED]
