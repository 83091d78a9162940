"""Serving and training must agree on the same messages, or the candidate is not promoted."""

import pytest

from bot.domain.serving_agreement import Validation, disagreement


@pytest.mark.parametrize(("right", "asked"), [(90, 100), (87, 100), (95, 100), (85, 100)])
def test_a_few_messages_are_rounding(right: int, asked: int) -> None:
    assert disagreement(Validation(0.9, 100), right, asked) is None


@pytest.mark.parametrize("right", [40, 84, 96])
def test_more_is_a_disagreement_with_both_figures(right: int) -> None:
    said = disagreement(Validation(0.9, 100), right, 100)
    assert said is not None
    assert "training got 90.0% right (100)" in said
    assert f"the server gets {right}.0% (100)" in said


def test_of_what_the_base_cannot_read_training_may_have_been_right_or_wrong() -> None:
    assert disagreement(Validation(0.9, 100), 71, 80) is None
    assert disagreement(Validation(0.9, 100), 60, 80) is not None


def test_two_of_few_messages_are_rounding_still() -> None:
    assert disagreement(Validation(1.0, 10), 8, 10) is None
    assert disagreement(Validation(1.0, 10), 7, 10) is not None


def test_where_nothing_was_kept_apart_nothing_can_disagree() -> None:
    assert disagreement(None, 0, 0) is None
    assert disagreement(Validation(0.9, 50), 0, 0) is None
