"""How sets become what is learned from and what is asked. The rows are made up; no real set is copied here."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.bench.draws import quick
from benchmarks.bench.sets import Absent, catalogue, crossing, demo, drawn, own, published
from benchmarks.bench.trial import Row, Trial
from benchmarks.bench.workspace import meaning, written_settings
from bot.domain.errors import UsageError
from bot.settings import load


def rng() -> random.Random:
    return random.Random(1)


def rows(split: str, count: int, *labels: str, **more: str) -> list[dict[str, str]]:
    return [
        {"text": f"{split} {label} {number}", "label": label, "split": split, **more}
        for label in labels
        for number in range(count)
    ]


def write(file: Path, some: list[dict[str, str]]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in some), "utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    strangers = rows("train", 3, "oos") + rows("valid", 3, "oos") + rows("test", 4, "oos")
    known = rows("train", 20, "a", "b", "c", "d") + rows("valid", 200, "a", "b", "c", "d") + rows("test", 5, "a", "b")
    write(tmp_path / "clinc150.jsonl", known + strangers)
    write(tmp_path / "banking77.jsonl", known)
    write(tmp_path / "fewshot" / "banking77_train_5.jsonl", rows("train", 5, "a", "b", "c", "d"))
    for code in ("en", "es", "fr", "de"):
        labels = ("a", "b") if code == "en" else ("b", "z")
        write(tmp_path / f"{code}_msskills.jsonl", rows("train", 30, *labels) + rows("test", 5, *labels, lang=code))
    return tmp_path


def test_what_is_out_of_scope_is_asked_and_never_learned_from(data: Path) -> None:
    trial = published("clinc150", data, rng())
    assert {row.label for row in trial.learned} == {row.label for row in trial.judged} == {"a", "b", "c", "d"}
    assert Counter(row.label for row in trial.asked)["oos"] == 4
    assert trial.labels == ["a", "b", "c", "d", "oos"], "the fallback is last"


def test_the_gate_judges_by_validation_rows_that_nothing_learns_from(data: Path) -> None:
    trial = published("banking77", data, rng())
    assert Counter(row.label for row in trial.judged) == dict.fromkeys("abcd", 100)
    assert all(row.text.startswith("valid") for row in trial.judged)
    assert trial.taught_to_peers == trial.learned


def test_a_published_draw_is_asked_the_whole_test_split(data: Path) -> None:
    trial = drawn("banking77", 5, data, rng())
    assert (trial.name, len(trial.learned), len(trial.asked)) == ("banking77_5shot", 20, 10)


def test_without_validation_a_tenth_judges_and_peers_learn_it_too(data: Path) -> None:
    trial = crossing(data, rng())
    assert (len(trial.learned), len(trial.judged)) == (54, 6)
    assert set(trial.learned).isdisjoint(trial.judged)
    assert len(trial.taught_to_peers) == 60


def test_crossing_asks_only_what_english_taught(data: Path) -> None:
    trial = crossing(data, rng())
    assert all(row.part == "en" for row in trial.learned)
    assert Counter((row.part, row.label) for row in trial.asked) == {
        ("en", "a"): 5,
        ("en", "b"): 5,
        **{(code, "b"): 5 for code in ("es", "fr", "de")},
    }
    assert trial.beyond_english


def test_a_set_that_is_not_there_says_which_file(tmp_path: Path) -> None:
    with pytest.raises(Absent, match=r"sms_spam\.jsonl is not there"):
        catalogue()["sms_spam"](tmp_path, rng())


@pytest.mark.parametrize("line", ['{"text": "no label"}', "[1]", "{", '"words"'])
def test_a_file_of_another_shape_names_the_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text(f'{{"text": "good", "label": "a"}}\n{line}\n', "utf-8")
    with pytest.raises(UsageError, match='line 2 is no JSON object with "text" and "label"'):
        own(file, file, tmp_path, rng())


def test_a_callers_files_need_no_splits(tmp_path: Path) -> None:
    for name, count in (("train", 10), ("test", 3)):
        some = [{"text": f"{name} {n} {label}", "label": label} for label in "ab" for n in range(count)]
        write(tmp_path / f"{name}.jsonl", some)
    trial = own(tmp_path / "train.jsonl", tmp_path / "test.jsonl", tmp_path, rng())
    assert (trial.name, len(trial.learned), len(trial.judged), len(trial.asked)) == ("test", 18, 2, 6)


def test_quick_keeps_three_labels_and_the_strangers(data: Path) -> None:
    trial = quick(published("clinc150", data, rng()), rng())
    assert trial.name == "clinc150_quick"
    assert len({row.label for row in trial.learned}) == 3
    assert trial.has_strangers
    assert trial.digest != published("clinc150", data, rng()).digest


def test_the_same_seed_draws_the_same_rows(data: Path) -> None:
    assert published("banking77", data, rng()).digest == published("banking77", data, rng()).digest
    assert published("banking77", data, random.Random(2)).digest != published("banking77", data, rng()).digest


def test_the_demo_company_is_asked_what_it_ships_with() -> None:
    trial = demo()
    assert trial.shipped
    assert {"en", "pt", "es", "hard en", "hard pt", "hard es"} == set(trial.parts)
    assert {row.text for row in trial.learned}.isdisjoint(row.text for row in trial.asked)


@pytest.mark.parametrize(
    ("label", "words"),
    [("card_arrival", "card arrival"), ("calendar.FindDuration", "calendar find duration"), ("???", "???")],
)
def test_a_labels_name_says_what_it_means(label: str, words: str) -> None:
    assert meaning(label) == words


def test_written_settings_are_settings(tmp_path: Path) -> None:
    names = ['odd "name" = [x]', "Refund_not_showing_up", "reverted_card_payment?", "calendar.FindDuration"]
    learned = tuple(Row("words", name) for name in names)
    trial = Trial("odd", learned, (Row("words", "oos", "pt"), Row("words", names[0], "fr")))
    file = tmp_path / "switchboard.toml"
    file.write_text(written_settings(trial), "utf-8")
    settings = load(file, {})
    assert sorted(settings.routing.names) == sorted([*names, "oos"])
    assert (settings.routing.fallback, settings.languages) == ("oos", ("en", "pt-BR"))
