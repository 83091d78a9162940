"""What is told of an update besides the domain's own facts, and who we are in Telegram while we read it."""

from dataclasses import dataclass

from bot.domain.messages import Edit, Message, Note, Person, Place, Press, Reaction


@dataclass(frozen=True, slots=True)
class Command:
    """`/name argument`, or a press on a button of an answer to one: those are ours to answer, not a request."""

    name: str
    argument: str
    person: Person
    place: Place
    message: int
    """What is answered: the command; or our own message whose button was pressed, which is rewritten."""
    private: bool
    pressed: bool = False


@dataclass(frozen=True, slots=True)
class Migration:
    """A group has another id from now on."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Membership:
    """What we are in a chat from now on."""

    chat: str
    status: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply in a group that no setting calls a team's: only who keeps the record can say whose it is."""

    request: Message | None
    """What it is where what it replies to is nothing of a team's; None: it is not for us then."""
    note: Note
    """What it is otherwise."""
    ours: bool
    """It replies to something of ours."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """Somebody spoke to us whom we cannot help where or as they did: they are told why, in a sentence."""

    key: str
    """The sentence."""
    place: Place
    message: int
    language: str | None


Fact = Unheard | Answer | Message | Edit | Note | Reaction | Press | Command | Migration | Membership


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who we are in Telegram, and which rooms are the teams'."""

    id: int
    username: str
    rooms: frozenset[str] = frozenset()
    """The teams' groups and topics: what is said there is between colleagues, never a request."""
    send_prefix: str = "reply:"
