"""A text is out of scope by the voices' disagreement and its distance from known texts, combined."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import rankdata

from bot.domain.decisions import Author, Opinion, Reason, decide
from bot.domain.memory_vote import Neighbour, Neighbours, memory_opinion
from bot.domain.scope import LEAST, Scope, entropy, scope
from tests.samples import TASK

NAMES = TASK.names


def said(top: float) -> dict[str, float]:
    return {name: top if name == "billing" else (1 - top) / (len(NAMES) - 1) for name in NAMES}


@cache
def own(n: int = 400) -> Scope:
    """Of texts that are mostly sure (.80 to .99) and mostly near (.50 to .90), the two independent."""
    random = np.random.default_rng(0)
    found = scope([said(p) for p in random.uniform(0.80, 0.99, n)], random.uniform(0.50, 0.90, n).tolist())
    assert found is not None
    return found


def test_of_a_hundred_texts_of_ones_own_two_are_out_of_scope() -> None:
    random = np.random.default_rng(1)
    pairs = zip(random.uniform(0.80, 0.99, 2_000), random.uniform(0.50, 0.90, 2_000), strict=True)
    strange = [not own().holds(said(p), near) for p, near in pairs]
    assert 0.005 < sum(strange) / len(strange) < 0.04


@pytest.mark.parametrize(
    ("top", "near", "holds"),
    [
        (0.95, 0.80, True),
        (0.95, 0.52, True),  # far, but sure
        (0.81, 0.85, True),  # unsure, but near
        (0.81, 0.52, False),  # each value alone is within the usual range, both together are not
        (0.95, 0.05, False),  # so far that certainty does not count
        (0.30, 0.88, False),  # all labels are equally probable
    ],
)
def test_both_count_together(top: float, near: float, holds: bool) -> None:
    assert own().holds(said(top), near) == holds


def test_together_they_tell_strangers_better_than_either_alone() -> None:
    """Strangers are slightly less sure and slightly farther: AUROC of each measure, and of the sum of ranks."""
    random = np.random.default_rng(2)
    torn = np.concatenate([random.normal(0.3, 0.1, 500), random.normal(0.45, 0.1, 500)])
    far = np.concatenate([random.normal(0.3, 0.1, 500), random.normal(0.45, 0.1, 500)])
    known = scope([said(p) for p in np.linspace(0.5, 0.99, 200)], np.linspace(0.4, 0.9, 200).tolist())
    assert known is not None
    known = replace(known, entropies=tuple(np.quantile(torn[:500], np.linspace(0, 1, 51))))
    known = replace(known, distances=tuple(np.quantile(far[:500], np.linspace(0, 1, 51))))
    both = [known._ranks(*pair) for pair in zip(torn, far, strict=True)]
    assert _auroc(np.asarray(both)) > max(_auroc(torn), _auroc(far)) + 0.03


def _auroc(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    ranks = rankdata(values)
    return float((ranks[500:].sum() - 500 * 501 / 2) / 500**2)


def test_too_few_texts_say_nothing_about_the_farthest() -> None:
    assert scope([said(0.9)] * (LEAST - 1), [0.8] * (LEAST - 1)) is None
    assert scope([said(0.9)] * LEAST, [0.8] * LEAST) is not None


def test_entropy_is_a_share_of_the_most_there_can_be() -> None:
    assert entropy([0.25] * 4) == pytest.approx(1.0)
    assert entropy([1.0, 0.0, 0.0]) == 0.0
    assert entropy([1.0]) == 0.0


def test_what_was_stored_comes_back() -> None:
    read = Scope.read(own().stored())
    assert read is not None
    assert read.farthest == pytest.approx(own().farthest, abs=1e-4)
    assert read.entropies == pytest.approx(own().entropies, abs=1e-4)
    assert Scope.read(None) is None


@pytest.mark.parametrize(("near", "reason"), [(0.80, Reason.CONFIDENT), (0.51, Reason.STRANGE)])
def test_a_sure_enough_decision_on_a_strange_text_is_asked_about(near: float, reason: Reason) -> None:
    """At .82 nobody would be asked; nor at a similarity of .51 alone."""
    opinion = Opinion(Author.MODEL, said(0.82), scope=own())
    known = memory_opinion(Neighbours(anchors=(Neighbour(1, "billing", near),)))
    assert decide(TASK, [opinion, known], may_ask=True).reason is reason
    assert decide(TASK, [replace(opinion, scope=None), known], may_ask=True).reason is Reason.CONFIDENT
