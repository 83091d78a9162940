"""Traces by OpenTelemetry, if the environment names a collector; otherwise nothing of it is imported.

Everything is set by OpenTelemetry's own variables (OTEL_…), which its SDK reads: docs/deploying.md. Those that are
secret may be files, as all of ours may.
"""

import asyncio
import hashlib
import importlib.util
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

from bot.domain.errors import UsageError
from bot.domain.tracing import trace_to

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_LAST_SECONDS = 3.0
"""How long a stop waits for the last spans to arrive."""

log = logging.getLogger(__name__)


def traced(environment: Mapping[str, str]) -> bool:
    """Whether there is a collector to send traces to. Raises UsageError where the variables cannot be followed."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    named = next((name for name in _ENDPOINTS if environment.get(name, "").strip()), None)
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() or ("otlp" if named else "none")
    if exporter not in ("otlp", "none"):
        raise UsageError(f"OTEL_TRACES_EXPORTER={exporter}: traces go out as OTLP alone; write otlp, or none")
    if exporter == "none":
        return False
    if named is not None and urlsplit(environment[named].strip()).scheme not in ("http", "https"):
        raise UsageError(f"{named}: write the http://… or https://… address of the collector, mostly at port 4318")
    protocol = next((name for name in _PROTOCOLS if environment.get(name, "").strip()), None)
    if protocol is not None and environment[protocol].strip() != "http/protobuf":
        raise UsageError(f"{protocol}={environment[protocol]}: traces go out as http/protobuf alone; leave it out")
    if not _installed():
        raise UsageError(
            "traces are wanted (OTEL_…) and OpenTelemetry is not installed: pip install 'switchboard[traces]', or set "
            "OTEL_TRACES_EXPORTER=none"
        )
    return True


def headers_in(environment: Mapping[str, str]) -> dict[str, str]:
    """What the collector wants to be shown, out of a variable or, which the SDK does not read, out of its file.

    Raises UsageError for what is no header: the SDK would write it, token and all, into the log.
    """
    variable = next((name for name in _HEADERS if environment.get(name, "").strip()), None)
    if variable is None:
        return {}
    from opentelemetry.util.re import parse_env_headers

    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, environment[variable].split(","))):
        with _unsaid("opentelemetry.util.re"):
            header = parse_env_headers(part, liberal=True)
        if not header:
            raise UsageError(f"{variable}: write name=value, several with commas between them; a space in one is %20")
        found |= header
    return found


@contextmanager
def _unsaid(logger: str) -> Iterator[None]:
    """Nothing of that logger's is logged in it."""
    logging.getLogger(logger).disabled = True
    try:
        yield
    finally:
        logging.getLogger(logger).disabled = False


def _installed() -> bool:
    try:
        return all(importlib.util.find_spec(name) is not None for name in _NEEDED)
    except ModuleNotFoundError:
        return False


@asynccontextmanager
async def tracing(environment: Mapping[str, str], deployment: str) -> AsyncIterator[None]:
    """Trace everything that is done in this context, if the environment wants that. Raises UsageError or ConfigError.

    `deployment` tells databases apart: conversations of the same number in two of them are two traces.
    """
    if not traced(environment):
        yield
        return
    from bot.otlp import Traces  # imports OpenTelemetry

    traces = Traces(hashlib.sha256(deployment.encode()).digest(), headers_in(environment))
    trace_to(traces)
    try:
        yield
    finally:
        trace_to(None)
        await asyncio.to_thread(traces.end, _LAST_SECONDS)
