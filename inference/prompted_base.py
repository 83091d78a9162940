"""A base model that was not trained, prompted with labels and examples: the exact distribution over their codes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.domain import prompted
from bot.domain.errors import NotTrained, Refused
from bot.domain.few_shot import Shown
from bot.domain.model_ports import Query
from bot.domain.plural import counted
from bot.domain.prompted import Asked, Distributed
from bot.domain.tasks import Task
from inference.base_models import positions
from inference.client import VllmPredictor
from inference.prompt import PromptBuilder

_TELLING = ("*.safetensors", "config.json", "tokenizer*", "chat_template*")


class VllmPromptedBase:
    """A base behind a vLLM server, through the same client as every decision."""

    def __init__(self, predictor: VllmPredictor, prompts: PromptBuilder, folder: Path) -> None:
        """All three belong to the same base."""
        self._predictor = predictor
        self._prompts = prompts
        self._room = positions(folder) - 1
        self._identity = _identity(folder)

    @property
    def identity(self) -> str:
        """Identifies its files by their sizes and times: computing their digests would take as long as asking."""
        return self._identity

    async def ask(self, task: Task, asked: Sequence[Asked]) -> list[Distributed]:
        """See `prompted.PromptedBase`."""
        if self._prompts.bare:
            raise NotTrained("it reads the message alone, so it cannot be prompted; name another base with --base")
        alphabet = self._prompts.alphabet()
        if len(alphabet) < len(task.names):
            raise Refused(
                f"it has {counted(len(alphabet), 'code')} of one token for {counted(len(task.names), 'label')}"
            )
        plain = replace(task, labels=tuple(replace(label, examples=()) for label in task.labels))
        query = Query(plain, dict(zip(task.names, alphabet, strict=False)), None)
        fitted = [self._fitted(query, text, examples) for text, examples in asked]
        said = await self._predictor.distributions(query, [prompt for prompt, _ in fitted])
        return [
            Distributed(one.probabilities, len(prompt), shots)
            for one, (prompt, shots) in zip(said, fitted, strict=True)
        ]

    def _fitted(self, query: Query, text: str, examples: Sequence[Shown]) -> tuple[list[int], int]:
        """The prompt with as many of the examples, counted from the last, as leave the message whole; and how many."""
        for left_out in range(len(examples)):
            some = examples[left_out:]
            try:
                ids = self._prompts.prompt_ids(query.task, query.codes, text, some)
            except Refused:
                continue
            if len(ids) < self._room:  # a prompt that fills all the room may have lost some of its message
                return ids, len(some)
        return self._prompts.prompt_ids(query.task, query.codes, text), 0


def _identity(folder: Path) -> str:
    files = sorted({file for pattern in _TELLING for file in folder.glob(pattern)})
    known = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return json.dumps([str(folder.resolve()), known])


_: type[prompted.PromptedBase] = VllmPromptedBase
