"""Altered shapes for tests that have to await something for each, which Hypothesis does not support."""

from hypothesis import given
from hypothesis import strategies as st


def drawn(strategy: st.SearchStrategy[object]) -> list[object]:
    """As many as the profile has examples."""
    found: list[object] = []

    @given(strategy)
    def draw(value: object) -> None:
        found.append(value)

    draw()
    return found
