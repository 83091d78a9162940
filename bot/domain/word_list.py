"""Lists of words that are looked for in texts: whole words, whatever their case and accents, in any script."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.small_talk import folded_words

Phrase = tuple[str, ...]
_SIGNS_KEPT = "'’-_.,:;!?()\"“”«»/… "
"""Characters that may be at the ends of a word though they are not compared."""
_UNSPACED = (
    ("\u0e00", "\u0eff"),  # Thai, Lao
    ("\u1000", "\u109f"),  # Burmese
    ("\u1780", "\u17ff"),  # Khmer
    ("\u3040", "\u30ff"),  # kana
    ("\u31f0", "\u31ff"),
    ("\u3400", "\u9fff"),  # Han
    ("\uf900", "\ufaff"),
    ("\U00020000", "\U0003ffff"),
)
"""Scripts that are written without spaces: in them a word is found wherever its letters are."""


def phrase(written: str) -> Phrase:
    """A word, or several in a row, in the form that is compared. Raises ValueError saying what is wrong."""
    words = folded_words(written)
    if not words:
        raise ValueError(f"{written!r} has no letter and no digit, so nothing could be found; write words")
    bare = written.strip()
    for sign in (bare[0], bare[-1]):
        if not sign.isalnum() and sign.isprintable() and sign not in _SIGNS_KEPT and sign.isascii():
            raise ValueError(
                f"{written!r}: signs are not compared, so it would be found as {' '.join(words)!r}; "
                "write it as a pattern instead"
            )
    return words


def contains(longer: Phrase, shorter: Phrase) -> bool:
    """Whether every text with the longer phrase has the shorter one, too."""
    if _is_unspaced(shorter):
        return "".join(shorter) in "".join(longer)
    return any(longer[at : at + len(shorter)] == shorter for at in range(len(longer) - len(shorter) + 1))


@dataclass(frozen=True, slots=True)
class WordIndex:
    """Which of many lists have a word in a text: one pass over the text, however many lists there are."""

    lists: Mapping[int, Sequence[Phrase]]
    """Number of the list -> its phrases."""
    _by_first: Mapping[str, Sequence[tuple[Phrase, int]]] = field(init=False, repr=False, compare=False)
    _anywhere: Sequence[tuple[str, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_first: dict[str, list[tuple[Phrase, int]]] = defaultdict(list)
        anywhere: list[tuple[str, int]] = []
        for number, phrases in self.lists.items():
            for one in phrases:
                if _is_unspaced(one):
                    anywhere.append(("".join(one), number))
                else:
                    by_first[one[0]].append((one, number))
        object.__setattr__(self, "_by_first", dict(by_first))
        object.__setattr__(self, "_anywhere", anywhere)

    def found_in(self, text: str) -> frozenset[int]:
        """The numbers of the lists that have a phrase in the text."""
        if not self.lists:
            return frozenset()
        words = folded_words(text)
        spaced = (
            number
            for at, word in enumerate(words)
            for one, number in self._by_first.get(word, ())
            if words[at : at + len(one)] == one
        )
        joined = "".join(words) if self._anywhere else ""
        return frozenset([*spaced, *(number for letters, number in self._anywhere if letters in joined)])


def _is_unspaced(words: Iterable[str]) -> bool:
    return any(first <= char <= last for word in words for char in word for first, last in _UNSPACED)
