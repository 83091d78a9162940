"""Post contents to JSON and back; rows written by an older or newer version can be read, too."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType
from typing import cast, get_args, get_origin, get_type_hints

from bot.domain.messages import Deletion, Edit, Fact, Media, Message, Note, Person, Press, Reaction
from bot.domain.posts import KINDS, Content
from db.tables import storable

_FACTS: dict[str, type[object]] = {kind.__name__: kind for kind in (Message, Edit, Deletion, Note, Reaction, Press)}


class UnknownKind(KeyError):
    """A kind of post that this version does not know, because a newer version wrote it."""


def encode(content: Content) -> tuple[str, dict[str, object]]:
    """The content's kind and fields, as `decode` takes them."""
    return type(content).__name__, _fields(content)


def decode(kind: str, stored: Mapping[str, object]) -> Content:
    """The content. Fields unknown to this version are dropped; fields missing in the row take their defaults.

    Raises UnknownKind for a kind that this version does not know.
    """
    if kind not in KINDS:
        raise UnknownKind(kind)
    return cast(Content, _built(KINDS[kind], stored))


def encode_fact(fact: Fact) -> dict[str, object]:
    """A platform's fact, complete."""
    return {"fact": type(fact).__name__, **_fields(fact)}


def decode_fact(stored: Mapping[str, object]) -> Fact:
    return cast(Fact, _built(_FACTS[str(stored["fact"])], stored))


def encode_media(media: Sequence[Media]) -> list[dict[str, object]]:
    """Attachments as a message's row stores them."""
    return [_fields(one) for one in media]


def decode_media(stored: Sequence[Mapping[str, object]]) -> tuple[Media, ...]:
    return tuple(cast(Media, _built(Media, one)) for one in stored)


def encode_person(person: Person) -> dict[str, object]:
    """A person as a post's row stores them."""
    return _fields(person)


def decode_person(stored: Mapping[str, object]) -> Person:
    return cast(Person, _built(Person, stored))


def _fields(whole: object) -> dict[str, object]:
    return {field.name: _plain(getattr(whole, field.name)) for field in fields(whole)}  # type: ignore[arg-type]


def _plain(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return _fields(value) if is_dataclass(value) else value


def _built(kind: type[object], stored: Mapping[str, object]) -> object:
    hints = _hints(kind)  # type: ignore[arg-type]  # a class can be hashed, whatever its instances can
    return kind(**{name: _read(hints[name], value) for name, value in stored.items() if name in hints})


@cache
def _hints(kind: type[object]) -> dict[str, object]:
    """The fields' types without None: a field that is to be read has a value."""
    return {name: _certain(hint) for name, hint in get_type_hints(kind).items()}


def _certain(hint: object) -> object:
    possible = [one for one in get_args(hint) if one is not NoneType]
    return possible[0] if NoneType in get_args(hint) and len(possible) == 1 else hint


def _read(hint: object, value: object) -> object:
    if isinstance(value, list):
        of = get_args(hint)[0] if get_origin(hint) is tuple else None
        return tuple(_read(of, item) for item in value)
    if not isinstance(hint, type) or value is None:
        return value
    if is_dataclass(hint):
        return _built(hint, cast(Mapping[str, object], value))
    if issubclass(hint, datetime):
        return datetime.fromisoformat(str(value))
    return hint(value) if issubclass(hint, Enum) else value
