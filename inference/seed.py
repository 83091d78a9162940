"""The adapter that comes with the starter: trained by our own training path on the demo company's seed examples."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot.domain.asking import Record
from bot.domain.learning import Adapter
from bot.domain.mixture import USUAL
from bot.domain.scope import Scope

_HERE = Path(__file__).parent / "starter" / "seed"
STARTER_ADAPTERS = _HERE
"""The folder of the adapters that come with the program."""


@dataclass(frozen=True, slots=True)
class Seed:
    """An adapter, with what is needed to ask it."""

    folder: Path
    codes: Mapping[str, str]
    temperature: float
    made: datetime
    weights: Mapping[str, float] = field(default_factory=lambda: dict(USUAL))
    """The weights of it and the voices beside it."""
    proved: Record | None = None
    """How often they were right together, by how sure they were."""
    scope: Scope | None = None
    """What texts of the demo company look like to them."""


def starter_seed() -> Seed | None:
    """The starter's adapter; None in a checkout where it has not been made yet."""
    card = _HERE / "seed.json"
    if not card.is_file():
        return None
    written = json.loads(card.read_text("utf-8"))
    return Seed(
        _HERE / "adapter",
        dict(written["codes"]),
        float(written["temperature"]),
        datetime.fromisoformat(written["made"]),
        dict(written.get("weights", USUAL)),
        Record.read(written.get("proved")),
        Scope.read(written.get("scope")),
    )


def write_seed(made: Adapter) -> None:
    """Store this adapter as the starter's."""
    adapter = made.path
    target = _HERE / "adapter"
    target.mkdir(parents=True, exist_ok=True)
    (target / "adapter_model.safetensors").write_bytes((adapter / "adapter_model.safetensors").read_bytes())
    config = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    config["base_model_name_or_path"] = "starter"  # not the folder where this adapter happened to be trained
    (target / "adapter_config.json").write_text(json.dumps(config, indent=2), "utf-8")
    card = {
        "codes": dict(made.codes),
        "temperature": made.temperature,
        "weights": dict(made.mixture.weights),
        "made": made.made.isoformat(),
        "proved": None if made.mixture.proved is None else made.mixture.proved.rows,
        "scope": None if made.mixture.scope is None else made.mixture.scope.stored(),
    }
    (_HERE / "seed.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
