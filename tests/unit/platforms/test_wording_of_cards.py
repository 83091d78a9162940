"""What a card says in words: the outcome, who decided, and why."""

from dataclasses import replace
from itertools import product

import pytest

from bot.domain.decisions import Author, Basis, Heard, Reason
from bot.domain.guards import Held
from bot.domain.noise import Noise
from bot.domain.posts import Card
from bot.locales import available
from bot.platforms.wording import card_marks, certainty, not_read, remembered, voices_said, why
from tests.unit.platforms.test_wording import CARD, TASK


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        (CARD, []),
        (replace(CARD, taken_by="Ben"), ["Ben is on it"]),
        (replace(CARD, taken_by="Ben", done=True), ["Done"]),
        (replace(CARD, edited=True), ["The person changed their words since"]),
        (replace(CARD, deleted=True), ["The person deleted their words"]),
        (replace(CARD, edited=True, deleted=True), ["The person deleted their words"]),
        (
            replace(CARD, taken_by="Ben", disputed=True),
            ["Ben is on it", "Leads name different teams; nothing is learned from it until they agree"],
        ),
        (
            replace(CARD, held="contradicted"),
            ["Not learned yet: similar requests went elsewhere. A second lead's emoji for this team settles it"],
        ),
    ],
)
def test_a_card_shows_what_became_of_it(marked: Card, said: list[str]) -> None:
    assert card_marks(marked, "en") == said


@pytest.mark.parametrize("why", [one for one in Held if one is not Held.DISPUTED])
@pytest.mark.parametrize("language", ["en", "pt-BR", "es"])
def test_why_a_correction_waits_is_said_in_every_language(why: Held, language: str) -> None:
    (said,) = card_marks(replace(CARD, held=why.value), language)
    assert "lead" in said or "líder" in said or "responsable" in said


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (CARD, "The model chose this: very sure (96%, routing-3)"),
        (replace(CARD, confidence=0.75, adapter=None), "The model chose this: fairly sure (75%, a-base)"),
        (replace(CARD, confidence=0.61), "The model chose this: unsure (61%, routing-3)"),
        (
            replace(CARD, by=Author.MEMORY, reason=Reason.REMEMBERED),
            "Remembered from a correction of a similar request",
        ),
        (
            replace(CARD, by=Author.MEMORY, reason=Reason.MODEL_DOWN),
            "Chosen by similar known requests; the model could not be asked",
        ),
        (replace(CARD, by=Author.PERSON, reason=Reason.CHOSEN), "The person chose this team"),
        (replace(CARD, by=Author.LEAD, reason=Reason.CORRECTED), "A lead moved it here"),
        (replace(CARD, by=Author.FALLBACK, reason=Reason.UNSURE), "Nobody could decide; please have a look"),
        (
            replace(CARD, by=Author.FALLBACK, reason=Reason.MODEL_DOWN),
            "The model could not be asked; please have a look",
        ),
        (
            replace(CARD, by=Author.FALLBACK, reason=Reason.NOT_TRAINED),
            "The model is not trained yet and no known example is similar; please have a look. "
            "More examples: switchboard import, then switchboard train",
        ),
        (
            replace(CARD, by=Author.MEMORY, reason=Reason.NOT_TRAINED),
            "The model is not trained yet: known examples decided. To train it, run: switchboard train",
        ),
        (
            replace(CARD, by=Author.MEMORY, reason=Reason.REMEMBERED, remembered_from=Basis.TAP),
            "Remembered from what somebody chose for a similar request",
        ),
        (
            replace(CARD, by=Author.FALLBACK, reason=Reason.UNDELIVERABLE),
            "Its team could not be reached; please look after it",
        ),
        (
            replace(CARD, by=Author.FALLBACK, reason=Reason.WORDLESS),
            "There was nothing to read but what is attached; please have a look",
        ),
        (
            replace(CARD, by=Author.MODEL, reason=Reason.WITHDRAWN),
            "A lead's correction was withdrawn; back where it was",
        ),
    ],
)
def test_a_card_says_why(card: Card, said: str) -> None:
    assert why(card, "en", "a-base") == said


@pytest.mark.parametrize(("by", "reason"), list(product(Author, Reason)))
def test_every_reason_has_words_whoever_decided(by: Author, reason: Reason) -> None:
    said = {why(replace(CARD, by=by, reason=reason), language, "a-base") for language in available()}
    assert len(said) == len(available())


@pytest.mark.parametrize(
    ("confidence", "key"), [(0.90, "very_sure"), (0.89, "fairly_sure"), (0.70, "fairly_sure"), (0.69, "unsure")]
)
def test_a_probability_is_said_in_words(confidence: float, key: str) -> None:
    assert certainty(confidence) == key


@pytest.mark.parametrize(
    ("basis", "said"),
    [
        (Basis.CORRECTION, "Similar, corrected: my bill"),
        (Basis.TAP, "Similar, chosen: my bill"),
        (Basis.EXAMPLE, "Similar example: my bill"),
    ],
)
def test_a_text_that_was_leaned_on_says_how_it_came_by_its_label(basis: Basis, said: str) -> None:
    assert remembered(["my bill"], basis, "en") == [said]


SAID = (
    Heard("vectors", "billing", 0.912, 0.5),
    Heard("adapter", "triage", 0.6, 0.3),
    Heard("tarot", "billing", 1.0, 0.2),
)


def test_the_small_print_holds_each_voices_opinion_and_weight() -> None:
    assert voices_said(SAID, TASK, "en") == [
        "Heard: meaning → Accounts 91% (weight 0.50) · the model → Front desk 60% (weight 0.30)"
        " · tarot → Accounts 100% (weight 0.20)"
    ]
    assert voices_said(SAID[:1], TASK, "en") == voices_said((), TASK, "en") == []


@pytest.mark.parametrize(("language", "named"), [("en", "weight"), ("pt-BR", "peso"), ("es", "peso")])
def test_voices_and_what_was_not_read_are_named_in_every_language(language: str, named: str) -> None:
    known = ("adapter", "model", "words", "vectors", "neighbours", "memory")
    [line] = voices_said([Heard(voice, "billing", 0.5, 0.2) for voice in known], TASK, language)
    assert line.count(named) == len(known)
    assert not_read((), language) == []
    [left_out] = not_read([one.value for one in Noise], language)
    assert left_out.count(",") == len(Noise) - 1
