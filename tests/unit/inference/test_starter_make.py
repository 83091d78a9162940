"""The parts of the starter's making that can go wrong quietly: what it reads, and going on after a stop."""

import gzip
import itertools
import json
import random
from collections import Counter
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM, TokenizersBackend

from inference.starter import BASE, teacher, words
from inference.starter.lines import Line, choose_lines, misspelt, read_lines
from inference.starter.make import BATCH, HELD_OUT, batches, schedule
from inference.starter.words import choose_words, with_rows


def starter_tokenizer() -> TokenizersBackend:
    tokenizer: TokenizersBackend = TokenizersBackend.from_pretrained(BASE)
    return tokenizer


def test_lines_are_read_with_their_source(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "some.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"text": "où est-ce ?", "source": "snips"}) + "\n")
    assert read_lines([tmp_path / "some.jsonl.gz"]) == [Line("où est-ce ?", "snips")]


def test_a_plain_file_is_a_source_called_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "seed.jsonl").write_text(json.dumps({"text": "hi", "label": "triage"}) + "\n", "utf-8")
    assert read_lines([tmp_path / "seed.jsonl"]) == [Line("hi", "seed")]


def test_the_demo_companys_words_count_most_and_documentation_least() -> None:
    assert [Line("hi", source).repeats for source in ("seed", "snips", "manual")] == [4, 2, 1]


def test_words_are_added_whole_by_use_and_numbers_and_codes_are_not() -> None:
    known = starter_tokenizer()
    lines = [Line("Frobnicate order 4711b-x now!", "snips")] * 3 + [Line("frobnicated", "manual")] * 4
    chosen = choose_words(teacher.teacher_folder(), known, lines)
    assert chosen[0] == "frobnicate"
    assert not {"4711b", "4711", "x", "now", "order", "frobnicated"} & set(chosen)
    assert not set(chosen) & set(known.get_vocab())


def test_added_words_get_rows_of_the_usual_length_and_every_other_row_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "embed_part", lambda _model, _tokenizer, texts: torch.randn(len(texts), 384))
    model, known = LlamaForCausalLM.from_pretrained(BASE, dtype=torch.float32), starter_tokenizer()
    before = model.model.embed_tokens.weight.detach().clone()
    with_rows(model, ["frobnicate", "zzyzx"], teacher.teacher_folder(), known)
    after = model.model.embed_tokens.weight.detach()
    assert torch.equal(after[:-162], before[:-160])
    assert torch.equal(after[-160:], before[-160:])
    assert after[-162:-160].norm(dim=1) == pytest.approx(before[1_000:9_000].norm(dim=1).mean().item(), rel=0.2)
    assert model.lm_head.weight is model.model.embed_tokens.weight


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
