"""The names that files give to labels."""

from dataclasses import replace

import pytest

from bot.domain.example_files.labels import LabelReader
from bot.domain.example_files.reading import ReadOptions, Unknown
from tests.samples import TASK, label
from tests.unit.domain.example_files.readers import pairs, problems, read

DESK = replace(
    TASK,
    labels=(
        label("facturação", "💰"),
        label("front_desk", "🛎"),
        replace(label("sales", "🛒"), title="Sales & offers"),
        replace(label("it", "💻"), title="Support"),
        replace(label("help", "🧭"), title="Support"),
    ),
    fallback="help",
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("front_desk", "front_desk"),
        ("Front desk", "front_desk"),
        ("FRONT-DESK", "front_desk"),
        (" front  desk ", "front_desk"),
        ("front\u00a0desk", "front_desk"),
        ("front\u200b_desk", "front_desk"),
        ("Front Desk.", "front_desk"),
        ("sales & offers", "sales"),
        ("Sales &amp; offers", "sales"),
        ("factura\u00e7\u00e3o", "facturação"),
        ("facturac\u0327a\u0303o", "facturação"),
        ("FACTURAÇÃO", "facturação"),
        ("factura\u00adção\ufeff", "facturação"),
        ("IT", "it"),
        ("Support", None),
        ("facturacao", None),
        ("front", None),
        ("", None),
    ],
)
def test_a_label_is_recognised_where_only_one_can_be_meant(written: str, name: str | None) -> None:
    assert LabelReader(DESK).read(written) == name


def test_what_was_recognised_is_said_once_with_how_often() -> None:
    contents = read("text,label\na,IT\nb,IT\nc,it\nd,B\u200billing\n")
    assert pairs(contents) == [("a", "it"), ("b", "it"), ("c", "it"), ("d", "billing")]
    assert list(contents.said) == [
        "label 'IT' is read as it (2 rows)",
        "label 'B\\u200billing' is read as billing (1 row)",
    ]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("Support", "label 'Support' may be help or it"),
        ("fac\u200bturacao", "unknown label 'fac\\u200bturacao'; labels are facturação,"),
        ("ѕales", "unknown label '\\u0455ales'"),  # a Cyrillic letter
        ("frontdesk", "did you mean front_desk?"),
        ("биллинг", "unknown label 'биллинг'"),
    ],
)
def test_what_cannot_be_told_is_shown_with_what_cannot_be_seen(written: str, why: str) -> None:
    assert why in LabelReader(DESK).why_not(written)


def test_the_persons_own_words_for_labels() -> None:
    labels = LabelReader(DESK, {"Level 1": "IT", "Support": "help"})
    assert [labels.read(w) for w in ("level 1", "LEVEL_1", "support")] == ["it", "it", "help"]


OLD = '{"text": "a", "label": "it"}\n{"text": "b", "label": "fax"}\n{"text": "c", "label": "fax"}\n'


def test_rows_of_a_label_that_is_gone() -> None:
    assert problems(read(OLD))[0].startswith("line 2: unknown label 'fax'; labels are billing,")
    skipped = read(OLD, ReadOptions(unknown=Unknown.SKIP))
    assert (pairs(skipped), problems(skipped)) == ([("a", "it")], [])
    assert [one.number for one in skipped.left_out] == [2, 3]
    kept = read(OLD, ReadOptions(unknown=Unknown.FALLBACK))
    assert pairs(kept) == [("a", "it"), ("b", "triage"), ("c", "triage")]
    assert list(kept.said) == [
        "2 texts had a label that the settings do not know, and went to the fallback: lines 2, 3"
    ]
    mapped = read(OLD, ReadOptions(mapped={"fax": "billing"}))
    assert pairs(mapped) == [("a", "it"), ("b", "billing"), ("c", "billing")]


def test_a_word_that_no_row_has_is_said() -> None:
    contents = read(OLD, ReadOptions(mapped={"fax": "billing", "Levl 1": "it"}))
    assert "no row has the label 'Levl 1' that --map names" in contents.said
    assert not any("'fax' that --map" in sentence for sentence in contents.said)
