"""A second base of another shape, with random weights: the listed prompt in the library that trains on it."""

import math
from pathlib import Path

import pytest

from bot.domain.tasks import Label, Task
from inference.prompt import PromptBuilder
from tests.small_bases import CHAT
from tests.tiny_llamas import chat_like

TASK = Task("routing", "Which team?", (Label("billing", "Invoices, refunds"), Label("it", "Laptops")), "billing")
CODES = {"billing": "A", "it": "B"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # This template prints no date, which a test could not compare.
    return chat_like(tmp_path_factory.mktemp("listed") / "base", template=CHAT.replace("Today: ", ""))


def test_prompt_is_the_one_that_transformers_builds_from_the_template(folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    theirs = PreTrainedTokenizerFast.from_pretrained(folder)
    ours = theirs.decode(PromptBuilder(folder).prompt_ids(TASK, CODES, "my card was charged"))
    said = (
        "Which team?\n\nA: billing: Invoices, refunds\nB: it: Laptops\n\nAnswer with the code alone.\n\n"
        "Message:\nmy card was charged"
    )
    rendered = theirs.apply_chat_template(
        [{"role": "user", "content": said}], tokenize=False, add_generation_prompt=True
    )
    assert ours.partition("<|turn|>")[2] == str(rendered).partition("<|turn|>")[2]


def test_codes_are_single_tokens_for_transformers_too(folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    theirs, ours = PreTrainedTokenizerFast.from_pretrained(folder), PromptBuilder(folder)
    for code in ours.alphabet():
        assert theirs.encode(code, add_special_tokens=False) == [ours.code_id(code)]


def test_one_forward_pass_gives_a_distribution_over_the_codes(folder: Path) -> None:
    import torch
    from transformers import LlamaForCausalLM

    ours, model = PromptBuilder(folder), LlamaForCausalLM.from_pretrained(folder)
    ids = ours.prompt_ids(TASK, CODES, "x" * 100_000)
    assert len(ids) < 512
    with torch.no_grad():
        last = model(torch.tensor([ids])).logits[0, -1].float()
    shares = torch.softmax(last[[ours.code_id(code) for code in CODES.values()]], 0).tolist()
    assert math.isclose(sum(shares), 1.0, abs_tol=1e-5)
