"""Facts in Telegram's updates besides the domain's own, and the bot's identity for reading them."""

from dataclasses import dataclass

from bot.domain.messages import Edit, Message, Note, Person, Place, Press, Reaction


@dataclass(frozen=True, slots=True)
class Command:
    """`/name argument`, or a press on a button of a command's answer: ours to answer, not a request."""

    name: str
    argument: str
    person: Person
    place: Place
    message: int
    """The message to answer: the command; or our own message whose button was pressed, which is rewritten."""
    private: bool
    pressed: bool = False


@dataclass(frozen=True, slots=True)
class Migration:
    """A group has a new id."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Membership:
    """The bot's new status in a chat."""

    chat: str
    status: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply in a group that no setting names as a team's; only the record tells whose it is."""

    request: Message | None
    """The fact if it replies to nothing of a team's; None when it is not addressed to us then."""
    note: Note
    """The fact otherwise."""
    ours: bool
    """Whether it replies to a message of ours."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """Somebody addressed us in a place or a way in which we cannot help; a sentence tells them why."""

    key: str
    """The key of that sentence."""
    place: Place
    message: int
    language: str | None


Fact = Unheard | Answer | Message | Edit | Note | Reaction | Press | Command | Migration | Membership


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """The bot's identity in Telegram, and which rooms are the teams'."""

    id: int
    username: str
    rooms: frozenset[str] = frozenset()
    """The teams' groups and topics: what is said in them is between colleagues, never a request."""
    send_prefix: str = "reply:"
