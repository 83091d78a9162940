"""How near texts and examples are, exactly, for pairs of them that look near."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.memory_vote import Neighbour
from bot.domain.model_ports import Vector
from db.reading.mappers import basis_of

Pair = tuple[int, int, bool]
"""Which text, which example, and whether as a correction."""
Compared = Mapping[tuple[int, bool], Sequence[Neighbour]]
"""By text, and whether as corrections."""

_COMPARED: TextClause = text("""
    WITH asked AS MATERIALIZED (
        SELECT n - 1 AS n, CAST(v AS vector) AS vector, key
        FROM unnest(CAST(:vectors AS text[]), CAST(:keys AS text[])) WITH ORDINALITY AS one(v, key, n)
    )
    SELECT pair.n, pair.corrected, e.id, e.label,
        CASE WHEN e.embedder = :embedder AND e.vector IS NOT NULL THEN -(e.vector <#> asked.vector) ELSE 1.0 END,
        e.text_key = asked.key, e.text, e.source
    FROM unnest(CAST(:ns AS integer[]), CAST(:ids AS bigint[]), CAST(:corrected AS boolean[]))
        AS pair(n, id, corrected)
    JOIN asked ON asked.n = pair.n
    JOIN examples e ON e.id = pair.id
    WHERE e.withdrawn_at IS NULL AND NOT e.quarantined
""")
"""Who was withdrawn this very moment is left out: the table has the last word."""


async def compared(
    session: AsyncSession, embedder: str, vectors: Sequence[Vector], keys: Sequence[str], pairs: Sequence[Pair]
) -> Compared:
    """The pairs that still stand. `keys` are those of the texts."""
    found: dict[tuple[int, bool], list[Neighbour]] = defaultdict(list)
    if not pairs:
        return found
    rows = await session.execute(
        _COMPARED,
        {
            "vectors": [f"[{','.join(map(str, vector))}]" for vector in vectors],
            "keys": list(keys),
            "embedder": embedder,
            "ns": [n for n, _, _ in pairs],
            "ids": [one for _, one, _ in pairs],
            "corrected": [was for _, _, was in pairs],
        },
    )
    for n, was_corrected, example, label, similarity, same, says, source in rows:
        found[n, was_corrected].append(Neighbour(example, label, similarity, same, says, basis_of(source)))
    return found
