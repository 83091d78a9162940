"""Reports on what there is to learn from and what is wrong with it: figures, and a sentence a fault with its remedy.

Pure and linear but for sorting; languages are detected in a sample. Call it in a thread.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from bot.domain.enough import FEW, few_to_judge_by
from bot.domain.errors import UsageError
from bot.domain.languages import UNDETERMINED
from bot.domain.learning import Example, Side, Source, settle, side_key, text_key
from bot.domain.near_duplicates import near_groups
from bot.domain.personal_data import Kind, texts_with
from bot.domain.plural import counted
from bot.domain.tasks import Task
from bot.domain.training_data import Drawn, check_drawn, contradictions, drawn_from

LOOKED_AT = 5_000
"""The most texts whose language is detected: half a millisecond each."""
LONG = 128
"""Words; of a longer text only the head and the tail are read."""
IMBALANCE = 20.0
"""How many times more examples the largest label may have than the smallest."""
_MANY = 0.05
"""The share of the texts above which a fault is reported."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of the examples that makes what is learned worse."""

    fault: str
    share: float
    says: str
    refused: bool = False
    """Whether nothing is trained until it is mended."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """The examples of one label."""

    label: str
    train: int
    held_out: int
    by_source: Mapping[Source, int]


@dataclass(frozen=True, slots=True)
class Traits:
    """One example among the others, for somebody who wants to mend it."""

    example: Example
    group: int
    """The number of its group of near duplicates."""
    repeats: bool
    """Whether another example has exactly this text."""
    contradicted: bool
    leaked: bool
    """Whether it is held out though a text to learn from is nearly the same."""


@dataclass(frozen=True, slots=True)
class DataReport:
    """All examples of a task."""

    task: str
    examples: int
    texts: int
    """The number of different texts."""
    labels: Sequence[LabelRow]
    near_duplicates: int
    """The number of texts that another one nearly repeats."""
    largest_group: int
    contradicting: Mapping[tuple[str, str], int]
    """Two labels -> how many groups of near duplicates have both, the most frequent first."""
    leaked: int
    """Held-out texts that are left out of every judgement."""
    judged: int
    """Held-out texts that judge."""
    languages: Mapping[str, int]
    """Language -> texts, of at most LOOKED_AT texts."""
    words: tuple[int, int, int]
    """Words a text: the median, the most in nine of ten texts, the most."""
    long: int
    personal: Mapping[Kind, int]
    """Kind -> the number of texts with it."""
    rows: Sequence[Traits]
    """One for each example, repeated texts included."""
    findings: Sequence[Finding] = ()


def report(task: Task, examples: Sequence[Example], language_of: Callable[[str], str | None]) -> DataReport:
    """The report on every valid example; those of labels that the task no longer has are left out."""
    known = [e for e in settle(examples) if e.label in task.names]
    texts = [e.text for e in known]
    groups = near_groups(texts)
    drawn = drawn_from(known, groups)
    sizes = Counter(Counter(groups.near).values())
    words = sorted(len(text.split()) for text in texts) or [0]
    made = DataReport(
        task=task.name,
        examples=len(examples),
        texts=len(known),
        labels=_labels(task, known),
        near_duplicates=sum(size * many for size, many in sizes.items() if size > 1),
        largest_group=max(sizes, default=0),
        contradicting=_pairs(known, groups.near),
        leaked=drawn.leaked,
        judged=len(drawn.held_out),
        languages=_languages(texts, language_of),
        words=(words[len(words) // 2], words[len(words) * 9 // 10], words[-1]),
        long=sum(many > LONG for many in words),
        personal=texts_with(texts),
        rows=_traits(examples, known, groups.near),
    )
    return replace(made, findings=tuple(findings(made, refusal(task, drawn))))


def refusal(task: Task, drawn: Drawn) -> str:
    """Why nothing would be trained on it; empty if it would."""
    try:
        check_drawn(task, drawn)
    except UsageError as error:
        return str(error)
    return ""


def findings(made: DataReport, refused: str) -> Iterator[Finding]:
    """Every fault with its remedy, first what refuses a training."""
    if refused:
        yield Finding("refused", 1.0, refused, refused=True)
    counts = {row.label: row.train for row in made.labels}
    few = [f"{name} ({count})" for name, count in counts.items() if count < FEW]
    if few:
        mend = f"{FEW} of a label are the least that tells more than chance: import some, or correct some decisions"
        yield Finding("too few", len(few) / len(counts), f"few examples of {', '.join(few)}; {mend}")
    for says in few_to_judge_by(made.judged):
        yield Finding("too few to judge by", 1.0, f"{says}: import more; every fifth text is held out")
    large, small = max(counts.values()), min(counts.values())
    if large > IMBALANCE * max(1, small):
        [most, least] = (max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__))
        has = f"{most} has {counted(large, 'example')} and {least} {small}"
        says = f"{has}; more of {least} help most, fewer of {most} little"
        yield Finding("imbalance", large / max(1, sum(counts.values())), says)
    yield from _of_shares(made)


def _of_shares(made: DataReport) -> Iterator[Finding]:
    total = max(1, made.texts)
    contradicted = sum(row.contradicted for row in made.rows) / max(1, len(made.rows))
    pairs = ", ".join(f"{one} and {other} ({many})" for (one, other), many in list(made.contradicting.items())[:3])
    personal = ", ".join(f"{kind.value} in {many}" for kind, many in made.personal.items())
    near = counted(made.near_duplicates, "text nearly repeats", "texts nearly repeat")
    leaked = counted(made.leaked, "held-out text nearly repeats", "held-out texts nearly repeat")
    long = counted(made.long, "text has", "texts have")
    for fault, share, says in (
        ("contradictions", contradicted, f"nearly the same words have two labels, most often {pairs}; settle which one "
         "is right and import the texts again with it, or merge the two labels"),
        ("near duplicates", made.near_duplicates / total, f"{near} another, up to {made.largest_group} of one kind; "
         "each counts as often as it is there, so thin out what a program sent"),
        ("leakage", made.leaked / max(1, made.leaked + made.judged), f"{leaked} one that is learned from; every "
         "judgement leaves such a text out, so that no figure is too good"),
        ("long texts", made.long / total, f"{long} more than {LONG} words, of which the beginning and "
         "the end are read; `switchboard import --text COLUMN` takes the column that says it briefly"),
        ("personal data", sum(made.personal.values()) / total, f"texts hold {personal}; they tell no team apart: "
         "take them out before an import, and `switchboard forget` erases who asks for it"),
    ):  # fmt: skip
        if share >= _MANY or (share > 0 and fault in ("contradictions", "personal data")):
            yield Finding(fault, min(1.0, share), says)


def _labels(task: Task, known: Sequence[Example]) -> tuple[LabelRow, ...]:
    sides = Counter((e.label, e.side) for e in known)
    sources = Counter((e.label, e.source) for e in known)
    return tuple(
        LabelRow(
            name,
            sides[name, Side.TRAIN],
            sides[name, Side.HELD_OUT],
            {source: count for source in Source if (count := sources[name, source])},
        )
        for name in task.names
    )


def _pairs(known: Sequence[Example], groups: Sequence[int]) -> dict[tuple[str, str], int]:
    labels: dict[int, set[str]] = {}
    for group, example in zip(groups, known, strict=True):
        labels.setdefault(group, set()).add(example.label)
    found = Counter(pair for of in labels.values() if len(of) > 1 for pair in combinations(sorted(of), 2))
    return dict(found.most_common())


def _languages(texts: Sequence[str], language_of: Callable[[str], str | None]) -> dict[str, int]:
    sampled = sorted(texts, key=side_key)[:LOOKED_AT]
    return dict(Counter(language_of(text) or UNDETERMINED for text in sampled).most_common())


def _traits(examples: Sequence[Example], known: Sequence[Example], groups: Sequence[int]) -> tuple[Traits, ...]:
    """The traits of every example whose label the task has, in the order in which they came in."""
    of_text = {text_key(e.text): group for group, e in zip(groups, known, strict=True)}
    keyed = [(e, text_key(e.text)) for e in examples]
    keyed = [(e, key) for e, key in keyed if key in of_text]
    often = Counter(key for _, key in keyed)
    every = [e for e, _ in keyed]
    placed = [of_text[key] for _, key in keyed]
    contradicted = contradictions(every, placed)
    learned = {group for group, e in zip(placed, every, strict=True) if e.side is Side.TRAIN}
    return tuple(
        Traits(e, group, often[key] > 1, against, e.side is Side.HELD_OUT and group in learned)
        for (e, key), group, against in zip(keyed, placed, contradicted, strict=True)
    )
