"""The port of what was said, decided and corrected.

A method states a fact and is one transaction; a repeated fact changes nothing.

Every method may raise Unreachable when the other side is down; what was not stored is asked for again.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.domain.consequences import Effects
from bot.domain.conversations import (
    CardState,
    Decided,
    LookedUp,
    OverdueConversation,
    PendingEdit,
    PendingFollowUp,
    PendingNote,
    PendingReactions,
    UnansweredConversation,
    UndecidedConversation,
)
from bot.domain.decisions import Decision
from bot.domain.messages import Deletion, Edit, Fact, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Post
from bot.domain.presses import Button, Meaning, PendingPress
from bot.domain.team_changes import Teamless


class Change(StrEnum):
    """The kinds of change in the database, just enough to tell which steps they concern."""

    MESSAGE = "message"
    """Somebody opened a conversation."""
    NEXT = "next"
    """Somebody wrote in a conversation that was open already."""
    REACTION = "reaction"
    PRESS = "press"
    NOTE = "note"
    """A team wrote under a post of ours. The emoji that sends a note is a REACTION."""
    REVISED = "revised"
    """Something that had been passed on was edited or deleted. Before the decision that is a MESSAGE."""
    OWED = "owed"
    """There is a post to say, or one fewer before it in its line."""
    FREED = "freed"
    """A step released a conversation that others may wait for."""
    EXAMPLE = "example"
    CYCLE = "cycle"
    MODEL = "model"
    """The list of adapters, the one that serves, or the labels' codes."""


@dataclass(frozen=True, slots=True)
class ThreadingPolicy:
    """Which open conversation a new message joins."""

    settle: timedelta
    """Messages within this time of each other are one request."""
    idle: timedelta
    """After a silence of this length a message without a thread opens a new conversation."""
    reopen: timedelta
    """For this long after a conversation was closed, a message without a thread opens it again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The outcome of storing a fact."""

    new: bool
    """False: it was stored before, or is none of our business."""
    conversation: int | None = None
    """The conversation of a new fact; None where it is not known yet: the post it is on may still be on its way."""
    opened: bool = False
    """Whether it began that conversation."""


class Ledger(Protocol):
    """The record of conversations. Claims are leases; an item whose claim is not concluded can be claimed again."""

    async def add_message(self, message: Message, policy: ThreadingPolicy) -> bool:
        """Store a message, in the conversation it belongs to or a new one. False: it was stored before.

        A message that `opens` begins a conversation. Otherwise it belongs to the conversation of its thread; without a
        thread, to the person's newest in that chat, unless that was left (`leave`), silent for `idle`, or closed longer
        ago than `reopen`. A thread's first message joins a conversation that its author opened in that chat, if it was
        written in within `settle` and has no decision yet (a burst is one request). A language that the person chose
        (`prefer`) replaces the one that their platform reports.
        """

    async def add_edit(self, edit: Edit) -> bool:
        """Change what a message or note says. Before the decision the new words count; after it, see `claim_edits`.

        False: the words are the same, or the message is not known here. An edit older than the newest changes nothing.
        """

    async def add_deletion(self, deletion: Deletion) -> bool:
        """Empty a message or note for good: its words leave the database, also its conversation's text. False as above.

        If nothing else was said in the conversation before its decision, it is closed.
        """

    async def add_note(self, note: Note) -> bool:
        """Store what a team wrote under a post of ours. False: it is under none of ours, or was stored before.

        While it may be under a post that is just being said, it is parked, and looked at once that post has a receipt.
        """

    async def is_of_a_team(self, under: MessageRef, ours: bool) -> bool:
        """Whether a reply to this message is between colleagues, whatever the settings say: a note or nothing.

        That holds under whatever we ever said in a team's room, and under other notes. `ours`: we wrote the message;
        then it also holds in a chat that we ever posted cards in, if the message has no receipt.
        """

    async def add_part(self, part: MessageRef, whole: MessageRef) -> None:
        """Store that this message of ours continues that one: what is written under it counts as under the whole."""

    async def refs_around(self, post: int) -> tuple[Sequence[MessageRef], Sequence[MessageRef]]:
        """Messages of the post's platform, the newest of its own chat and of all chats: those that certainly stood
        before the post was first tried, and all of them."""

    async def known_refs(self, platform: str, chat: str, ids: Sequence[str]) -> frozenset[str]:
        """Those of the chat's messages that are known: our posts and their parts, what people wrote, and notes."""

    async def parts_of(self, ref: MessageRef) -> int:
        """How many messages of ours are recorded as parts of that one (`add_part`)."""

    async def others_say(self, post: int, platform: str, chat: str) -> bool:
        """Whether another living process is saying something in that chat. Of two that both try a post again, only the
        one with the newer post is told so."""

    async def add_room(self, instead_of: Place, room: Place) -> None:
        """Store that `room` stands in for a room of the settings that takes no cards: it is the team's room, too."""

    async def learned_rooms(self, platform: str) -> Mapping[str, str]:
        """Room of the settings -> the room that stands in for it, by `add_room`."""

    async def moved_chats(self, platform: str) -> Mapping[str, str]:
        """Former id -> present id of every chat whose id changed."""

    async def add_facts(self, facts: Sequence[Fact], policy: ThreadingPolicy) -> Sequence[Stored | Exception]:
        """Store many facts together, each as its own `add_…` does; the outcome of each, in their order.

        For a fact that cannot be stored, its exception is the outcome; the others are stored all the same. Raises
        Unreachable when none could be stored.
        """

    async def name_person(self, person: Person) -> None:
        """Give the person's rows without a name this name, language and `external`; rows with a name keep theirs."""

    async def leave(self, person: Person, chat: str, now: datetime) -> bool:
        """Let the person's next message in that chat, without a thread, open a conversation. False: none was open."""

    async def prefer(self, person: Person, language: str) -> None:
        """Speak that language with the person, whatever their platform reports."""

    async def preferred(self, person: Person) -> str | None:
        """The language that they chose; None if they chose none."""

    async def move_chat(self, platform: str, before: str, after: str) -> None:
        """Rename a chat from `before` to `after`: posts owed there, receipts and conversations follow.

        Posts owed later to the old id (the settings still name it) go to the new one, too.
        """

    async def add_reaction(self, reaction: Reaction) -> bool:
        """Store a reaction if we have ever posted in that chat. False: we have not, or it was stored before.

        A lead's `choice` is stored on a conversation's own messages, too.
        """

    async def make_request(self, ref: MessageRef, now: datetime) -> bool:
        """Make a request of the message: a conversation closed as none, or at rest, is decided anew, among teams.

        What is a request already stays as it is. False: no such message is stored.
        """

    async def add_press(self, press: Press) -> bool:
        """Store a button press if we have ever posted in that chat. False as above."""

    async def button(self, ref: MessageRef) -> Button | None:
        """Who may press the buttons of that post; None if it has none."""

    async def claim_undecided(
        self, now: datetime, settle: timedelta, patience: timedelta, limit: int
    ) -> list[UndecidedConversation]:
        """Claim what needs a decision, quiet for `settle`: NEW, ASKED with news, or unanswered for `patience`."""

    async def decide_one(self, decided: Decided) -> bool:
        """Store a decision with its posts, its answers to further questions, and their effects on the conversation.

        One transaction. With `candidates` the conversation is ASKED, else ROUTED. False: a message came in between, and
        nothing was stored.
        """

    async def claim_unanswered(self, now: datetime, limit: int) -> list[UnansweredConversation]:
        """Claim conversations whose team is known and that have an unanswered further question."""

    async def conclude_answers(
        self,
        case: UnansweredConversation,
        found: Sequence[Decision],
        effects: Effects,
        posts: Sequence[Post],
        unanswered: bool,
        now: datetime,
    ) -> None:
        """Store new answers to further questions, the effects of all answers, and the posts; never a team.

        `unanswered`: a question is still open, so the conversation can be claimed again.
        """

    async def decide_all(self, decided: Sequence[Decided]) -> Sequence[bool]:
        """Store many decisions together; which of them were stored. False: another process holds its conversation, or a
        message came in between; call `decide_one` for it. Raises when any of them cannot be stored, and then none was.
        """

    async def ask_for_words(self, case: UndecidedConversation, posts: Sequence[Post]) -> bool:
        """Store that there was nothing to read (once a conversation); it stays NEW, at rest until the next message."""

    async def claim_presses(self, now: datetime, limit: int) -> list[PendingPress]:
        """Claim presses on buttons of ours, oldest first; presses on anything else are concluded here."""

    async def conclude_press(
        self, pressed: PendingPress, meaning: Meaning, posts: Sequence[Post], now: datetime
    ) -> None:
        """Store what a press meant, in one transaction with its posts.

        Chosen: a decision (with a label: the tap becomes an example). Stated: the reaction, as if it had come in.
        Settled: the conversation is closed, or open again. SplitOff: the message and what its person wrote after it
        become a new conversation without a decision. Dispatched: the note counts as sent.
        """

    async def claim_reactions(self, now: datetime, limit: int) -> list[PendingReactions]:
        """Claim conversations with reactions on their cards, or choices on their messages, not looked at yet."""

    async def conclude_reactions(
        self,
        pending: PendingReactions,
        decision: Decision | None,
        standing: CardState,
        posts: Sequence[Post],
        now: datetime,
        looked_up: LookedUp | None = None,
    ) -> None:
        """Store, in one transaction, what the reactions add up to, and that they were looked at.

        `decision` (None: the label stays) moves the conversation, also one whose person is still being asked. The
        ruling becomes the conversation's one standing correction or confirmation and example in the memory, replacing
        what stood before; None withdraws it. A disputed ruling is stored and its example quarantined. `taken_by` and
        `done` become the conversation's: done closes it, no longer done opens it. The audit rows stay. Reactions that
        are `unknown` in `looked_up` can be claimed again; the other answers are kept as `Reaction.counted`.
        """

    async def claim_follow_ups(self, now: datetime, limit: int) -> list[PendingFollowUp]:
        """Claim what people wrote in conversations that are routed, in order, and that was not relayed yet."""

    async def conclude_follow_up(
        self, said: PendingFollowUp, posts: Sequence[Post], now: datetime, opens: bool = True, passed_on: bool = True
    ) -> None:
        """Store that the message was relayed, with the posts that carry it.

        `opens`: a closed conversation is opened again (a mere thank-you opens nothing). Without `passed_on` the message
        can be claimed again once another team has the conversation.
        """

    async def claim_teamless(self, task: str, now: datetime, limit: int) -> list[Teamless]:
        """Claim open conversations whose team was merged or retired since the last decision on them."""

    async def conclude_teamless(
        self, request: Teamless, decision: Decision, posts: Sequence[Post], now: datetime
    ) -> None:
        """Store the decision that gives the conversation to another team, with its posts."""

    async def claim_edits(self, now: datetime, limit: int) -> list[PendingEdit]:
        """Claim messages and notes that were passed on and then changed or deleted."""

    async def conclude_edit(self, revised: PendingEdit, posts: Sequence[Post], now: datetime) -> None:
        """Store that the change was passed on, with the posts that do it."""

    async def claim_notes(self, now: datetime, limit: int) -> list[PendingNote]:
        """Claim notes that nobody looked at yet, and unsent ones with the emoji or word `send` (their reactions)."""

    async def conclude_note(self, noted: PendingNote, sent: bool, posts: Sequence[Post], now: datetime) -> None:
        """Store that the note was looked at. `sent`: the posts hold a reply to the person; it is never sent again."""

    async def postpone_note(self, noted: PendingNote, until: datetime) -> None:
        """Look at the note again then: it is not known yet who may send it."""

    async def claim_overdue(self, now: datetime, after: timedelta, limit: int) -> list[OverdueConversation]:
        """Claim routed conversations that nobody took or answered for `after`; once more after twice that, not again.

        Where an answer to a further question says so, the team has less time (`OverdueConversation.after`).
        """

    async def conclude_reminder(self, waiting: OverdueConversation, posts: Sequence[Post], now: datetime) -> None:
        """Store the reminder with its posts. Without posts (nobody is there now) it does not count and is due again."""

    def alone(self, what: str) -> AbstractAsyncContextManager[None]:
        """Let one process in at a time, over the whole database; entering waits for one's turn.

        The turn ends with the context or the process. It may end unnoticed with a lost connection: a caller that learns
        that another one is in as well should leave and enter again.
        """

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[frozenset[Change]]]:
        """Yield what any process changed in the database (LISTEN/NOTIFY); several changes may come as one.

        All kinds of change when it cannot know: after a lost connection, or when another version notifies.
        """
