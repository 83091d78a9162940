"""How long each call to a model server takes, whether it fails, and how many tokens go each way."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from bot.domain.model_calls import CallKind, ModelCall, SawCall
from inference.http import MALFORMED


@dataclass(slots=True)
class Call:
    """A call that is being made."""

    sent: int = 0
    answered: int = 0
    refused: bool = False

    def answer(self, response: httpx.Response) -> None:
        """Take the response's token counts; for a server that does not count tokens they are 0."""
        self.refused = not response.is_success
        try:
            usage = response.json()["usage"]
            self.sent, self.answered = int(usage["prompt_tokens"]), int(usage["completion_tokens"])
        except MALFORMED:
            self.sent = self.answered = 0


@contextmanager
def watched(saw: SawCall, kind: CallKind) -> Iterator[Call]:
    """Report the call made inside the block when it ends. A call that the caller gave up has failed, too."""
    began, call, failed = time.monotonic(), Call(), True
    try:
        yield call
        failed = call.refused
    finally:
        saw(ModelCall(kind, time.monotonic() - began, failed, call.sent, call.answered))
