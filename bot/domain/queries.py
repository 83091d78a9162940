"""What those who ask are told: lists, accounts and figures; and the forgetting they may ask for. Ports, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.conversations import State
from bot.domain.correction_life import CorrectionLife, Stage
from bot.domain.decisions import Basis, Decision
from bot.domain.learning import Adapter
from bot.domain.messages import Message, MessageRef, Note, Person, Place
from bot.domain.posts import Post
from bot.domain.question_posts import QuestionAnswer


@dataclass(frozen=True, slots=True)
class TranscriptLine:
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

    async def lines(self, platform: str, chats: Sequence[str], limit: int) -> list[TranscriptLine]:
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
    answers: tuple[QuestionAnswer, ...] = ()
    """What its card shows of the further questions; for leads alone."""


@dataclass(frozen=True, slots=True)
class Account:
    """Why a conversation is where it is: every decision ever made about it, oldest first."""

    request: Request
    decisions: tuple[tuple[datetime, Decision], ...]
    remembered: tuple[str, ...]
    """What the known texts that the newest decision of the memory leaned on say, shortened."""
    remembered_from: Basis = Basis.CORRECTION
    """On whose word they have its label."""
    correction: CorrectionLife | None = None
    """Where what a lead said of it last is in its life; None: no lead corrected it."""


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
    serve_until: datetime | None = None
    """When the last of these stops serving, whether that cycle found a better one or not; None: there are none."""


class Queries(Protocol):
    """Figures about the whole, for /metrics and people who run it; lists for those who ask."""

    async def backlog(self, now: datetime) -> Mapping[str, float]:
        """`undecided`, `unsaid`, `given_up` (counts), `oldest_undecided_seconds`, `oldest_unsaid_seconds`."""

    async def decisions(self) -> Mapping[tuple[str, str, str, str, str], int]:
        """How many decisions ever, by (the platform it was asked on, task, label, author, language).

        The language is an ISO 639-1 code, or `languages.UNDETERMINED`.
        """

    async def corrections(self) -> Mapping[tuple[str, Stage], int]:
        """How many corrections there are, by task and by where each is in its life."""

    async def rules_applied(self) -> Mapping[str, int]:
        """How often each rule of the settings applied, ever, by its name."""

    async def requests_of(self, person: Person, limit: int) -> list[Request]:
        """The person's conversations that are not closed, newest first."""

    async def doubtful(self, limit: int) -> list[Request]:
        """Open conversations that deserve a lead's eye, newest first: unsure and unruled, disputed, or held back."""

    async def requests(
        self, states: Sequence[State], label: str | None, before: int | None, limit: int
    ) -> list[Request]:
        """Conversations in these states, newest first: of that team, and older than that conversation, if named."""

    async def account(self, ref: MessageRef) -> Account | None:
        """By any message of the conversation, or any post of ours about it. None: it is no conversation's."""

    async def week(self, now: datetime) -> Week: ...


class Erasure(Protocol):
    """Forgetting somebody."""

    async def erase(self, person: Person, now: datetime) -> Erased:
        """Their words, names and vectors leave the database: messages, notes about them, cards, examples, memory.

        Their cards and follow-ups in chats are rewritten without words. Counts and labels stay. Again changes nothing.
        """


class ChatCommands(Protocol):
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
        """As `Queries.backlog`."""

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
