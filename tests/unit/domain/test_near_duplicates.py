"""Texts with nearly the same content form one group; common phrases make no texts alike."""

import pytest

from bot.domain.near_duplicates import near_groups, pieces_of, similarity

ALIKE = [
    ("Help me cancel a transaction.", "Please help me cancel a transaction."),
    ("My phone was stolen, what can I do?", "I think my phone was stolen. What can I do?"),
    ("My top up is still pending", "my TOP-UP is still pending!"),
    ("Não consigo acessar minha conta desde ontem", "não consigo acessar a minha conta desde ontem"),
    ("我的银行卡丢了怎么办请帮我", "我的银行卡丢了怎么办请帮我吧"),
]
DIFFERENT = [
    ("Where is my parcel?", "Where is my refund?"),
    ("The card machine does not print", "The printer does not take my card"),
    ("ok", "no"),
]


@pytest.mark.parametrize("pair", ALIKE)
def test_nearly_the_same_words_are_one_group(pair: tuple[str, str]) -> None:
    assert near_groups(pair).near == [0, 0]


@pytest.mark.parametrize("pair", DIFFERENT)
def test_other_words_are_not(pair: tuple[str, str]) -> None:
    assert near_groups(pair).near == [0, 1]


def test_one_that_is_nearly_the_same_as_two_links_them() -> None:
    texts = [
        "please tell me where my parcel with the red shoes is now",
        "where my parcel with the red shoes is now",
        "where my parcel with the red shoes is now, dear support",
    ]
    assert similarity(pieces_of(texts[0]), pieces_of(texts[2])) < 0.7
    assert near_groups(texts).near == [0, 0, 0]


def test_hardly_a_word_more_is_very_near_and_a_few_are_not() -> None:
    long = "the machine on the second floor of the building beside the station prints every page of my letters twice"
    texts = [long, f"{long} now", f"dear all, hello again, {long} since last Monday"]
    groups = near_groups(texts)
    assert (groups.near, groups.very_near) == ([0, 0, 0], [0, 0, 2])


def test_what_a_form_prints_on_every_message_makes_none_alike() -> None:
    form = "Name of the customer: see account. Department that the request is for: see below. What happened: "
    words = ["lamp", "chair", "window", "carpet", "mirror", "drawer", "pillow", "kettle", "towel", "basket"]
    texts = [f"{form}{one} {other}" for one in words for other in words if one != other]
    assert len(set(near_groups(texts).near)) > 60
    assert len(set(near_groups(texts[:20]).near)) == 1  # with few texts, a form cannot be recognised


def test_a_thousand_copies_of_a_template_are_one_group_and_take_no_longer_each() -> None:
    others = [f"{a} {b} {c}" for a in "abcdefghij" for b in ("kiwi", "plum", "pear") for c in "klmnopqrstuvwxyz1234"]
    alerts = [f"ALERT disk usage of the machine behind the kitchen door is above limit, seen {n}" for n in range(25)]
    groups = near_groups([*others, *alerts]).near
    assert len(set(groups[len(others) :])) == 1


def test_nothing_and_what_cannot_be_stored_are_texts_like_any_other() -> None:
    assert near_groups([]).near == []
    assert near_groups(["", "\ud800", "…"]).near == [0, 1, 2]
