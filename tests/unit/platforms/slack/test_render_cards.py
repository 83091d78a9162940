"""How a card and the posts that belong to it look in Slack."""

import json
from dataclasses import replace

import pytest

from bot.domain.decisions import Author, Reason
from bot.platforms.slack.render import Links, render
from bot.platforms.wording import RenderContext
from tests.servers.slack.blocks import buttons
from tests.unit.platforms.slack.test_render import CARD, PHOTO, SUSPECT, TASK, TOLD, UPSET, VOICE, card, said, shown


def test_a_card_says_who_where_why_and_how_to_correct_it() -> None:
    text = shown(CARD, links=Links("https://test.slack.com/archives/C0HELP/p1764000000000100"))
    for part in (
        "*New request for billing*",
        "From Ann",
        "<https://test.slack.com/archives/C0HELP/p1764000000000100|See the conversation>",
        "The model chose this: very sure (92%, routing-3)",
        ":eyes: I am on it  :white_check_mark: done",
        ":-1: wrong team",
        "Wrong team? React with: :moneybag: billing  :wrench: IT &amp; Tools",
    ):
        assert part in text


def test_a_card_without_a_link_a_name_or_a_legend_leaves_them_out() -> None:
    text = shown(card(author="", legend=()))
    assert "From someone" in text
    assert "See the conversation" not in text
    assert "Wrong team?" not in text


@pytest.mark.parametrize(
    ("by", "reason", "why"),
    [
        (Author.MODEL, Reason.CONFIDENT, "The model chose this: very sure (92%, routing-3)"),
        (Author.MEMORY, Reason.REMEMBERED, "Remembered from a correction"),
        (Author.MEMORY, Reason.MODEL_DOWN, "the model could not be asked"),
        (Author.MEMORY, Reason.NOT_TRAINED, "The model is not trained yet: known examples decided"),
        (Author.PERSON, Reason.CHOSEN, "The person chose this team"),
        (Author.LEAD, Reason.CORRECTED, "A lead moved it here"),
        (Author.FALLBACK, Reason.UNSURE, "Nobody could decide"),
        (Author.MEMORY, Reason.NOT_READ, "similar known requests; the model does not know these words"),
        (Author.EXAMPLES, Reason.NOT_READ, "(92%); the model does not know these words"),
        (Author.FALLBACK, Reason.UNREADABLE, "Nothing here can read this language"),
        (Author.FALLBACK, Reason.OUT_OF_HOURS, "none of the likely teams is there"),
        (Author.FALLBACK, Reason.MODEL_DOWN, "The model could not be asked"),
        (Author.MODEL, Reason.WITHDRAWN, "was withdrawn"),
        (Author.FALLBACK, Reason.UNDELIVERABLE, "could not be reached"),
        (Author.FALLBACK, Reason.WORDLESS, "nothing to read"),
    ],
)
def test_a_card_says_who_decided_and_why(by: Author, reason: Reason, why: str) -> None:
    assert why in shown(card(by=by, reason=reason))


def test_without_an_adapter_the_base_is_named() -> None:
    assert "(92%, starter)" in shown(card(adapter=None))


def test_a_moved_card_is_struck_through_and_says_where_to() -> None:
    result = said(card(moved_to="it"))
    text = json.dumps(result.blocks)
    assert "~New request for billing~" in text
    assert "Moved to IT &amp; Tools" in text
    assert '"strike": true' in text
    assert "React with" not in text
    assert list(buttons(result.blocks)) == []


def test_a_moved_card_links_to_the_one_that_took_its_place() -> None:
    links = Links(moved="https://test.slack.com/archives/C0IT/p1")
    assert "<https://test.slack.com/archives/C0IT/p1|See it there>" in shown(card(moved_to="it"), links=links)


def test_a_deleted_card_shows_neither_excerpt_nor_what_was_said_nor_files() -> None:
    content = card(deleted=True, history=(("Ann", "I was charged"),), remembered=("charged",), media=(PHOTO,))
    result = said(content)
    everything = result.text + json.dumps(result.blocks)
    assert "charged" not in everything
    assert "bill.png" not in everything
    assert "The person deleted this" in everything


def test_a_card_shows_its_marks_its_history_and_what_the_memory_leaned_on() -> None:
    text = shown(card(taken_by="Ben", edited=True, history=(("Ann", "it is urgent"),), remembered=("charged 2x",)))
    for part in ("Ben is on it", "changed their words since", "So far", "Ann: it is urgent", "corrected: charged 2x"):
        assert part in text


def test_files_of_slack_are_linked_and_others_are_named() -> None:
    text = shown(card(media=(PHOTO, VOICE)))
    assert "Attached: <https://test.slack.com/files/F1|bill.png>, voice" in text


def test_a_card_has_a_button_to_reply_with() -> None:
    assert [button["action_id"] for button in buttons(said(CARD).blocks)] == ["write_reply"]


def test_without_words_for_taking_and_closing_the_legend_leaves_them_out() -> None:
    text = json.dumps(render(CARD, RenderContext(("en",), "starter", TASK)).blocks)
    assert "on it" not in text
    assert "React with" in text


def test_a_card_says_what_was_answered_besides_what_follows_and_how_leads_say_otherwise() -> None:
    text = shown(card(answers=(UPSET, SUSPECT)))
    assert "Upset · 91%" in text and "Suspicious, a lead says" in text
    assert "Upset, by a rule" in shown(card(answers=(replace(UPSET, by=Author.RULE),)))
    assert "Not Upset? React with: :rage: Upset  :relieved: Calm" in text
    assert "Suspicious: nothing is sent to the person until somebody of the team reacts here or replies" in text
    assert "Suspicious: to be taken within 5 minutes" in text
    assert "Upset" not in shown(card(answers=(UPSET,), moved_to="it")), "a card that was left shows what counts no more"


def test_another_room_reads_the_answer_the_team_and_the_way_there_and_no_words() -> None:
    links = Links(moved="https://test.slack.com/archives/C1/p1")
    text = shown(TOLD, links=links)
    assert "Suspicious · 97%: a request to billing" in text and "https://test.slack.com/archives/C1/p1" in text
    copied = shown(replace(TOLD, copies=True, author="Ann", excerpt="I was charged twice"))
    assert "from Ann" in copied and "I was charged twice" in copied
    assert "Not so after all" in shown(replace(TOLD, withdrawn=True))
