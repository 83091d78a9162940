"""The benchmark's command: a missing set is left out with a reason, a finished arm is not measured again."""

import json
import random
from pathlib import Path

import pytest

from benchmarks.bench.__main__ import main
from benchmarks.bench.trial import Trial

SPLITS = ("train", "test")


def test_absent_data_is_left_out_with_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--data", str(tmp_path), "--only", "sms_spam", "clinc150", "--results", str(tmp_path / "found")])
    told = capsys.readouterr()
    assert code == 0
    assert f"| sms_spam | left out: {tmp_path / 'sms_spam.jsonl'} is not there |" in told.out
    assert f"clinc150 is left out: {tmp_path / 'clinc150.jsonl'} is not there" in told.err.replace("\n", "")


def test_a_set_that_nobody_knows_is_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--only", "banking78"])
    assert stopped.value.code == 2
    assert "banking77_teams" in capsys.readouterr().err


def test_a_callers_file_of_another_shape_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"words": "?"}\n', "utf-8")
    assert main(["--file", str(file), str(file), "--results", str(tmp_path / "found")]) == 2
    assert 'line 1 is no JSON object with "text" and "label"' in capsys.readouterr().err.replace("\n", " ")


def test_a_callers_file_that_is_not_there_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--file", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]) == 2
    assert "a.jsonl is not there; --file wants" in capsys.readouterr().err.replace("\n", " ")


def test_one_label_is_nothing_to_learn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"text": "my parcel", "label": "delivery"}\n', "utf-8")
    assert main(["--file", str(file), str(file)]) == 2
    assert "needs rows of two labels at least" in capsys.readouterr().err.replace("\n", " ")


def test_interrupted_it_says_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_data: Path, _rng: random.Random) -> Trial:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.bench.__main__.catalogue", lambda: {"sms_spam": interrupted})
    assert main(["--results", str(tmp_path)]) == 130
    told = capsys.readouterr()
    assert (told.out, "the same command goes on from there" in told.err.replace("\n", " ")) == ("", True)


def test_peers_that_are_finished_are_not_measured_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": f"the {word} is {n} days late", "label": word} for word in ("parcel", "salary") for n in range(9)]
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = tmp_path / "found"
    files = ["--file", str(tmp_path / "train.jsonl"), str(tmp_path / "test.jsonl")]
    arguments = [*files, "--peers-only", "--results", str(found)]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    assert "| TF-IDF (words 1-2, characters 2-5) + linear SVC | 100.0 |" in first
    assert "| always the commonest label | 50.0 |" in first
    arms = {file.name: file.stat().st_mtime_ns for file in found.glob("*.json")}
    assert set(arms) == {f"test.{arm}.json" for arm in ("majority", "svc", "minilm_lr", "minilm_knn")}
    assert main(arguments) == 0
    assert capsys.readouterr().out == first
    assert {file.name: file.stat().st_mtime_ns for file in found.glob("*.json")} == arms


def test_quick_figures_are_never_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--quick", "--write"])
    assert stopped.value.code == 2
    assert "leave out --write" in capsys.readouterr().err


def test_the_page_keeps_what_is_finished_of_other_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"text": f"{label} {n}", "label": label, "split": split} for label in "ab" for n in range(9) for split in SPLITS
    ]
    for name in ("sms_spam", "banking77_teams"):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    page = tmp_path / "page.md"
    monkeypatch.setattr("benchmarks.bench.__main__.PAGE", page)
    monkeypatch.setattr("benchmarks.bench.__main__.ENGLISH", ("majority",))
    always = ["--data", str(tmp_path), "--results", str(tmp_path / "found"), "--peers-only", "--any-commit", "--write"]
    assert main([*always, "--only", "sms_spam"]) == 0
    assert "## sms_spam" in page.read_text("utf-8") and "## banking77_teams" not in page.read_text("utf-8")
    assert main([*always, "--only", "banking77_teams"]) == 0
    assert "## sms_spam" in page.read_text("utf-8") and "## banking77_teams" in page.read_text("utf-8")
