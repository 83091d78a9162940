"""Tables in the JSON of data frames: column by column, or with the names apart from the cells."""

from collections.abc import Mapping, Sequence

from bot.domain.example_files.columns import how_many_known


def by_column(value: Mapping[str, object]) -> Sequence[Mapping[str, object]] | None:
    """The rows of pandas' `to_json` in its default orientation, in `list` or in `split`; None for anything else."""
    names, data = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(data, list):
        return [dict(zip(map(str, names), row, strict=False)) for row in data if isinstance(row, list)]
    columns = {name: _cells(cells) for name, cells in value.items()}
    sizes = {len(cells) for cells in columns.values()}
    if how_many_known(columns) < 2 or len(sizes) != 1 or sizes == {0}:
        return None
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _cells(column: object) -> list[object]:
    """The cells in order; empty if it is no column."""
    if isinstance(column, dict) and all(key.isdecimal() for key in column):
        return list(column.values())
    return column if isinstance(column, list) else []
