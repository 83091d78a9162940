"""The real benchmark, with three labels: database, model server, training, the product's own commands."""

import json
from pathlib import Path

import pytest

from benchmarks.bench.__main__ import main

pytestmark = [pytest.mark.slow, pytest.mark.vllm]

THINGS = {
    "kitchen": "oven kettle fridge sink dishwasher toaster saucepan cutlery",
    "garden": "lawn hedge roses sprinkler greenhouse compost orchard wheelbarrow",
    "garage": "tyre engine brakes gearbox bumper clutch radiator headlight",
}
TAUGHT = ("the {} is broken", "please have a look at the {} today", "who takes care of our {}?", "there goes the {}")
ASKED = ("hello, somebody should see to the {}", "what a strange smell near the {}")


def written(file: Path, phrases: tuple[str, ...]) -> str:
    rows = [
        {"text": phrase.format(thing), "label": label}
        for label, things in THINGS.items()
        for thing in things.split()
        for phrase in phrases
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(file)


def test_the_product_and_its_peers_stand_on_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [written(tmp_path / "train.jsonl", TAUGHT), written(tmp_path / "house.jsonl", ASKED)]
    found = tmp_path / "found"
    assert main(["--file", *files, "--quick", "--results", str(found)]) == 0
    out = capsys.readouterr().out
    whole = json.loads((found / "house_quick.switchboard.json").read_text("utf-8"))
    assert set(whole["seconds"]) == {"import", "train", "evaluate"}
    assert len(whole["rows"]) == 48
    right = sum(row["label"] == row["truth"] for row in whole["rows"]) / 48
    assert right == pytest.approx(whole["evaluated"]["accuracy"])
    assert right > 0.8, "every thing that is asked about was named in what was learned"
    for system in ("**the product**", "without the adapter", "the voice “words” alone", "MiniLM + kNN"):
        assert f"| {system}" in out
