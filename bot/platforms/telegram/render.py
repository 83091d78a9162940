"""Posts as Telegram's HTML. Pure."""

from collections.abc import Sequence

from bot.domain.continuation import continues, first, history_on_card, on_card
from bot.domain.messages import Media
from bot.domain.posts import (
    GONE,
    NO,
    OTHER,
    SEND,
    SPLIT,
    YES,
    Answer,
    Card,
    Content,
    Continuation,
    FollowUp,
    Moved,
    Notice,
    Offer,
    Question,
    Reply,
    Sent,
    Solved,
    Split,
    What,
    WordsPlease,
    WrongTeam,
)
from bot.domain.question_posts import Alert
from bot.domain.report_posts import (
    ComparisonReport,
    Digest,
    LearningReport,
    ShadowCard,
    ShadowExplanation,
    TrainingProgress,
)
from bot.domain.rich_text import units
from bot.domain.tasks import Task
from bot.platforms.comparison_report import comparison
from bot.platforms.digest import digest
from bot.platforms.question_wording import alert, answers, choices, legends
from bot.platforms.shadow_card import shadow_buttons, shadow_card, shadow_explanation
from bot.platforms.telegram import NAME
from bot.platforms.telegram.locales import sentence
from bot.platforms.telegram.markup import LINE, MOST, Said, cut, keyboard, link, marked_up, plain, quoted
from bot.platforms.wording import (
    RenderContext,
    attachment,
    card_marks,
    continuation,
    not_read,
    question,
    remembered,
    reply,
    report,
    to_person,
    to_team,
    training_progress,
    voices_said,
    why,
)
from bot.platforms.wording import moved as moved_to

_EXCERPT, _HISTORY, _LEGEND, _MARKS, _REMEMBERED = 1_000, 600, 600, 300, 300
"""Limits that, together with a card's other lines, stay within one message. An excerpt is longer than
`continuation.EXCERPT` allows only by the name of a cited author."""
_SENT, _SENTENCE = 500, 1_000
_ANSWERS, _ANSWER_LEGEND = 440, 210
_NAMES, _SHORTEST = 400, 12
_FEW = 8
_QUIET = (What.LEFT, What.SOLVED)


def render(content: Content, rendering: RenderContext, missing: Sequence[Media] = ()) -> Said:
    """The content in its reader's language, within Telegram's limits; attachments that were not sent are named."""
    match content:
        case Question() | Answer() | WordsPlease() | Moved() | Solved() | Split() | Reply():
            return _to_person(content, rendering, missing)
        case Card():
            return Said(_card(content, rendering))
        case FollowUp():
            return _follow_up(content, rendering, missing)
        case Continuation():
            return _continuation(content, rendering)
        case Offer() | WrongTeam() | Sent() | Notice():
            return _to_team(content, rendering)
        case LearningReport():
            return Said(_report(content, rendering.team))
        case ShadowCard():
            buttons = [(words, value) for value, words in shadow_buttons(content, rendering.team)]
            told = plain("\n".join(shadow_card(content, rendering.team)))
            return Said(told, keyboard(buttons, columns=2) if buttons else None)
        case TrainingProgress():
            return Said(plain(training_progress(content, rendering.team)), quiet=True)
        case ShadowExplanation():
            return Said(plain("\n• ".join(shadow_explanation(content, rendering.team))), quiet=True)
        case Digest():
            return Said(plain("\n".join(digest(content, rendering.team, rendering.task))))
        case ComparisonReport():
            return Said(plain("\n".join(comparison(content, rendering.team))))
        case Alert():
            return _alert(content, rendering)


def attached(media: Sequence[Media], language: str, key: str = "card_attached") -> list[str]:
    """A line with the attachments' names; none without attachments."""
    room = max(_SHORTEST, _NAMES // len(media) - 2) if media else _NAMES
    names = ", ".join(cut(attachment(one, language), room) for one in media)
    return [plain(sentence(language, key, names=cut(names, _NAMES)), _NAMES + LINE)] if media else []


# --- to the person ---


def _to_person(
    content: Question | Answer | WordsPlease | Moved | Solved | Split | Reply,
    rendering: RenderContext,
    missing: Sequence[Media],
) -> Said:
    language = rendering.persons(content.language)
    match content:
        case Question():
            return _question(content, language, rendering.task)
        case Reply():
            return _reply(content, language, rendering.task, missing)
        case Solved(answer=None):
            buttons = keyboard([(sentence(language, "yes"), YES), (sentence(language, "no"), NO)], columns=2)
            return Said(plain(to_person(content, language, rendering.task)), buttons)
        case Split(done=False):
            buttons = keyboard([(sentence(language, "split_button"), SPLIT)])
            return Said(plain(to_person(content, language, rendering.task)), buttons)
        case _:
            return Said(plain(to_person(content, language, rendering.task)))


def _question(content: Question, language: str, task: Task) -> Said:
    asked = plain(question(content, language, task))
    if content.answered is not None:
        return Said(asked)
    buttons = [(task.shown(label), str(position)) for position, label in enumerate(content.candidates)]
    return Said(asked, keyboard([*buttons, (sentence(language, "other"), OTHER)]))


def _reply(content: Reply, language: str, task: Task, missing: Sequence[Media]) -> Said:
    speaker, names = cut(reply(content, language, task), LINE), attached(missing, language)
    words = marked_up(first(content.text), _left(speaker, names))
    return Said("\n".join([f"<b>{plain(speaker)}</b>", *words, *names]))


def _left(*lines: str | Sequence[str]) -> int:
    """How many units a message has left besides these lines."""
    flat = [one for line in lines for one in ([line] if isinstance(line, str) else line)]
    return MOST - sum(units(line) + 1 for line in flat)


# --- to the team ---


def _card(card: Card, rendering: RenderContext) -> str:
    language, moved = rendering.team, card.moved_to is not None
    title = plain(sentence(language, "card_title", team=rendering.task.shown(card.label)), LINE)
    lines = [f"<s>{title}</s>" if moved else f"<b>{title}</b>", *_fate(card, rendering)]
    lines.append(plain(sentence(language, "card_from", author=card.author or sentence(language, "someone")), LINE))
    if card.deleted:
        lines.append(f"<i>{plain(sentence(language, 'card_gone'), LINE)}</i>")
    else:
        lines += quoted(on_card(card), _EXCERPT, struck=moved)
        lines += [f"<i>{plain(sentence(language, 'card_continued'), LINE)}</i>"] if continues(card) else []
    lines += attached(card.media, language)
    lines.append(f"<i>{plain(why(card, language, rendering.base), LINE)}</i>")
    if not moved:
        told = answers(card, language)
        lines += [plain("\n".join(told), _ANSWERS)] if told else []
        lines += _background(card, rendering) + _manual(card, rendering)
    return "\n".join(lines)


def _fate(card: Card, rendering: RenderContext) -> list[str]:
    """The request's state, or where it moved."""
    language = rendering.team
    lines = [plain(" · ".join(card_marks(card, language)), _MARKS)] if card_marks(card, language) else []
    if card.moved_to is not None:
        lines.append(plain(moved_to(card, language, rendering.task), LINE))
        lines += link(sentence(language, "card_moved_link"), card.moved_link)
    return lines


def _background(card: Card, rendering: RenderContext) -> list[str]:
    """What a lead may want to look up: the voices, similar corrections, the history, a link to the conversation."""
    language = rendering.team
    heard = [*voices_said(card.voices, rendering.task, language), *not_read(card.left_out, language)]
    lines = [f"<i>{plain(one, LINE)}</i>" for one in heard]
    similar = remembered(card.remembered, card.remembered_from, language)
    lines += [f"<i>{plain(chr(10).join(similar), _REMEMBERED)}</i>"] if similar else []
    said = [f"{who or sentence(language, 'someone')}: {what}" for who, what in history_on_card(card)]
    if said:
        lines += quoted("\n".join([sentence(language, "card_history"), *said]), _HISTORY, folded=True)
    return lines + link(sentence(language, "card_link"), card.source)


def _manual(card: Card, rendering: RenderContext) -> list[str]:
    """What the emoji on the card do."""
    language, emoji = rendering.team, rendering.vocabulary
    take, done, wrong = (words.get(NAME, "") for words in (emoji.take, emoji.done, emoji.wrong))
    how = [sentence(language, "card_how", take=take, done=done)] if take and done else []
    if wrong:
        how.append(sentence(language, "card_how_wrong", wrong=wrong))
    lines = [plain("  ".join(how), LINE)] if how else []
    legend = "  ".join(f"{one} {rendering.task.shown(label)}" for one, label in card.legend)
    lines += [plain(sentence(language, "card_legend", legend=legend), _LEGEND)] if legend else []
    others = legends(card, NAME, language)
    return [*lines, plain("\n".join(others), _ANSWER_LEGEND)] if others else lines


def _follow_up(content: FollowUp, rendering: RenderContext, missing: Sequence[Media]) -> Said:
    lead_in, names = cut(to_team(content, rendering.team, rendering.task), LINE), attached(missing, rendering.team)
    said = [] if content.deleted else quoted(first(content.text), _left(lead_in, names))
    return Said("\n".join([f"<b>{plain(lead_in)}</b>", *said, *names]))


def _continuation(content: Continuation, rendering: RenderContext) -> Said:
    """The rest of a long text. A person just reads on; for a team it says which piece of how many it is."""
    if content.gone:
        return Said(GONE, quiet=True)
    if content.to_person:
        return Said("\n".join(marked_up(content.text, MOST)) or GONE, quiet=True)
    title = cut(continuation(content, rendering.team), LINE)
    return Said("\n".join([f"<i>{plain(title)}</i>", *quoted(content.text, _left(title))]), quiet=True)


def _to_team(content: Offer | WrongTeam | Sent | Notice, rendering: RenderContext) -> Said:
    language = rendering.team
    line = plain(to_team(content, language, rendering.task), _SENTENCE)
    match content:
        case Offer():
            button = keyboard([(sentence(language, "offer_button"), SEND)])
            return Said(line, None if content.sent else button, quiet=True)
        case WrongTeam(chosen=None):
            shown = [(title, str(position)) for position, title in enumerate(choices(content, rendering.task))]
            return Said(line, keyboard(shown, columns=1 if len(shown) <= _FEW else 2))
        case Sent():
            clips = [f"📎 {content.media}"] if content.media else []
            return Said("\n".join([line, *quoted(content.text, _SENT), *clips]), quiet=True)
        case Notice():
            there = link(sentence(language, "card_moved_link"), content.about)
            return Said("\n".join([line, *there]), quiet=content.what in _QUIET)
        case WrongTeam():
            return Said(line)


def _alert(content: Alert, rendering: RenderContext) -> Said:
    title = plain(alert(content, rendering.team, rendering.task), _SENTENCE)
    there = link(sentence(rendering.team, "card_moved_link"), content.card)
    words = quoted(first(content.excerpt), _EXCERPT, struck=content.withdrawn) if content.excerpt else []
    return Said("\n".join([f"<s>{title}</s>" if content.withdrawn else f"<b>{title}</b>", *words, *there]))


def _report(content: LearningReport, language: str) -> str:
    title, *reasons = report(content, language)
    return plain("\n".join([title, *(f"• {reason}" for reason in reasons)]))
