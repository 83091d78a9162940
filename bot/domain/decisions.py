"""Which label a conversation gets, how sure we are, and who says so."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.memory_vote import MemoryVote, Neighbours, memory_vote
from bot.domain.tasks import Task

MAX_CANDIDATES = 3
_STRANGE = 0.30
"""Similarity to everything we know under which a text is out of scope, however sure the model is."""


class Author(StrEnum):
    """Who decided."""

    MODEL = "model"
    MEMORY = "memory"
    PERSON = "person"
    LEAD = "lead"
    FALLBACK = "fallback"


class Reason(StrEnum):
    """Why it was decided so, or why the person is asked first."""

    CONFIDENT = "confident"
    REMEMBERED = "remembered"
    UNSURE = "unsure"
    STRANGE = "strange"
    MODEL_DOWN = "model_down"
    NOT_TRAINED = "not_trained"
    NO_ANSWER = "no_answer"
    CHOSEN = "chosen"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    UNDELIVERABLE = "undeliverable"
    """The team's room could not be posted in."""
    WORDLESS = "wordless"
    """There was nothing to read but an attachment, and the settings send such to the fallback."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The model's exact distribution over the labels of a task (sums to 1), and the adapter it came from."""

    probabilities: Mapping[str, float]
    adapter: str | None
    """None: the base model itself."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The label chosen for a conversation, with what it rests on."""

    task: str
    label: str
    by: Author
    reason: Reason
    probabilities: Mapping[str, float] = field(default_factory=dict)
    """Over all labels when a model or the memory spoke; empty when a person or the fallback decided blind."""
    adapter: str | None = None
    evidence: tuple[int, ...] = ()
    """Examples of the memory that this decision leans on."""
    candidates: tuple[str, ...] = ()
    """Not empty: too unsure to act; ask the person to choose among these (most likely first)."""
    actor: str | None = None
    """`platform:id` of the person or lead who decided; None for machines."""

    @property
    def confidence(self) -> float:
        """The probability of the chosen label; 0 when nobody computed one."""
        return self.probabilities.get(self.label, 0.0)


@dataclass(frozen=True, slots=True)
class NoPrediction:
    """There is no prediction, and why: the server is down, or nothing has been trained for this task yet."""

    reason: Reason


def decide(task: Task, heard: Prediction | NoPrediction, found: Neighbours, may_ask: bool) -> Decision:
    """The decision on a text, given the model's calibrated prediction and what the memory found.

    With `may_ask` false the fallback decides where the person would be asked.
    """
    prediction = heard if isinstance(heard, Prediction) else None
    vote = memory_vote(found, prediction.probabilities if prediction else None)
    mixed = combine(task, prediction, vote)
    if mixed is None:
        return fallback(task, heard.reason if isinstance(heard, NoPrediction) else Reason.UNSURE)
    leading = Author.MEMORY if vote and vote.weight >= 0.5 else Author.MODEL
    ranked = sorted(mixed, key=lambda name: -mixed[name])
    decision = Decision(
        task=task.name,
        label=ranked[0],
        by=leading,
        reason=_ground(heard, leading),
        probabilities=mixed,
        adapter=prediction.adapter if prediction else None,
        evidence=vote.evidence if vote and leading is Author.MEMORY else (),
    )
    doubt = _doubt(task, decision, found)
    return decision if doubt is None else _hesitate(task, decision, doubt, ranked, may_ask)


def _ground(heard: Prediction | NoPrediction, leading: Author) -> Reason:
    if isinstance(heard, NoPrediction):
        return heard.reason
    return Reason.REMEMBERED if leading is Author.MEMORY else Reason.CONFIDENT


def combine(task: Task, prediction: Prediction | None, vote: MemoryVote | None) -> dict[str, float] | None:
    """(1 - w) * model + w * memory over all labels of the task; None when neither has spoken."""
    if prediction is None and vote is None:
        return None
    weight = vote.weight if vote else 0.0
    model = prediction.probabilities if prediction else {}
    memory = vote.probabilities if vote else {}
    return {n: (1 - weight) * model.get(n, 0.0) + weight * memory.get(n, 0.0) for n in task.names}


def fallback(task: Task, reason: Reason) -> Decision:
    """The decision when nobody could decide: a person of the fallback team will look."""
    return Decision(task.name, task.fallback, Author.FALLBACK, reason)


def _doubt(task: Task, decision: Decision, found: Neighbours) -> Reason | None:
    if decision.confidence < task.ask_below:
        return Reason.UNSURE
    if decision.by is Author.MODEL and found.anchors and found.closest < _STRANGE:
        return Reason.STRANGE
    return None


def _hesitate(task: Task, decision: Decision, doubt: Reason, ranked: list[str], may_ask: bool) -> Decision:
    """Ask where that is allowed, else hand over to the fallback; the original guess stays on record."""
    label = decision.label if may_ask else task.fallback
    candidates = tuple(n for n in ranked if n != task.fallback)[:MAX_CANDIDATES] if may_ask else ()
    return Decision(
        task=task.name,
        label=label,
        by=decision.by if may_ask else Author.FALLBACK,
        reason=doubt,
        probabilities=decision.probabilities,
        adapter=decision.adapter,
        evidence=decision.evidence,
        candidates=candidates,
    )


def calibrated(probabilities: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Softmax of log p / T. T = 1 changes nothing; T > 1 makes an overconfident model modest.

    Temperature scaling, Guo et al. 2017, "On Calibration of Modern Neural Networks".
    """
    logs = {name: math.log(max(p, 1e-12)) / temperature for name, p in probabilities.items()}
    top = max(logs.values())
    weights = {name: math.exp(value - top) for name, value in logs.items()}
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}
