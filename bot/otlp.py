"""Sends OpenTelemetry spans to a collector as OTLP over HTTP. Imported only where tracing is on.

Spans wait in a bounded queue and are sent by a thread of their own. A collector that is down costs spans and nothing
else: that is logged once, and once more when it is back.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bot.domain import tracing
from bot.domain.tracing import Attributes, Kind
from bot.logs import current_workspace

_KINDS = {
    Kind.INTERNAL: trace.SpanKind.INTERNAL,
    Kind.CLIENT: trace.SpanKind.CLIENT,
    Kind.CONSUMER: trace.SpanKind.CONSUMER,
}
_CONVERSATION = "switchboard.conversation"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OtelSpan:
    """A span of OpenTelemetry."""

    span: trace.Span

    def note(self, attributes: Attributes) -> None:
        """See `tracing.Span`."""
        self.span.set_attributes(dict(attributes))

    def link(self, other: tracing.Span) -> None:
        """See `tracing.Span`."""
        if (found := _context(other)).is_valid:
            self.span.add_link(found)


class Traces:
    """The process's tracer."""

    def __init__(self, salt: bytes, headers: Mapping[str, str]) -> None:
        """`salt` goes into the ids of traces, so that those of two deployments differ; `headers` are sent with them."""
        self._salt = salt
        self._ids = _Ids()
        self._exporter = SaidOnce(OTLPSpanExporter(headers=headers))
        resource = Resource.create()  # from OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES
        if str(resource.attributes["service.name"]).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "switchboard"}))
        self._provider = TracerProvider(resource=resource, id_generator=self._ids)
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it repeats itself; `SaidOnce` does not
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("switchboard")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        conversation: int | None,
        within: Sequence[tracing.Span],
    ) -> Iterator[tracing.Span]:
        """See `tracing.Tracer`."""
        parent = self._parent(conversation, within)
        links = [trace.Link(found) for found in map(_context, within[1:]) if found.is_valid]
        about = attributes if conversation is None else {**attributes, _CONVERSATION: conversation}
        with self._tracer.start_as_current_span(
            name,
            parent,
            _KINDS[kind],
            dict(about),
            links,
            record_exception=False,  # its message may quote a person
            set_status_on_exception=False,
        ) as own:
            span = OtelSpan(own)
            for one in within:
                one.link(span)
            try:
                yield span
            except BaseException as error:
                own.set_status(trace.StatusCode.ERROR)
                own.set_attribute("error.type", type(error).__name__)
                raise

    def received(self, name: str, seconds: float, attributes: Attributes, conversation: int, opened: bool) -> None:
        """See `tracing.Tracer`. The message that opened a conversation is the root of its trace."""
        parent = None if opened else self._parent(conversation, ())
        began = time.time_ns() - int(seconds * 1e9)
        with self._ids.of(self._of(conversation) if opened else None):
            own = self._tracer.start_span(
                name,
                parent or Context(),
                trace.SpanKind.CONSUMER,
                {**attributes, _CONVERSATION: conversation},
                start_time=began,
            )
        own.end()

    def here(self) -> tracing.Span:
        """See `tracing.Tracer`."""
        return OtelSpan(trace.get_current_span())

    def headers(self) -> Mapping[str, str]:
        """See `tracing.Tracer`."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier

    def end(self, seconds: float) -> None:
        """Send what is left, for at most so many seconds; return at once where the collector takes nothing."""
        impatient = threading.Timer(0.0 if self._exporter.away else seconds, self._exporter.give_up)
        impatient.start()
        self._provider.shutdown()
        impatient.cancel()

    def _parent(self, conversation: int | None, within: Sequence[tracing.Span]) -> Context | None:
        """The parent of a span; None: the span that is current."""
        if within:
            return trace.set_span_in_context(trace.NonRecordingSpan(_context(within[0])))
        if conversation is None:
            return None
        trace_id, span_id = self._of(conversation)
        flags = trace.TraceFlags.SAMPLED if self._sampled(trace_id) else trace.TraceFlags.DEFAULT
        root = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags))
        return trace.set_span_in_context(trace.NonRecordingSpan(root), Context())

    def _sampled(self, trace_id: int) -> bool:
        """Whether the root was sampled, in any process: the sampler (OTEL_TRACES_SAMPLER) goes by the trace id."""
        decided = self._provider.sampler.should_sample(Context(), trace_id, "").decision
        return decided is Decision.RECORD_AND_SAMPLE

    def _of(self, conversation: int) -> tuple[int, int]:
        """The ids of the conversation's trace and of its root span, the same in every process."""
        name = f"{current_workspace()}/{conversation}".encode()
        drawn = hashlib.sha256(self._salt + name).digest()
        return int.from_bytes(drawn[:16]) or 1, int.from_bytes(drawn[16:24]) or 1


class SaidOnce(SpanExporter):
    """An exporter whose failures are logged when they begin and when they end, and not in between."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.away = False
        """Whether the last export failed."""
        self._over = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See `SpanExporter`."""
        found = self._exporter.export(spans)
        failed = found is not SpanExportResult.SUCCESS
        if failed and not self.away:
            log.warning("traces not delivered, dropped until the collector answers", extra={"spans": len(spans)})
        if self.away and not failed:
            log.warning("traces delivered again")
        self.away = failed
        return found

    def shutdown(self) -> None:
        """See `SpanExporter`."""
        self.give_up()

    def give_up(self) -> None:
        """Stop waiting for exports on their way. May be called again."""
        if not self._over.is_set():
            self._over.set()
            self._exporter.shutdown()


class _Ids(IdGenerator):
    """Random ids, except for the root of a conversation's trace."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self._next = threading.local()

    @contextmanager
    def of(self, root: tuple[int, int] | None) -> Iterator[None]:
        """The next span that this thread starts in this context has these ids; None: random ones."""
        self._next.root = root
        try:
            yield
        finally:
            self._next.root = None

    def generate_trace_id(self) -> int:
        """See `IdGenerator`."""
        root = getattr(self._next, "root", None)
        return self._random.generate_trace_id() if root is None else int(root[0])

    def generate_span_id(self) -> int:
        """See `IdGenerator`."""
        root = getattr(self._next, "root", None)
        return self._random.generate_span_id() if root is None else int(root[1])


def _context(span: tracing.Span) -> trace.SpanContext:
    return span.span.get_span_context() if isinstance(span, OtelSpan) else trace.INVALID_SPAN_CONTEXT


_: tuple[type[tracing.Span], type[tracing.Tracer]] = (OtelSpan, Traces)
