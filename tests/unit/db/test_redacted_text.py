"""What is blanked in a text that another person wrote about a forgotten person."""

import pytest

from db.redaction.text import without


@pytest.mark.parametrize(
    ("noted", "left"),
    [
        ("ann called", "… called"),
        ("Anna called", "Anna called"),
        ("Summers, Ann", "…, …"),
        ("she wrote: WHERE is my refund?", "she wrote: …?"),
        ("nothing of hers", "nothing of hers"),
        ("Since this summer, Summers has asked twice", "Since this summer, … has asked twice"),
    ],
)
def test_a_note_keeps_what_is_not_theirs(noted: str, left: str) -> None:
    assert without(noted, ["Ann Summers"], ["hello\nwhere is my refund", "no"]) == left


@pytest.mark.parametrize(
    ("noted", "left"),
    [
        ("Will you pay? We may, in May. A grace period until 5 May.", None),
        ("May I ask? Grace period. She will call; it may take days.", None),
        ("Thanks Will, and dear Grace: May said so", "Thanks …, and dear …: … said so"),
        ("I told Will about it", "I told … about it"),
        ("Will's refund, @May, all right, Grace.", "…'s refund, @…, all right, …."),
        ("Will wrote again", "… wrote again"),
        ("WILL SMITHSON and will smithson", "… and …"),
    ],
)
def test_words_that_are_names_as_well_stay_where_they_are_words(noted: str, left: str | None) -> None:
    assert without(noted, ["Will Smithson", "May", "Grace"], []) == (noted if left is None else left)
