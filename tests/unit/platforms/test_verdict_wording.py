"""The gate's reasons in the reader's language: every one that it can give, with its numbers and no others."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.domain.asking import Record, in_words
from bot.domain.gate import Circumstances, Unasked, judge
from bot.domain.learning import Score, Source
from bot.domain.report_posts import LearningReport, ShadowExplanation
from bot.domain.serving_agreement import Validation, disagreement
from bot.locales import Sentences, available
from bot.platforms.shadow_card import shadow_explanation
from bot.platforms.verdict_wording import verdict_reason
from bot.platforms.wording import report
from tests.samples import TASK

OTHERS = [language for language in available() if language != "en"]


def scores(right: int, of: int, truth: str = "billing", start: int = 0, **more: str) -> list[Score]:
    """So many messages, of which the first are answered correctly and surely."""
    language = more.get("language")
    return [
        Score(f"{n}", Source(more.get("source", "import")), truth, answer, {answer: 1.0}, language)
        for n in range(start, start + of)
        for answer in [truth if n - start < right else "it"]
    ]


def reasons() -> Iterator[str]:
    """The reasons of verdicts for every branch."""
    yield from judge(scores(3, 5), scores(5, 5)).reasons
    yield from judge(scores(0, 1), scores(1, 1)).reasons
    yield from judge(scores(99, 100), scores(100, 100)).reasons
    yield from judge(scores(100, 200), scores(200, 200)).reasons
    yield from judge(scores(200, 200), scores(200, 200)).reasons
    about = Circumstances(new_labels=["legal", "sales"])
    yield from judge(scores(1_000, 1_000), scores(1_000, 1_000), about).reasons
    yield from judge(scores(100, 100), scores(99, 100), replace(about, look=3)).reasons
    yield from judge(scores(400, 400), scores(400, 400), Circumstances(first=True)).reasons
    yield from judge(scores(100, 100), scores(50, 100)).reasons
    yield from judge(scores(20, 20), scores(2, 20)).reasons
    yield from judge(scores(100, 100), scores(100, 100), Circumstances(objections=(_disagreement(),))).reasons
    small = [(f"team {n}", 10 * n) for n in range(8)]
    olds = [one for name, start in small for one in scores(10, 10, name, start)]
    yield from judge(olds, [one for name, start in small for one in scores(8, 10, name, start)]).reasons
    pt = [*scores(60, 60, language="en"), *scores(60, 60, start=60, language="pt")]
    yield from judge(pt, [*scores(60, 60, language="en"), *scores(30, 60, start=60, language="pt")]).reasons
    few = [*scores(60, 60, language="en"), *scores(20, 20, start=60, language="pt")]
    yield from judge(few, [*scores(60, 60, language="en"), *scores(2, 20, start=60, language="pt")]).reasons
    thin = [*few, *scores(12, 12, start=80, language="es")]
    yield from judge(thin, thin).reasons
    corrected = scores(100, 100, source="correction")
    yield from judge(corrected, scores(99, 100, source="correction")).reasons
    yield from judge(corrected, scores(90, 100, source="correction")).reasons
    unasked = Unasked([False] * 60, [True] * 20 + [False] * 40)
    yield from judge(scores(100, 100), scores(100, 100), Circumstances(unasked=unasked)).reasons
    yield from _asking()


def _disagreement() -> str:
    said = disagreement(Validation(0.95, 100), 50, 100)
    assert said is not None
    return said


def _asking() -> Iterator[str]:
    record = Record((("billing", 49, 400, 399, "en"), ("billing", 30, 50, 20, "pt")))
    own = replace(TASK.labels[0], unasked_right=0.99)
    plain = replace(TASK, ask_below=None)
    teams = replace(plain, labels=(own, *TASK.labels[1:]))
    for task in (plain, teams, replace(plain, ask_below=0.7), replace(teams, ask_below=0.7)):
        yield in_words(task, None)
        yield in_words(task, record)
    yield in_words(plain, Record((("billing", 49, 1, 1, "en"),)))
    few = Record((("billing", 49, 20, 19, "en"),))
    yield in_words(plain, few)
    yield in_words(teams, few)


def numbers(said: str) -> list[str]:
    return sorted(re.findall(r"\d[\d.%e-]*", said))


@pytest.mark.parametrize("language", OTHERS)
def test_every_reason_is_said_in_every_language_with_its_numbers(language: str) -> None:
    for recorded in reasons():
        said = verdict_reason(recorded, language)
        assert said != recorded, f"not in {language}: {recorded}"
        assert numbers(said) == numbers(recorded), said
        assert verdict_reason(recorded, "en") == recorded


def test_every_sentence_of_a_verdict_is_given_by_the_gate() -> None:
    """A sentence that the gate has changed since would always stay English."""
    known = Sentences()
    wanted = {key: known.text("pt-BR", key) for key in known.keys("en") if key.startswith("verdict_")}
    said = [verdict_reason(recorded, "pt-BR") for recorded in reasons()]
    forms = {key: re.compile(re.sub(r"\\{\w+(?::.*?)?\\}", ".+?", re.escape(text))) for key, text in wanted.items()}
    assert [key for key, form in forms.items() if not any(form.search(one) for one in said)] == []


ONE = {
    "en": ("not proven better: 1 mistake mended, 0 made", "repeats 1 mistake that", "only 1 held-out message;"),
    "pt-BR": ("1 erro corrigido, 0 cometidos", "repete 1 erro que", "só 1 mensagem reservada;"),
    "es": ("1 error corregido, 0 cometidos", "repite 1 error que", "solo 1 mensaje reservado;"),
}


@pytest.mark.parametrize("language", available())
def test_one_is_said_in_the_singular(language: str) -> None:
    corrected = scores(100, 100, source="correction")
    [first, *_] = judge(scores(99, 100), scores(100, 100)).reasons
    [again] = judge(corrected, scores(99, 100, source="correction")).reasons
    [few] = judge(scores(0, 1), scores(1, 1)).reasons
    said = [verdict_reason(recorded, language) for recorded in (first, again, few)]
    assert [part for part, sentence in zip(ONE[language], said, strict=True) if part not in sentence] == []


@pytest.mark.parametrize("language", available())
def test_reasons_that_were_recorded_before_there_was_a_singular_are_read(language: str) -> None:
    assert verdict_reason("repeats 1 mistakes that leads had corrected", language) == verdict_reason(
        "repeats 1 mistake that leads had corrected", language
    )


@pytest.mark.parametrize("language", available())
def test_reports_and_explanations_speak_one_language(language: str) -> None:
    recorded = judge(scores(100, 100), scores(50, 100)).reasons
    wanted = [verdict_reason(one, language) for one in recorded]
    assert report(LearningReport("routing", "routing-2", False, recorded), language)[1:] == wanted
    assert shadow_explanation(ShadowExplanation("routing-2", 100, 0.5, 1.0, recorded), language)[1:] == wanted


def test_what_no_sentence_says_stays_as_it_was_recorded() -> None:
    for recorded in ("", "because I say so", "billing falls from grace"):
        assert verdict_reason(recorded, "pt-BR") == recorded
    strange = "the language pt has 3 falls from 50.0% to 40.0%"
    assert verdict_reason(strange, "es") == "el idioma pt has 3 baja de 50.0% a 40.0%"
