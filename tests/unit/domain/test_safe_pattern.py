"""Patterns of the settings: RE2's, refused with a reason, and never slow."""

import pytest

from bot.domain.safe_pattern import MAX_LENGTH, SafePattern


def test_a_pattern_is_found_anywhere() -> None:
    pattern = SafePattern(r"(?i)\binv-\d{4}\b")
    assert pattern.found_in("about INV-2041, please")
    assert not pattern.found_in("about INV-20415, please")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("(", "missing"),
        ("(?=a)b", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("a{2000}", "invalid repetition size"),
        ("((a{100}){100}){100}", "invalid repetition size"),
        (r"(\pL{1,100}){9}\pN{300}", "too large"),
        ("", "1 to"),
        ("a" * (MAX_LENGTH + 1), "1 to"),
    ],
)
def test_what_is_no_pattern_or_too_much_of_one_says_why(written: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        SafePattern(written)


@pytest.mark.parametrize("written", ["(x+x+)+y", "(a|b)*a(a|b){200}c", "(.*a.*b.*c.*)d"])
def test_what_runs_for_ever_elsewhere_answers_here(written: str) -> None:
    assert not SafePattern(written).found_in("xab" * 13_000)


@pytest.mark.parametrize(
    ("written", "everything"),
    [
        *((every, True) for every in (".*", "x?", "a|", ".", r"\S", ".+", "[^x]", "(?s)^.")),
        *((some, False) for some in ("^$", "[a-z]", r"\w", r"\d", r"\pL", "[^a]", "^.{2}")),
    ],
)
def test_a_pattern_that_is_found_everywhere_is_known(written: str, everything: bool) -> None:
    assert SafePattern(written).matches_everything is everything
