"""People's text as Slack is given it: complete, with its marks, and with the messages it refers to."""

import pytest

from bot.domain.continuation import continued
from bot.domain.messages import Media, MediaKind, Place
from bot.domain.posts import Content, FollowUp, OutboxItem, Post, Reply
from bot.domain.rich_text import Style, cited, linked, marked
from bot.platforms.slack.payload import each, word
from tests.servers.slack.blocks import check
from tests.unit.platforms.slack.test_render import card, said, shown

LONG = " ".join(f"слово{number}" for number in range(4_000))


def words_of(content: Content) -> str:
    """The contents of a message's quotations."""
    blocks = said(content).blocks
    check(blocks)
    groups = [group for block in blocks if block["type"] == "rich_text" for group in each(block, "elements")]
    return "".join(word(element, "text") for group in groups for element in each(group, "elements"))


@pytest.mark.parametrize("whole", [card(excerpt=LONG), FollowUp("Ann", LONG), Reply("billing", LONG, None, "Ben")])
def test_the_longest_message_we_keep_is_read_whole(whole: Content) -> None:
    item = OutboxItem(7, Post(Place("slack", "C1"), whole), 1)
    pieces = [words_of(content) for content in [whole, *(post.content for post in continued(item))]]
    assert " ".join(pieces) == LONG


def test_a_card_says_that_the_rest_follows() -> None:
    assert "The rest follows below" in shown(card(excerpt=LONG))
    assert "The rest follows below" not in shown(card(excerpt="x" * 900))


def test_what_is_marked_is_marked_and_links_keep_their_address() -> None:
    text = f"please fill in {linked('this form', 'https://pay.example/?id=9')} {marked('now', Style.BOLD)}"
    for content in (card(excerpt=text), FollowUp("Ann", text), Reply("billing", text, None, "Ben")):
        written = shown(content)
        assert '{"type": "link", "url": "https://pay.example/?id=9", "text": "this form"}' in written
        assert '{"type": "text", "text": "now", "style": {"bold": true}}' in written
        assert "this form (https://pay.example/?id=9)" in said(content).text


def test_a_link_that_looks_like_another_says_where_it_leads() -> None:
    text = linked("https://bank.example/login", "https://evil.example/")
    assert '"text": "https://bank.example/login (https://evil.example/)"' in shown(FollowUp("Ann", text))


def test_more_marks_than_slack_takes_leave_the_words() -> None:
    text = "".join(marked(letter, Style.BOLD) + " " for letter in "x" * 1_400)
    assert words_of(FollowUp("Ann", text)) == "x " * 1_400


def test_what_a_message_points_at_stands_on_the_card_with_who_wrote_it() -> None:
    text = f"{cited('charged twice for order 4711', 'Ann')}\ncan you help her?"
    assert words_of(card(excerpt=text)) == "↪ Ann: charged twice for order 4711\ncan you help her?"


def test_ten_files_are_all_linked() -> None:
    files = [f"https://test.slack.com/files/F{number}" for number in range(10)]
    content = card(media=tuple(Media("slack", link, MediaKind.PHOTO, "a.png", 1, link) for link in files))
    check(said(content).blocks)
    assert [link in shown(content) for link in files] == [True] * 10
