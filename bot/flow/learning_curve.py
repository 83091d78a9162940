"""Measures a learning curve: fits the voices beside the adapter on one draw of the examples after another."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.comparison import WITHOUT
from bot.domain.learning import Example
from bot.domain.learning_curve import Draw, Measured, drawn
from bot.domain.mixture import pooled
from bot.domain.model_ports import ExampleVoices, Lesson, Vector
from bot.domain.tasks import Task


@dataclass(frozen=True, slots=True)
class CurveMeasurer:
    """Fits voices and asks them. They serve nobody: `voices` are kept in a folder of their own."""

    voices: ExampleVoices
    task: Task
    lessons: Sequence[Lesson]
    """All that may be learned from."""
    messages: Sequence[Example]
    vectors: Sequence[Vector | None]
    """The vector of each message."""

    async def measure(self, draws: Sequence[Draw]) -> AsyncIterator[Measured]:
        """Yield what each draw's voices answer, one draw after another. Raises TrainingFailed."""
        for draw in draws:
            lessons = drawn(self.lessons, draw)
            await self.voices.fit(self.task.name, f"{draw.size} {draw.number}", lessons)
            yield Measured(draw, len(lessons), await self._right())

    async def _right(self) -> Mapping[str, Sequence[bool]]:
        """Arm -> whether it is right, message by message. A voice that gives no answer counts as wrong."""
        texts = [message.text for message in self.messages]
        asked = self.voices.usual
        said = await self.voices.say(self.task.name, texts, self.vectors, set(asked))
        loud = self.voices.without_adapter(self.task.name)
        answers: dict[str, list[str | None]] = {voice: [_likeliest(one.get(voice)) for one in said] for voice in asked}
        answers[WITHOUT] = [_likeliest(pooled(one, loud, self.task.names)) for one in said]
        return {arm: [a == m.label for a, m in zip(of, self.messages, strict=True)] for arm, of in answers.items()}


def _likeliest(row: Mapping[str, float] | None) -> str | None:
    return max(sorted(row), key=lambda name: row[name]) if row else None
