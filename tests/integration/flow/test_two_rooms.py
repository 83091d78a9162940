"""One conversation, two rooms, on the same platform or on two: nothing is lost on the way, and no note leaks."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.messages import File, Media, MediaKind, Person, Place
from bot.domain.posts import SEND, Answer, Card, Content, FollowUp, Moved, Notice, Offer, Reply, Sent, What
from bot.domain.tasks import Label, Task
from db.engine import Database
from tests.fakes import FakePlatform
from tests.worlds.story import Story

EMOJI = {
    "billing": {"slack": "moneybag", "telegram": "🤝"},
    "delivery": {"slack": "package", "telegram": "🚚"},
    "it": {"slack": "computer", "telegram": "👾"},
    "triage": {"slack": "compass", "telegram": "🤔"},
}
ROOMS = {
    "billing": {"slack": Place("slack", "C0BILLING")},
    "delivery": {"telegram": Place("telegram", "-100", "7")},
    "it": {"slack": Place("slack", "C0IT"), "telegram": Place("telegram", "-200")},
    "triage": {"slack": Place("slack", "C0TRIAGE"), "telegram": Place("telegram", "-300")},
}
ACROSS = Task(
    "routing",
    "Which team?",
    tuple(Label(name, f"About {name}", (), EMOJI[name], ROOMS[name]) for name in ROOMS),
    "triage",
)
IN_TELEGRAM = Person("telegram", "4711", "Cleo", "es")
IN_SLACK = Person("slack", "U0EVA", "Eva", "en")
WORDS = {"billing": "I was charged twice", "delivery": "my parcel is late"}
DIRECTIONS = [
    pytest.param(IN_TELEGRAM, "billing", id="T→S"),
    pytest.param(IN_SLACK, "delivery", id="S→T"),
    pytest.param(IN_SLACK, "billing", id="S→S"),
    pytest.param(IN_TELEGRAM, "delivery", id="T→T"),
]


def photo(platform: str, id: str = "photo-1") -> Media:
    return Media(platform, id, MediaKind.PHOTO, "receipt.jpg")


@pytest.fixture
def across(database: Database, tmp_path: Path) -> Story:
    chats = [FakePlatform("slack", whispers=True), FakePlatform("telegram", whispers=False)]
    for chat in chats:
        chat.files = {"photo-1": b"jpeg one", "photo-2": b"jpeg two"}
    return Story(database, tmp_path, ACROSS, chats)


def thread_of(person: Person) -> str | None:
    """Slack has threads, Telegram's private chats have none."""
    return "" if person.platform == "slack" else None


async def brought(across: Story, person: Person, team: str) -> Person:
    """That team has the person's request; returns a member of the team."""
    await across.writes(WORDS[team], "1", person, (photo(person.platform),), thread=thread_of(person))
    await across.settles()
    return Person(across.cards()[0].post.place.platform, "agent", "Ada")


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
async def test_a_request_with_its_photo_reaches_the_team_where_it_works(
    across: Story, person: Person, team: str
) -> None:
    await brought(across, person, team)
    assert across.heard(person) == [Answer(team, person.language)]
    [posted] = across.cards()
    assert posted.post.place == next(iter(ROOMS[team].values()))
    assert across.reads().media == (photo(person.platform),)
    foreign = person.platform != posted.post.place.platform
    assert posted.files == ((File(photo(person.platform), b"jpeg one"),) if foreign else ())


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
async def test_what_the_person_writes_next_lands_under_the_card(across: Story, person: Person, team: str) -> None:
    await brought(across, person, team)
    next_photo = photo(person.platform, "photo-2")
    thread = "1" if person.platform == "slack" else None
    await across.writes("it was yesterday", "2", person, (next_photo,), thread=thread)
    await across.settles()
    [follow_up] = across.thread()
    assert follow_up == FollowUp(person.name, "it was yesterday", (next_photo,))
    item = across.newest(FollowUp)
    assert item.under == across.ref(across.cards()[0])
    assert len(item.files) == (person.platform != item.post.place.platform)


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
@pytest.mark.parametrize("text", ["she sounds angry", "do not reply: wait", "no reply:", "👀"])
async def test_what_the_team_writes_stays_inside(across: Story, person: Person, team: str, text: str) -> None:
    agent = await brought(across, person, team)
    before = across.heard(person)
    await across.notes(text, "n1", agent)
    await across.settles()
    assert across.heard(person) == before
    offer = across.newest(Offer)
    whispers = offer.post.place.platform == "slack"
    assert offer.post.only_for == (agent if whispers else None)
    assert offer.post.answers is not None


async def sent_by_prefix(across: Story, agent: Person) -> None:
    await across.notes("Reply: It is on its way.", "n1", agent)


async def sent_by_form(across: Story, agent: Person) -> None:
    await across.notes("It is on its way.", "n1", agent, send=True)


async def sent_by_emoji(across: Story, agent: Person) -> None:
    ref = await across.notes("It is on its way.", "n1", agent)
    await across.settles()
    await across.reacts_on(ref, {"slack": "outbox_tray", "telegram": "🕊"}[agent.platform], agent)


async def sent_by_button(across: Story, agent: Person) -> None:
    await across.notes("It is on its way.", "n1", agent)
    await across.settles()
    await across.presses(SEND, agent, Offer)


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
@pytest.mark.parametrize("send", [sent_by_prefix, sent_by_form, sent_by_emoji, sent_by_button])
async def test_what_somebody_sends_reaches_the_person_as_the_team_and_is_ticked_off(
    across: Story, person: Person, team: str, send: Callable[[Story, Person], Awaitable[None]]
) -> None:
    agent = await brought(across, person, team)
    await send(across, agent)
    await across.settles()
    reply = Reply(team, "It is on its way.", person.language, "Ada", to=person.name)
    assert across.heard(person)[-1] == reply
    assert across.thread()[-1] == Sent("It is on its way.", "Ada", person.name)
    await across.settles()
    assert across.heard(person).count(reply) == 1


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
async def test_nothing_is_sent_twice_however_often_somebody_asks(across: Story, person: Person, team: str) -> None:
    agent = await brought(across, person, team)
    await sent_by_button(across, agent)
    await across.presses(SEND, agent, Offer)
    await across.settles()
    note = across.newest(Offer).post.answers
    assert note is not None
    await across.reacts_on(note, {"slack": "outbox_tray", "telegram": "🕊"}[agent.platform], agent)
    await across.settles()
    assert sum(isinstance(content, Reply) for content in across.heard(person)) == 1


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
async def test_the_button_goes_when_the_note_was_sent_by_emoji(across: Story, person: Person, team: str) -> None:
    agent = await brought(across, person, team)
    await sent_by_emoji(across, agent)
    await across.settles()
    offer = across.newest(Offer)
    [closed] = [o.post.content for o in across.said() if o.post.edits == offer.id]
    assert isinstance(closed, Offer)
    assert closed.sent


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
async def test_photos_go_both_ways(across: Story, person: Person, team: str) -> None:
    agent = await brought(across, person, team)
    shown = photo(agent.platform, "photo-2")
    await across.notes("reply: see here", "n1", agent, media=(shown,))
    await across.settles()
    item = across.newest(Reply)
    assert item.post.content == Reply(team, "see here", person.language, "Ada", (shown,), to=person.name)
    assert item.files == ((File(shown, b"jpeg two"),) if person.platform != agent.platform else ())
    assert across.thread()[-1] == Sent("see here", "Ada", person.name, media=1)


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
async def test_a_note_that_was_sent_and_edited_is_edited_with_the_person(
    across: Story, person: Person, team: str
) -> None:
    agent = await brought(across, person, team)
    ref = await across.notes("reply: on it's way", "n1", agent)
    await across.settles()
    await across.edits(ref, "reply: on its way")
    await across.settles()
    newest = across.heard(person)[-1]
    assert newest == Reply(team, "on its way", person.language, "Ada", edited=True, to=person.name)


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
async def test_strangers_in_the_room_send_nothing(across: Story, person: Person, team: str) -> None:
    agent = await brought(across, person, team)
    stranger = replace(agent, id="stranger", name="Sam")
    before = across.heard(person)
    await across.notes("reply: hello", "n1", stranger)
    await across.settles()
    ref = await across.notes("hm", "n2", agent)
    await across.settles()
    await across.presses(SEND, stranger, Offer)
    await across.reacts_on(ref, {"slack": "outbox_tray", "telegram": "🕊"}[agent.platform], stranger)
    await across.settles()
    assert across.heard(person) == before


@pytest.mark.parametrize(("person", "team"), DIRECTIONS)
async def test_a_person_who_blocked_the_bot_is_told_of_under_the_card(across: Story, person: Person, team: str) -> None:
    agent = await brought(across, person, team)
    home = next(chat for chat in across.chats if chat.name == person.platform)
    home.closed[person.id] = "the person blocked the bot"
    await across.notes("reply: on its way", "n1", agent)
    await across.settles()
    sent = Sent("on its way", "Ada", person.name, problem="the person blocked the bot")
    assert across.thread()[-1] == sent


# --- to another team, perhaps on the other platform ---


async def test_a_move_brings_the_new_team_the_history_and_tells_the_person_once(across: Story) -> None:
    agent = await brought(across, IN_TELEGRAM, "billing")
    await across.writes("it was yesterday", "2", IN_TELEGRAM, thread=None)
    await across.notes("not ours", "n1", agent)
    await across.notes("Reply: one moment", "n2", agent)
    await across.settles()
    await across.reacts("package", by=Person("slack", "lead", "Lee"))
    await across.settles()
    old, new = across.cards()
    assert new.post.place == Place("telegram", "-100", "7")
    assert across.reads().history == (
        ("Cleo", "it was yesterday"),
        ("Ada", "not ours"),
        ("Ada", "one moment"),
    )
    assert [c for c in across.heard(IN_TELEGRAM) if isinstance(c, Moved)] == [Moved("delivery", "es")]
    assert across.thread(0)[-1] == Notice(What.LEFT, team="delivery")
    struck = across.reads(0)
    assert (struck.moved_to, struck.moved_link) == ("delivery", across.ref(new))
    assert old.id == across.reads().replaces


async def test_after_a_move_both_sides_talk_through_the_new_card(across: Story) -> None:
    agent = await brought(across, IN_TELEGRAM, "billing")
    await across.reacts("package", by=Person("slack", "lead", "Lee"))
    await across.settles()
    await across.writes("are you there?", "2", IN_TELEGRAM, thread=None)
    await across.settles()
    assert across.thread() == [FollowUp("Cleo", "are you there?")]
    there = Person("telegram", "agent", "Tom")
    await across.notes("reply: yes", "n1", there)
    await across.settles()
    assert across.heard(IN_TELEGRAM)[-1] == Reply("delivery", "yes", "es", "Tom", to="Cleo")
    before = across.heard(IN_TELEGRAM)
    await across.notes("reply: we sent it already", "n2", agent, card=0)
    await across.settles()
    assert across.heard(IN_TELEGRAM) == before
    told = across.newest(Notice).post
    assert (told.content, told.under) == (Notice(What.LEFT, team="delivery"), across.cards()[0].id)


async def test_a_note_from_before_the_move_is_not_sent_by_its_button(across: Story) -> None:
    agent = await brought(across, IN_SLACK, "delivery")
    await across.notes("ask her", "n1", agent)
    await across.settles()
    offered = across.newest(Offer)
    await across.reacts("🤝", by=Person("telegram", "lead", "Lee"))
    await across.settles()
    before = across.heard(IN_SLACK)
    await across.presses(SEND, by=agent, on=Offer)
    await across.settles()
    assert across.heard(IN_SLACK) == before
    told = across.newest(Notice).post
    assert (told.content, told.under) == (Notice(What.LEFT, team="billing"), offered.post.under)


async def test_the_lead_of_another_platform_takes_the_word_back_there(across: Story) -> None:
    await brought(across, IN_TELEGRAM, "billing")
    await across.reacts("package", by=Person("slack", "lead", "Lee"))
    await across.settles()
    await across.reacts("package", added=False, by=Person("slack", "lead", "Lee"), card=0)
    await across.settles()
    assert [c.post.place.platform for c in across.cards()] == ["slack", "telegram", "slack"]
    assert across.reads().label == "billing"


async def test_leads_of_both_platforms_may_disagree(across: Story) -> None:
    await brought(across, IN_TELEGRAM, "billing")
    await across.reacts("package", by=Person("slack", "lead", "Lee"))
    await across.settles()
    await across.reacts("👾", by=Person("telegram", "lead", "Lu"))
    await across.settles()
    assert across.reads().label == "it"
    assert across.reads().disputed
    assert Notice(What.DISPUTED, team="it") in across.thread()


async def test_a_group_that_became_another_is_reached_there(across: Story) -> None:
    await across.inbox.chat_moved("telegram", "-100", "-100900")
    await brought(across, IN_TELEGRAM, "delivery")
    assert across.cards()[0].post.place.chat == "-100900"


def contents(of: list[Content]) -> list[str]:
    return [type(content).__name__ for content in of]


async def test_in_order_and_once(across: Story) -> None:
    agent = await brought(across, IN_SLACK, "billing")
    for n in range(5):
        await across.writes(f"and number {n}", f"{n + 2}", IN_SLACK, thread="1")
        await across.notes(f"reply: answer {n}", f"n{n}", agent)
        await across.settles()
    assert contents(across.heard(IN_SLACK)) == ["Answer", *["Reply"] * 5]
    assert contents(across.thread()) == ["FollowUp", "Sent"] * 5
    assert isinstance(across.cards()[0].post.content, Card)
