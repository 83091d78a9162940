"""The port of what was said, decided and corrected.

A method states a fact and is one transaction; a repeated fact changes nothing.

Every method may raise Unreachable when the other side is down; what was not stored will be asked for again.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.domain.consequences import Effects
from bot.domain.conversations import (
    Button,
    CardState,
    Decided,
    LookedUp,
    Meaning,
    OverdueConversation,
    PendingEdit,
    PendingFollowUp,
    PendingNote,
    PendingPress,
    PendingReactions,
    UnansweredConversation,
    UndecidedConversation,
)
from bot.domain.decisions import Decision
from bot.domain.messages import Deletion, Edit, Fact, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Post


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
class ThreadingPolicy:
    """Which open conversation a new message joins."""

    settle: timedelta
    """A burst within it is one request."""
    idle: timedelta
    """After such a silence a message without a thread opens a new one."""
    reopen: timedelta
    """For so long after it was closed a message without a thread opens it again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of a fact."""

    new: bool
    """False: it was here before, or is none of our business."""
    conversation: int | None = None
    """The one that it belongs to, where it is new and that is known: a post may still be on its way."""
    opened: bool = False
    """Whether it began that conversation."""


class Ledger(Protocol):
    """The record of conversations. Claims hold for a lease; a claim that is not concluded becomes work again."""

    async def add_message(self, message: Message, policy: ThreadingPolicy) -> bool:
        """Store a message, in the conversation it belongs to or a new one. False: it was here before.

        One that `opens` begins a conversation. Otherwise it belongs to the conversation of its thread; without a thread
        to the person's newest in that chat, unless that was left (`leave`), silent for `idle`, or closed longer ago
        than `reopen`; and a thread's first message joins a conversation that its author opened in that chat, that was
        written in within `settle` and that has no decision yet (a burst is one request). A language that the person
        chose (`prefer`) takes the place of what their platform reports.
        """

    async def add_edit(self, edit: Edit) -> bool:
        """Change what a message or note says. Before the decision it simply counts; after it, it is `claim_edits`.

        False: the words are the same, or the message is not known here. An older edit than the newest changes nothing.
        """

    async def add_deletion(self, deletion: Deletion) -> bool:
        """Empty a message or note, for good: its words leave the database, its conversation's text too. False as above.

        A conversation with nothing else said in it before its decision is closed.
        """

    async def add_note(self, note: Note) -> bool:
        """Store what a team wrote under something of ours. False: not under anything of ours, or here before.

        While it may be under something that is being said just now it is parked, and looked at once that has a receipt.
        """

    async def is_of_a_team(self, under: MessageRef, ours: bool) -> bool:
        """Whether what is said under this message is between colleagues, whatever the settings say: a note or nothing.

        It is under whatever we once said in a team's room and under other notes. `ours`: we are its author; then it is
        so, too, where we have no receipt for it in a chat in which we ever posted cards.
        """

    async def add_part(self, part: MessageRef, whole: MessageRef) -> None:
        """That message of ours came behind this one: what is said under it is said under this one."""

    async def add_room(self, instead_of: Place, room: Place) -> None:
        """Cards for a room of the settings go to this one, for the other takes none: it is the team's room, too."""

    async def learned_rooms(self, platform: str) -> Mapping[str, str]:
        """Room of the settings -> the one that stands in for it, as `add_room` was told."""

    async def moved_chats(self, platform: str) -> Mapping[str, str]:
        """Former id -> present id of every chat that was given another one."""

    async def add_facts(self, facts: Sequence[Fact], policy: ThreadingPolicy) -> Sequence[Stored | Exception]:
        """Store many facts together, each as its own `add_…` does; what came of each, in their order.

        A fact that cannot be stored is an exception in its place and takes nothing from the others. Raises Unreachable
        when none could be stored.
        """

    async def name_person(self, person: Person) -> None:
        """What was stored of the person without a name gets name, language and `external`; what has a name keeps it."""

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

    async def make_request(self, ref: MessageRef, now: datetime) -> bool:
        """Somebody wants that message to be a request: what was closed as none, or rests, is decided anew, among teams.

        What is a request already stays as it is. False: no such message is stored.
        """

    async def add_press(self, press: Press) -> bool:
        """Store a button press if we have ever posted in that chat. False as above."""

    async def button(self, ref: MessageRef) -> Button | None:
        """Who may press the buttons of that post; None when it has none."""

    async def claim_undecided(
        self, now: datetime, settle: timedelta, patience: timedelta, limit: int
    ) -> list[UndecidedConversation]:
        """What needs a decision, once quiet for `settle`: NEW, or ASKED and news came; or unanswered for `patience`."""

    async def decide_one(self, decided: Decided) -> bool:
        """Store a decision with its posts, its answers to further questions, and what these mean for the conversation.

        One transaction. With `candidates` the conversation is ASKED, else ROUTED. False: a message came in between;
        nothing was stored.
        """

    async def claim_unanswered(self, now: datetime, limit: int) -> list[UnansweredConversation]:
        """Conversations whose team is known, and about which a further question is still to be answered."""

    async def conclude_answers(
        self,
        case: UnansweredConversation,
        found: Sequence[Decision],
        effects: Effects,
        posts: Sequence[Post],
        unanswered: bool,
        now: datetime,
    ) -> None:
        """Store new answers to further questions, what follows from all of them, and the posts; never a team.

        `unanswered`: a question is still to be answered, and it comes again.
        """

    async def decide_all(self, decided: Sequence[Decided]) -> Sequence[bool]:
        """Store many decisions together; which of them were stored. False: somebody else is at it just now, or it was
        overtaken: `decide_one` it. Raises when any of them cannot be stored; then none was.
        """

    async def ask_for_words(self, case: UndecidedConversation, posts: Sequence[Post]) -> bool:
        """Store that there was nothing to read (once a conversation); it stays NEW, at rest until the next message."""

    async def claim_presses(self, now: datetime, limit: int) -> list[PendingPress]:
        """Presses on buttons of ours, oldest first; presses on anything else are concluded here."""

    async def conclude_press(
        self, pressed: PendingPress, meaning: Meaning, posts: Sequence[Post], now: datetime
    ) -> None:
        """Store what a press meant, in one transaction with its posts.

        Chosen: a decision (with a label: the tap becomes an example). Stated: the reaction, as if it had come in.
        Settled: the conversation is closed, or open again. SplitOff: the message and what its person wrote after it
        become a new conversation without a decision. Dispatched: the note counts as sent.
        """

    async def claim_reactions(self, now: datetime, limit: int) -> list[PendingReactions]:
        """Conversations with reactions on their cards, or choices on their messages, that nobody looked at yet."""

    async def conclude_reactions(
        self,
        pending: PendingReactions,
        decision: Decision | None,
        standing: CardState,
        posts: Sequence[Post],
        now: datetime,
        looked_up: LookedUp | None = None,
    ) -> None:
        """Store what the reactions amount to, in one transaction, and that they were looked at.

        `decision` (None: the label stays) moves the conversation, also one whose person is still being asked. The
        ruling becomes the conversation's one standing correction or confirmation and example in the memory, replacing
        what stood before; None withdraws it. A disputed ruling is stored and its example quarantined. `taken_by` and
        `done` become the conversation's: done closes it, no longer done opens it. The audit rows stay. What is
        `unknown` in `looked_up` comes again; the rest of it is kept as `Reaction.counted`.
        """

    async def claim_follow_ups(self, now: datetime, limit: int) -> list[PendingFollowUp]:
        """What people wrote in conversations that are already routed, in order, not yet relayed."""

    async def conclude_follow_up(
        self, said: PendingFollowUp, posts: Sequence[Post], now: datetime, opens: bool = True
    ) -> None:
        """Store that the message was relayed, with the posts that carry it.

        `opens`: a closed conversation is open again (a mere thank-you opens nothing).
        """

    async def claim_edits(self, now: datetime, limit: int) -> list[PendingEdit]:
        """Messages and notes that were passed on and whose words changed since, or were deleted."""

    async def conclude_edit(self, revised: PendingEdit, posts: Sequence[Post], now: datetime) -> None:
        """Store that the change was passed on, with the posts that do it."""

    async def claim_notes(self, now: datetime, limit: int) -> list[PendingNote]:
        """Notes that nobody looked at yet, and unsent ones that got the emoji or word `send` (their reactions)."""

    async def conclude_note(self, noted: PendingNote, sent: bool, posts: Sequence[Post], now: datetime) -> None:
        """Store that the note was looked at; `sent`: a reply to the person is among the posts, so it is never again."""

    async def postpone_note(self, noted: PendingNote, until: datetime) -> None:
        """Look at the note again then: who may send it is not known yet."""

    async def claim_overdue(self, now: datetime, after: timedelta, limit: int) -> list[OverdueConversation]:
        """Routed conversations that nobody took, or answered, for `after`; once more for twice that, and no more.

        Where an answer to a further question says so, its team has less time (`OverdueConversation.after`).
        """

    async def conclude_reminder(self, waiting: OverdueConversation, posts: Sequence[Post], now: datetime) -> None:
        """Store the reminder with its posts. Without posts (nobody is there now) it is none, and comes again later."""

    def alone(self, what: str) -> AbstractAsyncContextManager[None]:
        """Entered by one process at a time over the whole database; entering waits for one's turn.

        The turn ends with the context or the process. It may end unnoticed with a lost connection: whoever learns that
        somebody else is at it as well should leave and enter again.
        """

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[frozenset[Change]]]:
        """Yields what changed in the database (LISTEN/NOTIFY), by any process; several changes may be one.

        All of them when it cannot know: after a lost connection, or when another version speaks.
        """
