"""Telegram's HTML and its limits. People's words are cut first, then escaped, and only then marked up. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import InlineKeyboardMarkupLimit, MessageLimit

from bot.domain.control_characters import without_controls
from bot.domain.messages import MessageRef
from bot.domain.rich_text import flattened, head, units
from bot.domain.rich_text import plain as words_of
from bot.platforms.telegram import NAME
from bot.platforms.telegram.entities import html

MOST = int(MessageLimit.MAX_TEXT_LENGTH)
LINE = 150
_BUTTON = 60
_BUTTONS = int(InlineKeyboardMarkupLimit.TOTAL_BUTTON_NUMBER)
_SUPERGROUP = "-100"


@dataclass(frozen=True, slots=True)
class Said:
    """A message as sendMessage takes it: HTML, and the buttons under it."""

    text: str
    keyboard: InlineKeyboardMarkup | None = None
    quiet: bool = False
    """Whether it is sent without a notification sound."""


def cut(text: str, limit: int) -> str:
    """At most `limit` UTF-16 code units of the text; no emoji of two units is split."""
    if units(text) <= limit:
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
    return kept.decode("utf-16-le", "ignore") + "…"


def is_supergroup(chat: str) -> bool:
    """Whether it is a supergroup or channel, which numbers its messages for itself."""
    return chat.startswith(_SUPERGROUP)


def plain(text: str, limit: int = MOST) -> str:
    return escape(cut(without_controls(text), limit), quote=False)


def quoted(text: str, limit: int, struck: bool = False, folded: bool = False) -> list[str]:
    """What somebody wrote, with its marks, as a quotation, `folded` until it is tapped; nothing when there is no text.

    Telegram has no quotations within quotations.
    """
    kept = head(flattened(text, quotes=True), limit)
    if not words_of(kept).strip():
        return []
    words = html(kept)
    tag = "blockquote expandable" if folded else "blockquote"
    return [f"<{tag}>{f'<s>{words}</s>' if struck else words}</blockquote>"]


def marked_up(text: str, limit: int) -> list[str]:
    """Words that we pass on, with their writer's marks and no quotation; nothing when there is no text."""
    kept = head(flattened(text, quotes=False), limit)
    return [html(kept)] if words_of(kept).strip() else []


def link(words: str, ref: MessageRef | None) -> list[str]:
    """A link to a message of a supergroup; nothing for other messages, which have no address."""
    chat = ref.chat.partition("/")[0] if ref is not None and ref.platform == NAME else ""
    if ref is None or not is_supergroup(chat) or not ref.id.isdecimal():
        return []
    return [f'<a href="https://t.me/c/{chat.removeprefix(_SUPERGROUP)}/{ref.id}">{plain(words, LINE)}</a>']


def keyboard(buttons: Iterable[tuple[str, str]], columns: int = 1) -> InlineKeyboardMarkup:
    """Buttons from (text, value), as many as Telegram shows."""
    made = [
        InlineKeyboardButton(cut(without_controls(words) or "—", _BUTTON), callback_data=value)
        for words, value in buttons
    ]
    kept: Sequence[InlineKeyboardButton] = made[:_BUTTONS]
    return InlineKeyboardMarkup([kept[start : start + columns] for start in range(0, len(kept), columns)])
