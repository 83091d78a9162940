"""The card of a conversation, in Slack's blocks. Pure."""

from collections.abc import Sequence

from bot.domain.continuation import FILES, continues, history_on_card, on_card
from bot.domain.messages import Media
from bot.domain.posts import Card
from bot.domain.rich_text import head, spelled
from bot.platforms.question_wording import answers, legends
from bot.platforms.slack.blocks import Block, Said, actions, button, context, cut, escaped, quote, section
from bot.platforms.slack.interactions import REPLY_BUTTON
from bot.platforms.slack.locales import sentence
from bot.platforms.slack.payload import NAME
from bot.platforms.wording import RenderContext, attachment, card_marks, moved, not_read, remembered, voices_said, why

EXCERPT, MOST = 500, 4_000
"""The most UTF-16 code units of words in a notification or offer, and in a post."""
_NAMES, _LINE, _HISTORY, _LEGEND = 200, 300, 4_000, 1_500
_REMEMBERED, _AT_ONCE = 3, 6
_IN_A_ROW, _ROWS = 10, 3


def card(content: Card, rendering: RenderContext, link: str | None, moved_link: str | None) -> Said:
    """The card. `link` leads to the conversation, `moved_link` to the card that replaced this one; None omits them."""
    language = rendering.languages[0]
    title = escaped(sentence(language, "card_title", team=rendering.task.shown(content.label)), _NAMES)
    struck = content.moved_to is not None
    blocks = [section(f"~{title}~" if struck else f"*{title}*")]
    if content.moved_to is not None:
        blocks.append(section(_moved(content, rendering, moved_link)))
    blocks += [*_words(content, language), context(_about(content, rendering, link))]
    if not struck:
        blocks += _answers(content, language)
        blocks += _standing(content, rendering)
    shown = _gone(language) if content.deleted else notified(content.excerpt)
    return Said(f"{title}: {shown}", blocks)


_GAP = "\ufdd0"
"""Where something is put into a sentence once it is escaped: a character that no text may hold."""


def notified(text: str) -> str:
    """The words as a notification shows them, with links' addresses spelled out."""
    return escaped(head(spelled(text), EXCERPT))


def attached(media: Sequence[Media], language: str) -> list[Block]:
    """Links to the attachments, or their names where there is no link; no block when there are none."""
    shown = media[:FILES]
    rows = [shown[at : at + _AT_ONCE] for at in range(0, len(shown), _AT_ONCE)]
    # The names are put in after the sentence is escaped, so that their links stay links.
    listed = [", ".join(_medium(medium, language) for medium in row) for row in rows]
    if len(media) > FILES:
        listed[-1] += ", …"
    told = escaped(sentence(language, "card_attached", names=_GAP))
    return [context([told.replace(_GAP, names) for names in listed[at : at + 10]]) for at in range(0, len(rows), 10)]


def _medium(medium: Media, language: str) -> str:
    name = escaped(attachment(medium, language), 80).replace("|", "¦")
    return f"<{medium.link}|{name}>" if medium.link and medium.platform == NAME and len(medium.link) < 200 else name


def _moved(content: Card, rendering: RenderContext, link: str | None) -> str:
    language = rendering.languages[0]
    told = escaped(moved(content, language, rendering.task), _NAMES)
    return f"{told}  <{link}|{escaped(sentence(language, 'card_moved_link'))}>" if link else told


def _words(content: Card, language: str) -> list[Block]:
    if content.deleted:
        return [section(f"_{_gone(language)}_")]
    words = quote(on_card(content), MOST, struck=content.moved_to is not None)
    more = [context([escaped(sentence(language, "card_continued"))])] if continues(content) else []
    return [*words, *more, *attached(content.media, language)]


def _gone(language: str) -> str:
    return escaped(sentence(language, "card_gone"))


def _about(content: Card, rendering: RenderContext, link: str | None) -> list[str]:
    language = rendering.languages[0]
    lines = [sentence(language, "card_from", author=content.author or sentence(language, "someone"))]
    lines.append(why(content, language, rendering.base))
    lines += [*voices_said(content.voices, rendering.task, language), *not_read(content.left_out, language)]
    if not content.deleted:
        shown = content.remembered[:_REMEMBERED]
        lines += remembered([cut(text, 120) for text in shown], content.remembered_from, language)
    safe = [escaped(line, _LINE) for line in lines]
    if link is not None:
        safe.insert(1, f"<{link}|{escaped(sentence(language, 'card_link'))}>")
    return safe


def _answers(content: Card, language: str) -> list[Block]:
    """The answers to the further questions, and their consequences."""
    lines = [escaped(line, _LINE) for line in answers(content, language)]
    return [context(lines[at : at + _IN_A_ROW]) for at in range(0, len(lines), _IN_A_ROW)][:_ROWS]


def _standing(content: Card, rendering: RenderContext) -> list[Block]:
    """What only a card in force has: the request's state, its history, and what can be done with it."""
    language = rendering.languages[0]
    marks = card_marks(content, language)
    blocks = [context([escaped(mark, _LINE) for mark in marks])] if marks else []
    blocks += _history(content, language)
    legend = _legend(content, rendering)
    if legend:
        blocks.append(context([escaped(line, _LEGEND) for line in legend]))
    return blocks + actions([button(REPLY_BUTTON, sentence(language, "card_reply"))])


def _history(content: Card, language: str) -> list[Block]:
    if not content.history or content.deleted:
        return []
    said = "\n".join(f"{who or sentence(language, 'someone')}: {what}" for who, what in history_on_card(content))
    return [section(f"*{escaped(sentence(language, 'card_history'))}*"), *quote(said, _HISTORY)]


def _legend(content: Card, rendering: RenderContext) -> list[str]:
    """What the emoji mean: those for everybody in the room, and those for leads."""
    language, words = rendering.languages[0], rendering.vocabulary
    take, done, wrong = (_emoji(table.get(NAME)) for table in (words.take, words.done, words.wrong))
    lines = [sentence(language, "card_how", take=take, done=done)] if take and done else []
    if wrong and content.legend:
        lines.append(sentence(language, "card_how_wrong", wrong=wrong))
    teams = "  ".join(f"{_emoji(emoji)} {rendering.task.shown(label)}" for emoji, label in content.legend)
    lines += [sentence(language, "card_legend", legend=teams)] if teams else []
    return [*lines, *legends(content, NAME, language, _emoji)]


def _emoji(name: str | None) -> str:
    return f":{name}:" if name else ""
