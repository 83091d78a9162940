"""What the flow needs in order to think and to learn: model, memory, examples, registry. Ports, too."""

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
"""A text's embedding, of length 1; of an embedder of two parts each part (`embedders.Likeness`)."""


@dataclass(frozen=True, slots=True)
class Query:
    """What the model is asked: a task, the codes of its labels, and the adapter that answers."""

    task: Task
    codes: Mapping[str, str]
    adapter: Adapter | None
    """None: the base model itself."""
    deadline: float | None = None
    """Seconds that somebody waits for an answer; None: nobody does, the server may take its time."""
    further: bool = False
    """It is a further question: that it fails must not keep anybody from asking about the team."""


class Predictor(Protocol):
    """The model behind its server."""

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        """Raw (uncalibrated) exact distributions over the task's labels, one a text.

        Raises Unreachable when the server is down, slow or answers nonsense; NotTrained when the base model cannot
        answer without an adapter trained for the task (the starter); Refused when the server will not have it.
        """

    def reads(self, text: str) -> bool:
        """Whether the base model's vocabulary has most of the text's words; of another text it knows nothing."""

    def crosses(self) -> bool:
        """Whether what the base model learns in one language it can say of another, as after much text in many."""

    def alphabet(self) -> Sequence[str]:
        """The base model's one-token codes that labels may be given, in the order they are given out."""


async def _untold() -> Sequence[str | None]:
    return ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the voices are asked: what becomes of these texts."""

    query: Query
    texts: Sequence[str]
    vectors: Callable[[], Awaitable[Sequence[Vector | None]]]
    """The texts' embeddings, computed once for all voices; None where the embedder could not be asked."""
    askers: Sequence[str] = ()
    """Whose text each is, `platform:id`; empty: nobody's."""
    leave_out_itself: bool = False
    """Hide known texts that equal the one in question: held-out examples are to be scored honestly."""
    languages: Callable[[], Awaitable[Sequence[str | None]]] = _untold
    """The texts' ISO 639-1 codes, None where it cannot be told; empty: nobody looks."""


class Voice(Protocol):
    """Whoever has an opinion on which label a text should get."""

    async def opinions(self, asked: Asked) -> Sequence[Opinion | NoPrediction]:
        """One a text, in order. Never raises for a server that is down: it says so in the result."""


SAME, FETCH = "same", "fetch"
"""How adapters reach a model server: it sees the folders that we see, or fetches them by name from us."""


class AdapterHost(Protocol):
    """Adapters in the running server."""

    async def load(self, adapter: Adapter) -> None:
        """Make it answer. Loading a loaded one changes nothing.

        Raises Refused for a half-written folder, and for files that are not those of its digest.
        """

    async def digest(self, folder: Path) -> str:
        """Of the files of an adapter: whatever changes one of them changes it. Raises Refused where there are none."""

    async def unload(self, name: str) -> None:
        """Take it out. Unloading what is not there changes nothing."""


class Embedder(Protocol):
    """Texts to vectors."""

    @property
    def name(self) -> str:
        """Which model; vectors of different names are not comparable."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]: ...


class OpenEmbedder(Embedder, Protocol):
    """An embedder with what it holds: models, threads, connections."""

    async def warm(self) -> None:
        """Load what it needs now, so that the first message does not wait. Raises UsageError when it cannot."""

    async def close(self) -> None:
        """Let go of it."""


class Memory(Protocol):
    """Examples by nearness."""

    async def nearest(self, task: Task, vector: Vector, text: str, leave_out_itself: bool = False) -> Neighbours:
        """The nearest corrections and anchors (train side: seed, import, confirmation), at most 5 of each.

        Corrections and taps of both sides count, a lead's word before the person's own; quarantined and withdrawn ones
        never. `leave_out_itself` hides every example with the same text, so that held-out ones can be scored honestly.
        """

    async def nearest_many(
        self,
        task: Task,
        vectors: Sequence[Vector],
        texts: Sequence[str],
        leave_out_itself: bool = False,
        askers: Sequence[str] = (),
    ) -> list[Neighbours]:
        """The same for many texts at once, in their order: one search, not one after the other.

        A tap counts once a lead has confirmed it; before, for the very words and its own person alone. `askers`:
        whose text each is, `platform:id`; empty: nobody's.
        """

    async def unembedded(self, embedder: str, limit: int) -> list[tuple[int, str]]:
        """(id, text) of examples that have no vector of this embedder yet."""

    async def count_unembedded(self, embedder: str) -> int:
        """How many `unembedded` would name without a limit."""

    async def remember(self, embedder: str, vectors: Mapping[int, Vector]) -> None:
        """Store vectors by example id, without waiting: what another transaction is at stays in `unembedded`."""


class Examples(Protocol):
    """Labelled texts. Adding one again (same task, text, label and source) changes nothing."""

    async def add_examples(self, task: str, examples: Sequence[Example]) -> int:
        """Returns how many were new. A file's newer label for a text that a file had labelled replaces the older."""

    async def sync_settings(self, task: str, wanted: Sequence[Example], now: datetime) -> int:
        """Make what the settings say what counts of them: new ones are added as of now, others withdrawn.

        Returns how many rows changed; where nothing changed nothing is written. Never waits for an import that runs.
        """

    async def examples(self, task: str) -> list[Example]:
        """All that may be learned from: not withdrawn, not quarantined, not erased; of taps what leads confirmed."""

    async def waiting_corrections(self, task: str) -> int:
        """Corrections newer than the last training set."""


class Registry(Protocol):
    """Adapters, the pointer to the one that serves, label codes, learning cycles."""

    async def codes(self, task: Task, base: str, alphabet: Sequence[str]) -> dict[str, str]:
        """Label -> code, given for life: missing ones are given out now, a retired label's code is never reused."""

    async def adopt_codes(self, task: str, base: str, codes: Mapping[str, str]) -> bool:
        """Take over the codes an adapter was trained with. False: the task has codes already; nothing changed."""

    async def add_adapter(self, adapter: Adapter) -> None: ...

    async def adapters(self, task: str) -> list[Adapter]:
        """All of the task, oldest first."""

    async def champion(self, task: str, base: str) -> Adapter | None:
        """The adapter that serves; None before the first promotion, or when it was made for another base."""

    async def promote(self, task: str, adapter: str, by: str, reason: str, now: datetime, *, base: str) -> None:
        """Move the pointer. Promoting the champion changes nothing.

        Raises UsageError for an unknown name, and for an adapter of another base than the one that is served.
        """

    async def rollback(self, task: str, by: str, now: datetime, *, base: str) -> Adapter:
        """Move the pointer to the adapter that served before; again, one further back.

        Raises UsageError when there is none, or when it is one of another base.
        """

    async def next_name(self, task: str) -> str:
        """A name no adapter of the task ever had: routing-1, routing-2, …"""

    async def request_cycle(self, task: str, by: str, key: str, now: datetime) -> bool:
        """Ask for a learning cycle. `key` makes the request unique (a cron tick); False: asked already or one waits."""

    def claim_cycle(self, now: datetime) -> AbstractAsyncContextManager[Cycle | None]:
        """The next requested cycle, held while the context lasts; None when none waits or another process learns.

        One at a time over all processes. A cycle whose process died, or lost its lock, is claimed again.
        """

    async def update_cycle(self, cycle: Cycle, phase: Phase, progress: float, adapter: str | None = None) -> None:
        """Raises ClaimLost when another process holds the cycle by now, or concluded it; Refused when somebody was
        forgotten whose words its training set held."""

    async def conclude_cycle(self, cycle: Cycle, judged: Judged, posts: Sequence[Post], now: datetime) -> None:
        """DONE: the adapter, its promotion if the verdict says so, the verdict and the report, all or nothing.

        Raises what `update_cycle` does, and Refused when the champion that the candidate was judged against
        does not serve any more: the verdict is about another than the one it would replace.
        """

    async def fail_cycle(self, cycle: Cycle, problem: str, now: datetime) -> None:
        """FAILED: nothing is promoted. Raises ClaimLost as `update_cycle` does."""

    async def cycles(self, task: str, limit: int) -> list[Cycle]:
        """Newest first."""

    async def history(self, task: str, limit: int) -> list[RegistryEvent]:
        """Promotions, rollbacks and refusals, newest first."""

    async def looks(self, task: str, since: datetime) -> int:
        """How many cycles compared a candidate on held-out messages since then, whatever came of it."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a training process is given."""

    folder: Path
    base: Path
    task: Task
    codes: Mapping[str, str]
    examples: Sequence[Example]


class Trainer(Protocol):
    """Trains adapters, each in a process of its own."""

    async def train(self, run: TrainingRun, progress: Progress) -> Path:
        """The finished adapter's folder. A finished run is not trained again. Cancelling ends the process.

        Raises TrainingFailed.
        """

    async def validation(self, folder: Path) -> Validation | None:
        """What the finished run in that folder says of itself; None where it kept nothing apart."""


class TrainingProbe(Protocol):
    """Tries for a moment, on this machine, what a training does for long."""

    async def pace(self, run: TrainingRun, learned: Sequence[int]) -> Pace:
        """How fast the run would train, and its steps for each of these numbers of examples; the folder is not used.

        Raises TrainingFailed.
        """


Said = Mapping[str, Mapping[str, float]]
"""Voice -> its distribution over the labels it knows, of one text. A voice that cannot speak is not in it."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """An example as the voices are fitted on it."""

    key: str
    """The text's content hash (`learning.text_key`)."""
    text: str
    label: str
    vector: Vector | None
    """None: it has none yet."""
    firm: bool = False
    """A lead or the person said so: it is never taken for a slip, whatever the others say."""


class VoiceLessons(Protocol):
    """What the voices beside the model are fitted on: the train side, one label a text."""

    async def stamp(self, task: Task, embedder: str) -> str:
        """Changes whenever `lessons` would return something else."""

    async def lessons(self, task: Task, embedder: str, limit: int) -> list[Lesson]:
        """What may be learned from, at most so many: corrections first, then the rest label by label."""


class ExampleVoices(Protocol):
    """Voices beside the model that are fitted on examples in seconds: on their words, their vectors, their nearness."""

    @property
    def usual(self) -> Mapping[str, float]:
        """Every voice there may be -> how loud it is where nothing was measured."""

    def fitted_on(self, task: str) -> str | None:
        """The stamp of what they were fitted on; None: not fitted yet."""

    def without_adapter(self, task: str) -> Mapping[str, float]:
        """How loud each is where no adapter speaks; empty: not fitted yet."""

    def proved(self, task: str) -> Record | None:
        """How often they were right where no adapter speaks, by how sure they were; None: not fitted yet."""

    def counts(self, task: str) -> Mapping[str, int]:
        """Label -> how many examples of it they were fitted on; empty: not fitted yet."""

    def taught(self, task: str) -> Mapping[str, float]:
        """Language -> its share of what they were fitted on; empty: not fitted yet, or of no language that is known."""

    async def fit(self, task: str, digest: str, lessons: Sequence[Lesson]) -> None:
        """Fit them anew; who is asked meanwhile hears the old ones. Raises TrainingFailed."""

    async def say(
        self, task: str, texts: Sequence[str], vectors: Sequence[Vector | None], asked: Collection[str]
    ) -> list[Said]:
        """What each of the voices `asked` says of each text.

        A voice that was not fitted, or that reads vectors where there is none, says nothing.
        """

    def unseen(self, task: str, keys: Collection[str]) -> Mapping[str, Said]:
        """Key of a text that they were fitted on -> what they say of it when they have not learned from it."""

    def fit_weights(self, said: Sequence[Said], truth: Sequence[str]) -> Mapping[str, float]:
        """Voice -> how loud it should be, by what all said of texts that none had learned from, and their labels."""
