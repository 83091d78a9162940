"""Where the work on a request is traced: nowhere, until `bot.telemetry` names a tracer. One place, as with logs.

A conversation is one trace, whoever works on it and whenever: the spans of every process find it by the conversation's
number. What several share (a question to the model) is in the trace of the first, linked with those of the others.
Never a text, a name or a token is an attribute; of an error its kind alone is told.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Protocol

Attributes = Mapping[str, str | int | float | bool]
_NOTHING: Attributes = {}


class Kind(StrEnum):
    """What a span is of, as OpenTelemetry has it."""

    INTERNAL = "internal"
    CLIENT = "client"
    """Somebody else is asked."""
    CONSUMER = "consumer"
    """Something came in."""


class Span(Protocol):
    """Work that is being done."""

    def note(self, attributes: Attributes) -> None:
        """What is known of it only now."""

    def link(self, other: "Span") -> None:
        """The other is about this, too."""


class Tracer(Protocol):
    """Where spans go."""

    def span(
        self, name: str, kind: Kind, attributes: Attributes, conversation: int | None, within: Sequence[Span]
    ) -> AbstractContextManager[Span]:
        """Work for as long as the context lasts; see `span` and `shared`. An error that leaves it is marked."""

    def received(self, name: str, seconds: float, attributes: Attributes, conversation: int, opened: bool) -> None:
        """Something came in, was stored within so many seconds until now, and `opened` the conversation or not."""

    def here(self) -> Span:
        """What is being done."""

    def headers(self) -> Mapping[str, str]:
        """What tells whoever is asked now which trace they are in (W3C Trace Context)."""


class _Untraced:
    """Tells nobody; costs next to nothing."""

    def note(self, attributes: Attributes) -> None:
        """See `Span`."""

    def link(self, other: Span) -> None:
        """See `Span`."""

    def span(
        self, name: str, kind: Kind, attributes: Attributes, conversation: int | None, within: Sequence[Span]
    ) -> AbstractContextManager[Span]:
        """See `Tracer`."""
        return nullcontext(self)

    def received(self, name: str, seconds: float, attributes: Attributes, conversation: int, opened: bool) -> None:
        """See `Tracer`."""

    def here(self) -> Span:
        """See `Tracer`."""
        return self

    def headers(self) -> Mapping[str, str]:
        """See `Tracer`."""
        return {}


_NOWHERE = _Untraced()
_tracer: Tracer = _NOWHERE


def trace_to(tracer: Tracer | None) -> None:
    """Spans go there from now on; None: nowhere."""
    global _tracer
    _tracer = tracer or _NOWHERE


def span(
    name: str, conversation: int | None = None, kind: Kind = Kind.INTERNAL, attributes: Attributes = _NOTHING
) -> AbstractContextManager[Span]:
    """Work for as long as the context lasts: within what is being done, or, with a conversation, in its trace."""
    return _tracer.span(name, kind, attributes, conversation, ())


def shared(
    name: str, among: Sequence[Span], kind: Kind = Kind.INTERNAL, attributes: Attributes = _NOTHING
) -> AbstractContextManager[Span]:
    """Work done once for all of these, at least one: within the first, linked with the others and they with it."""
    return _tracer.span(name, kind, attributes, None, among)


def received(name: str, seconds: float, conversation: int, opened: bool, attributes: Attributes = _NOTHING) -> None:
    """Something came in, and was stored within so many seconds."""
    _tracer.received(name, seconds, attributes, conversation, opened)


def here() -> Span:
    """What is being done, for whoever shares work with others."""
    return _tracer.here()


def headers() -> Mapping[str, str]:
    """What tells whoever is asked now which trace they are in; empty where nothing is traced."""
    return _tracer.headers()


_: tuple[type[Span], type[Tracer]] = (_Untraced, _Untraced)
