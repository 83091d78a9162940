"""Every figure of the data, and every fault with its remedy."""

from dataclasses import replace

from bot.domain.data_report import DataReport, report
from bot.domain.learning import Example, Side, Source
from bot.domain.personal_data import Kind
from tests.samples import NOW, TASK

CANCEL, CANCEL_TOO = "Please help me cancel a transaction.", "Help me cancel a transaction"


def example(text: str, label: str = "billing", side: Side = Side.TRAIN, source: Source = Source.IMPORT) -> Example:
    return Example(text, label, source, side, NOW, origin="old.csv")


def language_of(text: str) -> str | None:
    return "pt" if "parcela" in text else None if text == "ok" else "en"


def of(*examples: Example) -> DataReport:
    return report(TASK, examples, language_of)


def faults(made: DataReport) -> list[str]:
    return [finding.fault for finding in made.findings]


def test_examples_are_counted_by_label_side_and_source() -> None:
    made = of(
        example(CANCEL),
        example("Where is my parcel?", "delivery", Side.HELD_OUT, Source.CORRECTION),
        example("Where is the parcel of my aunt?", "delivery", source=Source.TAP),
        example("of a team that is no more", "faxes"),
    )
    rows = {row.label: (row.train, row.held_out, dict(row.by_source)) for row in made.labels}
    assert rows == {
        "billing": (1, 0, {Source.IMPORT: 1}),
        "delivery": (1, 1, {Source.CORRECTION: 1, Source.TAP: 1}),
        "it": (0, 0, {}),
        "triage": (0, 0, {}),
    }
    assert (made.examples, made.texts) == (4, 3)


def test_repeats_near_duplicates_and_contradictions_are_told_apart() -> None:
    made = of(
        example(CANCEL),
        replace(example(CANCEL.upper(), source=Source.CORRECTION), conversation=7),
        example(CANCEL_TOO, "delivery"),
        example("Where is my parcel?", "delivery"),
    )
    assert (made.near_duplicates, made.largest_group, made.contradicting) == (2, 2, {("billing", "delivery"): 1})
    assert [row.repeats for row in made.rows] == [True, True, False, False]
    assert [row.contradicted for row in made.rows] == [True, True, True, False]
    [said] = [finding.says for finding in made.findings if finding.fault == "contradictions"]
    assert "billing and delivery (1)" in said and "merge the two labels" in said


def test_what_leaks_is_named_and_judges_nothing() -> None:
    made = of(example(CANCEL), example(CANCEL_TOO, side=Side.HELD_OUT), example("what?", side=Side.HELD_OUT))
    assert (made.leaked, made.judged, [row.leaked for row in made.rows]) == (1, 1, [False, True, False])
    assert "leakage" in faults(made)


def test_languages_lengths_and_personal_data_are_counted() -> None:
    made = of(example("ok"), example("segunda parcela"), example("mail me: a@b.org"), example("word " * 200))
    assert made.languages == {"en": 2, "und": 1, "pt": 1}
    assert (made.words, made.long) == ((3, 200, 200), 1)
    assert made.personal == {Kind.EMAIL: 1}
    assert {"long texts", "personal data"} <= set(faults(made))


def test_one_label_alone_refuses_training_and_says_what_mends_it() -> None:
    made = of(*(example(f"{word} {word[::-1]}") for word in ("lamp", "chair", "window")))
    assert [finding.refused for finding in made.findings][:2] == [True, False]
    assert "`switchboard import`" in made.findings[0].says


def test_a_label_with_far_more_examples_than_another_is_named() -> None:
    made = of(*(example(f"{n * 7919} {n * 104729}") for n in range(60)), example("x y z", "it"))
    [said] = [finding.says for finding in made.findings if finding.fault == "imbalance"]
    assert said.startswith("billing has 60 examples and delivery 0")


def test_no_examples_at_all_are_a_report_too() -> None:
    made = of()
    assert (made.texts, made.words, made.languages, faults(made)[0]) == (0, (0, 0, 0), {}, "refused")
