"""How near two texts are by their vectors, of one part and of two."""

import numpy as np
import pytest

from bot.domain.embedders import Likeness, Vectors

OWN, EVERY = 3, 4
PAIR = Likeness(OWN, 0.7)


def _vectors(count: int, full: bool, seed: int) -> Vectors:
    """So many vectors, with both parts of length 1 or with only the last."""
    parts = [np.random.default_rng(seed + width).standard_normal((count, width)) for width in (OWN, EVERY)]
    first, last = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts)
    return np.hstack([first * full, last]).astype(np.float32)


def _defined(asked: Vectors, known: Vectors) -> float:
    """The definition: both parts by their shares where both texts have them, otherwise only the last."""
    first, last = float(asked[:OWN] @ known[:OWN]), float(asked[OWN:] @ known[OWN:])
    return 0.7 * first + 0.3 * last if asked[:OWN].any() and known[:OWN].any() else last


def test_texts_with_both_parts_are_compared_by_both_and_all_others_by_the_last() -> None:
    asked = np.vstack([_vectors(3, True, 1), _vectors(2, False, 2)])
    known = np.vstack([_vectors(4, False, 3), _vectors(5, True, 4), _vectors(1, False, 5)])
    lacking = PAIR.lacking(known)
    assert lacking.tolist() == [0, 1, 2, 3, 9]
    wanted = [[_defined(one, other) for other in known] for one in asked]
    for found in (lacking, None):
        assert PAIR.similarities(asked, known, found) == pytest.approx(np.asarray(wanted), abs=1e-6)


def test_vectors_of_one_part_are_compared_by_their_cosine() -> None:
    one = Likeness()
    asked, known = _vectors(2, False, 6), _vectors(3, False, 7)
    assert one.lacking(known).tolist() == []
    assert one.similarities(asked, known, one.lacking(known)) == pytest.approx(asked @ known.T)


def test_texts_without_a_first_part_are_compared_by_the_last_with_whatever_is_known() -> None:
    asked = _vectors(2, False, 8)
    known = np.vstack([_vectors(3, True, 9), _vectors(2, False, 10)])
    wanted = [[_defined(one, other) for other in known] for one in asked]
    for found in (PAIR.lacking(known), None):
        assert PAIR.similarities(asked, known, found) == pytest.approx(np.asarray(wanted), abs=1e-6)
    apart = np.vstack([PAIR.similarities(one[None], known) for one in asked])
    beside = PAIR.similarities(np.vstack([asked, _vectors(1, True, 11)]), known)[:2]
    assert apart == pytest.approx(beside, abs=1e-6), "who is asked about beside them changes nothing"
