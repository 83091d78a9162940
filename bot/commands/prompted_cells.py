"""The parts of a comparison's table and JSON on single labels, tokens, and arms that were stopped early."""

from bot.domain.comparison import Figures

_NOTHING = "–"


def prompted_cells(row: Figures) -> tuple[str, ...]:
    """The cells for tokens per message, the number of messages, and remarks."""
    tokens = _NOTHING if row.tokens is None else f"{row.tokens[0]:.0f} + {row.tokens[1]:.0f}"
    on = "" if row.handed_on is None else f"hands on {row.handed_on:.1%}"
    return tokens, str(row.n), "; ".join(said for said in (on, row.stopped) if said)


def prompted_json(row: Figures) -> dict[str, object]:
    return {
        "messages": row.n,
        "by_label": {label: {"n": one.n, "recall": round(one.right, 6)} for label, one in row.recalls.items()},
        "out_of_scope": _out_of_scope(row),
        "tokens": None if row.tokens is None else {"in": round(row.tokens[0], 2), "out": round(row.tokens[1], 2)},
        "handed_on": None if row.handed_on is None else round(row.handed_on, 6),
        "stopped": row.stopped or None,
    }


def _out_of_scope(row: Figures) -> dict[str, object] | None:
    if row.out_of_scope is None:
        return None
    found = row.out_of_scope
    return {"n": found.n, "kept": round(found.kept, 6), "others_kept": round(found.others_kept, 6)}
