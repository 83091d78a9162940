"""Rooms that refuse, people who cannot be reached, teams out of hours: nothing is lost and nothing loops."""

from dataclasses import replace
from pathlib import Path

from bot.domain.decisions import Reason
from bot.domain.errors import ChatMoved, Refused
from bot.domain.hours import hours
from bot.domain.messages import Place
from bot.domain.posts import Answer, FollowUp, Notice, What
from bot.domain.tasks import Task
from db.engine import Database
from tests.fakes import FakePlatform
from tests.samples import AGENT, CUSTOMER, TASK
from tests.worlds.story import Story

CLOSED = "is_archived: unarchive the channel, or change deliver_to"


async def brought(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()


def with_rooms(**rooms: Place) -> Task:
    """The company, with these rooms for its fallback team."""
    return replace(TASK, labels=(*TASK.labels[:3], replace(TASK.labels[3], deliver_to=rooms)))


# --- rooms ---


async def test_a_card_whose_room_is_closed_goes_to_the_fallback_team_which_learns_why(story: Story) -> None:
    story.platform.closed["billing"] = CLOSED
    await brought(story)
    assert (story.reads().label, story.reads().reason) == ("triage", Reason.UNDELIVERABLE)
    assert story.cards()[-1].post.place == Place("web", "triage")
    assert story.thread() == [Notice(What.MISDELIVERED, team="billing", problem=CLOSED)]
    assert story.heard() == [Answer("billing", "en")]
    assert await story.examples.waiting_corrections("routing") == 0


async def test_what_is_written_while_it_moves_is_read_there(story: Story) -> None:
    story.platform.closed["billing"] = CLOSED
    await brought(story)
    await story.writes("are you there?", "m2", thread="m1")
    await story.settles()
    assert story.thread()[-1] == FollowUp("Cleo", "are you there?")


async def test_a_room_that_closes_later_loses_no_word(story: Story) -> None:
    await brought(story)
    story.platform.closed["billing"] = CLOSED
    await story.writes("are you there?", "m2", thread="m1")
    await story.settles()
    assert story.reads().label == "triage"
    assert story.reads().history == (("Cleo", "are you there?"),)
    await story.writes("hello??? anybody", "m3", thread="m1")
    await story.settles()
    assert story.thread()[-1] == FollowUp("Cleo", "hello??? anybody")
    assert len(story.cards()) == 2


async def test_who_took_it_in_a_room_that_closed_has_not_taken_it_in_the_next(story: Story) -> None:
    await brought(story)
    await story.reacts("👀", by=AGENT)
    await story.settles()
    story.platform.closed["billing"] = CLOSED
    await story.writes("are you there?", "m2", thread="m1")
    await story.settles()
    story.later(minutes=31)
    await story.settles()
    assert story.thread()[-1] == Notice(What.UNTAKEN, team="triage", minutes=30)


async def test_a_room_that_closes_and_opens_again_sees_where_its_card_went(story: Story) -> None:
    await brought(story)
    story.platform.failures = [Refused("is_archived")]
    await story.writes("are you there?", "m2", thread="m1")
    await story.settles()
    assert (story.reads(0).moved_to, story.reads(0).moved_link) == ("triage", story.ref(story.cards()[1]))


async def test_the_fallbacks_rooms_are_tried_in_turn_and_then_it_stops(database: Database, tmp_path: Path) -> None:
    rooms = with_rooms(web=Place("web", "triage"), slack=Place("slack", "C0TRIAGE"))
    story = Story(database, tmp_path, rooms, [FakePlatform(), FakePlatform("slack")])
    story.chats[0].closed = {"billing": CLOSED, "triage": CLOSED}
    await brought(story)
    assert story.cards()[-1].post.place == Place("slack", "C0TRIAGE")
    story.chats[1].closed["C0TRIAGE"] = CLOSED
    await story.writes("my parcel too", "m9")
    story.chats[0].closed["delivery"] = CLOSED
    await story.settles()
    assert len(story.cards()) == 1
    story.later(minutes=600)
    await story.settles()
    assert len(story.cards()) == 1


async def test_a_lead_who_names_a_team_out_of_reach_moves_it_once_and_not_for_ever(story: Story) -> None:
    await brought(story)
    story.platform.closed["it"] = CLOSED
    await story.reacts("💻")
    await story.settles()
    assert story.reads().label == "triage"
    await story.reacts("👀", by=AGENT)
    await story.settles()
    assert (story.reads().label, story.reads().taken_by) == ("triage", "Ada")
    assert [o.post.place.chat for o in story.cards()] == ["billing", "triage"]


async def test_a_chat_that_got_another_id_gets_its_card_there(story: Story) -> None:
    story.platform.failures = [ChatMoved("upgraded", "billing, supergroup")] * 2
    await brought(story)
    places = {o.post.place.chat for o in story.said()}
    assert "billing, supergroup" in places


# --- people ---


async def test_a_person_who_cannot_be_reached_is_told_of_under_the_card(story: Story) -> None:
    story.platform.closed["customer"] = "the person blocked the bot"
    await brought(story)
    await story.settles()
    assert story.thread() == [Notice(What.UNREACHABLE, problem="the person blocked the bot")]
    assert story.heard() == []


# --- teams out of hours ---


async def test_nobody_took_it(story: Story) -> None:
    await brought(story)
    story.later(minutes=29)
    await story.settles()
    assert story.thread() == []
    story.later(minutes=2)
    await story.settles()
    await story.settles()
    assert story.thread() == [Notice(What.UNTAKEN, team="billing", minutes=30)]
    story.later(minutes=30)
    await story.settles()
    escalated = story.said()[-1].post
    assert escalated.place == Place("web", "triage")
    about = story.ref(story.cards()[0])
    assert escalated.content == Notice(What.UNTAKEN, team="billing", who="Cleo", minutes=60, about=about)
    story.later(minutes=600)
    await story.settles()
    assert story.said()[-1].post == escalated


async def test_what_is_taken_or_done_reminds_nobody(story: Story) -> None:
    await brought(story)
    await story.reacts("👀", by=AGENT)
    await story.settles()
    await story.writes("my parcel is late", "m2")
    await story.settles()
    await story.reacts("✅", by=AGENT)
    await story.settles()
    story.later(minutes=120)
    await story.settles()
    assert not any(isinstance(o.post.content, Notice) for o in story.said())


async def test_whoever_answers_has_taken_it_as_good_as(story: Story) -> None:
    await brought(story)
    await story.notes("reply: we are looking", "n1", AGENT)
    await story.settles()
    story.later(minutes=120)
    await story.settles()
    assert not any(isinstance(o.post.content, Notice) for o in story.said())


async def test_out_of_hours_the_person_hears_when_and_the_clock_does_not_ring(story: Story) -> None:
    office = hours("Mon-Fri 09:00-17:30", "UTC")
    task = replace(TASK, labels=(replace(TASK.labels[0], hours=office), *TASK.labels[1:]))
    story = Story(story.database, story.folder, task)
    story.time = story.time.replace(hour=18)
    await brought(story)
    [answer] = story.heard()
    assert isinstance(answer, Answer)
    assert answer.back is not None
    assert (answer.back.day, answer.back.hour) == (24, 9)
    story.later(minutes=14 * 60)
    await story.settles()
    assert story.thread() == []
    story.later(minutes=100)
    await story.settles()
    assert story.thread() == [Notice(What.UNTAKEN, team="billing", minutes=30)]
    assert story.heard(CUSTOMER) == [answer]
