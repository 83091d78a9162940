"""Keys of stored texts are recomputed in both directions, and no standing statement is lost."""

from collections.abc import Sequence

import psycopg
import pytest

from bot.domain.learning import side_key, text_key
from db.migrate import downgrade, upgrade
from tests.integration.db.scenes import after

Row = tuple[str, str, str, str, bool]
"""text, key, label, side, whether it stands."""


def insert(url: str, rows: Sequence[Row]) -> None:
    with psycopg.connect(url) as connection:
        for text, key, label, side, stands in rows:
            connection.execute(
                "INSERT INTO examples (task, text, text_key, label, source, side, at, recorded_at, quarantined,"
                " withdrawn_at) VALUES ('routing', %s, %s, %s, 'import', %s, %s, %s, false, %s)",
                (text, key, label, side, after(0), after(0), None if stands else after(1)),
            )


def stored(url: str) -> list[Row]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT text, text_key, label, side, withdrawn_at IS NULL FROM examples ORDER BY id"
        ).fetchall()


@pytest.fixture
def before(empty_url: str) -> str:
    """A database from before keys distinguished symbols."""
    upgrade(empty_url)
    downgrade(empty_url, "0003")
    return empty_url


def test_keys_are_new_and_sides_are_not(before: str) -> None:
    plain, signs, hindi = "Where is my refund?", "Cannot build the C++ app", "मेरा बिल"
    many = [(f"message {n}", side_key(f"message {n}"), "it", "train", True) for n in range(2_100)]
    rows = [(text, side_key(text), "it", "held-out", True) for text in (plain, signs, hindi)]
    insert(before, [*many, *rows, ("", "", "it", "train", False)])
    upgrade(before)
    assert stored(before)[2_100:] == [
        (plain, side_key(plain), "it", "held-out", True),
        (signs, text_key(signs), "it", "held-out", True),
        (hindi, text_key(hindi), "it", "held-out", True),
        ("", "", "it", "train", False),
    ]
    downgrade(before, "0003")
    assert [row[1] for row in stored(before)[2_100:]] == [*map(side_key, (plain, signs, hindi)), ""]


@pytest.mark.parametrize("stands", [(True, True), (False, True), (True, False), (False, False)])
def test_two_that_become_one_text_leave_one_standing(before: str, stands: tuple[bool, bool]) -> None:
    seen, unseen = "refund", "re\u200bfund"
    insert(before, [(t, side_key(t), "it", "train", s) for t, s in zip((seen, unseen), stands, strict=True)])
    upgrade(before)
    assert stored(before) == [
        (seen, text_key(seen), "it", "train", any(stands)),
        (unseen, side_key(unseen), "it", "train", False),
    ]


def test_a_key_may_pass_from_one_text_to_another(before: str) -> None:
    waits, leaves = "re\u200bfund", "refund ++"
    insert(before, [(t, side_key(t), "it", "train", True) for t in (waits, leaves)])
    upgrade(before)
    assert stored(before) == [(t, text_key(t), "it", "train", True) for t in (waits, leaves)]


def test_what_becomes_one_text_on_the_way_back_is_one_again(before: str) -> None:
    upgrade(before)
    insert(before, [(t, text_key(t), "it", "train", True) for t in ("the C++ app", "the C# app", "the C app")])
    downgrade(before, "0003")
    assert [row[4] for row in stored(before)] == [False, False, True]
    assert stored(before)[2][1] == side_key("the C app")


def test_amounts_below_zero_get_a_key_of_their_own(empty_url: str) -> None:
    """Up to schema 11 the key of an amount in brackets did not include its sign."""
    upgrade(empty_url)
    downgrade(empty_url, "0011")
    below, above = "refund (-20 €)", "refund (20 €)"
    insert(empty_url, [(below, text_key(above), "it", "train", True)])
    insert(empty_url, [(above, text_key(above), "sales", "train", True)])
    upgrade(empty_url)
    assert [row[1] for row in stored(empty_url)] == [text_key(below), text_key(above)]
    assert text_key(below) != text_key(above)
