"""The parts of the starter's making that can fail silently: what it reads, and continuing after a stop."""

import gzip
import itertools
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM, TokenizersBackend

from inference.starter import BASE, teacher
from inference.starter.distil import BATCH, HELD_OUT, batches, schedule
from inference.starter.lines import Line, abbreviated, choose_lines, misspelt, read_lines
from inference.starter.make import cap, lesson
from inference.starter.words import choose_pieces, choose_words, with_rows


class Reader:
    """A teacher without weights: computes a vector from a text's letters alone, and counts what it reads."""

    name = "reader"
    width = 4

    def __init__(self, languages: frozenset[str] | None = None) -> None:
        self.languages = languages
        self.read: list[str] = []

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        self.read += texts
        return torch.stack(
            [torch.randn(self.width, generator=torch.Generator().manual_seed(len(text))) for text in texts]
        )


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


def test_a_line_is_of_the_language_that_it_names_or_else_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "unlabelled.pt.jsonl").write_text(json.dumps({"text": "oi", "source": "manual"}) + "\n", "utf-8")
    rows = ({"text": "hola", "language": "es"}, {"text": "hi"})
    (tmp_path / "seed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    read = read_lines([tmp_path / "unlabelled.pt.jsonl", tmp_path / "seed.jsonl"])
    assert [(line.source, line.language) for line in read] == [("manual", "pt"), ("seed", "es"), ("seed", "en")]


def test_the_demo_companys_words_count_most_and_documentation_least() -> None:
    assert [Line("hi", source).repeats for source in ("seed", "snips", "manual")] == [4, 2, 1]


def test_words_are_added_whole_by_use_and_numbers_and_codes_are_not() -> None:
    known = starter_tokenizer()
    lines = [Line("Frobnicate order 4711b-x now!", "snips")] * 3 + [Line("frobnicated", "manual")] * 4
    chosen = choose_words(known, lines)
    assert chosen[0] == "frobnicate"
    assert not {"4711b", "4711", "x", "now", "order", "frobnicated"} & set(chosen)
    assert not set(chosen) & set(known.get_vocab())


def test_pieces_of_other_languages_are_added_without_accents_and_english_lines_add_none() -> None:
    known = starter_tokenizer()
    lines = [Line("Zurbalação já", "manual", "pt")] * 9 + [Line("frobnicate", "snips")] * 9
    chosen = choose_pieces(known, lines)
    assert "zurbalacao" in chosen
    assert "frobnicate" not in chosen
    assert not set(chosen) & set(known.get_vocab())


def test_added_words_get_rows_of_the_usual_length_and_every_other_row_stays() -> None:
    model, known = LlamaForCausalLM.from_pretrained(BASE, dtype=torch.float32), starter_tokenizer()
    before = model.model.embed_tokens.weight.detach().clone()
    with_rows(model, ["frobnicate", "##zzyzx"], Reader(), known)
    after = model.model.embed_tokens.weight.detach()
    assert torch.equal(after[:-162], before[:-160])
    assert torch.equal(after[-160:], before[-160:])
    assert after[-162:-160].norm(dim=1) == pytest.approx(before[1_000:9_000].norm(dim=1).mean().item(), rel=0.2)
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_a_teacher_is_asked_only_for_what_it_reads_and_each_text_once(tmp_path: Path) -> None:
    lines = [Line("hi", "snips"), Line("oi pessoal", "seed", "pt"), Line("hello", "snips"), Line("hi", "snips")]
    english = Reader(frozenset({"en"}))
    learned = lesson(english, lines, tmp_path)
    assert learned.reads.tolist() == [True, False, True, True]
    assert english.read == ["hi", "hello"]
    assert learned.targets[1].abs().sum() == 0
    assert torch.equal(learned.targets[0], learned.targets[3])
    again = Reader(frozenset({"en"}))
    assert torch.equal(lesson(again, [*lines, Line("bye", "snips")], tmp_path).targets[:4], learned.targets)
    assert again.read == ["bye"]


def test_a_cap_names_its_language() -> None:
    assert cap("pt=14000") == ("pt", 14_000)


def test_short_forms_are_typed_in_their_own_language_only() -> None:
    asked = "você sabe quando chega por favor"
    made = {abbreviated(asked, "pt", random.Random(n)) for n in range(200)}
    assert {"vc sabe qdo chega pfv", asked} <= made
    assert abbreviated(asked, "en", random.Random(1)) == asked


def test_what_is_chosen_of_a_source_does_not_depend_on_the_others() -> None:
    manual = [Line(f"manual {n}", "manual") for n in range(500)]
    alone = choose_lines(manual, {"en": 50}, 3)
    beside = choose_lines([*manual, *[Line(f"dito {n}", "outro", "pt") for n in range(90)]], {"en": 50, "pt": 20}, 3)
    assert {line for line in beside if line.language == "en"} == set(alone)


def test_no_source_gives_more_than_the_cap_but_for_joined_lines() -> None:
    lines = [Line(f"manual {n}", "manual") for n in range(500)] + [Line(f"said {n}", "snips") for n in range(30)]
    chosen = choose_lines(lines, {"en": 100}, 1)
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
    for pinned in ("MINILM_SHA256", "USE_PIECES_SHA256"):
        monkeypatch.setattr(teacher, pinned, "0" * 64)
    with pytest.raises(SystemExit, match="is not the teacher"):
        teacher.minilm_folder()
    with pytest.raises(SystemExit, match=r"sp\.model is not the teacher"):
        teacher.UniversalSentenceEncoder()
