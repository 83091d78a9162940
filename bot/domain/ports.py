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

from bot.domain.conversations import Case, Dossier, Meaning, Next, Noted, Pressed, Revised, Standing, State, Waiting
from bot.domain.decisions import Decision, Prediction
from bot.domain.learning import Adapter, Cycle, Example, Phase, Progress, Verdict
from bot.domain.messages import Deletion, Edit, Media, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Owed, Post
from bot.domain.recall import Neighbours
from bot.domain.tasks import Label, Task

Vector = Sequence[float]
"""A text's embedding, of length 1."""


# --- platforms ---


class Inbox(Protocol):
    """Where a platform puts what happened. When a method returns, the fact is stored: only then acknowledge."""

    async def message(self, message: Message) -> None: ...

    async def reaction(self, reaction: Reaction) -> None: ...

    async def press(self, press: Press) -> None: ...

    async def edit(self, edit: Edit) -> None: ...

    async def deletion(self, deletion: Deletion) -> None: ...

    async def note(self, note: Note) -> None: ...

    async def chat_moved(self, platform: str, before: str, after: str) -> None:
        """The chat has another id from now on (`Place.chat`): what is owed and what stands there follows."""


class Platform(Protocol):
    """One place where people talk."""

    @property
    def name(self) -> str:
        """The word for it in settings, in `Place.platform` and in metrics."""

    async def listen(self, inbox: Inbox) -> None:
        """Take in what happens there until cancelled. Raises Refused when it can never work (a bad token)."""

    @property
    def whispers(self) -> bool:
        """Whether something can be shown to one person of a room alone (`Post.only_for`)."""

    async def say(self, owed: Owed) -> MessageRef:
        """Say the post, or rewrite the one it edits; its receipt.

        Raises Unreachable (again later), ChatMoved (again there), Refused (never; the message says what to mend).
        """

    async def fetch(self, media: Media) -> bytes:
        """An attachment of this platform. Raises Unreachable, Refused (too large, gone)."""

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        """Whether this person may correct a card of that team in that room. Never true for bots and externals."""

    async def may_handle(self, person: Person, room: Place) -> bool:
        """Whether this person may take, close and answer what is in that room. Never true for bots and externals."""

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
    NOTE = "note"
    """A team wrote under something of ours. The emoji that sends a note is a REACTION."""
    REVISED = "revised"
    """What had been passed on was edited or deleted. Before the decision that is a MESSAGE."""
    OWED = "owed"
    """There is a post to say, or one less before it in its line."""
    FREED = "freed"
    """A step let go of a conversation that others may have waited for."""
    EXAMPLE = "example"
    CYCLE = "cycle"
    MODEL = "model"
    """Which adapters there are, which one serves, or which codes were given out."""


@dataclass(frozen=True, slots=True)
class Joining:
    """Which open conversation a new message joins."""

    settle: timedelta
    """A burst within it is one request."""
    idle: timedelta
    """After such a silence a message without a thread opens a new one."""
    reopen: timedelta
    """For so long after it was closed a message without a thread opens it again."""


class Ledger(Protocol):
    """The record of conversations. Claims hold for a lease; a claim that is not concluded becomes work again."""

    async def add_message(self, message: Message, joining: Joining) -> bool:
        """Store a message, in the conversation it belongs to or a new one. False: it was here before.

        One that `opens` begins a conversation. Otherwise it belongs to the conversation of its thread; without a thread
        to the person's newest in that chat, unless that was left (`leave`), silent for `idle`, or closed longer ago
        than `reopen`; and a thread's first message joins a conversation that its author opened in that chat, that was
        written in within `settle` and that has no decision yet (a burst is one request). A language that the person
        chose (`prefer`) takes the place of what their platform reports.
        """

    async def add_edit(self, edit: Edit) -> bool:
        """Change what a message or note says. Before the decision it simply counts; after it, it is `claim_revised`.

        False: the words are the same, or the message is not known here. An older edit than the newest changes nothing.
        """

    async def add_deletion(self, deletion: Deletion) -> bool:
        """Empty a message or note, for good: its words leave the database, its conversation's text too. False as above.

        A conversation with nothing else said in it before its decision is closed.
        """

    async def add_note(self, note: Note) -> bool:
        """Store what a team wrote under something of ours. False: not under anything of ours, or here before.

        Raises Unreachable while it may be under something that is being said just now: it must come again.
        """

    async def leave(self, person: Person, chat: str, now: datetime) -> bool:
        """The person's next message in that chat, without a thread, opens a new conversation. False: none was open."""

    async def prefer(self, person: Person, language: str) -> None:
        """Speak that language with the person, whatever their platform reports."""

    async def preferred(self, person: Person) -> str | None:
        """The language they chose; None when they did not."""

    async def move_chat(self, platform: str, before: str, after: str) -> None:
        """From now on `before` is `after`: what is owed there goes there, receipts and conversations follow.

        Posts owed later to the old id (the settings still name it) go to the new one, too.
        """

    async def add_reaction(self, reaction: Reaction) -> bool:
        """Store a reaction if we have ever posted in that chat. False: not our business, or here before.

        A lead's `choice` is stored on a conversation's own messages, too.
        """

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
        """Presses on buttons of ours, oldest first; presses on anything else are concluded here."""

    async def conclude_press(self, pressed: Pressed, meaning: Meaning, posts: Sequence[Post], now: datetime) -> None:
        """Store what a press meant, in one transaction with its posts.

        Chosen: a decision (with a label: the tap becomes an example). Stated: the reaction, as if it had come in.
        Settled: the conversation is closed, or open again. SplitOff: the message and what its person wrote after it
        become a new conversation without a decision. Dispatched: the note counts as sent.
        """

    async def claim_dossiers(self, now: datetime, limit: int) -> list[Dossier]:
        """Conversations with reactions on their cards, or choices on their messages, that nobody looked at yet."""

    async def conclude_dossier(
        self,
        dossier: Dossier,
        decision: Decision | None,
        standing: Standing,
        posts: Sequence[Post],
        now: datetime,
    ) -> None:
        """Store what the reactions amount to, in one transaction, and that they were looked at.

        `decision` (None: the label stays) moves the conversation, also one whose person is still being asked. The
        ruling becomes the conversation's one standing correction or confirmation and example in the memory, replacing
        what stood before; None withdraws it. A disputed ruling is stored and its example quarantined. `taken_by` and
        `done` become the conversation's: done closes it, no longer done opens it. The audit rows stay.
        """

    async def claim_next(self, now: datetime, limit: int) -> list[Next]:
        """What people wrote in conversations that are already routed, in order, not yet relayed."""

    async def conclude_next(self, said: Next, posts: Sequence[Post], now: datetime, opens: bool = True) -> None:
        """Store that the message was relayed, with the posts that carry it.

        `opens`: a closed conversation is open again (a mere thank-you opens nothing).
        """

    async def claim_revised(self, now: datetime, limit: int) -> list[Revised]:
        """Messages and notes that were passed on and whose words changed since, or were deleted."""

    async def conclude_revised(self, revised: Revised, posts: Sequence[Post], now: datetime) -> None:
        """Store that the change was passed on, with the posts that do it."""

    async def claim_notes(self, now: datetime, limit: int) -> list[Noted]:
        """Notes that nobody looked at yet, and unsent ones that got the emoji or word `send` (their reactions)."""

    async def conclude_note(self, noted: Noted, sent: bool, posts: Sequence[Post], now: datetime) -> None:
        """Store that the note was looked at; `sent`: a reply to the person is among the posts, so it is never again."""

    async def claim_waiting(self, now: datetime, after: timedelta, limit: int) -> list[Waiting]:
        """Routed conversations that nobody took, or answered, for `after`; once more for twice that, and never again."""

    async def conclude_waiting(self, waiting: Waiting, posts: Sequence[Post], now: datetime) -> None:
        """Store the reminder with its posts. Without posts (nobody is there now) it is none, and comes again later."""

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[frozenset[Change]]]:
        """Yields what changed in the database (LISTEN/NOTIFY), by any process; several changes may be one.

        All of them when it cannot know: after a lost connection, or when another version speaks.
        """


class Outbox(Protocol):
    """What we owe to chats."""

    async def claim_owed(self, platforms: Sequence[str], now: datetime, limit: int) -> list[Owed]:
        """Posts to say now, at most one a conversation and chat at a time, in order, on these platforms only."""

    async def said(self, owed: Owed, ref: MessageRef, now: datetime, posts: Sequence[Post] = ()) -> None:
        """Store the receipt, and what is owed next because of it, to the same conversation."""

    async def postpone(self, owed: Owed, until: datetime, problem: str) -> None:
        """Try again then; later posts of the same conversation in that chat wait for it."""

    async def give_up(
        self, owed: Owed, problem: str, now: datetime, posts: Sequence[Post] = (), decision: Decision | None = None
    ) -> None:
        """It will never be said; the problem is kept for people to see. `posts` are owed to the same conversation.

        `decision` moves the conversation (a team that cannot be reached).
        """

    async def add(self, posts: Sequence[Post], now: datetime) -> None:
        """Owe posts that belong to no conversation (a learning report)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a room, as a chat window shows it."""

    ref: MessageRef
    place: Place
    at: datetime
    message: Message | None
    """What a person wrote, without words once they deleted it; None for a post of ours or a note."""
    post: Post | None
    """What we said, in its newest wording; None for what people wrote."""
    reactions: tuple[tuple[str, str], ...]
    """(emoji, actor id) in place now."""
    note: Note | None = None
    """What a team wrote under a card; then neither a message nor a post."""
    edited: bool = False
    """Whoever wrote it changed its words since."""


class Transcript(Protocol):
    """Reads back what was said in a platform that keeps no history of its own (the web chat)."""

    async def lines(self, platform: str, chats: Sequence[str], limit: int) -> list[Line]:
        """The newest `limit` lines of these chats, notes included, oldest first."""


@dataclass(frozen=True, slots=True)
class Request:
    """One conversation, in a list."""

    conversation: int
    label: str | None
    """None: not decided yet."""
    state: State
    excerpt: str
    """The beginning of what the person wrote; for leads and for the person alone."""
    source: MessageRef
    """Its first message."""
    card: MessageRef | None
    since: datetime
    taken_by: str | None
    disputed: bool = False
    unsure: bool = False
    """The person had to be asked, or the fallback decided in doubt."""


@dataclass(frozen=True, slots=True)
class Account:
    """Why a conversation is where it is: every decision ever made about it, oldest first."""

    request: Request
    decisions: tuple[tuple[datetime, Decision], ...]
    remembered: tuple[str, ...]
    """What the corrections that the newest decision of the memory leaned on say, shortened."""


@dataclass(frozen=True, slots=True)
class Week:
    """How well the sorting went for the last seven days."""

    decided: int
    """Conversations that were routed."""
    corrected: int
    """Those that leads moved elsewhere, corrections that were withdrawn not counted."""
    asked: int
    """Those whose person had to be asked."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did."""

    conversations: int
    examples: int
    adapters: tuple[str, ...]
    """Adapters whose training set held a text of the person; the next learning cycle trains without it."""


class Insight(Protocol):
    """Figures about the whole, for /metrics and people who run it; lists for those who ask."""

    async def backlog(self, now: datetime) -> Mapping[str, float]:
        """`undecided`, `unsaid`, `given_up` (counts), `oldest_undecided_seconds`, `oldest_unsaid_seconds`."""

    async def decisions(self) -> Mapping[tuple[str, str, str], int]:
        """How many decisions ever, by (task, label, author)."""

    async def requests_of(self, person: Person, limit: int) -> list[Request]:
        """The person's conversations that are not closed, newest first."""

    async def doubtful(self, limit: int) -> list[Request]:
        """Open conversations that deserve a lead's eye: unsure or disputed, and ruled on by nobody; newest first."""

    async def account(self, ref: MessageRef) -> Account | None:
        """By any message of the conversation, or any post of ours about it. None: it is no conversation's."""

    async def week(self, now: datetime) -> Week: ...


class Erasure(Protocol):
    """Forgetting somebody."""

    async def erase(self, person: Person, now: datetime) -> Erased:
        """Their words, names and vectors leave the database: messages, notes about them, cards, examples, memory.

        Their cards and follow-ups in chats are rewritten without words. Counts and labels stay. Again changes nothing.
        """


class Desk(Protocol):
    """What people ask of us by command. Whoever asks has been authorised by the platform, except where it says so."""

    async def requests_of(self, person: Person) -> list[Request]:
        """Their open ones, newest first."""

    async def doubtful(self) -> list[Request]:
        """What deserves a lead's eye."""

    async def account(self, ref: MessageRef) -> Account | None: ...

    async def week(self) -> Week: ...

    async def serving(self) -> str:
        """The name of the adapter that serves; the base model's when none does."""

    async def models(self) -> list[tuple[Adapter, bool]]:
        """(adapter, whether it serves), oldest first."""

    async def backlog(self) -> Mapping[str, float]:
        """As `Insight.backlog`."""

    async def learn(self, lead: Person) -> bool:
        """Ask for a learning cycle. False: one waits already."""

    async def promote(self, name: str, lead: Person) -> None:
        """Raises UsageError for an unknown name."""

    async def rollback(self, lead: Person) -> str:
        """The adapter that serves again. Raises UsageError when none served before."""

    async def new_request(self, person: Person, chat: str) -> None:
        """Their next message in that chat begins a request of its own."""

    async def language(self, person: Person) -> str | None:
        """The language they chose; None when they did not."""

    async def speak(self, person: Person, language: str) -> None: ...

    async def forget(self, person: Person) -> Erased: ...


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
