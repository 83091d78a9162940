"""Labels that leads gave a very text and that wait for a second lead: whoever writes the text is asked."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, or_, select

from bot.domain.learning import Source
from db.tables import ExampleRow


@dataclass(frozen=True, slots=True)
class Ruled:
    """A lead's word on the text that was not taken back: a correction, or a confirmation that waits because another
    lead contradicts it."""

    id: int
    label: str
    lead: str | None
    at: datetime
    waits: bool
    """Whether it was held back until a second lead agrees."""


def unsettled(ruled: Iterable[Ruled], names: Collection[str]) -> tuple[str, ...]:
    """The labels among `names` that wait, the oldest first.

    A correction that teaches settles what was said before it. It settles what is said after it too once two leads said
    it, so that one lead alone cannot have everybody asked who writes these words.
    """
    known = sorted((one for one in ruled if one.label in names), key=lambda one: (one.at, one.id))
    last = max((n for n, one in enumerate(known) if not one.waits), default=None)
    if last is None:
        return tuple(dict.fromkeys(one.label for one in known))
    agreed = {one.lead for one in known if not one.waits and one.label == known[last].label}
    later = [] if len(agreed) > 1 else known[last + 1 :]
    return tuple(dict.fromkeys(one.label for one in later))


def rulings_of(task: str, key: str) -> Select[int, str, str | None, datetime, bool]:
    """The fields of `Ruled` for every such word on the text with this key."""
    told = ExampleRow.id, ExampleRow.label, ExampleRow.lead, ExampleRow.at, ExampleRow.quarantined
    contradicted = and_(ExampleRow.source == Source.CONFIRMATION, ExampleRow.quarantined)
    ours = ExampleRow.task == task, ExampleRow.text_key == key, ExampleRow.withdrawn_at.is_(None)
    return select(*told).where(*ours, or_(ExampleRow.source == Source.CORRECTION, contradicted))
