"""Which label is chosen, how sure it is, and who the author is."""

import math
import random
from dataclasses import replace

import pytest

from bot.domain.decisions import Author, Basis, NoPrediction, Opinion, Reason, calibrated, decide, fallback
from bot.domain.memory_vote import Neighbour, Neighbours, memory_opinion
from bot.domain.tasks import NOT_A_REQUEST
from tests.samples import TASK

SURE = Opinion(Author.MODEL, {"billing": 0.9, "delivery": 0.05, "it": 0.03, "triage": 0.02}, adapter="routing-1")
TORN = Opinion(Author.MODEL, {"billing": 0.45, "delivery": 0.40, "it": 0.05, "triage": 0.10}, adapter="routing-1")
KNOWN = Neighbours(anchors=(Neighbour(1, "billing", 0.8),))


def test_a_sure_model_decides_and_says_with_which_adapter() -> None:
    decision = decide(TASK, [SURE, memory_opinion(KNOWN)], may_ask=True)
    assert (decision.label, decision.by, decision.reason) == ("billing", Author.MODEL, Reason.CONFIDENT)
    assert decision.adapter == "routing-1"
    assert decision.confidence == pytest.approx(0.9)
    assert decision.candidates == ()


def test_an_unsure_model_asks_with_its_best_guesses_and_never_offers_the_fallback() -> None:
    decision = decide(TASK, [TORN, memory_opinion(KNOWN)], may_ask=True)
    assert decision.reason is Reason.UNSURE
    assert decision.candidates == ("billing", "delivery", "it")


def test_who_may_not_be_asked_goes_to_the_fallback_with_the_guess_on_record() -> None:
    decision = decide(TASK, [TORN, memory_opinion(KNOWN)], may_ask=False)
    assert (decision.label, decision.by, decision.reason) == ("triage", Author.FALLBACK, Reason.UNSURE)
    assert decision.probabilities["billing"] == pytest.approx(0.45)


def test_a_sure_model_far_from_everything_known_still_asks() -> None:
    strange = Neighbours(anchors=(Neighbour(1, "billing", 0.1),))
    assert decide(TASK, [SURE, memory_opinion(strange)], may_ask=True).reason is Reason.STRANGE


def test_a_model_without_any_anchors_is_not_called_strange() -> None:
    assert decide(TASK, [SURE, memory_opinion(Neighbours())], may_ask=True).reason is Reason.CONFIDENT


def test_a_correction_close_by_overrules_a_sure_model_and_is_named_as_evidence() -> None:
    found = Neighbours(corrections=(Neighbour(42, "it", 0.92),), anchors=(Neighbour(1, "billing", 0.5),))
    decision = decide(TASK, [SURE, memory_opinion(found)], may_ask=True)
    assert (decision.label, decision.by, decision.reason) == ("it", Author.MEMORY, Reason.REMEMBERED)
    assert decision.evidence == (42,)


def test_an_anchor_closer_than_the_correction_protects_the_old_team() -> None:
    found = Neighbours(corrections=(Neighbour(42, "it", 0.4),), anchors=(Neighbour(1, "billing", 0.95),))
    assert decide(TASK, [SURE, memory_opinion(found)], may_ask=True).label == "billing"


def test_an_exact_corrected_text_decides_alone() -> None:
    exact = Neighbours(
        corrections=(Neighbour(42, "it", 0.2, same_text=True),), anchors=(Neighbour(1, "billing", 0.99),)
    )
    decision = decide(TASK, [SURE, memory_opinion(exact)], may_ask=True)
    assert (decision.label, decision.confidence) == ("it", 1.0)


def waiting(*labels: str, corrections: tuple[Neighbour, ...] = ()) -> Opinion:
    return memory_opinion(replace(KNOWN, corrections=corrections, unsettled=labels))


def test_words_whose_correction_waits_for_a_second_lead_are_asked_between_the_two_teams() -> None:
    decision = decide(TASK, [SURE, waiting("it")], may_ask=True)
    assert (decision.label, decision.by, decision.reason) == ("billing", Author.MODEL, Reason.UNSETTLED)
    assert decision.candidates == ("billing", "it", "delivery"), "the two come before others, however unlikely"
    unasked = decide(TASK, [SURE, waiting("it")], may_ask=False)
    assert (unasked.label, unasked.by, unasked.reason) == ("triage", Author.FALLBACK, Reason.UNSETTLED)


def test_a_correction_that_waits_changes_nothing_where_all_agree() -> None:
    assert decide(TASK, [SURE, waiting("billing")], may_ask=True).reason is Reason.CONFIDENT
    settled = Neighbour(42, "it", 1.0, same_text=True)
    decision = decide(TASK, [SURE, waiting("it", corrections=(settled,))], may_ask=True)
    assert (decision.label, decision.reason) == ("it", Reason.REMEMBERED)


def test_a_settled_correction_that_a_newer_one_questions_is_asked_about_and_counts_where_nobody_can_be_asked() -> None:
    settled = Neighbour(42, "delivery", 1.0, same_text=True)
    opinions = [SURE, waiting("it", corrections=(settled,))]
    decision = decide(TASK, opinions, may_ask=True)
    assert (decision.reason, decision.candidates[:2]) == (Reason.UNSETTLED, ("delivery", "it"))
    unasked = decide(TASK, opinions, may_ask=False)
    assert (unasked.label, unasked.by, unasked.reason) == ("delivery", Author.MEMORY, Reason.REMEMBERED)


def test_a_correction_to_the_fallback_team_is_asked_without_naming_it() -> None:
    decision = decide(TASK, [SURE, waiting("triage")], may_ask=True)
    assert (decision.reason, decision.candidates) == (Reason.UNSETTLED, ("billing", "delivery", "it"))


@pytest.mark.parametrize("label", [NOT_A_REQUEST, "a retired team"])
def test_a_label_that_no_answer_leads_to_asks_nobody(label: str) -> None:
    assert decide(TASK, [SURE, waiting(label)], may_ask=True).reason is Reason.CONFIDENT


def test_a_correction_that_waits_and_is_near_other_corrections_is_asked_too() -> None:
    near = Neighbour(42, "delivery", 0.6)
    decision = decide(TASK, [SURE, waiting("it", corrections=(near,))], may_ask=True)
    assert decision.reason is Reason.UNSETTLED


def test_an_exact_example_of_a_team_that_the_adapter_never_learned_decides_alone() -> None:
    exact = Neighbours(anchors=(Neighbour(7, "it", 0.99, same_text=True), Neighbour(1, "billing", 0.98)))
    decision = decide(TASK, [SURE, memory_opinion(exact, new=["it"])], may_ask=True)
    assert (decision.label, decision.confidence, decision.evidence) == ("it", 1.0, (7,))
    assert decide(TASK, [SURE, memory_opinion(exact)], may_ask=True).by is Author.MODEL


def test_once_other_voices_know_a_new_team_its_corrections_have_no_head_start() -> None:
    found = Neighbours(corrections=(Neighbour(42, "it", 0.8),), anchors=(Neighbour(1, "billing", 0.8),))
    before, after = memory_opinion(found, new=["it"]), memory_opinion(found, new=["it"], taught=["it"])
    assert before.weight == pytest.approx(math.exp(0.20 / 0.06))
    assert after.weight == pytest.approx(1.0)


def test_with_the_model_down_the_memory_decides_and_the_decision_says_so() -> None:
    decision = decide(TASK, [NoPrediction(Reason.MODEL_DOWN), memory_opinion(KNOWN)], may_ask=True)
    assert (decision.label, decision.by, decision.reason) == ("billing", Author.MEMORY, Reason.MODEL_DOWN)
    assert decision.adapter is None


def test_with_the_model_down_and_nothing_alike_the_fallback_decides_with_no_confidence() -> None:
    far = Neighbours(anchors=(Neighbour(1, "billing", 0.2),))
    decision = decide(TASK, [NoPrediction(Reason.MODEL_DOWN), memory_opinion(far)], may_ask=True)
    assert (decision.label, decision.by, decision.reason) == ("triage", Author.FALLBACK, Reason.MODEL_DOWN)
    assert decision.confidence == 0.0


def test_votes_for_a_label_that_no_longer_exists_count_for_nobody() -> None:
    retired = Neighbours(anchors=(Neighbour(1, "fax", 0.9),))
    decision = decide(TASK, [NoPrediction(Reason.NOT_TRAINED), memory_opinion(retired)], may_ask=False)
    assert decision.label == "triage"


# --- opinions of any number of voices ---


def gate(found: Neighbours, model: Opinion) -> float:
    """The memory's weight as measured: the sigmoid of the margin, minus the extra certainty of the model."""
    if found.corrections[0].same_text:
        return 1.0
    anchored = found.anchors[0].similarity if found.anchors else 0.0
    top = max(model.probabilities.values())
    return 1 / (1 + math.exp(-(found.corrections[0].similarity - anchored - 0.25 * (top - 0.70) + 0.20) / 0.06))


def neighbour(rng: random.Random, id: int) -> Neighbour:
    return Neighbour(id, rng.choice(TASK.names), rng.uniform(-0.2, 1.0), rng.random() < 0.1)


@pytest.mark.parametrize("seed", range(200))
def test_model_and_memory_are_mixed_by_the_gate_that_was_measured(seed: int) -> None:
    rng = random.Random(seed)
    drawn = [rng.random() ** 4 for _ in TASK.names]
    model = Opinion(Author.MODEL, dict(zip(TASK.names, (d / sum(drawn) for d in drawn), strict=True)))
    near = sorted((neighbour(rng, n) for n in range(3)), key=lambda n: (not n.same_text, -n.similarity))
    far = sorted((neighbour(rng, n + 10) for n in range(rng.randint(0, 3))), key=lambda n: -n.similarity)
    found = Neighbours(tuple(near), tuple(far))
    memory = memory_opinion(found)
    weight = gate(found, model)
    decision = decide(TASK, [model, memory], may_ask=True)
    expected = {n: (1 - weight) * p + weight * memory.probabilities.get(n, 0.0) for n, p in model.probabilities.items()}
    assert decision.probabilities == pytest.approx(expected)
    assert decision.by is (Author.MEMORY if weight >= 0.5 else Author.MODEL)


THIRD = Opinion(Author.MODEL, {"it": 0.9, "billing": 0.1}, weight=3.0)


def test_a_third_opinion_counts_by_its_weight() -> None:
    decision = decide(TASK, [SURE, THIRD, memory_opinion(KNOWN)], may_ask=True)
    assert decision.label == "it"
    assert decision.probabilities["it"] == pytest.approx((0.03 + 3 * 0.9) / 4)
    assert decision.adapter == "routing-1"


def test_a_third_opinion_stands_in_where_the_model_is_away_and_the_decision_still_says_so() -> None:
    decision = decide(TASK, [NoPrediction(Reason.MODEL_DOWN), THIRD, memory_opinion(KNOWN)], may_ask=True)
    assert (decision.label, decision.reason) == ("it", Reason.MODEL_DOWN)
    assert decision.probabilities["it"] == pytest.approx(0.9), "beside another voice anchors do not vote"


def test_an_exact_corrected_text_overrules_any_number_of_voices() -> None:
    exact = Neighbours(corrections=(Neighbour(42, "delivery", 0.2, same_text=True),))
    decision = decide(TASK, [SURE, THIRD, THIRD, memory_opinion(exact)], may_ask=True)
    assert (decision.label, decision.confidence, decision.evidence) == ("delivery", 1.0, (42,))


def test_a_silence_without_a_reason_is_not_mentioned() -> None:
    assert decide(TASK, [SURE, NoPrediction()], may_ask=True).reason is Reason.CONFIDENT
    assert decide(TASK, [NoPrediction()], may_ask=True) == fallback(TASK, Reason.UNSURE)


def test_evidence_says_on_whose_word_it_has_its_label() -> None:
    tapped = Neighbours((Neighbour(1, "it", 0.9, text="my screen", basis=Basis.TAP),))
    [evidence] = memory_opinion(tapped).evidence
    assert (evidence.text, evidence.basis) == ("my screen", Basis.TAP)


def test_temperature_one_changes_nothing_and_a_high_one_flattens() -> None:
    assert calibrated(SURE.probabilities, 1.0) == pytest.approx(dict(SURE.probabilities))
    modest = calibrated(SURE.probabilities, 3.0)
    assert modest["billing"] < 0.9
    assert sum(modest.values()) == pytest.approx(1.0)
    assert max(modest, key=lambda name: modest[name]) == "billing"


# --- texts that no voice can read ---

UNREAD = NoPrediction(Reason.NOT_READ)
KIN = Neighbours(anchors=(Neighbour(1, "billing", 0.6),))
FAR = Neighbours(anchors=(Neighbour(1, "billing", 0.2),))
BY_PLACE = Opinion(Author.EXAMPLES, {"it": 0.97, "billing": 0.03}, without=Reason.NOT_READ, reads=False)
"""Voices that only know where the text lies among others."""
BY_WORDS = Opinion(Author.EXAMPLES, {"it": 0.97, "billing": 0.03}, without=Reason.NOT_READ)


@pytest.mark.parametrize("may_ask", [True, False])
@pytest.mark.parametrize("first", [UNREAD, BY_PLACE])
@pytest.mark.parametrize("found", [FAR, Neighbours()])
def test_what_no_voice_can_read_goes_to_the_fallback_and_nobody_is_asked(
    may_ask: bool, first: Opinion | NoPrediction, found: Neighbours
) -> None:
    decision = decide(TASK, [first, memory_opinion(found)], may_ask)
    assert (decision.label, decision.by, decision.reason) == ("triage", Author.FALLBACK, Reason.UNREADABLE)
    assert decision.candidates == ()


def test_without_an_embedder_what_is_not_read_is_not_guessed_either() -> None:
    assert decide(TASK, [BY_PLACE, NoPrediction()], may_ask=True).reason is Reason.UNREADABLE


@pytest.mark.parametrize(
    ("first", "found", "by"),
    [(BY_WORDS, KIN, Author.EXAMPLES), (BY_PLACE, KIN, Author.EXAMPLES), (UNREAD, KIN, Author.MEMORY)],
)
def test_what_another_voice_can_read_it_decides_and_says_that_the_model_did_not(
    first: Opinion | NoPrediction, found: Neighbours, by: Author
) -> None:
    decision = decide(TASK, [first, memory_opinion(found)], may_ask=True)
    assert (decision.by, decision.reason) == (by, Reason.NOT_READ)


def test_a_text_that_was_corrected_is_known_in_any_script() -> None:
    exact = Neighbours(corrections=(Neighbour(42, "it", 0.1, same_text=True),))
    decision = decide(TASK, [BY_PLACE, memory_opinion(exact)], may_ask=True)
    assert (decision.label, decision.by) == ("it", Author.MEMORY)


def test_a_model_that_is_down_is_no_text_that_cannot_be_read() -> None:
    down = replace(BY_PLACE, without=Reason.MODEL_DOWN)
    assert decide(TASK, [down, memory_opinion(Neighbours())], may_ask=True).reason is Reason.MODEL_DOWN
