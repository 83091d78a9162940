"""What the flow needs from the world. A method states a fact and is one transaction; a repeated fact changes nothing.

Every method may raise Unreachable when the other side is down; what was not stored will be asked for again.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from bot.domain.conversations import Case, Dossier, Next, Pressed, Ruling
from bot.domain.decisions import Decision, Prediction
from bot.domain.learning import Adapter, Cycle, Example, Phase, Progress, Verdict
from bot.domain.messages import Message, MessageRef, Person, Place, Press, Reaction
from bot.domain.posts import Owed, Post
from bot.domain.recall import Neighbours
from bot.domain.tasks import Task

Vector = Sequence[float]
"""A text's embedding, of length 1."""


# --- platforms ---


class Inbox(Protocol):
    """Where a platform puts what happened. When a method returns, the fact is stored: only then acknowledge."""

    async def message(self, message: Message) -> None: ...

    async def reaction(self, reaction: Reaction) -> None: ...

    async def press(self, press: Press) -> None: ...


class Platform(Protocol):
    """One place where people talk."""

    @property
    def name(self) -> str:
        """The word for it in settings, in `Place.platform` and in metrics."""

    async def listen(self, inbox: Inbox) -> None:
        """Take in what happens there until cancelled. Raises Refused when it can never work (a bad token)."""

    async def say(self, owed: Owed) -> MessageRef:
        """Say the post, or rewrite the one it edits; its receipt. Raises Unreachable (again later), Refused (never)."""

    async def may_correct(self, person: Person) -> bool:
        """Whether this person is a lead here. Never true for a bot."""

    def healthy(self) -> bool:
        """Whether it hears people now."""


# --- what was said, decided and corrected ---


class Change(StrEnum):
    """What kind of thing changed in the database: enough to know whom it concerns."""

    MESSAGE = "message"
    """Somebody opened a conversation."""
    NEXT = "next"
    """Somebody wrote in a conversation that was open already."""
    REACTION = "reaction"
    PRESS = "press"
    OWED = "owed"
    """There is a post to say, or one less before it in its line."""
    FREED = "freed"
    """A step let go of a conversation that others may have waited for."""
    EXAMPLE = "example"
    CYCLE = "cycle"
    MODEL = "model"
    """Which adapters there are, which one serves, or which codes were given out."""


class Ledger(Protocol):
    """The record of conversations. Claims hold for a lease; a claim that is not concluded becomes work again."""

    async def add_message(self, message: Message, settle: timedelta, idle: timedelta) -> bool:
        """Store a message, in the conversation it belongs to or a new one. False: it was here before.

        It belongs to the conversation of its thread; without a thread to the person's newest in that chat, unless
        closed or silent for `idle`; and a thread's first message joins a conversation that its author opened in that
        chat, that was written in within `settle` and that has no decision yet (a burst is one request).
        """

    async def add_reaction(self, reaction: Reaction) -> bool:
        """Store a reaction if we have ever posted in that chat. False: not our business, or here before."""

    async def add_press(self, press: Press) -> bool:
        """Store a button press if we have ever posted in that chat. False as above."""

    async def claim_cases(self, now: datetime, settle: timedelta, patience: timedelta, limit: int) -> list[Case]:
        """What needs a decision, once quiet for `settle`: NEW, or ASKED and news came; or unanswered for `patience`."""

    async def decide(
        self, case: Case, decision: Decision, posts: Sequence[Post], text: str, vector: Vector | None
    ) -> bool:
        """Store the decision with its posts and what they mean for the conversation's state, in one transaction.

        With `candidates` the conversation is ASKED, else ROUTED. False: a message came in between; nothing was stored.
        `text` (what was classified) and its `vector` are kept: a later correction or tap makes them an example without
        asking the embedder.
        """

    async def ask_for_words(self, case: Case, posts: Sequence[Post]) -> bool:
        """Store that there was nothing to read (once a conversation); it stays NEW, at rest until the next message."""

    async def claim_presses(self, now: datetime, limit: int) -> list[Pressed]:
        """Presses on our questions, oldest first; presses on anything else are concluded here."""

    async def conclude_press(
        self, pressed: Pressed, decision: Decision | None, posts: Sequence[Post], now: datetime
    ) -> None:
        """Store what a press meant: a decision (with a label: the tap becomes an example), or nothing (None)."""

    async def claim_dossiers(self, now: datetime, limit: int) -> list[Dossier]:
        """Conversations with reactions on their cards that were not looked at yet."""

    async def conclude_dossier(
        self,
        dossier: Dossier,
        decision: Decision | None,
        ruling: Ruling | None,
        posts: Sequence[Post],
        now: datetime,
    ) -> None:
        """Store what the reactions amount to, in one transaction, and that they were looked at.

        `decision` (None: the label stays) moves the conversation. `ruling` becomes the conversation's one standing
        correction or confirmation and example in the memory, replacing what stood before; None withdraws it. A disputed
        ruling is stored and its example quarantined. The audit rows stay.
        """

    async def claim_next(self, now: datetime, limit: int) -> list[Next]:
        """What people wrote in conversations that are already routed, in order, not yet relayed."""

    async def conclude_next(self, said: Next, posts: Sequence[Post], now: datetime) -> None:
        """Store that the message was relayed, with the posts that carry it."""

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[frozenset[Change]]]:
        """Yields what changed in the database (LISTEN/NOTIFY), by any process; several changes may be one.

        All of them when it cannot know: after a lost connection, or when another version speaks.
        """


class Outbox(Protocol):
    """What we owe to chats."""

    async def claim_owed(self, platforms: Sequence[str], now: datetime, limit: int) -> list[Owed]:
        """Posts to say now, at most one a conversation and chat at a time, in order, on these platforms only."""

    async def said(self, owed: Owed, ref: MessageRef, now: datetime) -> None:
        """Store the receipt."""

    async def postpone(self, owed: Owed, until: datetime, problem: str) -> None:
        """Try again then; later posts of the same conversation in that chat wait for it."""

    async def give_up(self, owed: Owed, problem: str, now: datetime) -> None:
        """It will never be said; the problem is kept for people to see."""

    async def add(self, posts: Sequence[Post], now: datetime) -> None:
        """Owe posts that belong to no conversation (a learning report)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a room, as a chat window shows it."""

    ref: MessageRef
    place: Place
    at: datetime
    message: Message | None
    """What a person wrote; None for a post of ours."""
    post: Post | None
    """What we said, in its newest wording; None for a person's message."""
    reactions: tuple[tuple[str, str], ...]
    """(emoji, actor id) in place now."""


class Transcript(Protocol):
    """Reads back what was said in a platform that keeps no history of its own (the web chat)."""

    async def lines(self, platform: str, chats: Sequence[str], limit: int) -> list[Line]:
        """The newest `limit` lines of these chats, oldest first."""


class Insight(Protocol):
    """Figures about the whole, for /metrics and people who run it."""

    async def backlog(self, now: datetime) -> Mapping[str, float]:
        """`undecided`, `unsaid`, `given_up` (counts), `oldest_undecided_seconds`, `oldest_unsaid_seconds`."""

    async def decisions(self) -> Mapping[tuple[str, str, str], int]:
        """How many decisions ever, by (task, label, author)."""


# --- model, memory, learning ---


@dataclass(frozen=True, slots=True)
class Query:
    """What the model is asked: a task, the codes of its labels, and the adapter that answers."""

    task: Task
    codes: Mapping[str, str]
    adapter: Adapter | None
    """None: the base model itself."""


class Predictor(Protocol):
    """The model behind its server."""

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        """Raw (uncalibrated) exact distributions over the task's labels, one a text.

        Raises Unreachable when the server is down, slow or answers nonsense; Refused when the base model cannot answer
        without an adapter trained for the task (the starter), or the adapter is not known to the server.
        """

    def alphabet(self) -> Sequence[str]:
        """The base model's one-token codes that labels may be given, in the order they are given out."""


class AdapterHost(Protocol):
    """Adapters in the running server."""

    async def load(self, adapter: Adapter) -> None:
        """Make it answer. Loading a loaded one changes nothing. Raises Refused for a half-written folder."""

    async def unload(self, name: str) -> None:
        """Take it out. Unloading what is not there changes nothing."""


class Embedder(Protocol):
    """Texts to vectors."""

    @property
    def name(self) -> str:
        """Which model; vectors of different names are not comparable."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]: ...


class Memory(Protocol):
    """Examples by nearness."""

    async def nearest(self, task: Task, vector: Vector, text: str, leave_out_itself: bool = False) -> Neighbours:
        """The nearest corrections and anchors (train side: seed, import, confirmation), at most 5 of each.

        Corrections and taps of both sides count; quarantined and withdrawn ones never. `leave_out_itself` hides every
        example with the same text, so that held-out examples can be scored honestly.
        """

    async def unembedded(self, embedder: str, limit: int) -> list[tuple[int, str]]:
        """(id, text) of examples that have no vector of this embedder yet."""

    async def remember(self, embedder: str, vectors: Mapping[int, Vector]) -> None:
        """Store vectors by example id."""


class Examples(Protocol):
    """Labelled texts. Adding one again (same task, text, label and source) changes nothing."""

    async def add_examples(self, task: str, examples: Sequence[Example]) -> int:
        """Returns how many were new. A file's newer label for a text that a file had labelled replaces the older."""

    async def examples(self, task: str) -> list[Example]:
        """All that may be learned from: not withdrawn, not quarantined, not erased."""

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

    async def promote(self, task: str, adapter: str, by: str, reason: str, now: datetime) -> None:
        """Move the pointer. Raises UsageError for an unknown name. Promoting the champion changes nothing."""

    async def rollback(self, task: str, by: str, now: datetime) -> Adapter:
        """Move the pointer to the adapter that served before; again, one further back.

        Raises UsageError when there is none.
        """

    async def next_name(self, task: str) -> str:
        """A name no adapter of the task ever had: routing-1, routing-2, …"""

    async def request_cycle(self, task: str, by: str, key: str, now: datetime) -> bool:
        """Ask for a learning cycle. `key` makes the request unique (a cron tick); False: asked already or one waits."""

    def claim_cycle(self, now: datetime) -> AbstractAsyncContextManager[Cycle | None]:
        """The next requested cycle, held while the context lasts; None when none waits or another process learns.

        One at a time over all processes. A cycle whose process died is claimed again.
        """

    async def update_cycle(self, cycle: int, phase: Phase, progress: float, adapter: str | None = None) -> None: ...

    async def conclude_cycle(self, cycle: int, verdict: Verdict | None, problem: str, now: datetime) -> None:
        """DONE with a verdict, or FAILED with a problem."""

    async def cycles(self, task: str, limit: int) -> list[Cycle]:
        """Newest first."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a training process is given."""

    folder: Path
    base: Path
    task: Task
    codes: Mapping[str, str]
    examples: Sequence[Example]


class Workshop(Protocol):
    """Trains adapters, each in a process of its own."""

    async def train(self, run: TrainingRun, progress: Progress) -> Path:
        """The finished adapter's folder. A finished run is not trained again. Cancelling ends the process.

        Raises TrainingFailed.
        """
