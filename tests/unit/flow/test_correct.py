"""A lead's emoji corrects, an agent's takes and closes, a stranger's does nothing."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.conversations import CardState, PendingReactions, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import MessageRef, Person, Place, choice
from bot.domain.posts import Card, Moved, Notice, Solved, What, WrongTeam
from bot.domain.tasks import Task
from bot.flow.correct import Corrector
from tests.fakes import FakePlatform
from tests.fakes_ledger import Concluded, FakeLedger
from tests.samples import (
    AGENT,
    NOW,
    STRANGER,
    TASK,
    VOCABULARY,
    card,
    conversation,
    pending,
    reaction,
    standing,
)

OTHER_LEAD = Person("web", "lead2", "Lou")


def now() -> datetime:
    return NOW


async def judged(of: PendingReactions, platform: FakePlatform | None = None, task: Task = TASK) -> Concluded:
    ledger = FakeLedger(pendings=[of])
    here = platform or FakePlatform(leads=("lead", "lead2"))
    assert await Corrector(task, VOCABULARY, ledger, {"web": here}, now).step() == 1
    [concluded] = ledger.concluded
    return concluded


def outcome(concluded: Concluded) -> tuple[Decision | None, CardState]:
    assert isinstance(concluded.outcome, tuple)
    decision, stands = concluded.outcome
    assert decision is None or isinstance(decision, Decision)
    assert isinstance(stands, CardState)
    return decision, stands


def notices(concluded: Concluded) -> list[What]:
    return [content.what for content in concluded.contents() if isinstance(content, Notice)]


async def test_who_cannot_be_looked_up_holds_up_nobody_else() -> None:
    here, taking = FakePlatform(leads=("lead",)), reaction("👀", STRANGER, 5)
    here.lost.add(STRANGER.id)
    ledger = FakeLedger(pendings=[pending(taking, reaction("💻"))])
    assert await Corrector(TASK, VOCABULARY, ledger, {"web": here}, now).step() == 1
    decision, stands = outcome(ledger.concluded[0])
    assert decision is not None
    assert (decision.label, stands.taken_by) == ("it", None)
    [known] = ledger.looked_up
    assert (known.unknown, known.again) == (frozenset({taking}), NOW + timedelta(seconds=30))
    assert [may for _, may in known.counted.items()] == [True]


async def test_who_cannot_be_looked_up_for_long_counts_as_somebody_who_may_not() -> None:
    here = FakePlatform(leads=("lead",))
    here.lost.add(AGENT.id)
    taking = replace(reaction("👀", AGENT, 5), heard=NOW - timedelta(minutes=11))
    ledger = FakeLedger(pendings=[pending(taking)])
    await Corrector(TASK, VOCABULARY, ledger, {"web": here}, now).step()
    assert outcome(ledger.concluded[0])[1].taken_by is None
    assert ledger.looked_up[0].unknown == frozenset()


async def test_what_a_lead_said_stands_while_they_cannot_be_looked_up() -> None:
    here = FakePlatform(leads=("lead",))
    here.lost.add("lead")
    said = replace(reaction("💻"), counted=True)
    moved = replace(pending(said, reaction("👀", AGENT, 9)), conversation=conversation(label="it"))
    decision, stands = outcome(await judged(replace(moved, fresh=moved.standing[1:]), here))
    assert decision is None, "nothing moves back because a platform is silent for a moment"
    assert stands.lead_label is not None


async def test_who_may_not_correct_is_told_once_whatever_they_take_away_and_put_there() -> None:
    again = replace(pending(reaction("💻", STRANGER, 9)), told=frozenset({("web", STRANGER.id)}))
    assert notices(await judged(again)) == []
    assert notices(await judged(replace(again, told=frozenset()))) == [What.NO_LEAD]


async def test_a_leads_emoji_moves_the_conversation() -> None:
    result = await judged(pending(reaction("💻")))
    decision, stands = outcome(result)
    assert decision == Decision("routing", "it", Author.LEAD, Reason.CORRECTED, actor="web:lead")
    assert stands.lead_label is not None
    assert sum(isinstance(c, Moved) for c in result.contents()) == 1


async def test_naming_the_team_it_has_confirms_and_says_nothing() -> None:
    result = await judged(pending(reaction("💰")))
    decision, stands = outcome(result)
    assert decision is None
    assert stands.lead_label is not None
    assert stands.lead_label.confirms
    assert result.posts == ()


async def test_back_to_what_the_model_had_chosen_moves_and_confirms() -> None:
    back = reaction("💰", on="it", post=15, seconds=90)
    here = standing(card("it"), post=15)
    moved = pending(reaction("💻"), back)
    result = await judged(
        replace(moved, conversation=conversation(label="it"), card=here, cards=(*moved.cards, here), fresh=(back,))
    )
    decision, stands = outcome(result)
    assert decision is not None
    assert decision.label == "billing"
    assert stands.lead_label is not None
    assert (stands.lead_label.confirms, stands.lead_label.disputed) == (True, False)


async def test_taking_the_emoji_away_moves_it_back() -> None:
    here = standing(card("it"), post=15)
    moved = replace(pending(), conversation=conversation(label="it"), card=here, cards=(here,))
    decision, stands = outcome(await judged(moved))
    assert decision is not None
    assert (decision.label, decision.by, decision.reason) == ("billing", Author.MODEL, Reason.WITHDRAWN)
    assert stands.lead_label is None


@pytest.mark.parametrize("by", [AGENT, STRANGER])
async def test_whoever_may_not_correct_moves_nothing_and_is_told_alone(by: Person) -> None:
    result = await judged(pending(reaction("💻", by)))
    decision, stands = outcome(result)
    assert (decision, stands.lead_label) == (None, None)
    [post] = result.posts
    assert (post.content, post.only_for, post.place) == (Notice(What.NO_LEAD), by, Place("web", "billing"))


async def test_where_nobody_whispers_nobody_is_told() -> None:
    assert (await judged(pending(reaction("💻", STRANGER)), FakePlatform(whispers=False))).posts == ()


async def test_whoever_was_told_before_is_not_told_again() -> None:
    before, again = reaction("💻", STRANGER), reaction("📦", STRANGER, seconds=90)
    assert (await judged(replace(pending(before, again), fresh=(again,)))).posts == ()


async def test_a_strangers_eyes_take_nothing_and_are_not_worth_a_word() -> None:
    result = await judged(pending(reaction("👀", STRANGER), reaction("✅", STRANGER)))
    assert outcome(result) == (None, CardState())
    assert result.posts == ()


async def test_a_lead_of_one_team_corrects_that_teams_cards_alone() -> None:
    leads = replace(TASK.labels[0], leads={"web": frozenset({"agent"})})
    task = replace(TASK, labels=(leads, *TASK.labels[1:]))
    decision, _ = outcome(await judged(pending(reaction("💻", AGENT)), task=task))
    assert decision is not None
    its = pending(reaction("📦", AGENT, on="it"), content=card("it"))
    its = replace(its, first=replace(its.first, label="it"))
    decision, _ = outcome(await judged(its, task=task))
    assert decision is None


async def test_the_word_of_a_teams_lead_still_counts_when_the_card_has_left() -> None:
    leads = replace(TASK.labels[0], leads={"web": frozenset({"agent"})})
    task = replace(TASK, labels=(leads, *TASK.labels[1:]))
    here = standing(card("it"), post=15)
    moved = pending(reaction("💻", AGENT))
    moved = replace(moved, conversation=conversation(label="it"), card=here, cards=(*moved.cards, here), fresh=())
    decision, stands = outcome(await judged(moved, task=task))
    assert decision is None
    assert stands.lead_label is not None


async def test_an_agent_takes_it_and_closes_it() -> None:
    result = await judged(pending(reaction("👀", AGENT)))
    assert outcome(result) == (None, CardState(taken_by=AGENT, looked=True))
    assert result.contents() == [replace(card(), taken_by="Ada")]
    result = await judged(pending(reaction("👀", AGENT), reaction("✅", AGENT)))
    assert outcome(result)[1].done
    assert result.contents() == [replace(card(), taken_by="Ada", done=True), Solved("billing", "en")]


async def test_no_longer_done_it_is_open_and_the_question_goes() -> None:
    closed = pending(state=State.CLOSED, content=replace(card(), done=True))
    result = await judged(replace(closed, asking=((30, Solved("billing", "en")),)))
    assert not outcome(result)[1].done
    assert result.contents() == [card(), Solved("billing", "en", answer="")]


async def test_wrong_brings_the_teams_as_buttons_once() -> None:
    result = await judged(pending(reaction("👎")))
    assert outcome(result)[0] is None
    assert result.contents() == [WrongTeam(("it", "triage", "delivery"))]
    again = replace(pending(reaction("👎"), reaction("👎", OTHER_LEAD)), asking=((20, WrongTeam(("it",))),))
    assert (await judged(again)).posts == ()


async def test_wrong_that_is_taken_back_takes_the_buttons_away() -> None:
    result = await judged(replace(pending(), asking=((20, WrongTeam(("it",))),)))
    assert result.contents() == [WrongTeam(("it",), chosen="billing")]


async def test_an_agents_wrong_is_not_asked_about() -> None:
    result = await judged(pending(reaction("👎", AGENT)))
    assert notices(result) == [What.NO_LEAD]


async def test_a_pressed_team_moves_it_and_stands_only_while_wrong_does() -> None:
    wrong, pressed = reaction("👎"), reaction(choice("it", via="👎"), seconds=70)
    decision, _ = outcome(await judged(replace(pending(wrong, pressed), fresh=(pressed,))))
    assert decision is not None
    assert decision.label == "it"
    here = standing(card("it"), post=15)
    moved = replace(pending(pressed), conversation=conversation(label="it"), card=here, fresh=())
    decision, _ = outcome(await judged(moved))
    assert decision is not None
    assert decision.reason is Reason.WITHDRAWN


async def test_two_leads_who_disagree_are_told_once_and_the_last_one_routes() -> None:
    both = pending(reaction("💻"), reaction("📦", OTHER_LEAD, seconds=61))
    result = await judged(both)
    decision, stands = outcome(result)
    assert decision is not None
    assert stands.lead_label is not None
    assert (decision.label, stands.lead_label.disputed) == ("delivery", True)
    assert notices(result) == [What.DISPUTED]
    [new] = [c for c in result.contents() if isinstance(c, Card) and c.moved_to is None]
    assert new.disputed
    here = standing(new, post=15)
    later = replace(both, conversation=conversation(label="delivery"), card=here, fresh=())
    assert (await judged(later)).posts == ()


async def test_a_choice_decides_what_the_person_is_still_being_asked() -> None:
    command = replace(reaction(choice("it")), ref=MessageRef("web", "customer", "1"))
    asked = replace(pending(command), conversation=conversation(State.ASKED, None), card=None, cards=(), question=31)
    result = await judged(asked)
    decision, _ = outcome(result)
    assert decision is not None
    assert (decision.label, decision.by) == ("it", Author.LEAD)
    assert result.posts[0].edits == 31


async def test_a_choice_of_the_guess_decides_it_too() -> None:
    command = replace(reaction(choice("billing")), ref=MessageRef("web", "customer", "1"))
    asked = replace(pending(command), conversation=conversation(State.ASKED, None), card=None, cards=())
    decision, stands = outcome(await judged(asked))
    assert decision is not None
    assert stands.lead_label is not None
    assert (decision.label, stands.lead_label.confirms) == ("billing", True)


async def test_a_strangers_command_decides_nothing() -> None:
    command = replace(reaction(choice("it"), STRANGER), ref=MessageRef("web", "customer", "1"))
    asked = replace(pending(command), conversation=conversation(State.ASKED, None), card=None, cards=())
    assert outcome(await judged(asked)) == (None, CardState())


async def test_a_team_that_could_not_be_reached_is_tried_again_only_when_a_lead_says_so_anew() -> None:
    old = reaction("💻")
    here = standing(replace(card("triage"), reason=Reason.UNDELIVERABLE), post=15)
    stuck = pending(old, reaction("👀", AGENT, on="triage", post=15))
    stuck = replace(
        stuck,
        conversation=conversation(label="triage"),
        card=here,
        cards=(*stuck.cards, here),
        fresh=stuck.standing[1:],
    )
    decision, stands = outcome(await judged(stuck))
    assert (decision, stands.taken_by) == (None, AGENT)
    anew = reaction("💻", seconds=200, on="triage", post=15)
    decision, _ = outcome(await judged(replace(stuck, standing=(*stuck.standing, anew), fresh=(anew,))))
    assert decision is not None
    assert decision.label == "it"


async def test_emoji_of_a_platform_that_is_gone_count_no_more() -> None:
    elsewhere = replace(reaction("💻"), actor=Person("slack", "lead"))
    assert outcome(await judged(pending(elsewhere))) == (None, CardState())


async def test_who_may_is_asked_about_the_card_that_the_emoji_is_on() -> None:
    platform = FakePlatform()
    await judged(pending(reaction("💻")), platform)
    assert platform.asked == [("lead", "billing", Place("web", "billing"))]
