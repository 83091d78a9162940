"""A set, as it is learned from and asked."""

import hashlib
import json
from dataclasses import dataclass

OUT_OF_SCOPE = "oos"


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled text. `part` is what figures are also told by: its language, mostly."""

    text: str
    label: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A set, as it is learned from and asked."""

    name: str
    learned: tuple[Row, ...]
    asked: tuple[Row, ...]
    judged: tuple[Row, ...] = ()
    """What the product's gate judges by."""
    peers_learn_judged: bool = False
    """Those rows were taken from what there is to learn from: peers, who need no gate, learn from them, too."""
    shipped: bool = False
    """The demo company: its settings and the adapter that comes with the starter, nothing is trained."""

    @property
    def labels(self) -> list[str]:
        """What the settings name, the fallback last."""
        names = sorted({row.label for row in self.learned})
        return [*names, OUT_OF_SCOPE] if self.has_strangers else names

    @property
    def has_strangers(self) -> bool:
        """Whether texts are asked that belong to none of the labels."""
        return any(row.label == OUT_OF_SCOPE for row in self.asked)

    @property
    def parts(self) -> list[str]:
        return sorted({row.part for row in self.asked if row.part})

    @property
    def beyond_english(self) -> bool:
        return any(part.rpartition(" ")[2] != "en" for part in self.parts)

    @property
    def taught_to_peers(self) -> tuple[Row, ...]:
        return (*self.learned, *self.judged) if self.peers_learn_judged else self.learned

    @property
    def digest(self) -> str:
        """Of everything that is learned from, judged by and asked."""
        rows = [[(r.text, r.label, r.part) for r in some] for some in (self.learned, self.judged, self.asked)]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]
