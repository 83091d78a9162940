"""Which past messages can be used for judging: settled ones, on the held-out side."""

from dataclasses import replace

from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Side, Source, side_of
from bot.domain.outcomes import Outcome
from bot.domain.settled import settled_messages, truth_notes
from tests.samples import NOW

BILLING = Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, {"billing": 1.0}, "routing-1")
NAMES = ("billing", "it")
TEXTS = [f"message number {n}" for n in range(200)]
HELD_OUT = [text for text in TEXTS if side_of(text) is Side.HELD_OUT]
LEARNED = [text for text in TEXTS if side_of(text) is Side.TRAIN]


def outcome(text: str, ended: str = "billing", settled: bool = True, said: bool = True) -> Outcome:
    return Outcome(TEXTS.index(text), text, BILLING, NOW, ended, settled, said=said)


def test_nobody_correcting_it_settles_nothing() -> None:
    made = settled_messages([outcome(text, settled=False, said=False) for text in HELD_OUT], NAMES)
    assert (made.examples, made.unsettled) == ([], len(HELD_OUT))
    assert any("no evidence that it was right" in note for note in truth_notes(made))


def test_the_truth_is_where_it_ended() -> None:
    made = settled_messages([outcome(HELD_OUT[0], "it"), outcome(HELD_OUT[1], said=False)], NAMES)
    assert [(one.text, one.label, one.source) for one in made.examples] == [
        (HELD_OUT[0], "it", Source.CORRECTION),
        (HELD_OUT[1], "billing", Source.CONFIRMATION),
    ]
    assert (made.said, made.acted) == (1, 1)
    assert truth_notes(made)[0].startswith("the truth is what happened later: 1 message was settled by somebody's")


def test_the_whole_side_that_is_learned_from_is_left_out_corrected_or_not() -> None:
    corrected = [outcome(text, "it") for text in TEXTS[:100]]
    taken = [outcome(text, said=False) for text in TEXTS[100:]]
    made = settled_messages([*corrected, *taken], NAMES)
    assert {one.text for one in made.examples} == set(HELD_OUT)
    assert made.learned == len(LEARNED)
    assert all(one.side is Side.HELD_OUT for one in made.examples)


def test_doubts_and_what_is_gone_are_counted_and_no_truth() -> None:
    first, second, third, fourth = (outcome(text) for text in HELD_OUT[:4])
    made = settled_messages(
        [
            replace(first, disputed=True),
            replace(second, quarantined=True),
            replace(third, text=""),
            replace(fourth, ended="faxes"),
        ],
        NAMES,
    )
    assert (made.examples, made.doubtful, made.gone) == ([], 2, 2)
    assert any(note.startswith("2 are left out because leads disagree") for note in truth_notes(made))


def test_the_bias_is_said_where_teams_settled_by_taking_alone() -> None:
    by_word = settled_messages([outcome(HELD_OUT[0])], NAMES)
    by_taking = settled_messages([outcome(HELD_OUT[0], said=False)], NAMES)
    assert not any("turns a mistake into the truth" in note for note in truth_notes(by_word))
    assert any("turns a mistake into the truth" in note for note in truth_notes(by_taking))
