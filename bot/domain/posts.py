"""What we owe a chat: facts to be said, in no language and no markup. Platforms render them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.decisions import Heard
from bot.domain.messages import File, Media, MessageRef, Person, Place
from bot.domain.question_posts import Alert, QuestionAnswer
from bot.domain.report_posts import (
    ComparisonReport,
    Digest,
    LearningReport,
    ShadowCard,
    ShadowExplanation,
    TrainingProgress,
)

OTHER = "other"
"""The value of the button "something else". A candidate's button carries its position: "0", "1", "2"."""
YES, NO, SEND, SPLIT = "yes", "no", "send", "split"
"""The values of the other buttons. None names a conversation: the post that the button is on does."""
ON_THE_CARD = Place("", "card")
"""Stands for the thread of the conversation's card: the outbox fills in the place when the post is stored.

Where there is no card, such a post is not owed. With `edits` it stands for the place where that post was said.
"""
GONE = "—"
"""What is left of a sent reply when its author deletes it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """To the person: this team has it."""

    label: str
    language: str | None
    remembered: bool = False
    """Whether a lead's correction of a similar message decided this."""
    undecided: bool = False
    """Whether the fallback team has it: a person there will find the right team."""
    back: datetime | None = None
    """When the team is back, in its own time zone; None: it is there now."""
    days: int | None = None
    """Days from the day of the answer to `back`, 0 the same day; None: not counted."""
    unread: bool = False
    """Whether no voice could read what the person wrote: a person of the fallback team will."""
    many: bool = False
    """Whether they wrote so many requests within a minute that the next ones take longer."""
    no_request: bool = False
    """Whether they asked for nothing: they get a kind word, and no team."""


@dataclass(frozen=True, slots=True)
class Question:
    """To the person, at most once: which of these teams, or something else?"""

    candidates: tuple[str, ...]
    language: str | None
    answered: str | None = None
    """The label that it ended with; the buttons vanish. None while the question is open."""
    chosen: bool = False
    """Whether the person chose it; otherwise it was settled without them."""


@dataclass(frozen=True, slots=True)
class WordsPlease:
    """To the person: there was nothing to read; please say it in words."""

    language: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """To the person: another team has it now."""

    label: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """In the team's room: stands for a conversation; reactions land on it."""

    conversation: int
    label: str
    excerpt: str
    """The person's words, whole; what the card has no room for follows in its thread."""
    author: str
    """The person's name as their platform shows it."""
    source: MessageRef
    by: str
    """A `decisions.Author`."""
    reason: str
    """A `decisions.Reason`."""
    confidence: float
    adapter: str | None
    legend: tuple[tuple[str, str], ...]
    """(emoji of the card's platform, label) for every label a lead can move it to."""
    moved_to: str | None = None
    """Not None: the card is struck through, and the conversation is in that team's room now."""
    moved_link: MessageRef | None = None
    """The card in that room; None until it is posted, or where the card was not moved by anybody."""
    replaces: int | None = None
    """The post of the card that this one replaces; it gets a link to this one once this one is posted."""
    remembered: tuple[str, ...] = ()
    """What the known texts that decided this say, shortened."""
    remembered_from: str = "correction"
    """Who labelled those texts, a `decisions.Basis`."""
    history: tuple[tuple[str, str], ...] = ()
    """(who, what) was said before it came to this team, oldest first, without internal notes of the person's side."""
    media: tuple[Media, ...] = ()
    taken_by: str = ""
    """Who has taken it; empty: nobody yet."""
    done: bool = False
    edited: bool = False
    """Whether the person has changed their words since."""
    deleted: bool = False
    """Whether the person deleted what they had written; the excerpt is gone."""
    disputed: bool = False
    """Whether leads name different teams; nothing is learned until they agree."""
    held: str = ""
    """Why the correction is not learned until a second lead agrees, a `guards.Held`; empty: it is learned."""
    voices: tuple[Heard, ...] = ()
    """What each voice said, the loudest first."""
    left_out: tuple[str, ...] = ()
    """The parts of a long message that the voices did not read, each a `noise.Noise`."""
    rule: str = ""
    """The name of the rule that decided; empty: none did."""
    answers: tuple[QuestionAnswer, ...] = ()
    """The answers to the further questions about it."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """In the card's thread: what the person wrote next."""

    author: str
    text: str
    media: tuple[Media, ...] = ()
    edited: bool = False
    deleted: bool = False
    replaces: bool = False
    """Whether the attachments replace others, which the author removed by editing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """To the person: what the team decided to send them. It speaks as the team."""

    label: str
    """The team that speaks."""
    text: str
    language: str | None
    by: str
    """Who sent it, for the team's eyes only: `Sent` shows it."""
    media: tuple[Media, ...] = ()
    edited: bool = False
    to: str = ""
    """The person's name, for `Sent`."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """After a card, a follow-up or a reply that is too long for one post: the next piece of its words."""

    text: str
    of: int
    """The post that it continues."""
    part: int
    """The number of this piece, from 1."""
    parts: int
    language: str | None = None
    to_person: bool = False
    """Whether it continues a reply; otherwise it is in a card's thread."""
    gone: bool = False
    """Whether the text no longer reaches so far, so that this piece is empty."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Under a note, to its author: send this to the person? One button, `SEND`, which vanishes once it is sent."""

    note: int
    """The note's id in the ledger."""
    to: str
    """The person's name."""
    text: str
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """In the card's thread: this went to the person, or did not and why."""

    text: str
    by: str
    to: str
    problem: str = ""
    """Empty: delivered."""
    media: int = 0
    """How many attachments went along."""


@dataclass(frozen=True, slots=True)
class Solved:
    """To the person, when the team says that it is done: is it? Buttons `YES` and `NO`."""

    label: str
    language: str | None
    answer: str | None = None
    """`YES` or `NO` as they answered, or "" when it was settled without them: the buttons vanish. None: open."""


@dataclass(frozen=True, slots=True)
class Split:
    """To the person: what you wrote last seems to be about something else. One button, `SPLIT`."""

    label: str
    """The team that has the present request."""
    language: str | None
    message: MessageRef
    """The message that would open a request of its own."""
    done: bool = False
    """Whether it opened one; the button vanishes."""


@dataclass(frozen=True, slots=True)
class WrongTeam:
    """In the card's thread, for leads: which team is right? A button for each, valued by its place in `choices`."""

    choices: tuple[str, ...]
    chosen: str | None = None
    """The label that it ended with; the buttons vanish. None while it is open."""
    question: str = ""
    """The further question whose answer is wrong; empty: it is about the team."""
    titles: tuple[str, ...] = ()
    """What people read for each choice, where the choices are not teams."""


class What(StrEnum):
    """What a notice says."""

    LEFT = "left"
    """In the old team's room: the conversation went to `team`."""
    UNTAKEN = "untaken"
    """Nobody took it for `minutes`."""
    UNREACHABLE = "unreachable"
    """Nothing reaches the person: `problem` says why."""
    MISDELIVERED = "misdelivered"
    """A card for `team` could not be posted; `problem` says why and which setting to change."""
    REOPENED = "reopened"
    """The person wrote again after the request was done."""
    SOLVED = "solved"
    """The person says that it is solved."""
    UNSOLVED = "unsolved"
    """The person says that it is not."""
    NOT_YOURS = "not_yours"
    """To somebody who pressed a button that only `who` may press."""
    NO_MEMBER = "no_member"
    """To somebody who pressed a button that only people of the team may press."""
    NO_LEAD = "no_lead"
    """To somebody whose emoji would correct if they were a lead."""
    NO_MODEL_LEAD = "no_model_lead"
    """To somebody who pressed a button that only leads of the model may press: it decides which model serves."""
    NOTHING_TO_SEND = "nothing_to_send"
    """To somebody who wanted to send a note that has nothing to send in it."""
    DISPUTED = "disputed"
    """Leads name different teams (`team` and others): the last one counts, and nothing is learned until they agree."""
    UNTOLD = "untold"
    """A room that is to be alerted of an answer to a further question (`team`) takes no posts; `problem` says why."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the team, in the card's thread or in a room."""

    what: What
    team: str = ""
    who: str = ""
    problem: str = ""
    minutes: int = 0
    about: MessageRef | None = None
    """The card that it is about, where it is not said in that card's thread."""


Content = (
    Answer
    | Question
    | WordsPlease
    | Moved
    | Card
    | FollowUp
    | Continuation
    | LearningReport
    | Digest
    | ShadowCard
    | ShadowExplanation
    | TrainingProgress
    | ComparisonReport
    | Reply
    | Offer
    | Sent
    | Solved
    | Split
    | WrongTeam
    | Notice
    | Alert
)
KINDS: dict[str, type[Content]] = {
    kind.__name__: kind
    for kind in (
        Answer,
        Question,
        WordsPlease,
        Moved,
        Card,
        FollowUp,
        Continuation,
        LearningReport,
        Digest,
        ShadowCard,
        ShadowExplanation,
        TrainingProgress,
        ComparisonReport,
        Reply,
        Offer,
        Sent,
        Solved,
        Split,
        WrongTeam,
        Notice,
        Alert,
    )
}


@dataclass(frozen=True, slots=True)
class Post:
    """Something to say in a place or, with `edits`, a change of something that was said."""

    place: Place
    content: Content
    edits: int | None = None
    """The id in the outbox of the post that this one rewrites; that post has been delivered by then."""
    under: int | None = None
    """The post whose thread this belongs in (a follow-up under a card); None: `place` alone decides."""
    only_for: Person | None = None
    """The only person to show it to, on platforms that can whisper; on others it is not said at all."""
    answers: MessageRef | None = None
    """The message that it answers, where that is not a post of ours (a note); None: none."""


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A post claimed for delivery, with what the platform needs to say it."""

    id: int
    post: Post
    attempt: int
    """The number of this attempt, from 1."""
    edits: MessageRef | None = None
    """Receipt of the post to rewrite."""
    under: MessageRef | None = None
    """Receipt of the post whose thread it belongs in."""
    files: tuple[File, ...] = ()
    """Fetched attachments that came from another platform; the platform finds its own by their id."""
    card: Post | None = None
    """The card that it belongs under, or that it replaces, in its newest wording and its own place."""
    continued: tuple[tuple[int, Continuation], ...] = ()
    """(post, what it says) of the pieces behind the post that it rewrites, in order."""
    conversation: int | None = None
    """The conversation that it is about; None: none, as for a report."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A post that was said, and the message that it became."""

    item: OutboxItem
    ref: MessageRef
