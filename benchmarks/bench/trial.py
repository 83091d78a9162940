"""A data set, divided into what is learned and what is asked."""

import hashlib
import json
from dataclasses import dataclass

OUT_OF_SCOPE = "oos"


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled text. `part` names a group with figures of its own: mostly its language."""

    text: str
    label: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A data set, divided into what is learned and what is asked."""

    name: str
    learned: tuple[Row, ...]
    asked: tuple[Row, ...]
    judged: tuple[Row, ...] = ()
    """The rows that the product's gate judges by."""
    peers_learn_judged: bool = False
    """Whether these rows were taken from those to learn from: peers, who need no gate, then learn from them, too."""
    shipped: bool = False
    """Whether it is the demo company: its settings and the starter's own adapter, nothing is trained."""

    @property
    def labels(self) -> list[str]:
        """The labels for the settings, the fallback last."""
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
        """A digest of all texts that are learned from, judged by and asked."""
        rows = [[(r.text, r.label, r.part) for r in some] for some in (self.learned, self.judged, self.asked)]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]
