"""Which label a conversation gets, how sure we are, and who says so."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.asking import Record, ask_below
from bot.domain.scope import Scope
from bot.domain.tasks import NOT_A_REQUEST, Task

MAX_CANDIDATES = 3
USUAL_TOP = 0.70
"""The top probability of a model that is neither sure nor torn; the reference point for `Opinion.yields`."""


class Author(StrEnum):
    """Who decided."""

    MODEL = "model"
    """A mixture that includes the adapter."""
    EXAMPLES = "examples"
    """The voices that are fitted on examples, without the model."""
    MEMORY = "memory"
    PERSON = "person"
    LEAD = "lead"
    FALLBACK = "fallback"
    RULE = "rule"
    """A rule of the settings, before any voice was asked."""


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
    """The team's room took no post."""
    NOT_READ = "not_read"
    """The model's vocabulary lacks more than half of the text's words, so it was not asked; others decided."""
    UNREADABLE = "unreadable"
    """No voice could read the text: the model's vocabulary lacks its words, and no known text is like it."""
    OUT_OF_HOURS = "out_of_hours"
    """The person would have been asked, but none of the likely teams is there to act on the answer."""
    WORDLESS = "wordless"
    """There was nothing to read but an attachment, and the settings send those to the fallback team."""
    RETIRED = "retired"
    """Its team was retired, or merged into this one."""
    RULE = "rule"
    """A rule of the settings applied: it decided, or had the person asked."""
    REQUESTED = "requested"
    """Somebody made a request of it, and nothing in it tells which team's it is."""
    THANKS = "thanks"
    """The message was nothing but thanks, in a language whose words for it are known."""
    UNSETTLED = "unsettled"
    """A lead moved the very same words to another team, and that correction waits for a second lead."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The model's exact distribution over the labels of a task (sums to 1), and the adapter it came from."""

    probabilities: Mapping[str, float]
    adapter: str | None
    """None: the base model itself."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one voice said, in short."""

    voice: str
    label: str
    """The label that it finds likeliest."""
    probability: float
    weight: float
    """How much it counted."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The label chosen for a conversation, with what it rests on."""

    task: str
    label: str
    by: Author
    reason: Reason
    probabilities: Mapping[str, float] = field(default_factory=dict)
    """Over all labels when a voice had an opinion; empty when a person or the fallback decided without one."""
    adapter: str | None = None
    evidence: tuple[int, ...] = ()
    """Examples of the memory that this decision rests on."""
    candidates: tuple[str, ...] = ()
    """Not empty: too unsure to act, so the person is asked to choose among these (most likely first)."""
    actor: str | None = None
    """`platform:id` of the person or lead who decided; None for machines."""
    voices: tuple[Heard, ...] = ()
    """What each voice said, the loudest first; empty when a person or nobody decided."""
    language: str | None = None
    """The language of the text, an ISO 639-1 code; None where it cannot be told or was not looked up."""
    rule: str = ""
    """The name of the rule that applied; empty: none did."""

    @property
    def confidence(self) -> float:
        """The probability of the chosen label; 0 when none was computed."""
        return self.probabilities.get(self.label, 0.0)


@dataclass(frozen=True, slots=True)
class NoPrediction:
    """A voice without an opinion, and why: its server is down, or nothing has been trained for the task yet."""

    reason: Reason | None = None
    """The reason that the decision gives for it; None: none."""


class Basis(StrEnum):
    """On whose word the known texts that a decision rests on have their labels."""

    CORRECTION = "correction"
    TAP = "tap"
    """The person's own choice among the teams that they were offered."""
    EXAMPLE = "example"
    """An example of the settings or of a file, or a confirmed decision."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A known text that an opinion rests on."""

    example: int
    label: str
    text: str = ""
    """The text itself, for leads to read."""
    basis: Basis = Basis.CORRECTION


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one voice says of a text."""

    author: Author
    """The author of a decision that follows this opinion."""
    probabilities: Mapping[str, float]
    """Over the labels of the task; they sum to 1. Empty: the voice has nothing to say about this text."""
    weight: float = 1.0
    """How much it counts beside others: a label's probability is the weighted mean. Infinite: it decides alone."""
    yields: float = 0.0
    """How steeply its weight falls the surer the others are: by the factor exp(-yields * (their top - USUAL_TOP))."""
    evidence: tuple[Evidence, ...] = ()
    adapter: str | None = None
    """The adapter that answered; None: the base model, or no model at all."""
    familiarity: float | None = None
    """Similarity of the nearest text that the voice trusts or corrects; None: it does not look for one."""
    strange_below: float = 0.0
    """The familiarity below which a text is out of scope, however sure the others are; it depends on the embedder."""
    alone: "Opinion | None" = None
    """The opinion that counts instead where no other voice has one; None: this one."""
    parts: tuple[Heard, ...] = ()
    """The voices that it was mixed from; empty: it is a single voice's."""
    without: Reason | None = None
    """Why the model is not among the parts; None: it is, or it does not belong there."""
    proved: Record | None = None
    """How often such opinions were right, by how sure they were; None: not known."""
    scope: Scope | None = None
    """How it recognises texts that no team is for; None: by their distance alone."""
    reads: bool = True
    """Whether it knows words of the text. False: it goes by where the text lies among known ones, and any text lies
    somewhere."""
    unsettled: tuple[str, ...] = ()
    """Labels that a lead gave this very text, and that wait for a second lead."""


def decide(
    task: Task,
    opinions: Sequence[Opinion | NoPrediction],
    may_ask: bool,
    now: datetime | None = None,
    language: str | None = None,
) -> Decision:
    """The decision on a text, given what every voice says of it and the text's language (None: not known).

    With `may_ask` false the fallback team gets it where the person would be asked. So it does where none of the teams
    to choose from is there at `now` (None: the hours do not matter). Where the very text was corrected, and the newer
    correction by which the person would be asked waits for a second lead, the earlier one decides instead.
    """
    spoken = [opinion for opinion in opinions if isinstance(opinion, Opinion)]
    silence = next((reason for o in opinions if (reason := missing(o)) is not None), None)
    shares = _shares(spoken)
    if silence is Reason.NOT_READ and not any(_understands(opinion) for opinion in spoken):
        return replace(fallback(task, Reason.UNREADABLE), language=language)
    if not shares:
        return replace(fallback(task, silence or Reason.UNSURE), language=language)
    decision = replace(_likeliest(task, spoken, shares, silence), language=language)
    unsettled = _unsettled(task, decision, spoken)
    doubt = Reason.UNSETTLED if unsettled else _doubt(task, decision, spoken)
    if doubt is None:
        return decision
    ranked = sorted(decision.probabilities, key=lambda name: -decision.probabilities[name])
    candidates = _candidates(task, (decision.label, *unsettled, *ranked))
    closed = may_ask and now is not None and not any(task.label(name).open_at(now) for name in candidates)
    if unsettled and (closed or not may_ask) and any(one.weight == math.inf for one in spoken):
        return decision
    if closed:
        return _hesitate(task, decision, Reason.OUT_OF_HOURS, candidates, False)
    return _hesitate(task, decision, doubt, candidates, may_ask)


def _likeliest(
    task: Task, spoken: Sequence[Opinion], shares: Sequence[tuple[Opinion, float]], silence: Reason | None
) -> Decision:
    """The decision on the likeliest label, as if there were no doubt about it."""
    mixed = _mean(task.names, shares)
    leading, _ = max(reversed(shares), key=lambda pair: pair[1])  # of equals the later voice
    return Decision(
        task=task.name,
        label=max(mixed, key=lambda name: mixed[name]),
        by=leading.author,
        reason=silence or (Reason.REMEMBERED if leading.author is Author.MEMORY else Reason.CONFIDENT),
        probabilities=mixed,
        adapter=next((opinion.adapter for opinion in spoken if opinion.adapter is not None), None),
        evidence=tuple(one.example for one in leading.evidence),
        voices=_heard(shares),
    )


def _candidates(task: Task, ranked: Sequence[str]) -> tuple[str, ...]:
    """The labels that a person who is asked may choose from, in this order."""
    return tuple(name for name in dict.fromkeys(ranked) if name not in (task.fallback, NOT_A_REQUEST))[:MAX_CANDIDATES]


def _unsettled(task: Task, decision: Decision, opinions: Sequence[Opinion]) -> tuple[str, ...]:
    """Other labels that a lead gave this very text and that a person may choose; the fallback's by "something else"."""
    named = dict.fromkeys(name for one in opinions for name in one.unsettled if name in task.names)
    return tuple(name for name in named if name not in (decision.label, NOT_A_REQUEST))


def as_request(task: Task, opinions: Sequence[Opinion | NoPrediction]) -> tuple[Task, list[Opinion | NoPrediction]]:
    """The task and the opinions once it is known that the text is a request: `NOT_A_REQUEST` is left out of both."""
    teams = replace(task, labels=tuple(label for label in task.labels if not label.is_no_request))
    return teams, [_among(teams.names, one) if isinstance(one, Opinion) else one for one in opinions]


def _among(names: Sequence[str], opinion: Opinion) -> Opinion:
    left = {name: p for name, p in opinion.probabilities.items() if name in names}
    total = sum(left.values())
    alone = None if opinion.alone is None else _among(names, opinion.alone)
    return replace(opinion, probabilities={name: p / total for name, p in left.items()} if total else {}, alone=alone)


def _understands(opinion: Opinion) -> bool:
    """Whether the opinion is about this text: the voice knows its words, or a known text is the same or like it."""
    if opinion.author is not Author.MEMORY:
        return opinion.reads and bool(opinion.probabilities)
    return opinion.weight == math.inf or (opinion.alone is not None and bool(opinion.alone.probabilities))


def missing(opinion: Opinion | NoPrediction) -> Reason | None:
    """Why the model has no opinion; None: it has one, or this is another voice."""
    return opinion.without if isinstance(opinion, Opinion) else opinion.reason


def _heard(shares: Sequence[tuple[Opinion, float]]) -> tuple[Heard, ...]:
    """Every voice with its share of the whole, the largest first."""
    heard: list[Heard] = []
    for opinion, share in shares:
        top = max(opinion.probabilities, key=lambda name: opinion.probabilities[name])
        whole = sum(part.weight for part in opinion.parts) or 1.0
        parts = [replace(part, weight=round(share * part.weight / whole, 4)) for part in opinion.parts]
        alone = Heard(opinion.author.value, top, round(opinion.probabilities[top], 4), round(share, 4))
        heard += parts or [alone]
    return tuple(sorted(heard, key=lambda one: -one.weight))


def _shares(opinions: Sequence[Opinion]) -> list[tuple[Opinion, float]]:
    """Every opinion that counts, with its share of the whole."""
    firm = [(o, o.weight) for o in opinions if o.probabilities and not o.yields and o.weight < math.inf]
    if not firm:
        opinions = [opinion.alone or opinion for opinion in opinions]
    speaking = [opinion for opinion in opinions if opinion.probabilities and opinion.weight > 0]
    sole = [opinion for opinion in speaking if opinion.weight == math.inf]
    if sole:
        return [(opinion, 1 / len(sole)) for opinion in sole]
    top = max(_mean({n for o, _ in firm for n in o.probabilities}, firm).values()) if firm else USUAL_TOP
    weighed = [(o, o.weight * math.exp(-o.yields * (top - USUAL_TOP))) for o in speaking]
    total = sum(weight for _, weight in weighed)
    return [(opinion, weight / total) for opinion, weight in weighed]


def _mean(names: Collection[str], weighed: Sequence[tuple[Opinion, float]]) -> dict[str, float]:
    """The weighted mean of what is said of these labels; shares of other labels, such as retired ones, are dropped."""
    total = sum(weight for _, weight in weighed)
    return {name: sum(o.probabilities.get(name, 0.0) * weight for o, weight in weighed) / total for name in names}


def fallback(task: Task, reason: Reason) -> Decision:
    """The decision when no voice could decide: a person of the fallback team will look."""
    return Decision(task.name, task.fallback, Author.FALLBACK, reason)


def _doubt(task: Task, decision: Decision, opinions: Sequence[Opinion]) -> Reason | None:
    if decision.confidence < _ask_below(task, decision, opinions):
        return Reason.UNSURE
    known = [(one.familiarity, one.strange_below) for one in opinions if one.familiarity is not None]
    if decision.by is Author.MEMORY or not known:
        return None
    far = all(near < least for near, least in known) or _out_of_scope(opinions, max(near for near, _ in known))
    return Reason.STRANGE if far else None


def _ask_below(task: Task, decision: Decision, opinions: Sequence[Opinion]) -> float:
    """The probability that this decision needs: the settings' own, or the lowest that keeps the promised share right.

    The promise was not fitted on what the memory decides; that needs the settings' own or the usual one.
    """
    memory = decision.by is Author.MEMORY
    proved = None if memory else next((one.proved for one in opinions if one.proved is not None), None)
    return ask_below(task, decision.label, proved, decision.language)


def _out_of_scope(opinions: Sequence[Opinion], familiarity: float) -> bool:
    """Whether a voice that knows what the task's own texts look like finds this one unlike them."""
    return any(one.scope is not None and not one.scope.holds(one.probabilities, familiarity) for one in opinions)


def _hesitate(task: Task, decision: Decision, doubt: Reason, candidates: tuple[str, ...], may_ask: bool) -> Decision:
    """Ask the person where that is allowed, else hand over to the fallback; the original guess stays on record."""
    label = decision.label if may_ask else task.fallback
    return Decision(
        task=task.name,
        label=label,
        by=decision.by if may_ask else Author.FALLBACK,
        reason=doubt,
        probabilities=decision.probabilities,
        adapter=decision.adapter,
        evidence=decision.evidence,
        candidates=candidates if may_ask else (),
        voices=decision.voices,
        language=decision.language,
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
