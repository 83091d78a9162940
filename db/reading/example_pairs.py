"""The exact nearness of texts and examples, for pairs that look near."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.embedders import TWO_PARTS, known_of
from bot.domain.memory_vote import Neighbour
from bot.domain.model_ports import Vector
from db.numbers import Numbers
from db.reading.mappers import basis_of

Pair = tuple[int, int, bool]
"""Which text, which example, and whether as a correction."""
Compared = Mapping[tuple[int, bool], Sequence[Neighbour]]
"""By text, and whether as corrections."""

_COMPARED: TextClause = text("""
    WITH asked AS MATERIALIZED (
        SELECT n, key, CAST((CAST(:both AS real[]))[n * :wide + 1 : (n + 1) * :wide] AS vector) AS both,
            CAST((CAST(:last AS real[]))[n * :wide + 1 : (n + 1) * :wide] AS vector) AS last,
            CAST((CAST(:first AS real[]))[n * :wide + 1 : n * :wide + :own] AS vector) AS part_one,
            CAST((CAST(:last AS real[]))[n * :wide + :own + 1 : (n + 1) * :wide] AS vector) AS part_two
        FROM (SELECT CAST(place - 1 AS integer) AS n, key FROM unnest(CAST(:keys AS text[])) WITH ORDINALITY
            AS one(key, place)) AS numbered
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
    rows = await session.execute(
        _COMPARED,
        {
            "both": Numbers.of(forms.both) if own else None,
            "last": Numbers.of(forms.last),
            "first": Numbers.of(forms.first) if own else None,
            "wide": forms.last.shape[1],
            "own": own,
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
