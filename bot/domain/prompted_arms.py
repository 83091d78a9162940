"""A prompted model's answers to the messages, as an arm of the comparison and in sentences. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.comparison import Arm
from bot.domain.few_shot import ShownExamples, Variant
from bot.domain.learning import Example, Score, text_key
from bot.domain.plural import counted
from bot.domain.prompted import Fault, Told
from bot.domain.tasks import Task
from bot.domain.token_prices import TokenPrice


@dataclass(frozen=True, slots=True)
class Asking:
    """The questions that every prompted model gets."""

    task: Task
    judging: Sequence[Example]
    shown: ShownExamples

    @property
    def drawn(self) -> list[Example]:
        """The messages in a random but fixed order, so that an arm that stops early was asked about a sample."""
        return sorted(self.judging, key=lambda example: text_key(example.text))


@dataclass(frozen=True, slots=True)
class PromptedArm:
    """One way to prompt one model, and its answers."""

    model: str
    variant: Variant
    told: Mapping[str, Told]
    """Content hash of the message -> answer; not for all messages if the arm stopped."""
    stopped: str = ""
    """Why not all were asked; empty: all were."""

    @property
    def name(self) -> str:
        return self.variant.of(self.model)

    def scores(self, judging: Sequence[Example]) -> list[Score]:
        """The scores of the messages that it was asked about, in order."""
        rows = [(example, self.told.get(text_key(example.text))) for example in judging]
        return [
            Score(text_key(example.text), example.source, example.label, told.label, told.probabilities)
            for example, told in rows
            if told is not None
        ]

    @property
    def milliseconds(self) -> list[float]:
        return [told.milliseconds for told in self.told.values() if told.milliseconds is not None]

    @property
    def graded(self) -> bool:
        """Whether every answer that named a label has a probability."""
        named = [told for told in self.told.values() if told.answered]
        return bool(named) and all(told.probabilities for told in named)

    def tokens(self) -> tuple[float, float] | None:
        """(sent, received) for one message on average; None: they were not counted."""
        both = [(told.tokens_in, told.tokens_out) for told in self.told.values()]
        known = [(sent, got) for sent, got in both if sent is not None and got is not None]
        if not known:
            return None
        return sum(sent for sent, _ in known) / len(known), sum(got for _, got in known) / len(known)

    def notes(self) -> list[str]:
        """What a reader should know about its answers, one sentence each."""
        many, counts = len(self.told), Counter(told.fault for told in self.told.values())
        said = [
            f"{self.name}: {counts[fault]} of {counted(many, 'answer')} {fault}; they count as wrong"
            for fault in Fault
            if counts[fault]
        ]
        if self.told and not self.graded:
            said.append(f"{self.name}: it tells no probabilities, so nothing is said of its calibration")
        if uncounted := sum(told.tokens_in is None for told in self.told.values()):
            said.append(
                f"{self.name}: {counted(uncounted, 'answer')} came without a count of tokens, so the cost is not known"
            )
        shown = [told.shots for told in self.told.values()]
        if shown and min(shown) < self.variant.shots:
            mean = sum(shown) / len(shown)
            room = counted(self.variant.shots, "example was there or had room", "examples were there or had room")
            said.append(f"{self.name}: {mean:.1f} of {room}, on average")
        return said


def hosted_arm(one: PromptedArm, judging: Sequence[Example], price: TokenPrice | None) -> Arm:
    """The arm of a hosted model, priced by its tokens."""
    tokens = one.tokens()
    per_1000 = (
        None if tokens is None or price is None else 1000 * (tokens[0] * price.input + tokens[1] * price.output) / 1e6
    )
    return _arm(one, judging, per_1000)


def local_arm(one: PromptedArm, judging: Sequence[Example], per_1000: float | None) -> Arm:
    """The arm of a local model, priced by the machine's time."""
    return _arm(one, judging, per_1000)


def _arm(one: PromptedArm, judging: Sequence[Example], per_1000: float | None) -> Arm:
    return Arm(
        one.name,
        one.scores(judging),
        one.graded,
        one.milliseconds,
        per_1000,
        tokens=one.tokens(),
        stopped=one.stopped,
    )
