"""What a button means, and for whom it means nothing."""

from dataclasses import replace
from datetime import datetime

import pytest

from bot.domain.conversations import State
from bot.domain.decisions import Author
from bot.domain.messages import MessageRef, Note, Person, Place, Press, Reaction, choice
from bot.domain.posts import (
    NO,
    ON_THE_CARD,
    OTHER,
    SEND,
    SPLIT,
    YES,
    Answer,
    Card,
    Content,
    Notice,
    Offer,
    Post,
    Question,
    Reply,
    Solved,
    Split,
    What,
    WrongTeam,
)
from bot.domain.presses import Chosen, Dispatched, PendingPress, Settled, SplitOff, Stated
from bot.flow.buttons import ButtonHandler
from tests.fakes import FakePlatform
from tests.fakes_ledger import Concluded, FakeLedger
from tests.samples import (
    AGENT,
    CUSTOMER,
    LEAD,
    NOW,
    STRANGER,
    TASK,
    VOCABULARY,
    card,
    conversation,
    message,
    standing,
)

IN_THE_ROOM, IN_HER_CHAT = MessageRef("web", "billing", "post 20"), MessageRef("web", "customer", "post 30")
NOTE = Note(MessageRef("web", "billing", "n1"), MessageRef("web", "billing", "post 12"), AGENT, "on its way", NOW)
ASKED = Question(("billing", "it"), "en")
WHICH = WrongTeam(("it", "delivery", "gone"))
SOLVED = Solved("billing", "en")
ELSE = Split("billing", "en", MessageRef("web", "customer", "2"))
OFFER = Offer(3, "Cleo", "on its way")


def now() -> datetime:
    return NOW


def pressed(on: Content, value: str, by: Person = CUSTOMER) -> PendingPress:
    where = IN_THE_ROOM if isinstance(on, WrongTeam | Offer) else IN_HER_CHAT
    state, label = (State.ASKED, None) if isinstance(on, Question) else (State.ROUTED, "billing")
    return PendingPress(
        1, Press(where, by, value, NOW), conversation(state, label), (message("x"),), 20, on, standing(), NOTE
    )


async def meaning(of: PendingPress, platform: FakePlatform | None = None) -> Concluded:
    ledger = FakeLedger(presses=[of])
    buttons = ButtonHandler(TASK, VOCABULARY, ledger, {"web": platform or FakePlatform()}, now)
    assert await buttons.step() == 1
    [concluded] = ledger.concluded
    return concluded


# --- the person's buttons ---


async def test_a_tap_chooses_the_team() -> None:
    result = await meaning(pressed(ASKED, "1"))
    assert isinstance(result.outcome, Chosen)
    assert (result.outcome.decision.label, result.outcome.decision.by) == ("it", Author.PERSON)
    assert result.posts[0].edits == 20


async def test_something_else_is_the_fallbacks_and_nobodys_label() -> None:
    result = await meaning(pressed(ASKED, OTHER))
    assert isinstance(result.outcome, Chosen)
    assert (result.outcome.decision.label, result.outcome.decision.by) == ("triage", Author.FALLBACK)


@pytest.mark.parametrize("value", [YES, NO])
async def test_the_person_says_whether_it_is_solved(value: str) -> None:
    closed = replace(pressed(SOLVED, value), card=standing(replace(card(), done=True)))
    result = await meaning(closed)
    assert result.outcome == Settled(value == YES)
    assert result.posts[0].content == replace(SOLVED, answer=value)
    what = What.SOLVED if value == YES else What.UNSOLVED
    assert result.posts[-1] == Post(ON_THE_CARD, Notice(what, who="Cleo"))
    reopened = [p.content for p in result.posts if isinstance(p.content, Card)]
    assert reopened == ([] if value == YES else [card()])


async def test_another_matter_becomes_a_request_of_its_own() -> None:
    result = await meaning(pressed(ELSE, SPLIT))
    assert result.outcome == SplitOff(ELSE.message)
    assert result.contents() == [replace(ELSE, done=True)]


@pytest.mark.parametrize(
    ("on", "value"),
    [(ASKED, "0"), (ASKED, OTHER), (SOLVED, YES), (SOLVED, NO), (ELSE, SPLIT)],
)
@pytest.mark.parametrize("by", [STRANGER, LEAD, Person("slack", "customer")])
async def test_nobody_else_answers_for_the_person(on: Content, value: str, by: Person) -> None:
    result = await meaning(pressed(on, value, by))
    assert result.outcome is None
    told = [(post.content, post.only_for) for post in result.posts]
    assert told == ([(Notice(What.NOT_YOURS, who=CUSTOMER.name), by)] if by.platform == "web" else [])
    assert (await meaning(pressed(on, value, by), FakePlatform(whispers=False))).posts == ()


@pytest.mark.parametrize(
    ("on", "value"),
    [
        (replace(ASKED, answered="billing"), "0"),
        (replace(SOLVED, answer=NO), YES),
        (replace(SOLVED, answer=""), NO),
        (replace(ELSE, done=True), SPLIT),
    ],
)
async def test_a_second_press_means_nothing(on: Content, value: str) -> None:
    result = await meaning(pressed(on, value))
    assert (result.outcome, result.posts) == (None, ())


@pytest.mark.parametrize(
    ("on", "value"),
    [
        (ASKED, "2"),
        (ASKED, "-1"),
        (ASKED, "²"),
        (ASKED, "٠"),
        (ASKED, "billing"),
        (ASKED, ""),
        (SOLVED, "maybe"),
        (ELSE, YES),
        (Answer("billing", "en"), "0"),
        (card(), "0"),
    ],
)
async def test_a_forged_value_means_nothing(on: Content, value: str) -> None:
    result = await meaning(pressed(on, value))
    assert (result.outcome, result.posts) == (None, ())


# --- the leads' ---


async def test_a_lead_says_which_team_it_is_as_long_as_their_emoji_stands() -> None:
    result = await meaning(pressed(WHICH, "0", LEAD))
    word = choice("it", via="👎")
    assert result.outcome == Stated(Reaction(MessageRef("web", "billing", "post 12"), LEAD, word, True, NOW))
    assert result.posts == (Post(Place("web", "billing"), replace(WHICH, chosen="it"), edits=20),)


async def test_a_lead_of_that_team_alone_may_say_so_too() -> None:
    billing = replace(TASK.labels[0], leads={"web": frozenset({"agent"})})
    task = replace(TASK, labels=(billing, *TASK.labels[1:]))
    ledger = FakeLedger(presses=[pressed(WHICH, "0", AGENT)])
    await ButtonHandler(task, VOCABULARY, ledger, {"web": FakePlatform()}, now).step()
    assert isinstance(ledger.concluded[0].outcome, Stated)


@pytest.mark.parametrize("by", [AGENT, STRANGER, CUSTOMER])
async def test_whoever_may_not_correct_names_no_team(by: Person) -> None:
    assert (await meaning(pressed(WHICH, "0", by))).outcome is None


@pytest.mark.parametrize("value", ["2", "3", "it", OTHER])
async def test_a_team_that_is_not_offered_or_no_more_is_not_named(value: str) -> None:
    assert (await meaning(pressed(WHICH, value, LEAD))).outcome is None


async def test_buttons_in_a_room_that_it_left_are_dead() -> None:
    moved = standing(card("it"), post=15)
    assert (await meaning(replace(pressed(WHICH, "0", LEAD), card=moved))).outcome is None
    assert (await meaning(replace(pressed(OFFER, SEND, AGENT), card=moved))).outcome is None
    assert (await meaning(replace(pressed(WHICH, "0", LEAD), card=None))).outcome is None
    assert (await meaning(pressed(replace(WHICH, chosen="delivery"), "0", LEAD))).outcome is None


# --- the team's ---


@pytest.mark.parametrize("by", [AGENT, LEAD])
async def test_somebody_of_the_team_sends_the_note(by: Person) -> None:
    result = await meaning(pressed(OFFER, SEND, by))
    assert result.outcome == Dispatched(3)
    closed, reply = result.posts
    assert closed == Post(Place("web", "billing"), replace(OFFER, sent=True), edits=20, only_for=AGENT)
    assert reply == Post(Place("web", "customer", "1"), Reply("billing", "on its way", "en", by.name, to="Cleo"))


async def test_where_nobody_whispers_the_offer_is_closed_for_all() -> None:
    result = await meaning(pressed(OFFER, SEND, AGENT), FakePlatform(whispers=False))
    assert result.posts[0].only_for is None


@pytest.mark.parametrize("by", [STRANGER, CUSTOMER])
async def test_strangers_send_nothing(by: Person) -> None:
    result = await meaning(pressed(OFFER, SEND, by))
    assert result.outcome is None
    assert [(post.content, post.only_for) for post in result.posts] == [
        (Notice(What.NO_MEMBER, who=CUSTOMER.name), by),
    ]


async def test_nothing_is_sent_twice_or_without_words() -> None:
    once = pressed(OFFER, SEND, AGENT)
    for never in (
        replace(once, on=replace(OFFER, sent=True)),
        replace(once, sent=True),
        replace(once, note=None),
        replace(once, note=replace(NOTE, text="")),
        replace(once, press=replace(once.press, value=YES)),
    ):
        assert (await meaning(never)).outcome is None
