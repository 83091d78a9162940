"""A folder in the format of Llama-3.2-1B-Instruct is trained, served by vLLM, and compared with prompting its base.

Its layers are random, so accuracy is not tested. The test shows what is asked and answered: the prompts are those of
its own chat template, and the server computes from them what transformers and peft compute.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from inference.server import EmbeddedServer
from inference.server_command import ServerSettings
from tests.acceptance.desk import ROWS, THINGS, jsonl, settings
from tests.acceptance.processes import Home, free_address
from tests.llama_instruct import llama_instruct
from tests.servers.recorder import Recorder

pytestmark = [pytest.mark.vllm, pytest.mark.slow]

NAME, ADAPTER = "Llama-3.2-1B-Instruct", "desk-1"
ASKED = "there is something odd about the {} this morning"
JUDGING = [{"text": ASKED.format(thing), "label": label} for label, of in THINGS.items() for thing in of.split()]
LISTED = (
    "Where is it?\n\nA: kitchen: Everything in the kitchen\nB: garden: Everything in the garden\n"
    "C: garage: Everything in the garage\n\nAnswer with the code alone.\n\n"
)
MOST, MEAN = 0.1, 0.02
"""How far two programs may differ: bf16 has three digits, and they add in another order."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One prompt as it was sent, and the server's probability of each token that may answer it."""

    model: str
    ids: Sequence[int]
    shares: Mapping[int, float]


async def test_a_llama_instruct_folder_is_trained_served_and_compared_with_prompting_it(
    homes: Path, tmp_path: Path
) -> None:
    home, base = Home(homes / "llama"), homes / "llama" / NAME
    llama_instruct(base, [row["text"] for row in ROWS])
    home.file("rows.jsonl", jsonl(ROWS))
    home.file("judging.jsonl", jsonl(JUDGING))
    async with _served(base, tmp_path) as asked:
        home.settings(settings(asked.url, free_address()).replace("[model]", f'[model]\nbase = "{NAME}"'))
        await home.succeeds("import", "rows.jsonl")
        trained = await home.does("train", "--json", seconds=480)
        assert trained.code == 1, trained.err  # too few held-out messages; accuracy of random layers does not matter
        assert "held-out messages; 30 are the least" in str(trained.json["reasons"])
        await home.succeeds("promote", ADAPTER)
        asked.exchanges.clear()
        routed = await home.succeeds("route", JUDGING[0]["text"], "--json")
        assert (routed.json["adapter"], routed.json["reason"]) == (ADAPTER, "confident")
        await home.succeeds("compare", "judging.jsonl", "--prompt", "--shots", "0,3", "--html", "worth.html")
        compared = (await home.succeeds("compare", "judging.jsonl", "--prompt", "--shots", "0,3", "--json")).json
        answers = _answers(asked)
    page = (home.folder / "worth.html").read_text("utf-8")
    _has_every_arm(compared, page)
    _are_the_templates_own(base, answers)
    _are_what_transformers_says(base, home.folder / "var" / "runs" / ADAPTER / "adapter", answers)


@asynccontextmanager
async def _served(base: Path, folder: Path) -> AsyncIterator[Recorder]:
    """The product's own vLLM, with a server in between that records the traffic."""
    server = EmbeddedServer(ServerSettings(base, NAME, folder), lambda _share, _doing: None)
    async with server, Recorder(f"unix:{server.socket}", folder / "recorder") as recorder:
        yield recorder


def _answers(recorder: Recorder) -> Sequence[Answered]:
    found = []
    for one in recorder.of("/v1/completions"):
        prompts, choices = cast(list[list[int]], one.asked["prompt"]), json.loads(one.answered)["choices"]
        for choice in choices:
            logs = choice["logprobs"]["top_logprobs"][0]
            logged = torch.tensor(list(logs.values())).exp().tolist()
            tokens = [int(token.removeprefix("token_id:")) for token in logs]
            shares = dict(zip(tokens, logged, strict=True))
            found.append(Answered(str(one.asked["model"]), prompts[choice["index"]], shares))
    return found


def _has_every_arm(compared: Mapping[str, object], page: str) -> None:
    """Check that each arm has a row in report and page; the base's answers are distributions, never prose."""
    arms = {str(arm["arm"]): arm for arm in cast(list[dict[str, object]], compared["arms"])}
    prompted = [f"{NAME} {way}" for way in ("zero-shot", "3 fixed", "3 retrieved")]
    assert {"majority", "words", "adapter", "mixture", "mixture without adapter", *prompted} <= set(arms)
    for name in (*prompted, "adapter"):
        arm = arms[name]
        assert (arm["messages"], arm["unanswered"], arm["stopped"]) == (len(JUDGING), 0, None), name
        assert arm["ece"] is not None and name in page
    sent = [cast(dict[str, float], arms[name]["tokens"])["in"] for name in prompted]
    assert sent[0] < min(sent[1:]), "examples take room"
    assert (compared["adapter"], compared["failed"]) == (ADAPTER, [])


def _are_the_templates_own(base: Path, answers: Sequence[Answered]) -> None:
    """Check that each prompt as sent is what the folder's chat template makes of it, the shots inside the message."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    assert isinstance(tokenizer, PreTrainedTokenizerFast)
    sent = {(one.model, str(tokenizer.decode(list(one.ids)))) for one in answers}
    for row in JUDGING:
        plain = f"{LISTED}Message:\n{row['text']}"
        chat = [{"role": "user", "content": plain}]
        rendered = str(
            tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024")
        )
        assert {(ADAPTER, rendered), (NAME, rendered)} <= sent, "adapter and zero shots are asked the same"
        end = rendered.partition("Message:\n")[2]
        shown = [prompt for _, prompt in sent if prompt.endswith(f"Message:\n{end}") and prompt.count("\nCode: ") == 3]
        assert len(shown) == 2, "three examples, fixed and retrieved"
    begin, head = tokenizer.convert_tokens_to_ids("<|begin_of_text|>"), rendered.partition("Where is it?")[0]
    assert all(one.ids[0] == begin and list(one.ids).count(begin) == 1 for one in answers)
    assert all(prompt.startswith(head) and prompt.endswith("assistant<|end_header_id|>\n\n") for _, prompt in sent)


def _are_what_transformers_says(base: Path, adapter: Path, answers: Sequence[Answered]) -> None:
    """Compare with the same weights and ids in the other library, with and without the LoRA; float32 is exact here."""
    model = AutoModelForCausalLM.from_pretrained(base)
    assert model.dtype == torch.bfloat16 and model.config.rope_parameters["rope_type"] == "llama3"
    plain = _shares(model.float(), answers)  # type: ignore[no-untyped-call]
    tuned = _shares(PeftModel.from_pretrained(model, adapter).float(), answers)
    for name, expected, other in ((NAME, plain, tuned), (ADAPTER, tuned, plain)):
        served = [one for one in answers if one.model == name]
        off = [_distance(one.shares, expected[tuple(one.ids)]) for one in served]
        assert max(off) < MOST and sum(off) / len(off) < MEAN, name
        astray = [_distance(one.shares, other[tuple(one.ids)]) for one in served]
        assert sum(astray) > 2 * sum(off), "neither is served under the other's name"


def _distance(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Total variation distance: the share of probability that moves to other tokens."""
    return sum(abs(share - other[token]) for token, share in one.items()) / 2


def _shares(model: torch.nn.Module, answers: Sequence[Answered]) -> Mapping[tuple[int, ...], Mapping[int, float]]:
    """What the model answers to every prompt."""
    found: dict[tuple[int, ...], Mapping[int, float]] = {}
    for one in answers:
        if tuple(one.ids) not in found:
            tokens = list(one.shares)
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([list(one.ids)])).logits[0, -1].float()
            found[tuple(one.ids)] = dict(zip(tokens, logits[tokens].softmax(0).tolist(), strict=True))
    return found
