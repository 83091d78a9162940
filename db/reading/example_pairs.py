"""The exact nearness of texts and examples, for pairs that look near."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.embedders import TWO_PARTS, Vectors, known_of
from bot.domain.memory_vote import Neighbour
from bot.domain.model_ports import Vector
from db.reading.mappers import basis_of

Pair = tuple[int, int, bool]
"""Which text, which example, and whether as a correction."""
Compared = Mapping[tuple[int, bool], Sequence[Neighbour]]
"""By text, and whether as corrections."""

_COMPARED: TextClause = text("""
    WITH asked AS MATERIALIZED (
        SELECT n - 1 AS n, CAST(b AS vector) AS both, CAST(l AS vector) AS last, CAST(p AS vector) AS part_one,
            CAST(q AS vector) AS part_two, key
        FROM unnest(CAST(:both AS text[]), CAST(:last AS text[]), CAST(:part_one AS text[]), CAST(:part_two AS text[]),
            CAST(:keys AS text[])) WITH ORDINALITY AS one(b, l, p, q, key, n)
    )
    SELECT pair.n, pair.corrected, e.id, e.label,
        CASE WHEN e.vector IS NULL THEN 1.0
            WHEN e.embedder = :embedder AND vector_norm(e.vector) > :two_parts THEN -(e.vector <#> asked.both)
            WHEN e.embedder = :embedder THEN -(e.vector <#> asked.last)
            WHEN e.embedder = :one THEN -(e.vector <#> asked.part_one)
            WHEN e.embedder = :two THEN -(e.vector <#> asked.part_two)
            ELSE 1.0 END,
        e.text_key = asked.key, e.text, e.source, e.weight
    FROM unnest(CAST(:ns AS integer[]), CAST(:ids AS bigint[]), CAST(:corrected AS boolean[]))
        AS pair(n, id, corrected)
    JOIN asked ON asked.n = pair.n
    JOIN examples e ON e.id = pair.id
    WHERE e.withdrawn_at IS NULL AND NOT e.quarantined
""")
"""An example withdrawn this very moment is left out: the table has the last word."""


async def compared(
    session: AsyncSession, embedder: str, vectors: Sequence[Vector], keys: Sequence[str], pairs: Sequence[Pair]
) -> Compared:
    """The pairs that still stand, compared exactly. `keys` are the texts' keys."""
    found: dict[tuple[int, bool], list[Neighbour]] = defaultdict(list)
    if not pairs:
        return found
    likeness = known_of(embedder).likeness
    forms, own = likeness.forms(np.asarray(vectors, np.float32)), likeness.own
    one, two = likeness.parts or ("", "")
    none = [None] * len(keys)
    rows = await session.execute(
        _COMPARED,
        {
            "both": _written(forms.both) if own else none,
            "last": _written(forms.last),
            "part_one": _written(forms.first[:, :own]) if own else none,
            "part_two": _written(forms.last[:, own:]) if own else none,
            "one": one,
            "two": two,
            "two_parts": TWO_PARTS,
            "keys": list(keys),
            "embedder": embedder,
            "ns": [n for n, _, _ in pairs],
            "ids": [one for _, one, _ in pairs],
            "corrected": [was for _, _, was in pairs],
        },
    )
    for n, was_corrected, example, label, similarity, same, says, source, weight in rows:
        found[n, was_corrected].append(Neighbour(example, label, similarity, same, says, basis_of(source), weight))
    return found


def _written(vectors: Vectors) -> list[str]:
    """Vectors in the form PostgreSQL reads; nine digits hold all of a float32."""
    return ["[" + ",".join([f"{number:.9g}" for number in row]) + "]" for row in vectors.tolist()]
