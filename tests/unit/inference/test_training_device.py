from pathlib import Path

import pytest

from inference.training_device import Choice, Machine, chosen, in_words, weights_of

GIB = 2**30


@pytest.mark.parametrize(
    ("free", "four_bit", "weights", "choice"),
    [
        ([], True, 16 * GIB, Choice("cpu", bfloat16=False)),
        ([24 * GIB], True, 16 * GIB, Choice("cuda:0")),
        ([8 * GIB, 24 * GIB], True, 16 * GIB, Choice("cuda:1")),
        ([16 * GIB, 16 * GIB], True, 16 * GIB, Choice("cuda:0", spread=True)),
        ([16 * GIB], True, 16 * GIB, Choice("cuda:0", four_bit=True)),
        ([12 * GIB, 10 * GIB], True, 60 * GIB, Choice("cuda:0", four_bit=True)),
        ([16 * GIB], False, 16 * GIB, Choice("cuda:0")),
    ],
    ids=["no GPU", "fits", "the roomier", "together", "four bits", "not even together", "no library"],
)
def test_what_the_machine_has_decides(free: list[int], four_bit: bool, weights: int, choice: Choice) -> None:
    assert chosen(Machine(free, fast_bfloat16=False, four_bit=four_bit), weights) == choice


def test_a_processor_that_is_fast_in_bfloat16_computes_in_it() -> None:
    assert chosen(Machine([], fast_bfloat16=True, four_bit=False), 1) == Choice("cpu", bfloat16=True)


def test_weights_are_counted_over_all_files_of_a_base(tmp_path: Path) -> None:
    for name, size in (("model-1.safetensors", 5), ("model-2.safetensors", 7), ("tokenizer.json", 100)):
        (tmp_path / name).write_bytes(bytes(size))
    assert weights_of(tmp_path) == 12


def test_the_log_says_what_was_chosen() -> None:
    assert in_words(Choice("cuda:1", four_bit=True)) == "training on cuda:1, the base in four bits"
    assert in_words(Choice("cuda:0", spread=True)) == "training on several GPUs, the base in bfloat16"
    assert in_words(Choice("cpu", bfloat16=False)) == "training on cpu, the base in float32"
