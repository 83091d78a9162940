"""The parts of the starter's making that can go wrong quietly: what it reads, and going on after a stop."""

import gzip
import itertools
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from inference.starter import teacher
from inference.starter.lines import Line, choose_lines, misspelt, read_lines
from inference.starter.make import BATCH, HELD_OUT, batches, schedule


def test_lines_are_read_with_their_source(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "some.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"text": "où est-ce ?", "source": "snips"}) + "\n")
    assert read_lines([tmp_path / "some.jsonl.gz"]) == [Line("où est-ce ?", "snips")]


def test_no_source_gives_more_than_the_cap_but_for_joined_lines() -> None:
    lines = [Line(f"manual {n}", "manual") for n in range(500)] + [Line(f"said {n}", "snips") for n in range(30)]
    chosen = choose_lines(lines, 100, random.Random(1))
    assert Counter(line.source for line in chosen) == {"manual": 110, "snips": 33}
    assert sum(line in set(lines) for line in chosen) == 130


def test_typos_change_letters_inside_long_words_only() -> None:
    rng = random.Random(1)
    assert misspelt("go to it now", rng) == "go to it now"
    assert misspelt("", rng) == ""
    for _ in range(200):
        words = misspelt("my invoice is wrong", rng).split(" ")
        assert (words[0], words[2]) == ("my", "is")
        assert (words[1][0], words[3][0]) == ("i", "w")
        assert words[1] != "invoice" or words[3] != "wrong"


def test_restart_goes_on_with_the_batches_that_were_left() -> None:
    lines = [Line("x" * (n % 37), "snips" if n % 3 else "manual") for n in range(HELD_OUT + 700)]
    whole = list(itertools.islice(batches(lines, 5, after=0), 40))
    assert list(itertools.islice(batches(lines, 5, after=25), 15)) == whole[25:]


def test_batches_never_hold_a_held_out_line_and_repeat_spoken_ones() -> None:
    lines = [Line("hi", "snips" if n % 2 else "manual") for n in range(HELD_OUT + BATCH)]
    seen = Counter(at for batch in itertools.islice(batches(lines, 1, after=0), 2) for at in batch)
    assert min(seen) >= HELD_OUT
    assert {lines[at].source: count for at, count in seen.items()} == {"snips": 2, "manual": 1}


def test_rate_rises_then_falls_to_nothing() -> None:
    rates = [schedule(share / 100) for share in range(101)]
    assert rates[0] < 0.05
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[100] == pytest.approx(0.0, abs=1e-9)


def test_other_weights_than_the_teachers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "SHA256", "0" * 64)
    with pytest.raises(SystemExit, match="is not the teacher"):
        teacher.teacher_folder()
