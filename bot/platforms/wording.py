"""What the sentences of every platform have in common: which one is said when. Platforms add only their markup."""

from bot.domain.decisions import Author, Reason
from bot.domain.posts import Answer, Card, LearningReport, Moved, Question, WordsPlease
from bot.locales import sentence


def to_person(content: Answer | WordsPlease | Moved, language: str) -> str:
    """The sentence the person hears, in a language that is offered."""
    match content:
        case Answer(remembered=True):
            return sentence(language, "answer_remembered", team=content.label)
        case Answer(undecided=True):
            return sentence(language, "answer_fallback", team=content.label)
        case Answer():
            return sentence(language, "answer", team=content.label)
        case Moved():
            return sentence(language, "moved", team=content.label)
        case WordsPlease():
            return sentence(language, "words_please")


def question(content: Question, language: str) -> str:
    """The question, or what became of it."""
    if content.answered is not None and content.chosen:
        return sentence(language, "question_answered", team=content.answered)
    return sentence(language, "question")


def why(card: Card, language: str, base: str) -> str:
    """Why this team, in a sentence. Percent, for a probability that nobody would read as more than it is.

    `base` stands in where no adapter serves.
    """
    if card.reason == Reason.WITHDRAWN:
        return sentence(language, "card_withdrawn")
    alone = card.reason in (Reason.MODEL_DOWN, Reason.NOT_TRAINED)
    match card.by:
        case Author.MODEL:
            sure = f"{card.confidence:.0%}"
            return sentence(language, "card_by_model", confidence=sure, adapter=card.adapter or base)
        case Author.MEMORY:
            return sentence(language, "card_by_memory_only" if alone else "card_by_memory")
        case Author.FALLBACK:
            return sentence(language, "card_by_fallback_down" if alone else "card_by_fallback")
        case Author.LEAD:
            return sentence(language, "card_by_lead")
        case _:
            return sentence(language, "card_by_person")


def report(content: LearningReport, language: str) -> list[str]:
    """What leads hear of a verdict: the sentence, then the reasons."""
    key = "report_promoted" if content.promoted else "report_refused"
    return [sentence(language, key, adapter=content.adapter), *content.reasons]
