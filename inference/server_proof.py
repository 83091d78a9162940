"""What somebody else's model server must be able to do, point by point, each with a remedy if it is missing."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import httpx

from bot.domain.errors import Refused, Unreachable
from inference.http import MALFORMED, accepted, named, send
from inference.server_command import MAX_LABELS

_LOAD = "/v1/load_lora_adapter"
_NOWHERE = "switchboard-check"
_SLACK = 1e-3
"""How far from 1 the sum of a correctly set up server's probabilities may be: it rounds them."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of one check."""

    what: str
    """What should be so."""
    works: bool
    remedy: str = ""


async def proofs(line: httpx.AsyncClient, served: str, length: int, ids: Sequence[int]) -> AsyncIterator[Proof]:
    """Check that the server answers, serves that base, returns probabilities, and takes adapters.

    `served` is the base's name in the server, `length` the tokens that a prompt may have, `ids` at least two tokens of
    the base. Checks that depend on a failed one are left out. Nothing is changed in the server.
    """
    there = "the model server answers"
    try:
        response = accepted(await send(line, "GET", "/v1/models"), "the list of models")
        cards = [card for card in response.json()["data"] if not card.get("parent")]
    except (Unreachable, Refused) as error:
        yield Proof(there, False, str(error))
        return
    except MALFORMED:
        yield Proof(there, False, f"{named(line)} is no vLLM server: it has no list of models")
        return
    yield Proof(there, True)
    serves = _serves(cards, served, length)
    yield serves
    if serves.works:
        yield await _probabilities(line, served, ids)
        yield await _adapters(line)


def _serves(cards: Sequence[dict[str, object]], served: str, length: int) -> Proof:
    what = f"it serves {served}"
    names = [str(card.get("id")) for card in cards]
    if served not in names:
        others = ", ".join(names) or "nothing"
        return Proof(
            what, False, f"it serves {others}; start it with --served-model-name {served}, or change model.base"
        )
    read = next((card.get("max_model_len") for card in cards if card.get("id") == served), None)
    if isinstance(read, int) and read < length:
        return Proof(what, False, f"it reads {read} tokens and prompts have up to {length}: --max-model-len {length}")
    return Proof(what, True)


async def _probabilities(line: httpx.AsyncClient, served: str, ids: Sequence[int]) -> Proof:
    """Ask for one token, among as many as a task may have labels."""
    what = "it tells exact probabilities"
    body = {
        "model": served,
        "prompt": [[ids[0]]],
        "max_tokens": 1,
        "temperature": 0,
        "allowed_token_ids": list(ids),
        "logprobs": len(ids),
        "return_tokens_as_token_ids": True,
    }
    try:
        response = await send(line, "POST", "/v1/completions", body)
        if response.status_code == 400:
            return Proof(what, False, f"it refuses the question; start it with --max-logprobs {MAX_LABELS}")
        row = accepted(response, "a question").json()["choices"][0]["logprobs"]["top_logprobs"][0]
        total = _total(row, ids)
    except (Unreachable, Refused) as error:
        return Proof(what, False, str(error))
    except MALFORMED:
        return Proof(what, False, "its answers have no log-probabilities, as vLLM's have")
    if abs(total - 1) > _SLACK:
        return Proof(what, False, f"they sum to {total:.3f}; start it with --logprobs-mode processed_logprobs")
    return Proof(what, True)


def _total(row: Mapping[str, float], ids: Sequence[int]) -> float:
    """What the probabilities of these tokens sum to. Raises KeyError where none is told.

    A server in another mode tells those of its whole vocabulary, so that some of ours are not among the likeliest.
    """
    told = [row[f"token_id:{id}"] for id in ids if f"token_id:{id}" in row]
    if not told:
        raise KeyError("token_id")
    return sum(math.exp(float(logarithm)) for logarithm in told)


async def _adapters(line: httpx.AsyncClient) -> Proof:
    """Ask for an adapter that lies nowhere: 404 if the server looked for it; an earlier refusal tells what it lacks."""
    what = "it takes adapters while it runs"
    try:  # not by `send`, which reads no answer of 500: here it says what is wrong
        response = await line.post(_LOAD, json={"lora_name": _NOWHERE, "lora_path": f"/nonexistent/{_NOWHERE}"})
    except httpx.HTTPError as error:
        return Proof(what, False, f"{named(line)}: no answer ({type(error).__name__})")
    if "not enabled" in response.text:
        return Proof(what, False, "adapters are off; start it with --enable-lora and what goes with it")
    if response.status_code == 404 and _NOWHERE not in response.text:  # there is no such way in
        return Proof(what, False, "start it with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True in its environment")
    if response.status_code in (401, 403):
        return Proof(what, False, "an adapter was refused; set MODEL_API_KEY to its key")
    if response.status_code >= 500:
        return Proof(what, False, f"{named(line)}: answered {response.status_code}")
    return Proof(what, True)
