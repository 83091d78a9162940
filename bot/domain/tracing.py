"""Where the work on a request is traced: nowhere, until `bot.telemetry` sets a tracer. One per process, as with logs.

A conversation is one trace, whoever works on it and whenever: the spans of every process find it by the conversation's
number. Shared work (a question to the model) is in the trace of the first, linked with the spans of the others. No
text, name or token is ever an attribute; of an error only its kind is recorded.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Protocol

Attributes = Mapping[str, str | int | float | bool]
_NOTHING: Attributes = {}


class Kind(StrEnum):
    """The kind of a span, as OpenTelemetry defines it."""

    INTERNAL = "internal"
    CLIENT = "client"
    """A question to another program."""
    CONSUMER = "consumer"
    """Something that came in."""


class Span(Protocol):
    """A piece of work in progress."""

    def note(self, attributes: Attributes) -> None:
        """Add attributes that are known only now."""

    def link(self, other: "Span") -> None:
        """Link another span that this one is about, too."""


class Tracer(Protocol):
    """Records spans."""

    def span(
        self, name: str, kind: Kind, attributes: Attributes, conversation: int | None, within: Sequence[Span]
    ) -> AbstractContextManager[Span]:
        """A span for as long as the context lasts; see `span` and `shared`. An error that leaves it marks the span."""

    def received(self, name: str, seconds: float, attributes: Attributes, conversation: int, opened: bool) -> None:
        """Record that something came in and was stored within `seconds` until now; `opened`: a new conversation."""

    def here(self) -> Span:
        """The current span."""

    def headers(self) -> Mapping[str, str]:
        """Headers that carry the current trace to another program (W3C Trace Context)."""


class _Untraced:
    """A tracer and span that record nothing, at next to no cost."""

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
    """Record spans with this tracer from now on; None: nowhere."""
    global _tracer
    _tracer = tracer or _NOWHERE


def span(
    name: str, conversation: int | None = None, kind: Kind = Kind.INTERNAL, attributes: Attributes = _NOTHING
) -> AbstractContextManager[Span]:
    """A span for as long as the context lasts: within the current one or, with a conversation, in its trace."""
    return _tracer.span(name, kind, attributes, conversation, ())


def shared(
    name: str, among: Sequence[Span], kind: Kind = Kind.INTERNAL, attributes: Attributes = _NOTHING
) -> AbstractContextManager[Span]:
    """A span of work done once for all of these, at least one: within the first, linked both ways with the others."""
    return _tracer.span(name, kind, attributes, None, among)


def received(name: str, seconds: float, conversation: int, opened: bool, attributes: Attributes = _NOTHING) -> None:
    """Record that something came in, and was stored within so many seconds."""
    _tracer.received(name, seconds, attributes, conversation, opened)


def here() -> Span:
    """The current span, for callers that share work with others."""
    return _tracer.here()


def headers() -> Mapping[str, str]:
    """Headers that carry the current trace to another program; empty where nothing is traced."""
    return _tracer.headers()


_: tuple[type[Span], type[Tracer]] = (_Untraced, _Untraced)
