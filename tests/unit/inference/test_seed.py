"""The starter's own adapter: what is written is read back, and contains nothing of the machine that made it."""

import json
from pathlib import Path

import pytest

from bot.domain.asking import Record
from bot.domain.learning import Adapter
from bot.domain.mixture import Mixture
from bot.domain.scope import Scope
from inference import seed
from tests.samples import NOW


def test_a_seed_is_read_as_it_was_written_and_names_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grown = tmp_path / "grown"
    grown.mkdir()
    (grown / "adapter_model.safetensors").write_bytes(b"weights")
    config = {"r": 16, "base_model_name_or_path": "/home/somebody/starter"}
    (grown / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    monkeypatch.setattr(seed, "_HERE", tmp_path / "kept")
    assert seed.starter_seed() is None
    mixture = Mixture(
        {"adapter": 0.3, "words": 0.5},
        proved=Record((("billing", 48, 90, 89, "en"),)),
        scope=Scope((0.0,), (0.1, 0.7), 1.9),
    )
    seed.write_seed(Adapter("routing-1", "routing", grown, "starter", {"billing": "<label_000>"}, 0.7, NOW, mixture))
    kept = seed.starter_seed()
    assert kept is not None
    assert (kept.codes, kept.temperature, kept.made) == ({"billing": "<label_000>"}, 0.7, NOW)
    assert kept.weights == {"adapter": 0.3, "words": 0.5}
    assert (kept.proved, kept.scope) == (Record((("billing", 48, 90, 89, "en"),)), Scope((0.0,), (0.1, 0.7), 1.9))
    assert (kept.folder / "adapter_model.safetensors").read_bytes() == b"weights"
    assert json.loads((kept.folder / "adapter_config.json").read_text("utf-8")) == {
        "r": 16,
        "base_model_name_or_path": "starter",
    }
    assert {file.name for file in kept.folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
