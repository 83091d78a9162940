"""Gives every example its place in the memory: texts that came without a vector get one."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.model_ports import Embedder, Memory

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class EmbeddingBackfill:
    """Embeds examples from files. Corrections bring their vector along and never wait for this."""

    memory: Memory
    embedder: Embedder

    async def step(self) -> int:
        """Embed some examples that have no vector yet; how many. Interrupted, it goes on where it stopped."""
        waiting = await self.memory.unembedded(self.embedder.name, _AT_ONCE)
        if waiting:
            vectors = await self.embedder.embed([text for _, text in waiting])
            await self.memory.remember(self.embedder.name, dict(zip([i for i, _ in waiting], vectors, strict=True)))
        return len(waiting)

    async def all(self, told: Callable[[int], None]) -> None:
        """Embed everything that waits; `told` hears after each batch how many more are done."""
        while done := await self.step():
            told(done)
