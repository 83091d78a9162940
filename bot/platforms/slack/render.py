"""Posts as Slack's blocks. Pure. Nothing in them can ping anybody."""

from dataclasses import dataclass

from bot.domain.continuation import first
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
from bot.locales import choose
from bot.platforms.comparison_report import comparison
from bot.platforms.digest import digest
from bot.platforms.question_wording import alert, choices
from bot.platforms.shadow_card import shadow_buttons, shadow_card, shadow_explanation
from bot.platforms.slack.blocks import Block, Said, actions, choice_button, context, escaped, plain, quote, section
from bot.platforms.slack.card import EXCERPT, MOST, attached, card, notified
from bot.platforms.slack.locales import sentence
from bot.platforms.wording import (
    RenderContext,
    continuation,
    question,
    reply,
    report,
    to_person,
    to_team,
    training_progress,
)

FORBIDDEN_BEFORE_STRANGERS = (
    *(Card, FollowUp, Sent, Offer, Notice, LearningReport, Digest, Alert),
    *(ShadowCard, ShadowExplanation, TrainingProgress, ComparisonReport),
)
"""Content that no other company may read: never sent to a channel that is shared with one."""


@dataclass(frozen=True, slots=True)
class Links:
    """The links on a card; None where there is none."""

    source: str | None = None
    """The conversation."""
    moved: str | None = None
    """The card that replaced this one, or that a notice is about."""


def render(content: Content, rendering: RenderContext, links: Links | None = None) -> Said:
    """The message for the content, in its reader's language."""
    links = links or Links()
    match content:
        case Card():
            return card(content, rendering, links.source, links.moved)
        case Question() | Answer() | WordsPlease() | Moved() | Reply() | Solved() | Split():
            return _for_the_person(content, rendering, choose(content.language, rendering.languages))
        case LearningReport():
            return _report(content, rendering.languages[0])
        case Digest():
            return plain("\n".join(digest(content, rendering.languages[0], rendering.task)))
        case ShadowCard():
            return _shadow_card(content, rendering.languages[0])
        case TrainingProgress():
            return plain(training_progress(content, rendering.languages[0]))
        case ShadowExplanation():
            return plain("\n• ".join(shadow_explanation(content, rendering.languages[0])))
        case ComparisonReport():
            return plain("\n".join(comparison(content, rendering.languages[0])))
        case Continuation():
            return _continuation(content, choose(content.language, rendering.languages))
        case FollowUp() | Offer() | Sent() | WrongTeam() | Notice():
            return _for_the_team(content, rendering, rendering.languages[0], links.moved)
        case Alert():
            return _alert(content, rendering, links.moved)


def _for_the_person(
    content: Question | Answer | WordsPlease | Moved | Reply | Solved | Split, rendering: RenderContext, language: str
) -> Said:
    match content:
        case Question():
            return _question(content, rendering, language)
        case Reply():
            title = escaped(reply(content, language, rendering.task), 200)
            words = quote(first(content.text), MOST, links=True)
            blocks = [section(f"*{title}*"), *words, *attached(content.media, language)]
            return Said(f"{title} {notified(content.text)}", blocks)
        case Solved(answer=None):
            choices = [choice_button(YES, sentence(language, "yes")), choice_button(NO, sentence(language, "no"))]
            return _with(to_person(content, language, rendering.task), choices)
        case Split(done=False):
            choices = [choice_button(SPLIT, sentence(language, "split_button"))]
            return _with(to_person(content, language, rendering.task), choices)
        case _:
            return plain(to_person(content, language, rendering.task))


def _question(content: Question, rendering: RenderContext, language: str) -> Said:
    asked = question(content, language, rendering.task)
    if content.answered is not None:
        return plain(asked)
    shown = [rendering.task.shown(label) for label in content.candidates]
    buttons = [choice_button(str(position), label) for position, label in enumerate(shown)]
    return _with(asked, [*buttons, choice_button(OTHER, sentence(language, "other"))])


def _for_the_team(
    content: FollowUp | Offer | Sent | WrongTeam | Notice, rendering: RenderContext, language: str, there: str | None
) -> Said:
    told = to_team(content, language, rendering.task)
    match content:
        case WrongTeam(chosen=None):
            shown = choices(content, rendering.task)
            return _with(told, [choice_button(str(position), label) for position, label in enumerate(shown)])
        case FollowUp():
            said = quote(first(content.text), MOST)
            kept = [] if content.deleted else [*said, *attached(content.media, language)]
            return _quoting(told, "" if content.deleted else content.text, kept)
        case Offer():
            send = [] if content.sent else actions([choice_button(SEND, sentence(language, "offer_button"))])
            return _quoting(told, content.text, [*quote(content.text, EXCERPT), *send])
        case Sent():
            more = f"  (+{content.media} 📎)" if content.media else ""
            return _quoting(f"{told}{more}", content.text, quote(content.text, EXCERPT))
        case Notice() if there is not None:
            words = escaped(told)
            return Said(words, [section(f"{words}  <{there}|{escaped(sentence(language, 'card_moved_link'))}>")])
        case _:
            return plain(told)


def _alert(content: Alert, rendering: RenderContext, there: str | None) -> Said:
    language = rendering.languages[0]
    told = alert(content, language, rendering.task)
    title = escaped(told, 500)
    linked = f"{title}  <{there}|{escaped(sentence(language, 'card_moved_link'))}>" if there is not None else title
    words = quote(first(content.excerpt), MOST, struck=content.withdrawn)
    return Said(title, [section(f"~{linked}~" if content.withdrawn and there is None else linked), *words])


def _quoting(told: str, text: str, blocks: list[Block]) -> Said:
    title = escaped(told, 500)
    words = f": {notified(text)}" if text.strip() else ""
    return Said(f"{title}{words}", [section(title), *blocks])


def _continuation(content: Continuation, language: str) -> Said:
    """The rest of a long text. A person just reads on; for a team it says which piece of how many it is."""
    if content.gone:
        return plain(GONE)
    words = quote(content.text, MOST, links=content.to_person)
    title = escaped(continuation(content, language))
    return Said(f"{title} {notified(content.text)}", [*([] if content.to_person else [context([title])]), *words])


def _report(content: LearningReport, language: str) -> Said:
    title, *reasons = report(content, language)
    return plain("\n".join([title, *(f"• {reason}" for reason in reasons)]))


def _shadow_card(content: ShadowCard, language: str) -> Said:
    told = "\n".join(shadow_card(content, language))
    buttons = [choice_button(value, words) for value, words in shadow_buttons(content, language)]
    return _with(told, buttons) if buttons else plain(told)


def _with(told: str, buttons: list[Block]) -> Said:
    safe = escaped(told)
    return Said(safe, [section(safe), *actions(buttons)])
