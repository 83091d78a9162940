"""Answers to what people ask: lists, accounts and figures; and the port of erasure."""

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
    """(emoji, actor id) of the reactions in place now."""
    note: Note | None = None
    """What a team wrote under a card; then `message` and `post` are None."""
    edited: bool = False
    """Whether its author has changed its words since."""


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
    """Whether the person had to be asked, or the fallback got it in doubt."""
    answers: tuple[QuestionAnswer, ...] = ()
    """The answers to further questions that its card shows; for leads alone."""


@dataclass(frozen=True, slots=True)
class Account:
    """Why a conversation is where it is: every decision ever made about it, oldest first."""

    request: Request
    decisions: tuple[tuple[datetime, Decision], ...]
    remembered: tuple[str, ...]
    """The known texts that the memory's newest decision rests on, shortened."""
    remembered_from: Basis = Basis.CORRECTION
    """On whose word they have their label."""
    correction: CorrectionLife | None = None
    """The life of the last correction of it; None: no lead corrected it."""
    answers: tuple[tuple[datetime, Decision], ...] = ()
    """Every answer ever given to a further question about it, oldest first."""


@dataclass(frozen=True, slots=True)
class Week:
    """How well the sorting went in the last seven days."""

    decided: int
    """Conversations that were routed."""
    corrected: int
    """Those that leads moved, without withdrawn corrections."""
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
    """When the last of these stops serving, even if that cycle finds no better one; None: there are none."""
    elsewhere: int = 0
    """Their messages and notes in other people's conversations."""

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to erase: they are unknown, or only counts and labels are left of them."""
        return not (self.conversations or self.examples or self.elsewhere or self.adapters)


class Queries(Protocol):
    """Figures about everything, for /metrics and for people who run it; lists for those who ask."""

    async def backlog(self, now: datetime) -> Mapping[str, float]:
        """`undecided`, `unsaid`, `given_up` (counts), `oldest_undecided_seconds`, `oldest_unsaid_seconds`."""

    async def decisions(self) -> Mapping[tuple[str, str, str, str, str], int]:
        """The number of decisions ever, by (platform of the conversation, task, label, author, language).

        The language is an ISO 639-1 code, or `languages.UNDETERMINED`.
        """

    async def corrections(self) -> Mapping[tuple[str, Stage], int]:
        """The number of corrections, by task and stage of life."""

    async def rules_applied(self) -> Mapping[str, int]:
        """Rule -> how often it ever applied."""

    async def requests_of(self, person: Person, limit: int) -> list[Request]:
        """The person's conversations that are not closed, newest first."""

    async def doubtful(self, limit: int) -> list[Request]:
        """Open conversations that a lead should look at, newest first: unsure and unruled, disputed, or held back."""

    async def requests(
        self, states: Sequence[State], label: str | None, before: int | None, limit: int
    ) -> list[Request]:
        """Conversations in these states, newest first; with `label` of that team, with `before` older than that one."""

    async def account(self, ref: MessageRef) -> Account | None:
        """The account of the conversation that a message, or a post of ours about it, belongs to; None: to none."""

    async def week(self, now: datetime) -> Week: ...


class Erasure(Protocol):
    """Erases a person."""

    async def erase(self, person: Person, now: datetime) -> Erased:
        """Remove their words, names and vectors from the database: messages, notes, cards, examples, memory.

        What teams wrote under their cards goes, too. Their cards and follow-ups in chats are rewritten without words.
        Counts and labels stay. Idempotent.
        """


class ChatCommands(Protocol):
    """The commands that people have in chats. The platform has authorised whoever asks, except where it says so."""

    async def requests_of(self, person: Person) -> list[Request]:
        """The person's open conversations, newest first."""

    async def doubtful(self) -> list[Request]:
        """Open conversations that a lead should look at."""

    async def account(self, ref: MessageRef) -> Account | None: ...

    async def week(self) -> Week: ...

    async def serving(self) -> str:
        """The name of the adapter that serves, or of the base model if none does."""

    async def models(self) -> list[tuple[Adapter, bool]]:
        """(adapter, whether it serves), oldest first."""

    async def backlog(self) -> Mapping[str, float]:
        """As `Queries.backlog`."""

    async def learn(self, lead: Person) -> bool:
        """Ask for a learning cycle. False: one waits already."""

    async def promote(self, name: str, lead: Person) -> None:
        """Let the adapter serve. Raises UsageError for an unknown name."""

    async def rollback(self, lead: Person) -> str:
        """Go back; the adapter that serves again. Raises UsageError when none served before."""

    async def new_request(self, person: Person, chat: str) -> None:
        """Let their next message in that chat begin a request of its own."""

    async def language(self, person: Person) -> str | None:
        """The language that they chose; None if they chose none."""

    async def speak(self, person: Person, language: str) -> None: ...

    async def forget(self, person: Person) -> Erased: ...
