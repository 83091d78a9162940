"""A silent signal has little weight, less than any statement, and is never used for judging."""

from datetime import timedelta

from bot.domain.learning import Example, Side, Source, keep_apart, rehearsed, side_of
from bot.domain.silent_signals import Signal, SignalKind, counts, weighed
from bot.domain.training_data import draw
from tests.samples import NOW, TASK

LEARNED = [text for n in range(400) if side_of(text := f"the parcel number {n} of street {n * 7}") is Side.TRAIN]
JUDGING = [text for n in range(400) if side_of(text := f"the invoice number {n} of year {n * 3}") is Side.HELD_OUT]


def signal(text: str, label: str = "delivery", kind: SignalKind = SignalKind.CONFIRMATION, age: int = 0) -> Signal:
    return Signal(kind, 1, label, text, NOW - timedelta(days=age))


def example(text: str, label: str = "delivery", source: Source = Source.IMPORT, side: Side = Side.TRAIN) -> Example:
    return Example(text, label, source, side, NOW)


def test_each_team_gets_at_most_its_share_the_corrections_first_and_then_the_newest() -> None:
    known = [example(f"known {n}") for n in range(20)] + [example("one alone", "it")]
    shown = [signal(text, age=age) for age, text in enumerate(LEARNED[:9])]
    shown += [signal(LEARNED[9], kind=SignalKind.CORRECTION, age=99), signal(LEARNED[10], "it")]
    chosen = weighed(shown, known, 0.1)
    assert [one.text for one in chosen] == [LEARNED[9], LEARNED[0]]
    assert {(one.source, one.side) for one in chosen} == {(Source.SIGNAL, Side.TRAIN)}
    assert weighed(shown, known, 0.0) == []
    assert len(weighed(shown, known, 1.0)) == 11


def test_what_anybody_said_of_the_text_and_what_judges_is_left_alone() -> None:
    known = [example(f"known {n}") for n in range(20)] + [example(LEARNED[0].upper(), "it", Source.CORRECTION)]
    shown = [signal(LEARNED[0]), signal(JUDGING[0]), signal(LEARNED[1]), signal(f"{LEARNED[1]}!")]
    assert [one.text for one in weighed(shown, known, 1.0)] == [LEARNED[1]]


def test_it_takes_no_text_from_the_judging_and_contradicts_nobody() -> None:
    words = "please send me the missing invoice of the order that I placed on the third of May last year"
    judging = example(words, "billing", Source.CORRECTION, Side.HELD_OUT)
    near = example(f"{words} now", "it", Source.SIGNAL)
    far = example("my screen is black since this morning", "it", Source.SIGNAL)
    known = [judging, near, far, example("known", "it")]
    drawn = draw(known, TASK.names)
    assert list(drawn.held_out) == [judging]
    assert drawn.leaked == 0
    assert {one.text for one in drawn.training_set} == {far.text, "known"}
    others = [example(f"thing {n} of {n * n}", "it") for n in range(60)]
    assert draw([*known, *others], TASK.names).contradicting == 0.0


def test_it_steers_nothing_and_is_asked_nothing() -> None:
    shown = [example(text, source=Source.SIGNAL) for text in LEARNED]
    said = [example(f"said {n} of {n * n}", "it") for n in range(2_000)]
    for apart in (keep_apart, rehearsed):
        learned, asked = apart([*shown, *said])
        assert asked
        assert all(one.source is not Source.SIGNAL for one in asked)
        assert sum(one.source is Source.SIGNAL for one in learned) == len(shown)


def test_every_kind_is_counted() -> None:
    assert counts([signal("a"), signal("b")]) == {SignalKind.CONFIRMATION: 2, SignalKind.CORRECTION: 0}
