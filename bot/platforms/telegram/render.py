"""What we owe, in Telegram's HTML. Pure. What people wrote is cut first, then escaped, and only then marked up."""

from dataclasses import dataclass
from html import escape

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import MessageLimit

from bot.domain.posts import (
    OTHER,
    Answer,
    Card,
    Content,
    FollowUp,
    LearningReport,
    Moved,
    Question,
    WordsPlease,
)
from bot.locales import choose, sentence
from bot.platforms.wording import question, report, to_person, why

_MOST = int(MessageLimit.MAX_TEXT_LENGTH)
_LINE = 200
_BUTTON = 60
_EXCERPT = 1_000
_LEGEND = 2_000


@dataclass(frozen=True, slots=True)
class Said:
    """A message as sendMessage takes it: HTML, and the buttons under it."""

    text: str
    keyboard: InlineKeyboardMarkup | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """How we speak here."""

    languages: tuple[str, ...]
    """Offered languages, the fallback first: to the person in theirs, to teams in the fallback."""
    base: str
    """What a card calls the model when no adapter serves."""


def render(content: Content, voice: Voice) -> Said:
    """The content in its reader's language, within Telegram's limits."""
    match content:
        case Question():
            return _question(content, choose(content.language, voice.languages))
        case Answer() | WordsPlease() | Moved():
            return Said(_plain(to_person(content, choose(content.language, voice.languages))))
        case Card():
            return Said(_card(content, voice))
        case FollowUp():
            return Said(_follow_up(content, voice.languages[0]))
        case LearningReport():
            return Said(_report(content, voice.languages[0]))


def units(text: str) -> int:
    """The length as Telegram counts it: in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` UTF-16 code units, no emoji of two of them split."""
    if units(text) <= limit:
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
    return kept.decode("utf-16-le", "ignore") + "…"


def _question(content: Question, language: str) -> Said:
    asked = _plain(question(content, language))
    if content.answered is not None:
        return Said(asked)
    buttons = [(label, str(position)) for position, label in enumerate(content.candidates)]
    buttons.append((sentence(language, "other"), OTHER))
    rows = [[InlineKeyboardButton(cut(label, _BUTTON), callback_data=value)] for label, value in buttons]
    return Said(asked, InlineKeyboardMarkup(rows))


def _card(card: Card, voice: Voice) -> str:
    language, moved = voice.languages[0], card.moved_to is not None
    title = _plain(sentence(language, "card_title", team=card.label), _LINE)
    lines = [f"<s>{title}</s>" if moved else f"<b>{title}</b>"]
    if card.moved_to is not None:
        lines.append(_plain(sentence(language, "card_moved", team=card.moved_to), _LINE))
    lines.append(_plain(sentence(language, "card_from", author=card.author or sentence(language, "someone")), _LINE))
    lines += _quote(card.excerpt, _EXCERPT, struck=moved)
    lines.append(f"<i>{_plain(why(card, language, voice.base), _LINE)}</i>")
    if card.legend and not moved:
        legend = "  ".join(f"{emoji} {label}" for emoji, label in card.legend)
        lines.append(_plain(sentence(language, "card_legend", legend=legend), _LEGEND))
    return "\n".join(lines)


def _follow_up(content: FollowUp, language: str) -> str:
    lead_in = cut(sentence(language, "follow_up", author=content.author or sentence(language, "someone")), _LINE)
    quote = _quote(content.text, _MOST - units(lead_in) - 1)
    return "\n".join([f"<b>{_plain(lead_in)}</b>", *quote])


def _report(content: LearningReport, language: str) -> str:
    title, *reasons = report(content, language)
    return _plain("\n".join([title, *(f"• {reason}" for reason in reasons)]))


def _plain(text: str, limit: int = _MOST) -> str:
    return escape(cut(text, limit), quote=False)


def _quote(text: str, limit: int, struck: bool = False) -> list[str]:
    """What a person wrote, as a quotation; nothing when there is no text."""
    if not text.strip():
        return []
    words = _plain(text, limit)
    return [f"<blockquote>{f'<s>{words}</s>' if struck else words}</blockquote>"]
