"""The adapter that comes with the starter: trained by our own training path on the demo company's seed examples."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent / "starter" / "seed"


@dataclass(frozen=True, slots=True)
class Seed:
    """An adapter, with what it needs to be asked."""

    folder: Path
    codes: Mapping[str, str]
    temperature: float


def starter_seed() -> Seed | None:
    """The starter's adapter; None in a checkout in which it has not been made yet."""
    card = _HERE / "seed.json"
    if not card.is_file():
        return None
    written = json.loads(card.read_text("utf-8"))
    return Seed(_HERE / "adapter", dict(written["codes"]), float(written["temperature"]))


def write_seed(adapter: Path, codes: Mapping[str, str], temperature: float) -> None:
    """Make this adapter the starter's."""
    target = _HERE / "adapter"
    target.mkdir(parents=True, exist_ok=True)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (target / name).write_bytes((adapter / name).read_bytes())
    card = {"codes": dict(codes), "temperature": temperature}
    (_HERE / "seed.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
