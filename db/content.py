"""What a post says, to JSON and back; rows written by an older or newer version are read, too."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import cast, get_type_hints

from bot.domain.posts import KINDS, Content
from db.tables import storable


def encode(content: Content) -> tuple[str, dict[str, object]]:
    """The kind and the fields, as `decode` takes them."""
    return type(content).__name__, _fields(content)


def decode(kind: str, stored: Mapping[str, object]) -> Content:
    """The content. Fields that this version does not know fall away; those it added take their defaults.

    Raises KeyError for a kind that this version does not know.
    """
    return cast(Content, _built(KINDS[kind], stored))


def _fields(whole: object) -> dict[str, object]:
    return {field.name: _plain(getattr(whole, field.name)) for field in fields(whole)}  # type: ignore[arg-type]


def _plain(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return _fields(value) if is_dataclass(value) else value


def _built(kind: type[object], stored: Mapping[str, object]) -> object:
    hints = get_type_hints(kind)
    return kind(**{name: _read(hints[name], value) for name, value in stored.items() if name in hints})


def _read(hint: object, value: object) -> object:
    if isinstance(hint, type) and is_dataclass(hint):
        return _built(hint, cast(Mapping[str, object], value))
    return _frozen(value)


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
