"""What further questions add to a card, and how other rooms are told of the answers, in a team's language. Pure."""

from collections.abc import Callable

from bot.domain.consequences import Follows
from bot.domain.decisions import Author
from bot.domain.posts import Card, WrongTeam
from bot.domain.question_posts import Alert, QuestionAnswer, present
from bot.domain.tasks import Task
from bot.locales import sentence


def answers(card: Card, language: str) -> list[str]:
    """A line for each answer, followed by one for each consequence of it."""
    return [line for answer in present(card.answers) for line in _lines(answer, language)]


def _lines(answer: QuestionAnswer, language: str) -> list[str]:
    lines = _suggestion(answer, language) if answer.suggests else [in_short(answer, language)]
    for follows in answer.follows:
        if follows in list(Follows):
            lines.append(sentence(language, f"follows_{follows}", title=answer.title, minutes=answer.minutes))
    if answer.disputed:
        lines.append(sentence(language, "answer_disputed", title=answer.title))
    if answer.held:
        lines.append(sentence(language, "answer_held", title=answer.title))
    return lines


def _suggestion(answer: QuestionAnswer, language: str) -> list[str]:
    """The suggestion in the settings' own sentence, and how often it was on the cards of solved requests."""
    first = in_short(answer, language)
    lines = [f"{first}: {answer.means}" if answer.means else first]
    if answer.solved > 0:
        lines.append(sentence(language, "suggestion_solved", title=answer.title, share=f"{answer.solved:.0%}"))
    return lines


def in_short(answer: QuestionAnswer | Alert, language: str) -> str:
    """The answer and how sure it is, or that a lead or a rule gave it; a suggestion is marked as one."""
    said = _sure(answer, language)
    suggests = isinstance(answer, QuestionAnswer) and bool(answer.means)
    return sentence(language, "suggestion", answer=said) if suggests else said


def _sure(answer: QuestionAnswer | Alert, language: str) -> str:
    if answer.by == Author.LEAD:
        return sentence(language, "answer_by_lead", title=answer.title)
    if answer.by == Author.RULE:
        return sentence(language, "answer_by_rule", title=answer.title)
    return sentence(language, "answer_sure", title=answer.title, confidence=f"{answer.confidence:.0%}")


def legends(card: Card, platform: str, language: str, emoji: Callable[[str], str] = str) -> list[str]:
    """For leads: which emoji gives another answer, one line for each question that has emoji on this platform."""
    lines = []
    several: dict[str, list[str]] = {}
    for answer in card.answers:
        known = [f"{emoji(sign)} {title}" for of, sign, title in answer.legend if of == platform]
        if answer.suggests and known:
            lines.append(sentence(language, "suggestion_legend", legend="  ".join(known)))
        elif answer.part_of:
            several.setdefault(answer.part_of, []).extend(known)
        elif known:
            lines.append(sentence(language, "answer_legend", title=answer.title, legend="  ".join(known)))
    return lines + [sentence(language, "any_legend", legend="  ".join(known)) for known in several.values() if known]


def alert(content: Alert, language: str, task: Task) -> str:
    """The sentence for another room. For a copy, the platform quotes the person's words under it."""
    words = {"answer": in_short(content, language), "team": task.shown(content.team)}
    if content.withdrawn:
        return sentence(language, "alert_withdrawn", **words)
    if content.copies:
        return sentence(language, "alert_copy", author=content.author or sentence(language, "someone"), **words)
    return sentence(language, "alert", **words)


def choices(content: WrongTeam, task: Task) -> list[str]:
    """The texts of the buttons."""
    return list(content.titles) or [task.shown(label) for label in content.choices]


def wrong_answer(content: WrongTeam, language: str) -> str:
    """The question which answer is right, or the answer that was chosen."""
    if content.chosen is None:
        return sentence(language, "wrong_answer", question=content.question)
    shown = dict(zip(content.choices, content.titles, strict=False))
    return sentence(language, "wrong_answer_chosen", title=shown.get(content.chosen, content.chosen))
