"""Posts as plain text and buttons. Pure: the choice of sentences is the same on every platform (`wording`)."""

from dataclasses import dataclass, replace

from bot.domain.posts import (
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
from bot.domain.rich_text import plain
from bot.domain.tasks import Task, Vocabulary
from bot.locales import choose
from bot.platforms.comparison_report import comparison
from bot.platforms.digest import digest
from bot.platforms.shadow_card import shadow_buttons, shadow_card, shadow_explanation
from bot.platforms.wording import (
    card_marks,
    continuation,
    question,
    reply,
    report,
    to_person,
    to_team,
    training_progress,
    why,
)
from switchboard_hooks.locales import sentence


@dataclass(frozen=True, slots=True)
class Reader:
    """How to write for a reader: the available languages, and the names of teams and of the model."""

    task: Task
    languages: tuple[str, ...]
    base: str
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True)
class Said:
    """A post as the chat takes it; `buttons` are pairs of value and text."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()


def render(content: Content, reader: Reader) -> Said:
    """The content in its reader's language. This chat has no formatting: marks are removed, links show addresses."""
    said = _render(content, reader)
    return replace(said, text=plain(said.text))


def _render(content: Content, reader: Reader) -> Said:
    match content:
        case Card():
            return _card(content, reader)
        case Question() | Reply() | Solved() | Split() | Answer() | WordsPlease() | Moved():
            return _for_the_person(content, reader, choose(content.language, reader.languages))
        case Continuation():
            language = choose(content.language, reader.languages) if content.to_person else reader.languages[0]
            return Said("—" if content.gone else f"{continuation(content, language)}\n{content.text}")
        case Digest():
            return Said("\n".join(digest(content, reader.languages[0], reader.task)))
        case ComparisonReport():
            return Said("\n".join(comparison(content, reader.languages[0])))
        case LearningReport():
            return Said("\n".join(report(content, reader.languages[0])))
        case ShadowCard():
            told, buttons = shadow_card(content, reader.languages[0]), shadow_buttons(content, reader.languages[0])
            return Said("\n".join(told), tuple(buttons))
        case ShadowExplanation():
            return Said("\n".join(shadow_explanation(content, reader.languages[0])))
        case TrainingProgress():
            return Said(training_progress(content, reader.languages[0]))
        case _:
            return _for_the_team(content, reader, reader.languages[0])


def _card(card: Card, reader: Reader) -> Said:
    language = reader.languages[0]
    title = sentence(language, "card_title", team=reader.task.shown(card.label))
    if card.moved_to is not None:
        return Said(f"{title}\n{sentence(language, 'card_moved', team=reader.task.shown(card.moved_to))}")
    words = sentence(language, "card_gone") if card.deleted else card.excerpt
    legend = ", ".join(f"{emoji} {reader.task.shown(label)}" for emoji, label in card.legend)
    hint = [sentence(language, "hooks_legend", legend=legend)] if legend else []
    return Said("\n".join([title, words, why(card, language, reader.base), *card_marks(card, language), *hint]))


def _for_the_person(
    content: Question | Reply | Solved | Split | Answer | WordsPlease | Moved, reader: Reader, language: str
) -> Said:
    match content:
        case Question():
            candidates = content.candidates if content.answered is None else ()
            teams = [(str(n), reader.task.shown(label)) for n, label in enumerate(candidates)]
            other = [(OTHER, sentence(language, "other"))] if content.answered is None else []
            return Said(question(content, language, reader.task), (*teams, *other))
        case Reply():
            return Said(f"{reply(content, language, reader.task)}\n{content.text}")
        case Solved(answer=None):
            choices = ((YES, sentence(language, "yes")), (NO, sentence(language, "no")))
            return Said(to_person(content, language, reader.task), choices)
        case Split(done=False):
            button = (SPLIT, sentence(language, "split_button"))
            return Said(to_person(content, language, reader.task), (button,))
        case _:
            return Said(to_person(content, language, reader.task))


def _for_the_team(content: FollowUp | Offer | Sent | WrongTeam | Notice | Alert, reader: Reader, language: str) -> Said:
    told = to_team(content, language, reader.task)
    match content:
        case WrongTeam(chosen=None):
            return Said(told, tuple((str(n), reader.task.shown(label)) for n, label in enumerate(content.choices)))
        case Offer(sent=False):
            return Said(f"{told}\n{content.text}", ((SEND, sentence(language, "offer_button")),))
        case Notice() | WrongTeam() | Alert():
            return Said(told)
        case _:
            return Said(f"{told}\n{content.text}")
