"""People's text as Telegram shows it: complete, with its marks, and with the messages it refers to."""

from bot.domain.messages import Media, MediaKind
from bot.domain.posts import Continuation, FollowUp, Reply
from bot.domain.rich_text import Style, cited, linked
from bot.domain.rich_text import marked as marked_text
from tests.unit.platforms.telegram.test_render import card, links, marked, rest, say, shown


def test_a_card_and_all_that_follows_it_hold_every_word() -> None:
    words = " ".join(f"word{number}" for number in range(2_000))
    long = card(excerpt=words)

    said = [say(long), *(say(piece) for piece in rest(long))]
    pieces = [marked(one, "blockquote")[0] for one in said]

    assert " ".join(pieces) == words
    assert "The rest follows below" in shown(say(long))
    assert "The rest follows below" not in shown(say(card(excerpt="x" * 900)))


def test_a_piece_says_which_it_is_to_the_team_and_nothing_of_that_to_the_person() -> None:
    assert shown(say(Continuation("and more", 7, 1, 2))) == "continued (1/2)\nand more"
    assert shown(say(Continuation("and more", 7, 1, 2, to_person=True))) == "and more"
    assert shown(say(Continuation("", 7, 1, 2, gone=True))) == "—"


def test_what_was_marked_elsewhere_is_marked_here() -> None:
    form = linked("this form", "https://pay.example/refund?id=9&x=1")
    said = say(Reply("billing", f"please fill in {form}, {marked_text('now', Style.BOLD)}", "en", "Lee"))

    assert links(said) == ["https://pay.example/refund?id=9&x=1"]
    assert marked(said, "bold") == ["Billing & Co writes:", "now"]
    assert links(say(FollowUp("Ann", form))) == ["https://pay.example/refund?id=9&x=1"]
    assert links(say(card(excerpt=form))) == ["https://pay.example/refund?id=9&x=1"]


def test_what_a_message_points_at_stands_on_the_card_with_who_wrote_it() -> None:
    said = say(card(excerpt=f"{cited('charged twice for order 4711', 'Ann')}\ncan you help her?"))
    assert marked(said, "blockquote") == ["↪ Ann: charged twice for order 4711\ncan you help her?"]


def test_ten_attachments_are_all_named() -> None:
    names = [f"a-rather-long-name-of-a-picture-{number}.png" for number in range(10)]
    said = shown(say(card(media=tuple(Media("slack", name, MediaKind.PHOTO, name) for name in names))))
    line = next(line for line in said.split("\n") if line.startswith("Attached"))
    assert line.count(",") == 9
