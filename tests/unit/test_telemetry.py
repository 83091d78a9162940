"""Traces are sent if the environment requests them, cost nothing otherwise, and the collector may be down."""

import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from bot.domain import tracing as traces
from bot.domain.errors import ConfigError, UsageError
from bot.otlp import SaidOnce
from bot.secret_files import SecretFiles
from bot.telemetry import headers_in, traced, tracing
from tests.acceptance.processes import REPOSITORY
from tests.servers.otlp_collector import collecting

ADDRESS = "http://collector:4318"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ADDRESS}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{ADDRESS}/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ADDRESS, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ADDRESS, "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ADDRESS, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
    ],
)
def test_a_collector_that_is_named_switches_traces_on(environment: Mapping[str, str], wanted: bool) -> None:
    assert traced(environment) is wanted


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin: traces go out as OTLP alone; write otlp"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT: write the http://"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": ADDRESS, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: traces go out as http/protobuf alone",
        ),
    ],
)
def test_what_cannot_be_done_is_said(environment: Mapping[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        traced(environment)


def test_nothing_of_opentelemetry_is_imported_where_nothing_is_traced() -> None:
    """Also in an environment where it is not installed."""
    program = (
        "import sys, asyncio\n"
        "import bot.telemetry, bot.flow.sort, bot.flow.receive, inference.client\n"
        "async def nothing():\n"
        "    async with bot.telemetry.tracing({}, 'x'): pass\n"
        "asyncio.run(nothing())\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))\n"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}).returncode == 0


class Exporter(SpanExporter):
    """Ends as it was told to."""

    def __init__(self, *ends: SpanExportResult) -> None:
        self.ends = list(ends)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self.ends.pop(0)

    def shutdown(self) -> None:
        """Do nothing."""


def test_a_collector_that_is_away_is_spoken_of_once_and_once_more_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    there, away = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
    once = SaidOnce(Exporter(there, away, away, away, there, there, away))
    for _ in range(7):
        once.export([])
    dropped, back = "traces not delivered, dropped until the collector answers", "traces delivered again"
    assert [record.message for record in caplog.records] == [dropped, back, dropped]


async def test_with_a_collector_that_is_away_the_work_goes_on_and_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    done = 0
    async with tracing(os.environ, "a database"):
        for number in range(200):
            with traces.span("work", conversation=number):
                done += 1
    assert done == 200
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 1
    assert traces.headers() == {}


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"])
@pytest.mark.parametrize("how", ["file", "credential", "variable"])
async def test_a_collector_is_shown_the_header_wherever_it_stands(
    name: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("authorization=Bearer%20t0ken,x-tenant=shop\n", "utf-8")
    environment = {
        "file": {f"{name}_FILE": str(tmp_path / name)},
        "credential": {"CREDENTIALS_DIRECTORY": str(tmp_path)},
        "variable": {name: (tmp_path / name).read_text("utf-8")},
    }[how]
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)  # read by the SDK itself
        asked = SecretFiles({**environment, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
        async with tracing(asked, "a database"):
            with traces.span("work"):
                pass
    assert collector.shown == {"Bearer t0ken"}


def test_a_header_that_is_none_is_refused_without_being_shown(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UsageError, match="OTEL_EXPORTER_OTLP_HEADERS: write name=value") as caught:
        headers_in({"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=shop,Bearer t0ken"})
    assert "t0ken" not in str(caught.value) + caplog.text


def test_a_header_stands_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "headers").write_text("a=b", "utf-8")
    name = "OTEL_EXPORTER_OTLP_HEADERS"
    with pytest.raises(ConfigError, match="are both set"):
        headers_in(SecretFiles({name: "a=b", f"{name}_FILE": str(tmp_path / "headers")}))
    assert headers_in({}) == {}
