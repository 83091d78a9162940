"""What we owe, in Slack's blocks. Pure. Nothing in it can ping anybody: what people wrote is quoted, never parsed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

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
from bot.platforms.slack.events import BUTTON
from bot.platforms.wording import question, report, to_person, why

Block = dict[str, object]

EXCERPT = 500
_SECTION = 3_000
_BUTTON = 75


@dataclass(frozen=True, slots=True)
class Said:
    """A message as chat.postMessage takes it; `text` is what notifications and screen readers get."""

    text: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class Voice:
    """How we speak here."""

    languages: tuple[str, ...]
    """Offered languages, the fallback first: to the person in theirs, to teams in the fallback."""
    base: str
    """What a card calls the model when no adapter serves."""


def render(content: Content, voice: Voice, link: str | None = None) -> Said:
    """The content in its reader's language. `link` leads a card's reader to the conversation; None leaves it out."""
    match content:
        case Question():
            return _question(content, choose(content.language, voice.languages))
        case Answer() | WordsPlease() | Moved():
            return _plain(to_person(content, choose(content.language, voice.languages)))
        case Card():
            return _card(content, voice, link)
        case FollowUp():
            return _follow_up(content, voice.languages[0])
        case LearningReport():
            return _report(content, voice.languages[0])


def escaped(text: str, limit: int = _SECTION) -> str:
    """The text so that Slack finds no markup in it, at most `limit` characters long, no entity cut in two."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe if len(safe) <= limit else re.sub(r"&[a-z]{0,3}$", "", safe[: limit - 1]) + "…"


def _question(content: Question, language: str) -> Said:
    asked = question(content, language)
    if content.answered is not None:
        return _plain(asked)
    buttons = [_button(str(position), label) for position, label in enumerate(content.candidates)]
    buttons.append(_button(OTHER, sentence(language, "other")))
    return Said(escaped(asked), [_section(escaped(asked)), {"type": "actions", "elements": buttons}])


def _card(card: Card, voice: Voice, link: str | None) -> Said:
    language = voice.languages[0]
    moved = card.moved_to is not None
    title = escaped(sentence(language, "card_title", team=card.label), 200)
    from_whom = sentence(language, "card_from", author=card.author or sentence(language, "someone"))
    about = [escaped(from_whom, 200), escaped(why(card, language, voice.base), 500)]
    if link is not None:
        about.insert(1, f"<{link}|{escaped(sentence(language, 'card_link'))}>")
    blocks = [_section(f"~{title}~" if moved else f"*{title}*"), *_quote(card.excerpt, EXCERPT, moved), _context(about)]
    if card.moved_to is not None:
        blocks.insert(1, _section(escaped(sentence(language, "card_moved", team=card.moved_to), 200)))
    elif card.legend:
        blocks.append(_context([escaped(_legend(card, language), 2_000)]))
    return Said(f"{title}: {escaped(_cut(card.excerpt, EXCERPT))}", blocks)


def _legend(card: Card, language: str) -> str:
    return sentence(language, "card_legend", legend="  ".join(f":{emoji}: {label}" for emoji, label in card.legend))


def _follow_up(content: FollowUp, language: str) -> Said:
    lead_in = sentence(language, "follow_up", author=content.author or sentence(language, "someone"))
    title = escaped(lead_in, 200)
    return Said(f"{title}: {escaped(_cut(content.text, EXCERPT))}", [_section(title), *_quote(content.text, _SECTION)])


def _report(content: LearningReport, language: str) -> Said:
    title, *reasons = report(content, language)
    return _plain("\n".join([title, *(f"• {reason}" for reason in reasons)]))


def _plain(text: str) -> Said:
    # Blocks even for one sentence: an edit without blocks would leave old buttons standing.
    return Said(escaped(text), [_section(escaped(text))])


def _section(mrkdwn: str) -> Block:
    return {"type": "section", "text": _mrkdwn(mrkdwn)}


def _context(lines: Sequence[str]) -> Block:
    return {"type": "context", "elements": [_mrkdwn(line) for line in lines]}


def _mrkdwn(text: str) -> Block:
    # Not verbatim, Slack would look for names in it: somebody called "@here" would wake up the channel.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _quote(text: str, limit: int, struck: bool = False) -> list[Block]:
    """What a person wrote, as a rich text quote, in which Slack parses nothing; no block when there is no text."""
    if not text.strip():
        return []
    words: Block = {"type": "text", "text": _cut(text, limit)}
    if struck:
        words["style"] = {"strike": True}
    return [{"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [words]}]}]


def _button(value: str, label: str) -> Block:
    text = {"type": "plain_text", "text": _cut(label, _BUTTON), "emoji": False}
    return {"type": "button", "action_id": f"{BUTTON}{value}", "value": value, "text": text}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
