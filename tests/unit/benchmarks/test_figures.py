"""The benchmark's figures, against values computed by hand."""

import numpy as np
import pytest

from benchmarks.bench.figures import Answers, figures, mcnemar, out_of_scope, quantile, rank_sum


def test_accuracy_and_macro_f1_over_the_labels_that_are_asked_for() -> None:
    found = figures(["a", "a", "b", "b"], Answers(("a", "b", "b", "c")))
    # F1 of a: precision 1/1, recall 1/2; of b: precision 1/2, recall 1/2. Nobody asked for c
    assert (found.n, found.accuracy) == (4, 0.5)
    assert found.macro_f1 == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found.ece is None and found.coverage is None


def test_ece_weighs_the_gap_of_each_bin_with_its_share() -> None:
    found = figures(["a", "a", "a", "a"], Answers(("a", "a", "b", "b"), (0.9, 0.9, 0.9, 0.1), calibrated=True))
    # Two bins: three answers said .9 and were right in 2/3, one said .1 and was right in none
    assert found.ece == pytest.approx(3 / 4 * (0.9 - 2 / 3) + 1 / 4 * 0.1)


def test_margins_are_no_probabilities_but_still_rank() -> None:
    truth = ["a"] * 20 + ["b"]
    found = figures(truth, Answers(("a",) * 21, (*range(40, 20, -1), 3.0)))
    assert found.ece is None
    assert found.coverage == 1.0, "20 of 21 right are more than 95 %"
    worse = figures(truth, Answers(("a",) * 21, (*range(40, 20, -1), 99.0)))
    assert worse.coverage == 1.0
    surest_wrong = figures(["b", "a", "a"], Answers(("a", "a", "a"), (3.0, 2.0, 1.0)))
    assert surest_wrong.coverage == 0.0


def test_an_answer_too_few_is_no_figure() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        figures(["a", "b"], Answers(("a",)))


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 2 / 32), (6, 0, 2 / 64), (8, 2, 2 * (1 + 10 + 45) / 1024), (3, 3, 1.0)],
)
def test_mcnemar_is_exact_and_two_sided(gained: int, lost: int, p: float) -> None:
    both, neither = 7, 4
    truth = ["a"] * (gained + lost + both + neither)
    ours = ["a"] * gained + ["b"] * lost + ["a"] * both + ["b"] * neither
    theirs = ["b"] * gained + ["a"] * lost + ["a"] * both + ["c"] * neither
    found = mcnemar(truth, ours, theirs)
    assert (found.gained, found.lost) == (gained, lost)
    assert found.p == pytest.approx(p)


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    strange, is_stranger = [0.9, 0.4, 0.5, 0.1, 0.2], [True, True, False, False, False]
    area, _ = out_of_scope(strange, is_stranger)
    assert area == pytest.approx(5 / 6), "of six pairs only .4 against .5 is the wrong way round"


def test_fpr_at_95_is_who_gets_in_where_95_percent_of_the_others_do() -> None:
    others = [n / 100 for n in range(100)]
    strangers = [0.10, 0.50, 0.94, 0.95, 1.5, 1.6, 1.7, 1.8]
    area, let_in = out_of_scope([*others, *strangers], [False] * 100 + [True] * 8)
    # 95 of the others are at .94 or nearer; so are three of the strangers
    assert let_in == pytest.approx(3 / 8)
    pairs = [(s > o) + 0.5 * (s == o) for s in strangers for o in others]
    assert area == pytest.approx(float(np.mean(pairs)))


def test_ranks_of_several_signs_are_summed() -> None:
    assert rank_sum([0.1, 0.3, 0.2], [7.0, 9.0, 9.0]) == [1 + 1, 3 + 2.5, 2 + 2.5]


def test_quantiles_of_nothing_are_unknown() -> None:
    assert quantile([], 0.5) is None
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0
