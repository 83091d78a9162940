"""What `switchboard compare` does: every arm's answers in one pass over the messages, and the conclusion."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from bot.commands.prompting import Prompted
from bot.console import Counting, counting
from bot.domain.comparison import (
    MAJORITY,
    SERVED,
    WITHOUT,
    Arm,
    Difference,
    Figures,
    figures,
    majority,
    training_side,
    unseen,
)
from bot.domain.errors import NotTrained, UsageError
from bot.domain.learning import Example, Score, text_key
from bot.domain.mixture import ADAPTER, NEIGHBOURS, VECTORS, WORDS
from bot.domain.model_ports import Query
from bot.domain.own_answers import OwnAnswer, OwnAnswers, Unkept
from bot.domain.plural import counted
from bot.domain.predictions import NO_ANSWER, Predictions, read_predictions
from bot.domain.price_book import PriceBook
from bot.domain.tasks import Task
from bot.domain.worth import Ruling, ruling, verdict
from bot.flow.classify import Classifier
from bot.flow.own_arms import OwnArms
from bot.flow.score import Scorer

VOICES = (WORDS, VECTORS, NEIGHBOURS, ADAPTER)
OWN = (MAJORITY, *VOICES, SERVED, WITHOUT)
"""Arms whose names a file of predictions cannot have."""
_Answered = tuple[Example, OwnAnswer]
_HEARD_AS = {"model": ADAPTER}
"""What a decision without other voices calls the adapter -> its name as an arm."""
_TIMED = 40
"""Messages that each arm is timed on, each arm its own: repeated ones would be answered from a cache."""


@dataclass(frozen=True, slots=True)
class Priced:
    """The prices, for what an arm's time costs."""

    book: PriceBook
    gpu: bool
    """Whether the model server has a GPU."""

    def of(self, arm: str, milliseconds: Sequence[float]) -> float | None:
        """The price of 1,000 decisions; None without times or a price."""
        if not milliseconds:
            return None
        return self.book.per_1000(sum(milliseconds) / len(milliseconds), self.gpu and arm in (ADAPTER, SERVED))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every figure, and the verdict that follows from them."""

    task: str
    adapter: str | None
    messages: int
    leaked: int
    """Messages left out because they nearly repeat a text to learn from."""
    repeated: int
    """Messages left out because they repeat another message of the file."""
    rows: Sequence[Figures]
    verdict: str
    ruled: tuple[Ruling, Difference | None]
    """The ruling behind the verdict, and the difference that it rests on."""
    notes: Sequence[str]
    book: PriceBook
    failed: Sequence[tuple[str, str]] = ()
    """(arm, reason) for arms without figures."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A store of the serving system's answers, so that an interrupted comparison can continue."""

    answers: OwnAnswers
    known: str
    """A digest of the memory."""


Prompting = Callable[[Task, Sequence[Example], Sequence[Example], Arm], Awaitable[Prompted]]
"""(task, messages, examples to learn from, the serving arm) -> the prompted arms."""


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """Predictions of another system, not parsed yet."""

    name: str
    written: str


async def compare(
    scorer: Scorer,
    task: Task,
    known: Sequence[Example],
    examples: Sequence[Example],
    files: Sequence[PredictionFile],
    priced: Priced,
    today: date,
    prompting: Prompting | None = None,
    count: Counting = counting,
    kept: Kept | None = None,
) -> Comparison:
    """Compare all arms on the messages that nearly repeat no training example of `known`, the task's examples.

    Raises UsageError for predictions that cannot be read, and where no message is left.
    """
    training = training_side(known, task.names)
    judging, leaked, repeated = unseen(examples, training)
    if not judging:
        raise UsageError(
            f"nothing to compare by: {counted(leaked, 'message nearly repeats', 'messages nearly repeat')} a text that "
            "is learned from; name a file with messages that were not imported to be learned from"
        )
    others = [_read(file, examples, judging, task) for file in files]
    query = await scorer.classifier.query(task)
    arms_here = OwnArms(scorer, query, *((kept.answers, kept.known) if kept else (Unkept(), "")))
    own = await _own(arms_here, judging, priced, count)
    first = majority(training, judging)
    arms = ([first] if first else []) + own + [_foreign(one, priced.book) for one in others]
    served = next(arm for arm in arms if arm.name == SERVED)
    prompted = await prompting(task, judging, training, served) if prompting else Prompted()
    arms += prompted.arms
    rows = [figures(arm, served, priced.book.minutes_per_misroute, task.fallback) for arm in arms]
    by_name, truths = {row.arm: row for row in rows}, {example.label for example in judging}
    rivals = [one.name for one in others] + [arm.name for arm in prompted.arms]
    said = verdict(by_name, len(judging), truths, rivals, priced.book.currency)
    ruled = ruling(by_name, len(judging), truths)
    notes = prompted.notes + _notes(task, by_name, truths, others, priced.book, today)
    name, book, failed = query.adapter.name if query.adapter else None, priced.book, prompted.failed
    return Comparison(task.name, name, len(judging), leaked, repeated, rows, said, ruled, notes, book, failed)


async def _own(here: OwnArms, judging: Sequence[Example], priced: Priced, count: Counting) -> list[Arm]:
    """The arms of the voices alone, the whole mixture, and the mixture without the adapter."""
    times = await _times(here.scorer, here.query, [example.text for example in judging])
    with count("comparing", 2 * len(judging)) as done:
        whole, without = await here.ask(judging, done)
    answered, beside = list(zip(judging, whole, strict=True)), list(zip(judging, without, strict=True))
    found = [(voice, _alone(voice, answered, beside)) for voice in VOICES]
    arms = [(voice, scores) for voice, scores in found if any(score.answer != NO_ANSWER for score in scores)]
    arms += [(SERVED, [_score(*one) for one in answered]), (WITHOUT, [_score(*one) for one in beside])]
    asks = {SERVED: _would_ask(answered), WITHOUT: _would_ask(beside)}
    return [
        Arm(
            name,
            scores,
            milliseconds=times[name],
            per_1000=priced.of(name, times[name]),
            asked=asks.get(name, frozenset()),
        )
        for name, scores in arms
    ]


def _score(example: Example, said: OwnAnswer) -> Score:
    key = text_key(example.text)
    return Score(key, example.source, example.label, said.label, said.probabilities, said.language)


def _would_ask(answered: Sequence[_Answered]) -> frozenset[str]:
    return frozenset(text_key(example.text) for example, said in answered if said.asks)


def _alone(voice: str, answered: Sequence[_Answered], without: Sequence[_Answered]) -> list[Score]:
    """What one voice says of each message; a voice used only where the adapter is silent is taken from there."""
    return [
        _said(voice, *one) or _said(voice, *other) or _silent(*one)
        for one, other in zip(answered, without, strict=True)
    ]


def _said(voice: str, example: Example, said: OwnAnswer) -> Score | None:
    for heard, (label, probability) in said.heard.items():
        if _HEARD_AS.get(heard, heard) == voice:
            return replace(_score(example, said), answer=label, probabilities={label: probability})
    return None


def _silent(example: Example, said: OwnAnswer) -> Score:
    return replace(_score(example, said), answer=NO_ANSWER, probabilities={})


# --- the time of one decision ---


async def _times(scorer: Scorer, query: Query, texts: Sequence[str]) -> Mapping[str, Sequence[float]]:
    """Milliseconds of single decisions by each arm, through its real path, measured before all other questions."""
    classifier, without = scorer.classifier, scorer.without_model().classifier
    await classifier.consider(query, [texts[-1]])  # the first question loads what later ones need

    async def consider(of: Classifier, text: str) -> bool:
        [known] = await of.consider(query, [text])
        return not known.silent

    asks: dict[str, Callable[[str], Awaitable[bool]]] = {
        SERVED: lambda text: consider(classifier, text),
        WITHOUT: lambda text: consider(without, text),
        ADAPTER: lambda text: _ask_model(classifier, query, text),
        **{voice: _asking(classifier, query, voice) for voice in VOICES if voice != ADAPTER},
    }
    return {arm: await _timed(ask, texts[place :: len(asks)]) for place, (arm, ask) in enumerate(asks.items())}


async def _timed(ask: Callable[[str], Awaitable[bool]], texts: Sequence[str]) -> list[float]:
    taken = []
    for text in islice(texts, _TIMED):
        began = time.perf_counter()
        if await ask(text):
            taken.append((time.perf_counter() - began) * 1000)
    return taken


async def _ask_model(classifier: Classifier, query: Query, text: str) -> bool:
    try:
        return classifier.predictor.reads(text) and bool(await classifier.predict(query, [text]))
    except NotTrained:
        return False  # so that it has no arm


def _asking(classifier: Classifier, query: Query, voice: str) -> Callable[[str], Awaitable[bool]]:
    async def ask(text: str) -> bool:
        if classifier.fitted is None:
            return False
        vectors = [None] if voice == WORDS else await classifier.embedder.embed([text])
        [said] = await classifier.fitted.say(query.task.name, [text], vectors, {voice})
        return voice in said

    return ask


# --- predictions of other systems ---


def _read(file: PredictionFile, examples: Sequence[Example], judging: Sequence[Example], task: Task) -> Predictions:
    """The predictions for the judging messages, picked from those for all messages of the file."""
    try:
        whole = read_predictions(file.name, file.written, examples, task)
    except UsageError as error:
        raise UsageError(f"predictions of {file.name}: {error}") from error
    by_key = {score.text_key: place for place, score in reversed(list(enumerate(whole.scores)))}
    places = [by_key[text_key(example.text)] for example in judging]
    return whole.of(places)


def _foreign(one: Predictions, book: PriceBook) -> Arm:
    price = book.predictions.get(one.name)
    return Arm(one.name, one.scores, one.graded, per_1000=price.per_1000 if price else None)


def _notes(
    task: Task,
    rows: Mapping[str, Figures],
    truths: set[str],
    others: Sequence[Predictions],
    book: PriceBook,
    today: date,
) -> list[str]:
    """Notes that a reader of the figures should know, one sentence each."""
    said = [
        f"{voice} takes no part: nothing is fitted, or the mixture gives it no weight"
        for voice in VOICES
        if voice not in rows
    ]
    if missing := [name for name in task.names if name not in truths]:
        said.append(f"nobody in the file has these labels, so nothing is said of them: {', '.join(missing)}")
    if (served := rows[SERVED].unanswered) > 0:
        said.append(
            f"what serves had no answer to {counted(served, 'message, which counts', 'messages, which count')} as wrong"
        )
    for one in others:
        if one.missing or one.unknown:
            said.append(
                f"{one.name}: {counted(one.missing, 'message has', 'messages have')} no prediction, "
                f"{counted(one.unknown, 'prediction names', 'predictions name')} no label of {task.name}; "
                "both count as wrong"
            )
    if free := [row.arm for row in rows.values() if row.per_1000 is None]:
        said.append(f"no price is known for {', '.join(free)}; the price book (--prices FILE) may name one")
    if len(truths) < 2:
        said.append("every message has the same label: no figure tells one arm from another")
    return [*said, *book.stale(today)]
