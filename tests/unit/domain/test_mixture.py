"""Several voices, one distribution."""

import pytest

from bot.domain.mixture import ADAPTER, NEIGHBOURS, USUAL, VECTORS, WORDS, Mixture, expected, pooled, untaught, without

TEAMS = ("billing", "it", "shipping")


def test_one_voice_alone_says_what_it_says() -> None:
    said = {WORDS: {"billing": 0.5, "it": 0.3, "shipping": 0.2}}
    assert pooled(said, {WORDS: 1.0}, TEAMS) == pytest.approx(said[WORDS])


def test_two_voices_that_agree_are_surer_than_either() -> None:
    row = {"billing": 0.6, "it": 0.2, "shipping": 0.2}
    mixed = pooled({WORDS: row, VECTORS: row}, {WORDS: 1.0, VECTORS: 1.0}, TEAMS)
    assert mixed is not None
    assert mixed["billing"] == pytest.approx(0.36 / 0.44)


def test_the_louder_voice_is_followed() -> None:
    said = {WORDS: {"billing": 0.8, "it": 0.2}, VECTORS: {"billing": 0.2, "it": 0.8}}
    quiet = pooled(said, {WORDS: 0.2, VECTORS: 0.6}, ("billing", "it"))
    assert quiet is not None
    assert quiet["it"] > quiet["billing"]


def test_a_voice_with_no_weight_changes_nothing() -> None:
    said = {WORDS: {"billing": 0.9, "it": 0.1}, VECTORS: {"billing": 0.1, "it": 0.9}}
    assert pooled(said, {WORDS: 1.0, VECTORS: 0.0}, ("billing", "it")) == pytest.approx(said[WORDS])


def test_a_label_that_the_adapter_never_learned_is_judged_by_those_who_know_it() -> None:
    """However sure the adapter is of the labels it knows."""
    said = {
        ADAPTER: {"billing": 0.6, "it": 0.4},
        WORDS: {"billing": 0.02, "it": 0.02, "shipping": 0.96},
        VECTORS: {"billing": 0.02, "it": 0.02, "shipping": 0.96},
    }
    mixed = pooled(said, USUAL, TEAMS)
    assert mixed is not None
    assert max(mixed, key=lambda name: mixed[name]) == "shipping"
    assert sum(mixed.values()) == pytest.approx(1.0)


def test_what_the_adapter_says_counts_among_the_labels_it_knows() -> None:
    torn = {"billing": 0.25, "it": 0.25, "shipping": 0.5}
    mixed = pooled({ADAPTER: {"billing": 0.9, "it": 0.1}, WORDS: torn}, {ADAPTER: 1.0, WORDS: 1.0}, TEAMS)
    assert mixed is not None
    assert mixed["billing"] / mixed["it"] == pytest.approx(9.0)
    assert 0.5 < mixed["shipping"] < 0.7  # half by both, and slightly more because they differ about the rest


def test_of_a_new_label_few_examples_are_no_sign_that_it_is_seldom_meant() -> None:
    row = {"billing": 0.60, "it": 0.36, "shipping": 0.04}
    raised = expected(row, {"billing": 200, "it": 200, "shipping": 5}, ["shipping"])
    assert raised["shipping"] > 0.6
    assert raised["billing"] / raised["it"] == pytest.approx(0.60 / 0.36)
    assert sum(raised.values()) == pytest.approx(1.0)


def test_a_new_label_with_as_many_examples_as_the_others_is_no_exception() -> None:
    row = {"billing": 0.6, "shipping": 0.4}
    assert expected(row, {"billing": 100, "shipping": 300}, ["shipping"]) == pytest.approx(row)
    assert expected(row, {}, ["shipping"]) == pytest.approx(row)
    assert expected(row, {"billing": 200, "shipping": 5}, []) == pytest.approx(row)


def test_a_certain_no_of_one_voice_does_not_outlaw_a_label() -> None:
    mixed = pooled({WORDS: {"billing": 0.0, "it": 1.0}, VECTORS: {"billing": 1.0, "it": 0.0}}, USUAL, ("billing", "it"))
    assert mixed is not None
    assert mixed["billing"] > 0.9


def test_nobody_who_counts_says_nothing() -> None:
    assert pooled({}, USUAL, TEAMS) is None
    assert pooled({WORDS: {"billing": 1.0}}, {WORDS: 0.0}, TEAMS) is None
    assert pooled({WORDS: {"retired": 1.0}}, USUAL, TEAMS) is None


def test_a_language_of_next_to_none_of_the_examples_is_untaught() -> None:
    taught = {"en": 0.98, "pt": 0.02, "de": 0.01}
    assert [untaught(code, taught) for code in ("en", "pt", "de", "hi")] == [False, False, True, True]
    assert not untaught(None, taught)
    assert not untaught("de", {}), "nobody knows what was taught"


def test_without_the_adapter_the_others_are_as_loud_together() -> None:
    rest = without(USUAL)
    assert set(rest) == {WORDS, VECTORS, NEIGHBOURS}
    assert sum(rest.values()) == pytest.approx(sum(USUAL.values()))
    assert Mixture().of([WORDS, VECTORS, NEIGHBOURS]) == rest
    assert Mixture().of([WORDS, "toy"], {"toy": 0.3})["toy"] == 0.3
    assert Mixture().of([ADAPTER, WORDS]) == {ADAPTER: USUAL[ADAPTER], WORDS: USUAL[WORDS]}
