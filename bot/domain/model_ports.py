"""The ports of what predicts and learns: model, memory, examples, registry."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.domain.asking import Record
from bot.domain.decisions import NoPrediction, Opinion, Prediction
from bot.domain.learning import Adapter, Cycle, Example, Judged, Phase, Progress, RegistryEvent
from bot.domain.memory_vote import Neighbours
from bot.domain.posts import Post
from bot.domain.serving_agreement import Validation
from bot.domain.tasks import Task
from bot.domain.training_estimate import Pace

Vector = Sequence[float]
"""A text's embedding, of length 1; with an embedder of two parts, each part is (`embedders.Likeness`)."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the model: a task, the codes of its labels, and the adapter that answers."""

    task: Task
    codes: Mapping[str, str]
    adapter: Adapter | None
    """None: the base model itself."""
    deadline: float | None = None
    """Seconds that somebody waits for an answer; None: nobody waits, and the server may take its time."""
    further: bool = False
    """Whether it is a further question, whose failure must not keep anybody from asking about the team."""


class Predictor(Protocol):
    """The model behind its server."""

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        """Raw (uncalibrated) exact distributions over the task's labels, one for each text.

        Raises Unreachable when the server is down, slow or answers nonsense; NotTrained when the base model cannot
        answer without an adapter trained for the task (the starter); Refused when the server rejects the question.
        """

    def reads(self, text: str) -> bool:
        """Whether the base model's vocabulary has most of the text's words; it knows nothing about another text."""

    def crosses(self) -> bool:
        """Whether the base model applies in one language what it learned in another, as one trained on many does."""

    def alphabet(self) -> Sequence[str]:
        """The one-token codes of the base model that labels may get, in the order in which they are given out."""


async def _untold() -> Sequence[str | None]:
    return ()


@dataclass(frozen=True, slots=True)
class Asked:
    """The question to the voices: which labels should these texts get?"""

    query: Query
    texts: Sequence[str]
    vectors: Callable[[], Awaitable[Sequence[Vector | None]]]
    """The texts' embeddings, computed once for all voices; None where the embedder could not be asked."""
    askers: Sequence[str] = ()
    """The author of each text, `platform:id`; empty: unknown."""
    leave_out_itself: bool = False
    """Whether to hide known texts that equal the one in question from the memory and the voices fitted on them, so that
    examples are scored honestly."""
    languages: Callable[[], Awaitable[Sequence[str | None]]] = _untold
    """The texts' ISO 639-1 codes, None where it cannot be told; empty: languages are not looked up."""


class Voice(Protocol):
    """A voice has an opinion on which label a text should get."""

    async def opinions(self, asked: Asked) -> Sequence[Opinion | NoPrediction]:
        """One for each text, in order. Never raises because a server is down: the result says so."""


SAME, FETCH = "same", "fetch"
"""How adapters reach a model server: it sees the folders that we see, or fetches them from us by name."""


class AdapterHost(Protocol):
    """The adapters in the running server."""

    async def load(self, adapter: Adapter) -> None:
        """Load the adapter, so that it can answer. Does nothing if it is loaded.

        Raises Refused for a half-written folder, and for files that do not match its digest.
        """

    async def digest(self, folder: Path) -> str:
        """A digest of an adapter's files, which changes with any of them. Raises Refused if there are none."""

    async def unload(self, name: str) -> None:
        """Unload the adapter. Does nothing if it is not loaded."""


class Embedder(Protocol):
    """Texts to vectors."""

    @property
    def name(self) -> str:
        """The name of the model; vectors of different names are not comparable."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]: ...


class OpenEmbedder(Embedder, Protocol):
    """An embedder that holds resources: models, threads, connections."""

    async def warm(self) -> None:
        """Load what it needs now, so that the first message does not wait. Raises UsageError when it cannot."""

    async def close(self) -> None:
        """Release them."""


class Memory(Protocol):
    """Finds examples by nearness."""

    async def nearest(self, task: Task, vector: Vector, text: str, leave_out_itself: bool = False) -> Neighbours:
        """The nearest corrections and anchors (train side: seed, import, confirmation), at most 5 of each.

        Corrections and taps of both sides count, a lead's word before the person's own; quarantined and withdrawn ones
        never. `leave_out_itself` hides every example with the same text, so that held-out ones are scored honestly.
        """

    async def nearest_many(
        self,
        task: Task,
        vectors: Sequence[Vector],
        texts: Sequence[str],
        leave_out_itself: bool = False,
        askers: Sequence[str] = (),
    ) -> list[Neighbours]:
        """The same for many texts, in their order: one search, not one after another.

        A tap counts once a lead has confirmed it; before that, only for the very same words of the same person.
        `askers`: the author of each text, `platform:id`; empty: unknown.
        """

    async def unembedded(self, embedder: str, limit: int) -> list[tuple[int, str]]:
        """(id, text) of examples that have no vector of this embedder yet."""

    async def count_unembedded(self, embedder: str) -> int:
        """How many examples have no vector of this embedder yet."""

    async def remember(self, embedder: str, vectors: Mapping[int, Vector]) -> None:
        """Store vectors by example id, without waiting: rows that another transaction holds stay in `unembedded`."""


class Examples(Protocol):
    """Labelled texts. Adding one again (same task, text, label and source) changes nothing."""

    async def add_examples(self, task: str, examples: Sequence[Example]) -> int:
        """Add examples; how many were new. A file's newer label for a text replaces a file's older one."""

    async def sync_settings(self, task: str, wanted: Sequence[Example], now: datetime) -> int:
        """Make these the task's examples from the settings: new ones are added as of now, others withdrawn.

        Returns how many rows changed; if none, nothing is written. Never waits for a running import.
        """

    async def examples(self, task: str) -> list[Example]:
        """All that may be learned from: not withdrawn, quarantined or erased; of taps, those that leads confirmed."""

    async def waiting_corrections(self, task: str) -> int:
        """The number of corrections newer than the last training set."""


class Registry(Protocol):
    """Adapters, the pointer to the one that serves, label codes, learning cycles."""

    async def codes(self, task: Task, base: str, alphabet: Sequence[str]) -> dict[str, str]:
        """Label -> code, for life: missing ones are given out now, and a retired label's code is never reused."""

    async def adopt_codes(self, task: str, base: str, codes: Mapping[str, str]) -> bool:
        """Adopt the codes that an adapter was trained with. False: the task has codes already; nothing changed."""

    async def add_adapter(self, adapter: Adapter) -> None: ...

    async def adapters(self, task: str) -> list[Adapter]:
        """All adapters of the task, oldest first."""

    async def champion(self, task: str, base: str) -> Adapter | None:
        """The adapter that serves; None before the first promotion, or when it was made for another base."""

    async def promote(self, task: str, adapter: str, by: str, reason: str, now: datetime, *, base: str) -> None:
        """Move the pointer. Promoting the champion changes nothing.

        Raises UsageError for an unknown name, and for an adapter of another base than the one that is served.
        """

    async def rollback(self, task: str, by: str, now: datetime, *, base: str) -> Adapter:
        """Move the pointer to the adapter that served before; a second time, one further back.

        Raises UsageError when there is none, or when it is one of another base.
        """

    async def next_name(self, task: str) -> str:
        """A name that no adapter of the task ever had: routing-1, routing-2, …"""

    async def request_cycle(self, task: str, by: str, key: str, now: datetime) -> bool:
        """Ask for a learning cycle. `key` makes it unique (a cron tick). False: asked for already, or one waits."""

    def claim_cycle(self, now: datetime) -> AbstractAsyncContextManager[Cycle | None]:
        """The next requested cycle, held while the context lasts; None when none waits or another process learns.

        One at a time over all processes. A cycle whose process died, or lost its lock, is claimed again.
        """

    async def update_cycle(self, cycle: Cycle, phase: Phase, progress: float, adapter: str | None = None) -> None:
        """Publish progress. Raises ClaimLost when another process holds or concluded the cycle, and Refused when
        somebody was forgotten whose words its training set held."""

    async def conclude_cycle(self, cycle: Cycle, judged: Judged, posts: Sequence[Post], now: datetime) -> None:
        """Store the end, DONE: adapter, promotion if the verdict says so, verdict and report, all or nothing.

        Raises what `update_cycle` does, and Refused when the champion that the candidate was judged against no longer
        serves: the verdict is about another adapter than the one to be replaced.
        """

    async def fail_cycle(self, cycle: Cycle, problem: str, now: datetime) -> None:
        """Store the end, FAILED: nothing is promoted. Raises ClaimLost as `update_cycle` does."""

    async def cycles(self, task: str, limit: int) -> list[Cycle]:
        """Learning cycles, newest first."""

    async def history(self, task: str, limit: int) -> list[RegistryEvent]:
        """Promotions, rollbacks and refusals, newest first."""

    async def looks(self, task: str, since: datetime) -> int:
        """How many cycles compared a candidate on held-out messages since then, with whatever result."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """The input of a training process."""

    folder: Path
    base: Path
    task: Task
    codes: Mapping[str, str]
    examples: Sequence[Example]


class Trainer(Protocol):
    """Trains adapters, each in a process of its own."""

    async def train(self, run: TrainingRun, progress: Progress) -> Path:
        """Train, and return the adapter's folder. A finished run is not trained again. Cancelling ends the process.

        Raises TrainingFailed.
        """

    async def validation(self, folder: Path) -> Validation | None:
        """How the finished run in that folder did on what it kept apart; None where it kept nothing apart."""


class TrainingProbe(Protocol):
    """Measures for a moment, on this machine, how fast a training would be."""

    async def pace(self, run: TrainingRun, learned: Sequence[int]) -> Pace:
        """How fast the run would train, and its steps for each of these numbers of examples; the folder is not used.

        Raises TrainingFailed.
        """


Said = Mapping[str, Mapping[str, float]]
"""Voice -> its distribution over the labels it knows, for one text. A voice without an opinion is left out."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """An example, as the voices are fitted on it."""

    key: str
    """The text's content hash (`learning.text_key`)."""
    text: str
    label: str
    vector: Vector | None
    """None: it has no vector yet."""
    firm: bool = False
    """Whether a lead or the person said so: then it is never taken for a slip, whatever other texts say."""


class VoiceLessons(Protocol):
    """The examples that the voices beside the model are fitted on: the train side, one label a text."""

    async def stamp(self, task: Task, embedder: str) -> str:
        """A stamp that changes whenever `lessons` would return something else."""

    async def lessons(self, task: Task, embedder: str, limit: int) -> list[Lesson]:
        """The lessons, at most so many: corrections first, then the rest label by label."""


class ExampleVoices(Protocol):
    """Voices beside the model that are fitted on examples in seconds: by their words, their vectors, their nearness."""

    @property
    def usual(self) -> Mapping[str, float]:
        """Every possible voice -> its weight where nothing was measured."""

    def fitted_on(self, task: str) -> str | None:
        """The stamp of the lessons they were fitted on; None: not fitted yet."""

    def without_adapter(self, task: str) -> Mapping[str, float]:
        """Voice -> its weight where no adapter answers; empty: not fitted yet."""

    def proved(self, task: str) -> Record | None:
        """How often they were right where no adapter answers, by how sure they were; None: not fitted yet."""

    def counts(self, task: str) -> Mapping[str, int]:
        """Label -> how many examples of it they were fitted on; empty: not fitted yet."""

    def taught(self, task: str) -> Mapping[str, float]:
        """Language -> its share of the lessons; empty: not fitted yet, or no language was recognised."""

    async def fit(self, task: str, digest: str, lessons: Sequence[Lesson]) -> None:
        """Fit them anew; until that is done the old ones answer. Raises TrainingFailed."""

    async def say(
        self, task: str, texts: Sequence[str], vectors: Sequence[Vector | None], asked: Collection[str]
    ) -> list[Said]:
        """What each of the voices `asked` says of each text.

        A voice that is not fitted, or that reads vectors where there is none, has no opinion.
        """

    def unseen(self, task: str, keys: Collection[str]) -> Mapping[str, Said]:
        """Key of a text that they were fitted on -> what they say of it when fitted without it."""

    def fit_weights(self, said: Sequence[Said], truth: Sequence[str]) -> Mapping[str, float]:
        """Voice -> its best weight, given what all said of texts that none had learned from, and their labels."""
