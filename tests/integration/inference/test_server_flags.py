"""A real vLLM without a flag that the bot needs gets a separate message for each flag."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from inference.base_models import STARTER, positions
from inference.http import open_line
from inference.prompt import PromptBuilder
from inference.server_command import environment, serving_flags, switches
from inference.server_proof import proofs
from tests.acceptance.processes import free_address
from tests.integration.inference.test_two_servers import Server

KEY = "shown-with-every-question"


def without(*names: str) -> list[str]:
    """The flags that it needs except these, with their values."""
    kept: list[str] = []
    dropping = False
    for part in serving_flags(STARTER, "starter"):
        dropping = part in names if part.startswith("--") else dropping
        kept += [] if dropping else [part]
    return kept


async def told(server: Server, served: str = "starter", key: str = "") -> list[str]:
    """The problems that a check reports."""
    prompts = PromptBuilder(STARTER)
    ids = [prompts.code_id(code) for code in prompts.alphabet()[:64]]
    async with open_line(f"http://{server.address}", key=key) as line:
        return [one.remedy async for one in proofs(line, served, positions(STARTER), ids) if not one.works]


async def lacking(
    folder: Path, flags: Sequence[str], given: dict[str, str], *asked: tuple[str, str]
) -> list[list[str]]:
    """The reports about a server that was started so, for each name and key with which it is asked."""
    server = Server(folder, free_address(), flags, given)
    try:
        await server.start()
        return [await told(server, *one) for one in asked]
    finally:
        await server.kill()


@pytest.mark.slow
@pytest.mark.vllm
async def test_probabilities_and_adapters_that_are_off(tmp_path: Path) -> None:
    flags = without("--logprobs-mode", "--enable-lora", "--max-lora-rank", "--max-loras", "--max-cpu-loras")
    [found] = await lacking(tmp_path, flags, environment(cpu=True), ("starter", ""))
    assert [one.rpartition("start it with ")[2] for one in found] == [
        "--logprobs-mode processed_logprobs",
        "--enable-lora and what goes with it",
    ]


@pytest.mark.slow
@pytest.mark.vllm
async def test_too_few_probabilities_and_no_loading(tmp_path: Path) -> None:
    given = {name: value for name, value in environment(cpu=True).items() if name not in switches()}
    [found] = await lacking(tmp_path, without("--max-logprobs"), given, ("starter", ""))
    assert [one.partition("start it with ")[2] for one in found] == [
        "--max-logprobs 256",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True in its environment",
    ]


@pytest.mark.slow
@pytest.mark.vllm
async def test_another_key_another_model_and_prompts_that_are_too_long(tmp_path: Path) -> None:
    flags = [*without("--max-model-len"), "--max-model-len", "128", "--api-key", KEY]
    asked = [("starter", ""), ("other", KEY), ("starter", KEY)]
    found = await lacking(tmp_path, flags, environment(cpu=True), *asked)
    assert [len(one) for one in found] == [1, 1, 1]
    for [said], remedy in zip(
        found, ("set MODEL_API_KEY", "--served-model-name other", "--max-model-len 256"), strict=True
    ):
        assert remedy in said
