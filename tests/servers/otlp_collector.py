"""A collector of traces over real HTTP: keeps the spans that it is sent, decoded, and the bytes in which they came."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.http.server import listening_socket, serve_http


@dataclass
class Collector:
    """Everything that was sent to it."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    raw: bytes = b""
    shown: set[str] = field(default_factory=set)
    """The authorization that its callers sent."""
    services: set[str] = field(default_factory=set)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def path(self, span: Span) -> list[str]:
        """Its name and those of the spans above it, up to the root."""
        by_id = {one.span_id: one for one in self.spans}
        names = [span.name]
        while span.parent_span_id:
            span = by_id[span.parent_span_id]
            names.append(span.name)
        return names

    async def hear(self, request: Request) -> Response:
        body = await request.body()
        self.shown.add(request.headers.get("Authorization", ""))
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.raw += body
        said = ExportTraceServiceRequest()
        said.ParseFromString(body)
        for resource in said.resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(named["service.name"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return Response(media_type="application/x-protobuf")


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector on its own port, until the end."""
    collector = Collector()
    routes = [Route("/v1/traces", collector.hear, methods=["POST"])]
    with listening_socket("127.0.0.1", 0) as socket:
        collector.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        serving = asyncio.create_task(serve_http(Starlette(routes=routes), socket))
        yield collector
        serving.cancel()
        await asyncio.wait([serving])
