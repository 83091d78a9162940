"""Reading and writing the untyped values of a wire protocol."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from aiohttp import web

Json = dict[str, object]
Args = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form."""

    name: str
    content: bytes


def word(args: Args, name: str) -> str:
    """The argument as text, empty if it is absent."""
    value = args.get(name)
    return "" if value is None else str(value)


def number(args: Args, name: str, default: int = 0) -> int:
    """The argument as a whole number; raises ValueError if it is something else."""
    value = args.get(name)
    return default if value is None or value == "" else int(float(str(value)))


def truth(args: Args, name: str) -> bool:
    return word(args, name).lower() in {"true", "1"}


def structure(args: Args, name: str) -> object:
    """A nested argument, as JSON or, in a form, as JSON text; None if absent or unreadable."""
    value = args.get(name)
    if not isinstance(value, str):
        return value
    try:
        return cast(object, json.loads(value))
    except ValueError:
        return None


def mapping(args: Args, name: str) -> Json:
    value = structure(args, name)
    return cast(Json, value) if isinstance(value, dict) else {}


def items(args: Args, name: str) -> list[Json]:
    """The objects in a list argument; anything else is left out."""
    value = structure(args, name)
    return [cast(Json, item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def words(args: Args, name: str) -> list[str]:
    value = structure(args, name)
    return [str(item) for item in value] if isinstance(value, list) else []


async def read_args(request: web.Request) -> Json:
    """The arguments of a call: query, then JSON or form body, files as Upload. A broken body is HTTPBadRequest."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        body = await request.text()
        try:
            args.update(json.loads(body) if body else {})
        except ValueError as error:
            raise web.HTTPBadRequest(text="invalid JSON") from error
    elif request.can_read_body:
        form = await request.post()
        args.update({name: _field(value) for name, value in form.items()})
    return args


def _field(value: object) -> object:
    return Upload(value.filename, value.file.read()) if isinstance(value, web.FileField) else value
