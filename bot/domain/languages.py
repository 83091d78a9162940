"""Scores by the language of their texts: for figures, and for the gate's floor."""

from collections.abc import Sequence

from bot.domain.learning import Score

DETECTED = (
    "ar", "de", "en", "es", "fr", "he", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh",
)  # fmt: skip
"""The ISO 639-1 codes of the languages that texts can be found to be in: the multilingual encoder's, Hebrew and Hindi.
A text in another language of the same script is taken for one of these, or for none."""
UNDETERMINED = "und"
"""The code in figures for a text whose language cannot be told ("ok", "C++"), as in ISO 639-2."""
FLOOR = 50
"""With fewer held-out messages a language is not held to anything: one message would be over 2 points."""
_CHANCE = 5
"""So few messages of a language may well be in another that the detector misread, so they are not reported."""


def by_language(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """Language -> its scores, the most frequent first; UNDETERMINED where the language cannot be told."""
    rows: dict[str, list[Score]] = {}
    for score in scores:
        rows.setdefault(score.language or UNDETERMINED, []).append(score)
    return dict(sorted(rows.items(), key=lambda row: (-len(row[1]), row[0])))


def too_few(scores: Sequence[Score]) -> str:
    """The languages that cannot be judged yet, and how many more messages each needs; empty: none."""
    rows = {language: len(of) for language, of in by_language(scores).items() if language != UNDETERMINED}
    thin = [f"{language} has {n}, {FLOOR - n} more needed" for language, n in rows.items() if _CHANCE <= n < FLOOR]
    return f"too few held-out messages to judge a language by: {'; '.join(thin)}" if thin else ""
