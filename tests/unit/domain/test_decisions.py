"""Which label, how sure, and who says so."""

import pytest

from bot.domain.decisions import Author, NoPrediction, Prediction, Reason, calibrated, decide
from bot.domain.memory_vote import Neighbour, Neighbours
from tests.samples import TASK

SURE = Prediction({"billing": 0.9, "delivery": 0.05, "it": 0.03, "triage": 0.02}, "routing-1")
TORN = Prediction({"billing": 0.45, "delivery": 0.40, "it": 0.05, "triage": 0.10}, "routing-1")
KNOWN = Neighbours(anchors=(Neighbour(1, "billing", 0.8),))


def test_a_sure_model_decides_and_says_with_which_adapter() -> None:
    decision = decide(TASK, SURE, KNOWN, may_ask=True)
    assert (decision.label, decision.by, decision.reason) == ("billing", Author.MODEL, Reason.CONFIDENT)
    assert decision.adapter == "routing-1"
    assert decision.confidence == pytest.approx(0.9)
    assert decision.candidates == ()


def test_an_unsure_model_asks_with_its_best_guesses_and_never_offers_the_fallback() -> None:
    decision = decide(TASK, TORN, KNOWN, may_ask=True)
    assert decision.reason is Reason.UNSURE
    assert decision.candidates == ("billing", "delivery", "it")


def test_who_may_not_be_asked_goes_to_the_fallback_with_the_guess_on_record() -> None:
    decision = decide(TASK, TORN, KNOWN, may_ask=False)
    assert (decision.label, decision.by, decision.reason) == ("triage", Author.FALLBACK, Reason.UNSURE)
    assert decision.probabilities["billing"] == pytest.approx(0.45)


def test_a_sure_model_far_from_everything_known_still_asks() -> None:
    strange = Neighbours(anchors=(Neighbour(1, "billing", 0.1),))
    assert decide(TASK, SURE, strange, may_ask=True).reason is Reason.STRANGE


def test_a_model_without_any_anchors_is_not_called_strange() -> None:
    assert decide(TASK, SURE, Neighbours(), may_ask=True).reason is Reason.CONFIDENT


def test_a_correction_close_by_overrules_a_sure_model_and_is_named_as_evidence() -> None:
    found = Neighbours(corrections=(Neighbour(42, "it", 0.92),), anchors=(Neighbour(1, "billing", 0.5),))
    decision = decide(TASK, SURE, found, may_ask=True)
    assert (decision.label, decision.by, decision.reason) == ("it", Author.MEMORY, Reason.REMEMBERED)
    assert decision.evidence == (42,)


def test_an_anchor_closer_than_the_correction_protects_the_old_team() -> None:
    found = Neighbours(corrections=(Neighbour(42, "it", 0.4),), anchors=(Neighbour(1, "billing", 0.95),))
    assert decide(TASK, SURE, found, may_ask=True).label == "billing"


def test_an_exact_corrected_text_decides_alone() -> None:
    exact = Neighbours(
        corrections=(Neighbour(42, "it", 0.2, same_text=True),), anchors=(Neighbour(1, "billing", 0.99),)
    )
    decision = decide(TASK, SURE, exact, may_ask=True)
    assert (decision.label, decision.confidence) == ("it", 1.0)


def test_with_the_model_down_the_memory_decides_and_the_decision_says_so() -> None:
    decision = decide(TASK, NoPrediction(Reason.MODEL_DOWN), KNOWN, may_ask=True)
    assert (decision.label, decision.by, decision.reason) == ("billing", Author.MEMORY, Reason.MODEL_DOWN)
    assert decision.adapter is None


def test_with_the_model_down_and_nothing_alike_the_fallback_decides_with_no_confidence() -> None:
    far = Neighbours(anchors=(Neighbour(1, "billing", 0.2),))
    decision = decide(TASK, NoPrediction(Reason.MODEL_DOWN), far, may_ask=True)
    assert (decision.label, decision.by, decision.reason) == ("triage", Author.FALLBACK, Reason.MODEL_DOWN)
    assert decision.confidence == 0.0


def test_votes_for_a_label_that_no_longer_exists_count_for_nobody() -> None:
    retired = Neighbours(anchors=(Neighbour(1, "fax", 0.9),))
    decision = decide(TASK, NoPrediction(Reason.NOT_TRAINED), retired, may_ask=False)
    assert decision.label == "triage"


def test_temperature_one_changes_nothing_and_a_high_one_flattens() -> None:
    assert calibrated(SURE.probabilities, 1.0) == pytest.approx(dict(SURE.probabilities))
    modest = calibrated(SURE.probabilities, 3.0)
    assert modest["billing"] < 0.9
    assert sum(modest.values()) == pytest.approx(1.0)
    assert max(modest, key=lambda name: modest[name]) == "billing"
