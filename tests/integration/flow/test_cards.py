"""What emoji and buttons on a card do: take, close, correct, offer; and that a stranger's do nothing."""

from dataclasses import replace

import pytest

from bot.domain.conversations import State
from bot.domain.decisions import Author, Reason
from bot.domain.learning import Source
from bot.domain.messages import MessageRef, Person, Place, Reaction, choice
from bot.domain.posts import NO, YES, Answer, Card, FollowUp, Moved, Notice, Question, Solved, What, WrongTeam
from tests.samples import AGENT, CUSTOMER, LEAD, STRANGER, TASK
from tests.worlds.story import Story

OTHER_LEAD = Person("web", "lead2", "Lou")


async def brought(story: Story) -> None:
    """Bring the customer's request to billing."""
    await story.writes("I was charged twice", "m1")
    await story.settles()


async def state(story: Story) -> State:
    """The conversation's state as the next look at it finds it."""
    await story.writes("and", "probe", thread="m1")
    [said] = await story.ledger.claim_follow_ups(story.time, 10)
    return said.conversation.state


async def sources(story: Story) -> list[tuple[str, Source]]:
    return [(e.label, e.source) for e in await story.examples.examples("routing")]


# --- taken and done ---


async def test_eyes_take_it_and_say_so_on_the_card(story: Story) -> None:
    await brought(story)
    await story.reacts("👀", by=AGENT)
    await story.settles()
    assert story.reads().taken_by == "Ada"
    await story.reacts("👀", by=AGENT, added=False)
    await story.settles()
    assert story.reads().taken_by == ""
    assert story.heard() == [Answer("billing", "en")]


async def test_done_closes_it_and_asks_the_person(story: Story) -> None:
    await brought(story)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    await story.settles()
    assert story.reads().done
    assert story.heard()[1:] == [Solved("billing", "en")]
    assert await state(story) is State.CLOSED


async def test_the_person_agrees_that_it_is_solved(story: Story) -> None:
    await brought(story)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    await story.presses(YES, on=Solved)
    await story.presses(NO, on=Solved)
    await story.settles()
    await story.settles()
    assert story.heard()[-1] == Solved("billing", "en", answer=YES)
    assert story.thread() == [Notice(What.SOLVED, who="Cleo")]
    assert await state(story) is State.CLOSED


async def test_the_person_says_that_it_is_not_solved(story: Story) -> None:
    await brought(story)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    await story.presses(NO, on=Solved)
    await story.settles()
    assert story.thread() == [Notice(What.UNSOLVED, who="Cleo")]
    assert not story.reads().done
    await story.reacts("👀", by=AGENT)
    await story.settles()
    assert not story.reads().done
    assert await state(story) is State.ROUTED


async def test_done_once_more_after_it_was_opened_again(story: Story) -> None:
    await brought(story)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    await story.presses(NO, on=Solved)
    await story.settles()
    await story.reacts("✅", by=AGENT, added=False)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    assert story.reads().done
    assert [c.answer for c in story.heard() if isinstance(c, Solved)] == [None, NO, None]


async def test_new_words_open_it_again(story: Story) -> None:
    await brought(story)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    story.later(minutes=60)
    await story.writes("it happened again", "m2", thread="m1")
    await story.settles()
    assert story.thread() == [FollowUp("Cleo", "it happened again"), Notice(What.REOPENED, who="Cleo")]
    assert not story.reads().done
    assert story.heard()[-1] == Solved("billing", "en", answer=NO)
    assert len(story.cards()) == 1


async def test_a_thank_you_leaves_it_closed(story: Story) -> None:
    await brought(story)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    await story.writes("thank you!", "m2", thread="m1")
    await story.settles()
    assert story.thread() == [FollowUp("Cleo", "thank you!")]
    assert story.reads().done
    assert await state(story) is State.CLOSED


async def test_taking_done_back_opens_it_and_takes_the_question_back(story: Story) -> None:
    await brought(story)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    await story.reacts("✅", by=AGENT, added=False)
    await story.settles()
    assert not story.reads().done
    assert story.heard()[-1] == Solved("billing", "en", answer="")
    await story.presses(YES, on=Solved)
    await story.settles()
    assert await state(story) is State.ROUTED


async def test_what_is_no_longer_done_reminds_nobody_at_once(story: Story) -> None:
    await brought(story)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    story.later(minutes=120)
    await story.reacts("✅", by=AGENT, added=False)
    await story.settles()
    assert story.thread() == []
    story.later(minutes=31)
    await story.settles()
    assert story.thread() == [Notice(What.UNTAKEN, team="billing", minutes=30)]


@pytest.mark.parametrize("emoji", ["👀", "✅", "💻", "👎"])
async def test_a_strangers_emoji_changes_nothing_and_is_explained_once_at_most(story: Story, emoji: str) -> None:
    await brought(story)
    await story.reacts(emoji, by=STRANGER)
    await story.settles()
    await story.reacts(emoji, by=STRANGER, added=False)
    await story.settles()
    assert len(story.cards()) == 1
    assert story.reads() == story.cards()[0].post.content
    assert story.heard() == [Answer("billing", "en")]
    assert await sources(story) == []
    whispers = [o for o in story.said() if isinstance(o.post.content, Notice)]
    assert [o.post.only_for for o in whispers] == ([STRANGER] if emoji in "💻👎" else [])


# --- the wrong team ---


async def test_wrong_brings_buttons_and_a_press_moves_it(story: Story) -> None:
    await brought(story)
    await story.reacts("👎")
    await story.settles()
    asked = story.newest(WrongTeam).post
    assert isinstance(asked.content, WrongTeam)
    assert asked.under == story.cards()[0].id
    await story.presses(str(asked.content.choices.index("it")), by=LEAD, on=WrongTeam)
    await story.settles()
    assert story.reads().label == "it"
    assert story.heard()[-1] == Moved("it", "en")
    closed = [o.post.content for o in story.said() if isinstance(o.post.content, WrongTeam)][-1]
    assert closed == replace(asked.content, chosen="it")
    assert await sources(story) == [("it", Source.CORRECTION)]


async def test_taking_wrong_back_withdraws_what_was_pressed(story: Story) -> None:
    await brought(story)
    await story.reacts("👎")
    await story.settles()
    await story.presses("0", by=LEAD, on=WrongTeam)
    await story.settles()
    assert story.reads().label != "billing"
    await story.reacts("👎", added=False, card=0)
    await story.settles()
    assert (story.reads().label, story.reads().reason) == ("billing", Reason.WITHDRAWN)
    assert await sources(story) == []


async def test_taking_wrong_back_before_anything_was_pressed_takes_the_buttons_away(story: Story) -> None:
    await brought(story)
    await story.reacts("👎")
    await story.settles()
    await story.reacts("👎", added=False)
    await story.settles()
    await story.presses("0", by=LEAD, on=WrongTeam)
    await story.settles()
    assert len(story.cards()) == 1
    closed = [o.post.content for o in story.said() if isinstance(o.post.content, WrongTeam)][-1]
    assert isinstance(closed, WrongTeam)
    assert closed.chosen == "billing"


@pytest.mark.parametrize("by", [AGENT, STRANGER, CUSTOMER])
async def test_only_leads_press_what_leads_are_asked(story: Story, by: Person) -> None:
    await brought(story)
    await story.reacts("👎")
    await story.settles()
    await story.presses("0", by=by, on=WrongTeam)
    await story.settles()
    assert len(story.cards()) == 1


async def test_wrong_twice_over_is_asked_about_in_the_new_room(story: Story) -> None:
    await brought(story)
    await story.reacts("👎")
    await story.settles()
    await story.presses("0", by=LEAD, on=WrongTeam)
    await story.settles()
    second = story.reads().label
    await story.reacts("👎")
    await story.settles()
    asked = story.newest(WrongTeam).post
    assert asked.place == Place("web", second)
    assert isinstance(asked.content, WrongTeam)
    await story.presses(str(asked.content.choices.index("billing")), by=LEAD, on=WrongTeam)
    await story.settles()
    assert story.reads().label == "billing"
    assert await sources(story) == [("billing", Source.CONFIRMATION)]


async def test_a_switch_of_emoji_is_one_move(story: Story) -> None:
    await brought(story)
    await story.reacts("💻")
    await story.reacts("💻", added=False)
    await story.reacts("📦")
    await story.settles()
    assert [o.post.place.chat for o in story.cards()] == ["billing", "delivery"]
    assert sum(isinstance(c, Moved) for c in story.heard()) == 1


async def test_an_older_removal_that_arrives_late_changes_nothing(story: Story) -> None:
    await brought(story)
    at = story.time
    await story.reacts("💻")
    await story.settles()
    card = story.ref(story.cards()[0])
    await story.inbox.reaction(Reaction(card, LEAD, "💻", False, at))
    await story.settles()
    assert story.reads().label == "it"


async def test_two_leads_at_once_make_one_move_one_notice_and_teach_nothing(story: Story) -> None:
    story.platform.leads = frozenset({"lead", "lead2"})
    await brought(story)
    await story.reacts("💻")
    await story.reacts("📦", by=OTHER_LEAD)
    await story.settles()
    await story.settles()
    assert [o.post.place.chat for o in story.cards()] == ["billing", "delivery"]
    assert story.reads().disputed
    assert story.thread() == [Notice(What.DISPUTED, team="delivery")]
    assert await sources(story) == []


async def test_leads_who_agree_in_the_end_teach(story: Story) -> None:
    story.platform.leads = frozenset({"lead", "lead2"})
    await brought(story)
    await story.reacts("💻")
    await story.reacts("📦", by=OTHER_LEAD)
    await story.settles()
    await story.reacts("📦", by=OTHER_LEAD, added=False, card=0)
    await story.settles()
    assert story.reads().label == "it"
    assert not story.reads().disputed
    assert await sources(story) == [("it", Source.CORRECTION)]


async def test_back_to_what_the_model_had_chosen_is_a_confirmation(story: Story) -> None:
    await brought(story)
    await story.reacts("💻")
    await story.settles()
    await story.reacts("💰")
    await story.settles()
    assert story.reads().label == "billing"
    assert await sources(story) == [("billing", Source.CONFIRMATION)]


async def test_a_leads_command_decides_what_the_person_is_still_asked(story: Story) -> None:
    await story.writes("it is broken", "m1")
    await story.settles()
    story.later(1)
    word = Reaction(MessageRef("web", "customer", "m1"), LEAD, choice("it"), True, story.time)
    await story.inbox.reaction(word)
    await story.settles()
    assert (story.reads().label, story.reads().by) == ("it", Author.LEAD)
    assert story.heard()[1:] == [Question((), "en", answered="it"), Answer("it", "en")]
    await story.presses("0")
    await story.settles()
    assert len(story.cards()) == 1


async def test_a_leads_command_moves_it(story: Story) -> None:
    await brought(story)
    word = Reaction(MessageRef("web", "customer", "m1"), LEAD, choice("it"), True, story.time)
    await story.inbox.reaction(word)
    await story.settles()
    assert story.reads().label == "it"
    await story.inbox.reaction(replace(word, added=False, at=story.time))
    await story.settles()
    assert story.reads().label == "billing"


async def test_a_strangers_command_moves_nothing(story: Story) -> None:
    await brought(story)
    await story.inbox.reaction(Reaction(MessageRef("web", "customer", "m1"), STRANGER, choice("it"), True, story.time))
    await story.settles()
    assert len(story.cards()) == 1


async def test_a_lead_of_one_team_corrects_that_team_alone(story: Story) -> None:
    billing = replace(TASK.labels[0], leads={"web": frozenset({"agent"})})
    story = Story(story.database, story.folder, replace(TASK, labels=(billing, *TASK.labels[1:])))
    await brought(story)
    await story.reacts("💻", by=AGENT)
    await story.settles()
    assert story.reads().label == "it"
    await story.reacts("📦", by=AGENT)
    await story.settles()
    assert story.reads().label == "it"


async def test_the_old_card_links_to_the_new_one(story: Story) -> None:
    await brought(story)
    await story.reacts("💻")
    await story.settles()
    old = story.reads(0)
    assert (old.moved_to, old.moved_link) == ("it", story.ref(story.cards()[-1]))


async def test_a_moved_card_is_nobodys_until_somebody_takes_it(story: Story) -> None:
    await brought(story)
    await story.reacts("👀", by=AGENT)
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    assert story.reads().taken_by == ""
    assert story.thread(0)[-1] == Notice(What.LEFT, team="it")
    story.later(minutes=31)
    await story.settles()
    assert story.thread() == [Notice(What.UNTAKEN, team="it", minutes=30)]
    await story.reacts("👀", by=AGENT)
    await story.settles()
    assert story.reads().taken_by == "Ada"
    assert isinstance(story.cards()[-1].post.content, Card)


async def test_a_done_card_that_moves_is_open_in_its_new_room(story: Story) -> None:
    await brought(story)
    await story.reacts("✅", by=AGENT)
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    assert not story.reads().done
    assert await state(story) is State.ROUTED


async def test_a_remembered_correction_is_shown_on_the_card_that_leans_on_it(story: Story) -> None:
    await brought(story)
    await story.reacts("💻")
    await story.settles()
    await story.writes("I was charged twice", "m2")
    await story.settles()
    assert (story.reads().by, story.reads().remembered) == (Author.MEMORY, ("I was charged twice",))
