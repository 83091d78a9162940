"""Closed requests of teams that were merged or retired go to an existing team when they are opened again."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select

from bot.domain import compose
from bot.domain.conversations import CardState, PendingReactions, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import Press
from bot.domain.posts import NO, Card, FollowUp, Moved, Notice, Post, Question, Solved, WrongTeam
from bot.domain.tasks import Task
from bot.domain.team_changes import Kind, TeamChange
from db.tables import ConversationRow, ExampleRow
from db.team_changes import PostgresTeamChanges
from tests.samples import AGENT, CUSTOMER, LEAD, NOW, TASK
from tests.worlds.story import Story

LEFT = replace(TASK, labels=tuple(one for one in TASK.labels if one.name != "delivery"))
"""The task without the team that ends."""
MERGED = TeamChange(Kind.MERGE, "delivery", "it", "ann")
RETIRED = TeamChange(Kind.RETIRE, "delivery", "triage", "ann")


async def solved(story: Story, text: str = "where is my parcel") -> None:
    """A request of the delivery team that is done; its person is asked whether it is solved."""
    await story.writes(text, "m1")
    await story.settles()
    assert story.reads().label == "delivery"
    await story.reacts("✅", by=AGENT)
    await story.settles()
    assert await label_of(story) == ("delivery", State.CLOSED)


async def label_of(story: Story, thread: str | None = None) -> tuple[str | None, str]:
    """The label and the state of the only conversation, or of the one in that thread."""
    wanted = select(ConversationRow)
    wanted = wanted if thread is None else wanted.where(ConversationRow.thread == thread)
    async with story.database.transaction() as session:
        row = (await session.scalars(wanted)).one()
    return row.label, row.state


def moves(task: Task, pending: PendingReactions, decision: Decision) -> list[Post]:
    return compose.judged(task, pending, decision, CardState(), NOW)


async def ends(story: Story, change: TeamChange) -> Story:
    """End the team with that change, and start the bot again with settings that no longer contain it."""
    story.later(60)
    changes = PostgresTeamChanges(story.database)
    await changes.change(LEFT, change, partial(moves, LEFT), story.now(), dry_run=False)
    later = Story(story.database, story.folder, LEFT, story.chats, predictor=story.predictor)
    later.time = story.time
    return later


def in_its_old_room(story: Story, before: int) -> list[type[object]]:
    """What was posted or rewritten in the former team's room since then, in order."""
    return [type(item.post.content) for item in story.said()[before:] if item.post.place.chat == "delivery"]


@pytest.mark.parametrize("change", [MERGED, RETIRED], ids=lambda one: str(one.kind))
async def test_not_solved_comes_to_another_team_and_not_to_the_old_room(story: Story, change: TeamChange) -> None:
    await solved(story)
    later = await ends(story, change)
    before = len(later.said())
    await later.presses(NO, on=Solved)
    await later.settles()
    heir = change.after
    assert await label_of(later) == (heir, State.ROUTED)
    card = later.reads()
    assert (card.label, later.cards()[-1].post.place.chat) == (heir, heir)
    assert (card.by, card.reason, card.excerpt) == (Author.FALLBACK, Reason.RETIRED, "where is my parcel")
    assert later.reads(0).moved_to == heir
    assert in_its_old_room(later, before) in ([Card], [Card, Card]), (
        "its card is struck, and nothing else is said there"
    )
    assert later.heard()[-1] == Moved(heir, "en")


async def test_a_retired_teams_request_is_decided_anew_by_the_voices_where_they_are_sure(story: Story) -> None:
    await solved(story, "where is my parcel of vouchers")
    story.predictor.rules[None] = lambda text: "billing" if "vouchers" in text else None
    later = await ends(story, RETIRED)
    await later.presses(NO, on=Solved)
    await later.settles()
    assert await label_of(later) == ("billing", State.ROUTED)
    assert (later.reads().label, later.reads().by) == ("billing", Author.MODEL)
    assert later.reads(0).moved_to == "billing"


@pytest.mark.parametrize("change", [MERGED, RETIRED], ids=lambda one: str(one.kind))
async def test_what_the_person_writes_next_comes_under_the_other_teams_card(story: Story, change: TeamChange) -> None:
    await solved(story)
    later = await ends(story, change)
    before = len(later.said())
    await later.writes("it is still not here", "m2", thread="m1")
    await later.settles()
    assert await label_of(later) == (change.after, State.ROUTED)
    assert FollowUp("Cleo", "it is still not here") in later.thread()
    assert later.cards()[-1].post.place.chat == change.after
    assert FollowUp not in in_its_old_room(later, before)
    assert Notice not in in_its_old_room(later, before)
    solved_now = [o.post.content for o in later.said() if isinstance(o.post.content, Solved)][-1]
    assert solved_now.answer == NO, "the question whether it is solved is answered by that"


@pytest.mark.parametrize("change", [MERGED, RETIRED], ids=lambda one: str(one.kind))
async def test_a_thank_you_opens_nothing_and_is_not_said_in_the_old_room(story: Story, change: TeamChange) -> None:
    await solved(story)
    later = await ends(story, change)
    before = len(later.said())
    await later.writes("thanks 👍", "m2", thread="m1")
    await later.settles()
    assert await label_of(later) == ("delivery", State.CLOSED)
    assert in_its_old_room(later, before) == []
    await later.writes("it is still not here", "m3", thread="m1")
    await later.settles()
    assert await label_of(later) == (change.after, State.ROUTED)
    assert ("Cleo", "thanks 👍") in later.reads().history, "the next team reads it, too"


@pytest.mark.parametrize("change", [MERGED, RETIRED], ids=lambda one: str(one.kind))
async def test_an_emoji_on_the_old_card_takes_it_to_another_team_or_leaves_it_closed(
    story: Story, change: TeamChange
) -> None:
    await solved(story)
    later = await ends(story, change)
    await later.reacts("👀", by=AGENT, card=0)
    await later.settles()
    assert await label_of(later) == ("delivery", State.CLOSED), "done stands, and nobody moved it"
    await later.reacts("✅", by=AGENT, added=False, card=0)
    await later.settles()
    assert await label_of(later) == (change.after, State.ROUTED)
    assert len(later.cards()) == 2


async def test_a_request_that_a_lead_had_moved_there_does_not_go_back_for_an_emoji_that_names_no_team(
    story: Story,
) -> None:
    await story.writes("I was charged for a parcel", "m1")
    await story.settles()
    await story.reacts("📦")
    await story.settles()
    await story.reacts("✅", by=AGENT)
    await story.settles()
    later = await ends(story, MERGED)
    await later.reacts("👀", by=AGENT)
    await later.settles()
    assert await label_of(later) == ("delivery", State.CLOSED)
    await later.presses(NO, on=Solved)
    await later.settles()
    assert await label_of(later) == ("it", State.ROUTED)


async def test_a_lead_moves_a_closed_request_of_an_ended_team_to_any_team(story: Story) -> None:
    await solved(story)
    later = await ends(story, RETIRED)
    await later.reacts("💰", by=LEAD, card=0)
    await later.settles()
    assert await label_of(later) == ("billing", State.ROUTED)
    assert (later.reads().label, later.reads().by) == ("billing", Author.LEAD)


async def test_a_request_opened_again_before_the_bot_was_started_with_the_new_settings_goes_on_too(
    story: Story,
) -> None:
    await solved(story)
    story.later(60)
    changes = PostgresTeamChanges(story.database)
    await changes.change(LEFT, RETIRED, partial(moves, LEFT), story.now(), dry_run=False)
    await story.presses(NO, on=Solved)
    await story.settles()
    assert await label_of(story) == ("triage", State.ROUTED)


async def test_a_team_that_got_the_name_anew_keeps_its_own_requests(story: Story) -> None:
    await story.writes("no parcel", "m0")
    await story.settles()
    later = await ends(story, RETIRED)
    assert await label_of(later) == ("triage", State.ROUTED)
    again = Story(later.database, later.folder, TASK, later.chats, predictor=later.predictor)
    again.time = later.time
    again.later(60)
    await again.writes("where is my parcel", "m1")
    await again.settles()
    await again.reacts("✅", by=AGENT)
    await again.settles()
    await again.presses(NO, on=Solved)
    await again.settles()
    assert await label_of(again, "m1") == ("delivery", State.ROUTED)
    assert again.cards()[-1].post.place.chat == "delivery"


@pytest.mark.parametrize("change", [MERGED, RETIRED], ids=lambda one: str(one.kind))
async def test_a_persons_tap_on_a_team_that_ended_meanwhile_finds_who_has_its_requests(
    story: Story, change: TeamChange
) -> None:
    await story.writes("it is broken", "m1")
    await story.settles()
    question = story.newest(Question).post.content
    assert isinstance(question, Question)
    later = await ends(story, change)
    await later.presses(str(question.candidates.index("delivery")))
    await later.settles()
    assert await label_of(later) == (change.after, State.ROUTED)
    async with later.database.transaction() as session:
        taught = (await session.execute(select(ExampleRow.label, ExampleRow.source))).all()
    if change is MERGED:
        assert later.reads().by == Author.PERSON
        assert taught == [("it", "tap")], "the team that it belongs to has that name now"
    else:
        assert (later.reads().by, later.reads().reason) == (Author.FALLBACK, Reason.RETIRED)
        assert taught == [], "what was meant was another team"
    closed = later.heard()[1]
    assert isinstance(closed, Question)
    assert closed.answered == change.after


async def test_a_tap_names_the_team_that_had_the_name_when_the_question_was_put(story: Story) -> None:
    await story.writes("it is broken", "m1")
    await story.settles()
    old = story.newest(Question)
    later = await ends(story, MERGED)
    again = Story(later.database, later.folder, TASK, later.chats, predictor=later.predictor)
    again.time = later.time
    again.later(60)
    await again.writes("it is broken too", "m2")
    await again.settles()
    new = again.newest(Question)
    for question in (old, new):
        asked = question.post.content
        assert isinstance(asked, Question)
        named = str(asked.candidates.index("delivery"))
        await again.inbox.press(Press(again.ref(question), CUSTOMER, named, again.time))
        await again.settles()
    assert await label_of(again, "m1") == ("it", State.ROUTED)
    assert await label_of(again, "m2") == ("delivery", State.ROUTED), "another team has the name by now"


@pytest.mark.parametrize("change", [MERGED, RETIRED], ids=lambda one: str(one.kind))
async def test_a_leads_button_for_a_team_that_was_merged_meanwhile_names_the_other(
    story: Story, change: TeamChange
) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("👎")
    await story.settles()
    asked = story.newest(WrongTeam).post.content
    assert isinstance(asked, WrongTeam)
    later = await ends(story, change)
    await later.presses(str(asked.choices.index("delivery")), by=LEAD, on=WrongTeam)
    await later.settles()
    assert (await label_of(later))[0] == ("it" if change is MERGED else "billing"), "a retired team is none any more"
