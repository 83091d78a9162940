"""Scores by the language their texts are written in: for figures, and for the gate's floor."""

from collections.abc import Sequence

from bot.domain.learning import Score

UNDETERMINED = "und"
"""What figures call a text whose language cannot be told ("ok", "C++"), as ISO 639-2 does."""
FLOOR = 50
"""Held-out messages of a language under which it is held to nothing: of fewer, one is over 2 points."""
_CHANCE = 5
"""So few messages of a language may well be another's that the detector misread: nothing is said of them."""


def by_language(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """Language -> its scores, the most frequent first; what cannot be told is UNDETERMINED."""
    rows: dict[str, list[Score]] = {}
    for score in scores:
        rows.setdefault(score.language or UNDETERMINED, []).append(score)
    return dict(sorted(rows.items(), key=lambda row: (-len(row[1]), row[0])))


def too_few(scores: Sequence[Score]) -> str:
    """Which languages cannot be held to anything yet, and how many more messages each needs; empty: none."""
    rows = {language: len(of) for language, of in by_language(scores).items() if language != UNDETERMINED}
    thin = [f"{language} has {n}, {FLOOR - n} more needed" for language, n in rows.items() if _CHANCE <= n < FLOOR]
    return f"too few held-out messages to judge a language by: {'; '.join(thin)}" if thin else ""
