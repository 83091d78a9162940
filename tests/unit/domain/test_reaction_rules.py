"""What the emoji on a conversation's cards mean together."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.conversations import State
from bot.domain.decisions import Author, Reason
from bot.domain.messages import MessageRef, Person, Place, Reaction, choice
from bot.domain.reaction_rules import Act, Statement, card_state, decision_now, read, unheard, where, wrong_now
from bot.domain.tasks import Label
from tests.samples import AGENT, LEAD, STRANGER, TASK, VOCABULARY, card, conversation, pending, reaction, standing

OTHER_LEAD = Person("web", "lead2", "Lou")


def say(*reactions: Reaction) -> list[Statement]:
    return [saying for r in reactions if (saying := read(TASK, VOCABULARY, r)) is not None]


@pytest.mark.parametrize(
    ("emoji", "act", "label"),
    [
        ("💻", Act.NAME, "it"),
        ("👎", Act.WRONG, ""),
        ("👀", Act.TAKE, ""),
        ("✅", Act.DONE, ""),
        (choice("it"), Act.NAME, "it"),
        (choice("it", via="👎"), Act.NAME, "it"),
    ],
)
def test_what_an_emoji_says(emoji: str, act: Act, label: str) -> None:
    saying = read(TASK, VOCABULARY, reaction(emoji))
    assert saying is not None
    assert (saying.act, saying.label) == (act, label)
    assert saying.corrects == (act in (Act.NAME, Act.WRONG))


@pytest.mark.parametrize("emoji", ["🦄", "", "white_check_mark", choice("nobody's team"), "📤"])
def test_other_emoji_say_nothing(emoji: str) -> None:
    assert read(TASK, VOCABULARY, reaction(emoji)) is None


def test_an_emoji_means_what_it_means_on_its_own_platform() -> None:
    on_slack = replace(reaction("-1"), ref=MessageRef("slack", "C1", "1.2"))
    saying = read(TASK, VOCABULARY, on_slack)
    assert saying is not None
    assert saying.act is Act.WRONG


def test_the_last_to_take_it_has_it() -> None:
    taken = [reaction("👀", AGENT, 10), reaction("👀", LEAD, 20)]
    assert card_state(pending(*taken), say(*taken)).taken_by == LEAD
    assert card_state(pending(taken[0]), say(taken[0])).taken_by == AGENT


def test_done_from_before_it_was_opened_again_does_not_count() -> None:
    done = reaction("✅", AGENT, 10)
    closed = pending(done)
    assert card_state(closed, say(done)).done
    again = replace(closed, conversation=replace(closed.conversation, reopened=done.at + timedelta(seconds=1)))
    assert not card_state(again, say(done)).done
    later = reaction("✅", LEAD, 30)
    assert card_state(again, say(done, later)).done


def test_taken_and_done_on_a_card_it_has_left_do_not_count() -> None:
    old = [reaction("👀", AGENT), reaction("✅", AGENT)]
    here = standing(card("it"), post=15)
    moved = replace(pending(*old), card=here, cards=(standing(), here))
    assert card_state(moved, say(*old)).taken_by is None
    assert not card_state(moved, say(*old)).done


def test_a_team_named_on_a_card_it_has_left_counts() -> None:
    named = reaction("💻")
    here = standing(card("it"), post=15)
    lead_label = card_state(replace(pending(named), card=here), say(named)).lead_label
    assert lead_label is not None
    assert (lead_label.label, lead_label.lead, lead_label.confirms) == ("it", LEAD, False)


def test_wrong_alone_names_no_team() -> None:
    wrong = reaction("👎")
    assert card_state(pending(wrong), say(wrong)).lead_label is None


def test_a_pressed_team_counts_only_while_the_emoji_that_asked_for_it_stands() -> None:
    wrong, pressed = reaction("👎"), reaction(choice("it", via="👎"), seconds=70)
    lead_label = card_state(pending(wrong, pressed), say(wrong, pressed)).lead_label
    assert lead_label is not None
    assert lead_label.label == "it"
    assert card_state(pending(pressed), say(pressed)).lead_label is None


def test_anothers_emoji_does_not_hold_up_a_pressed_team() -> None:
    wrong, pressed = reaction("👎", OTHER_LEAD), reaction(choice("it", via="👎"), seconds=70)
    assert card_state(pending(wrong, pressed), say(wrong, pressed)).lead_label is None


def test_taking_the_last_of_two_wrongs_back_leaves_the_first() -> None:
    """Wrong at billing, so it; wrong there, so delivery; the second is taken back: it again."""
    first = [reaction("👎"), reaction(choice("it", via="👎"), seconds=70)]
    second = [
        reaction("👎", seconds=80, on="it", post=15),
        reaction(choice("delivery", via="👎"), seconds=90, on="it", post=15),
    ]
    everything = card_state(pending(*first, *second), say(*first, *second)).lead_label
    assert everything is not None
    assert everything.label == "delivery"
    less = card_state(pending(*first, second[1]), say(*first, second[1])).lead_label
    assert less is not None
    assert less.label == "it"


def test_a_command_counts_like_an_emoji_and_the_latest_word_wins() -> None:
    command = replace(reaction(choice("it"), seconds=100), ref=MessageRef("web", "customer", "1"))
    emoji = reaction("📦", seconds=50)
    lead_label = card_state(pending(emoji, command), say(emoji, command)).lead_label
    assert lead_label is not None
    assert (lead_label.label, lead_label.disputed) == ("it", False)


def test_back_to_what_the_model_had_chosen_is_a_confirmation() -> None:
    away, back = reaction("💻", seconds=10), reaction("💰", seconds=20, on="it", post=15)
    lead_label = card_state(pending(away, back), say(away, back)).lead_label
    assert lead_label is not None
    assert (lead_label.label, lead_label.confirms, lead_label.disputed) == ("billing", True, False)


def test_who_may_speak_is_a_matter_of_the_card_that_the_emoji_is_on() -> None:
    old, here = standing(), standing(card("it"), post=15)
    moved = replace(pending(), conversation=conversation(label="it"), card=here, cards=(old, here))
    assert where(TASK, moved, reaction("💻")) == ("billing", Place("web", "billing"))
    assert where(TASK, moved, reaction("💻", on="it", post=15)) == ("it", Place("web", "it"))


def test_a_command_speaks_where_the_card_stands() -> None:
    command = replace(reaction(choice("it")), ref=MessageRef("web", "customer", "1"))
    assert where(TASK, pending(), command) == ("billing", Place("web", "billing"))


def test_without_a_card_a_command_speaks_where_it_was_given() -> None:
    command = replace(reaction(choice("it")), ref=MessageRef("web", "customer", "1"))
    asked = replace(pending(), conversation=conversation(State.ASKED, None), card=None, cards=())
    assert where(TASK, asked, command) == ("billing", Place("web", "customer"))


def test_a_card_of_a_team_that_is_no_more_is_the_fallbacks() -> None:
    gone = standing(card("old name"))
    assert where(TASK, replace(pending(), card=gone, cards=(gone,)), reaction("💻", on="old name"))[0] == "triage"


def test_a_card_whose_receipt_is_not_known_yet_is_found_by_its_room() -> None:
    taken = reaction("👀", AGENT)
    unknown = replace(standing(), ref=None)
    assert card_state(replace(pending(taken), card=unknown), say(taken)).taken_by == AGENT


def test_who_may_not_is_told_once_and_only_if_it_would_have_corrected() -> None:
    first, second, taking = reaction("💻", STRANGER), reaction("👎", STRANGER), reaction("👀", STRANGER)
    both = pending(first, second, taking)
    assert [s.reaction for s in unheard(both, say(taking, first, second))] == [first]
    again = replace(both, fresh=(second,))
    assert unheard(again, say(first, second, taking)) == []


def test_whoever_only_took_it_before_is_told_when_they_try_to_correct() -> None:
    taking, first = reaction("👀", STRANGER), reaction("💻", STRANGER, seconds=90)
    assert unheard(replace(pending(taking, first), fresh=(first,)), say(taking, first)) == say(first)


def test_people_of_other_companies_are_told_nothing() -> None:
    outside = reaction("💻", replace(STRANGER, external=True))
    assert unheard(pending(outside), say(outside)) == []


def test_wrong_is_asked_about_when_it_is_new_and_on_the_present_card() -> None:
    wrong = reaction("👎")
    assert wrong_now(pending(wrong), say(wrong))
    assert not wrong_now(replace(pending(wrong), fresh=()), say(wrong))
    here = standing(card("it"), post=15)
    assert not wrong_now(replace(pending(wrong), card=here), say(wrong))


def test_nothing_stands_on_a_conversation_without_a_card() -> None:
    taken = reaction("👀", AGENT)
    assert card_state(replace(pending(taken), card=None), say(taken)).taken_by is None


def test_a_team_may_have_an_emoji_that_means_something_else_elsewhere() -> None:
    eyes = Label("support", "Lamps", emoji={"slack": "eyes"})
    task = replace(TASK, labels=(*TASK.labels, eyes))
    saying = read(task, VOCABULARY, replace(reaction("eyes"), ref=MessageRef("slack", "C1", "1.2")))
    assert saying is not None
    assert saying.label == "support"


# --- the resulting decision ---


def test_a_lead_moves_it_by_their_word_alone() -> None:
    of = pending(reaction("💻"))
    made = decision_now(TASK, of, card_state(of, say(*of.standing)).lead_label)
    assert made is not None
    assert (made.label, made.by, made.reason, made.actor) == ("it", Author.LEAD, Reason.CORRECTED, LEAD.key)


def test_where_it_belongs_already_nothing_follows() -> None:
    of = pending(reaction("💰"))
    assert decision_now(TASK, of, card_state(of, say(*of.standing)).lead_label) is None
    assert decision_now(TASK, pending(), None) is None


def test_a_word_taken_back_brings_the_first_decision_back() -> None:
    moved = pending(content=card("it"))
    made = decision_now(TASK, moved, None)
    assert made is not None
    assert (made.label, made.reason, made.by) == ("billing", Reason.WITHDRAWN, Author.MODEL)


def test_a_word_taken_back_goes_to_the_fallback_when_the_first_team_has_left_the_settings() -> None:
    fewer = replace(TASK, labels=tuple(label for label in TASK.labels if label.name != "billing"))
    made = decision_now(fewer, pending(content=card("it")), None)
    assert made is not None
    assert (made.label, made.reason) == ("triage", Reason.WITHDRAWN)
    assert decision_now(fewer, pending(content=card("triage")), None) is None


def test_a_team_that_cannot_be_reached_is_tried_again_only_when_somebody_names_it_anew() -> None:
    refused = replace(card(), reason=Reason.UNDELIVERABLE)
    of = pending(reaction("💻"), content=refused)
    lead_label = card_state(of, say(*of.standing)).lead_label
    assert decision_now(TASK, of, lead_label) is not None
    assert decision_now(TASK, replace(of, fresh=()), lead_label) is None
