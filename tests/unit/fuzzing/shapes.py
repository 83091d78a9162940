"""Altered shapes: what a platform really sends, with some of its parts removed or replaced."""

import copy
from collections.abc import Iterator, Mapping, Sequence

from hypothesis import strategies as st

Path = tuple[str | int, ...]
_GONE = object()
TEXTS = st.text(st.characters() | st.sampled_from("\x00\ud800\u202e\u200b\ufeff<>&@#`*_|\n"), max_size=30)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 2**63, 2**64, 10**400, "1.2.3", "nan", "1" * 5_000, "-", "٣", ""])
    | st.floats()
    | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


def bent(*shapes: Mapping[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """One of the shapes, with one to four parts of it removed or replaced."""
    return st.sampled_from(shapes).flatmap(_bent)


def _bent(shape: Mapping[str, object]) -> st.SearchStrategy[dict[str, object]]:
    change = st.tuples(st.sampled_from(list(_paths(shape))), VALUES | st.just(_GONE))
    return st.lists(change, max_size=4).map(lambda changes: _changed(shape, changes))


def bent_in_kind(*shapes: Mapping[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """One of the shapes, with one to four of its texts, numbers and lists replaced by others of the same type."""

    def of(shape: Mapping[str, object]) -> st.SearchStrategy[dict[str, object]]:
        found = [path for path in _paths(shape) if type(_at(shape, path)) in _KINDS]
        change = st.sampled_from(found).flatmap(lambda path: st.tuples(st.just(path), _KINDS[type(_at(shape, path))]))
        return st.lists(change, max_size=4).map(lambda changes: _changed(shape, changes))

    return st.sampled_from(shapes).flatmap(of)


_KINDS: Mapping[type, st.SearchStrategy[object]] = {
    bool: st.booleans(),
    int: st.integers(0, 2**52) | st.sampled_from([0, 1, 2**31, -1]),
    str: TEXTS,
    list: st.just([]),
}


def _at(value: object, path: Path) -> object:
    for key in path:
        value = _inside(value, key)
    return value


def _paths(value: object, at: Path = ()) -> Iterator[Path]:
    inside: Sequence[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    for key, part in inside:
        yield (*at, key)
        yield from _paths(part, (*at, key))


def _changed(shape: Mapping[str, object], changes: Sequence[tuple[Path, object]]) -> dict[str, object]:
    made = copy.deepcopy(dict(shape))
    for path, value in changes:
        place: object = made
        for key in path[:-1]:
            place = _inside(place, key)
        last = path[-1]
        if isinstance(place, dict) and value is _GONE:
            place.pop(last, None)
        elif isinstance(place, dict):
            place[last] = copy.deepcopy(value)
        elif isinstance(place, list) and isinstance(last, int) and last < len(place):
            place[last] = None if value is _GONE else copy.deepcopy(value)
    return made


def _inside(place: object, key: str | int) -> object:
    if isinstance(place, dict):
        return place.get(key)
    if isinstance(place, list) and isinstance(key, int) and key < len(place):
        return place[key]
    return None
