"""Which sentence is said when, the same for all platforms; these add only their markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.correction_life import CorrectionLife, Stage
from bot.domain.decisions import Author, Basis, Heard, Reason
from bot.domain.learning import Phase
from bot.domain.messages import Media
from bot.domain.posts import (
    NO,
    YES,
    Answer,
    Card,
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
from bot.domain.report_posts import LearningReport, TrainingProgress, Trial, Withdrawal
from bot.domain.tasks import NOT_A_REQUEST, Task, Vocabulary
from bot.locales import choose, sentence
from bot.platforms.failure_wording import training_failed
from bot.platforms.question_wording import alert, wrong_answer
from bot.platforms.verdict_wording import verdict_reason


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What rendering needs besides the content itself."""

    languages: tuple[str, ...]
    """The languages on offer, the fallback first. A person reads theirs, teams read the fallback."""
    base: str
    """The name that a card gives the model when no adapter serves."""
    task: Task
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    @property
    def team(self) -> str:
        """The language that teams read."""
        return self.languages[0]

    def persons(self, language: str | None) -> str:
        """The offered language nearest to the person's."""
        return choose(language, self.languages)


_SURE, _FAIRLY = 0.90, 0.70
"""From these calibrated probabilities on, a decision is called very or fairly sure: at the first one answer in ten is
wrong, at the second three. They choose words only and decide nothing."""
_WEEK = 7
_SPOKEN_FOR: Mapping[str, str] = {
    Reason.WITHDRAWN: "card_withdrawn",
    Reason.UNDELIVERABLE: "card_undeliverable",
    Reason.WORDLESS: "card_wordless",
    Reason.RETIRED: "card_retired",
}
"""Reasons that explain the decision by themselves, whoever decided."""
_REMEMBERED: Mapping[str, str] = {Basis.TAP: "card_remembered_tap", Basis.EXAMPLE: "card_remembered_example"}
_MEMORY_ALONE: Mapping[str, str] = {
    Reason.MODEL_DOWN: "card_by_memory_down",
    Reason.NOT_TRAINED: "card_by_memory_untrained",
    Reason.NOT_READ: "card_by_memory_not_read",
}
_EXAMPLES_ALONE: Mapping[str, str] = {
    Reason.MODEL_DOWN: "card_by_examples_down",
    Reason.NOT_TRAINED: "card_by_examples_untrained",
    Reason.NOT_READ: "card_by_examples_not_read",
}
_FALLBACK_ALONE: Mapping[str, str] = {
    Reason.MODEL_DOWN: "card_by_fallback_down",
    Reason.NOT_TRAINED: "card_by_fallback_untrained",
    Reason.UNREADABLE: "card_by_fallback_unreadable",
    Reason.OUT_OF_HOURS: "card_by_fallback_out_of_hours",
    Reason.REQUESTED: "card_by_fallback_requested",
    Reason.UNSETTLED: "card_by_fallback_unsettled",
}
"""Why the fallback decided: no model gave an opinion, or none was asked."""


def to_person(content: Answer | WordsPlease | Moved | Solved | Split, language: str, task: Task) -> str:
    """The sentence for the person, in one of the offered languages."""
    match content:
        case Answer():
            said = _answer(content, language, task.shown(content.label))
            return f"{said} {sentence(language, 'answer_many')}" if content.many else said
        case Moved():
            return sentence(language, "moved", team=task.shown(content.label))
        case Solved():
            key = {None: "solved", YES: "solved_yes", NO: "solved_no"}.get(content.answer, "solved_settled")
            return sentence(language, key, team=task.shown(content.label))
        case Split():
            return sentence(language, "split_done" if content.done else "split", team=task.shown(content.label))
        case WordsPlease():
            return sentence(language, "words_please")


def _answer(content: Answer, language: str, team: str) -> str:
    if content.no_request:
        return sentence(language, "answer_no_request")
    if content.unread and content.back is not None:
        return sentence(language, "answer_unread_later", team=team, when=_when(content.back, content.days, language))
    if content.unread:
        return sentence(language, "answer_unread", team=team)
    if content.back is not None:
        key = "answer_fallback_later" if content.undecided else "answer_later"
        return sentence(language, key, team=team, when=_when(content.back, content.days, language))
    remembered = "answer_remembered" if content.remembered else "answer"
    return sentence(language, "answer_fallback" if content.undecided else remembered, team=team)


def _when(back: datetime, days: int | None, language: str) -> str:
    """Day and time by the team's own clock; the day of the week is named only where it is unambiguous."""
    near = {0: "when_today", 1: "when_tomorrow"}.get(days) if days is not None else None
    if near is not None:
        return sentence(language, near, time=f"{back:%H:%M}")
    day = sentence(language, f"day_{back.weekday()}")
    key = "when_next_week" if days is not None and days >= _WEEK else "when"
    return sentence(language, key, day=day, time=f"{back:%H:%M}")


def reply(content: Reply, language: str, task: Task) -> str:
    """Who writes to the person; the platform quotes the words themselves under it."""
    key = "reply_edited" if content.edited else "reply"
    return sentence(language, key, team=task.shown(content.label))


def question(content: Question, language: str, task: Task) -> str:
    """The question, or the answer it was given."""
    if content.answered is not None and content.chosen:
        return sentence(language, "question_answered", team=task.shown(content.answered))
    return sentence(language, "question")


def to_team(content: Notice | Sent | Offer | WrongTeam | FollowUp | Alert, language: str, task: Task) -> str:
    """The line for the team; the platform quotes under it what people wrote themselves."""
    match content:
        case Notice():
            words = {"who": _named(content.who, language), "problem": content.problem}
            team, minutes = task.shown(content.team), content.minutes
            there = "_there" if content.what is What.UNTAKEN and content.about is not None else ""
            return sentence(language, f"notice_{content.what}" + there, team=team, minutes=minutes, **words)
        case Sent(problem=""):
            return sentence(language, "sent", who=_named(content.by, language), to=_named(content.to, language))
        case Sent():
            return sentence(language, "not_sent", to=_named(content.to, language), problem=content.problem)
        case Offer():
            return sentence(language, "offer_sent" if content.sent else "offer", to=_named(content.to, language))
        case WrongTeam() if content.question:
            return wrong_answer(content, language)
        case WrongTeam(chosen=None):
            return sentence(language, "wrong_team")
        case WrongTeam():
            return sentence(language, "wrong_team_chosen", team=task.shown(content.chosen or ""))
        case FollowUp():
            return sentence(language, _follow_up(content), author=_named(content.author, language))
        case Alert():
            return alert(content, language, task)


def _follow_up(content: FollowUp) -> str:
    if content.deleted:
        return "follow_up_deleted"
    if content.replaces:
        return "follow_up_replaced"
    return "follow_up_edited" if content.edited else "follow_up"


def continuation(content: Continuation, language: str) -> str:
    """Which piece of how many this is."""
    return sentence(language, "continuation", part=content.part, parts=content.parts)


def _named(name: str, language: str) -> str:
    return name or sentence(language, "someone")


def attachment(media: Media, language: str) -> str:
    """The attachment's name; it is marked where it came with the message that this one points at."""
    name = media.name or media.kind.value
    return sentence(language, "attachment_cited", name=name) if media.cited else name


def card_marks(card: Card, language: str) -> list[str]:
    """The state of the card's conversation, one short line each: taken, done, edited, deleted, disputed, held."""
    marks = []
    if card.done:
        marks.append(sentence(language, "card_done"))
    elif card.taken_by:
        marks.append(sentence(language, "card_taken", who=card.taken_by))
    edited = card.edited and not card.deleted
    for flag, key in ((edited, "card_edited"), (card.deleted, "card_deleted"), (card.disputed, "card_disputed")):
        if flag:
            marks.append(sentence(language, key))
    if card.held:
        marks.append(sentence(language, f"card_held_{card.held}"))
    return marks


def moved(card: Card, language: str, task: Task) -> str:
    """Where the request is now, for a struck card."""
    if card.moved_to == NOT_A_REQUEST:
        return sentence(language, "card_no_request")
    return sentence(language, "card_moved", team=task.shown(card.moved_to or ""))


def why(card: Card, language: str, base: str) -> str:
    """Why this team, in one sentence; the calibrated probability in words and percent.

    `base` stands in where no adapter serves.
    """
    if card.reason in _SPOKEN_FOR:
        return sentence(language, _SPOKEN_FOR[card.reason])
    match card.by:
        case Author.MODEL:
            sure = sentence(language, certainty(card.confidence))
            percent = f"{card.confidence:.0%}"
            return sentence(language, "card_by_model", sure=sure, confidence=percent, adapter=card.adapter or base)
        case Author.EXAMPLES:
            key = _EXAMPLES_ALONE.get(card.reason, "card_by_examples")
            return sentence(
                language, key, sure=sentence(language, certainty(card.confidence)), confidence=f"{card.confidence:.0%}"
            )
        case Author.MEMORY:
            usual = "card_by_memory_tap" if card.remembered_from == Basis.TAP else "card_by_memory"
            return sentence(language, _MEMORY_ALONE.get(card.reason, usual))
        case Author.FALLBACK:
            return sentence(language, _FALLBACK_ALONE.get(card.reason, "card_by_fallback"))
        case Author.LEAD:
            return sentence(language, "card_by_lead")
        case Author.RULE:
            return sentence(language, "card_by_rule", rule=card.rule)
        case _:
            return sentence(language, "card_by_person")


def life(correction: CorrectionLife, language: str) -> str:
    """How far a lead's correction has come, in one sentence."""
    if correction.stage is Stage.QUARANTINED and correction.facts.held is not None:
        return sentence(language, f"card_held_{correction.facts.held.value}")
    return sentence(language, f"life_{correction.stage.value}", adapter=correction.adapter or "")


def voices_said(voices: Sequence[Heard], task: Task, language: str) -> list[str]:
    """One line with each voice's likeliest label and its share of the whole; none where there was only one voice."""
    if len(voices) < 2:
        return []
    heard = [
        sentence(
            language,
            "voice_said",
            voice=_voice(one.voice, language),
            team=task.shown(one.label),
            confidence=f"{one.probability:.0%}",
            weight=f"{one.weight:.2f}",
        )
        for one in voices
    ]
    return [sentence(language, "voices_said", voices=" · ".join(heard))]


def not_read(left_out: Sequence[str], language: str) -> list[str]:
    """One line on the parts of a long message that no voice read, or none."""
    parts = ", ".join(sentence(language, f"noise_{one}") for one in left_out)
    return [sentence(language, "not_read", parts=parts)] if parts else []


def _voice(voice: str, language: str) -> str:
    """The voice's name in words; a voice without a sentence of its own keeps its name."""
    return sentence(language, f"voice_{voice}") if voice in _VOICES else voice


_VOICES = frozenset({"adapter", "words", "vectors", "neighbours", "memory", "model"})


def remembered(texts: Sequence[str], basis: str, language: str) -> list[str]:
    """The known texts that a decision leans on, one line each that says where the label came from."""
    key = _REMEMBERED.get(basis, "card_remembered")
    return [sentence(language, key, text=text) for text in texts]


def certainty(confidence: float) -> str:
    """The key of the words for a calibrated probability."""
    return "very_sure" if confidence >= _SURE else "fairly_sure" if confidence >= _FAIRLY else "unsure"


def report(content: LearningReport, language: str) -> list[str]:
    """The report to leads on a verdict, a withdrawal or an unlearning: the sentence, then the reasons."""
    if content.withdrawal is not None:
        return [_withdrawal(content.adapter, content.withdrawal, language)]
    if content.unlearned:
        key = "report_unlearned" if content.adapter else "report_unlearned_alone"
        return [sentence(language, key, adapter=content.adapter, withdrawn=content.unlearned)]
    reasons = [verdict_reason(one, language) for one in content.reasons]
    if content.trial is not None:
        return [_trial(content, content.trial, language), *reasons]
    key = "report_promoted" if content.promoted else "report_refused"
    return [sentence(language, key, adapter=content.adapter), *reasons]


def _trial(content: LearningReport, trial: Trial, language: str) -> str:
    key = ("canary_promoted" if content.promoted else "canary_withdrawn") if trial.ended else "canary_began"
    numbers = {
        "decided": trial.decided,
        "corrected": trial.corrected,
        "decided_others": trial.decided_others,
        "corrected_others": trial.corrected_others,
    }
    return sentence(language, key, adapter=content.adapter, share=f"{trial.share:.0%}", **numbers)


def _withdrawal(again: str, figures: Withdrawal, language: str) -> str:
    numbers = {
        "decided": str(figures.decided),
        "corrected": str(figures.corrected),
        "decided_before": str(figures.decided_before),
        "corrected_before": str(figures.corrected_before),
    }
    return sentence(language, "report_withdrawn", adapter=again, withdrawn=figures.adapter, **numbers)


def training_progress(content: TrainingProgress, language: str) -> str:
    """How far the training is, or why it failed."""
    if content.phase == Phase.FAILED:
        return training_failed(content.adapter, content.problem, language)
    return sentence(language, f"training_{content.phase}", adapter=content.adapter, percent=content.percent)
