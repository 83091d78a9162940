"""The whole content of a Slack message is read, in whichever field Slack puts it."""

from typing import cast

import pytest

from bot.domain.rich_text import Style, plain, runs
from bot.platforms.slack.message_content import message_text
from bot.platforms.slack.payload import Payload

FORWARD: Payload = {
    "text": "can you take this?",
    "attachments": [
        {
            "is_share": True,
            "is_msg_unfurl": True,
            "from_url": "https://test.slack.com/archives/C1/p1",
            "author_name": "Ann",
            "author_id": "U0ANN",
            "text": "I was charged twice, see <https://pay.example|the bill>",
            "fallback": "[Nov 24th] Ann: I was charged twice",
            "footer": "Posted in #help",
        }
    ],
}


def rich(*elements: Payload) -> Payload:
    return {"type": "rich_text", "elements": list(elements)}


def section(*elements: Payload) -> Payload:
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text: str, **style: bool) -> Payload:
    return {"type": "text", "text": text} | ({"style": style} if style else {})


def test_a_forwarded_message_is_read_with_who_wrote_it() -> None:
    text = message_text(FORWARD)
    assert plain(text) == "can you take this?\nI was charged twice, see the bill"
    assert [run.value(Style.CITED) for run in runs(text)] == [None, "Ann", "Ann"]
    assert runs(text)[1].marks[0].by == "U0ANN"
    assert runs(text)[-1].value(Style.LINK) == "https://pay.example"


def test_a_forward_without_a_comment_is_the_whole_message() -> None:
    assert plain(message_text(cast(Payload, {**FORWARD, "text": ""}))) == "I was charged twice, see the bill"


@pytest.mark.parametrize(
    ("attachment", "read"),
    [
        ({"fallback": "only this"}, "only this"),
        ({"pretext": "before", "title": "T", "title_link": "https://x.example", "text": "body"}, "before\nT\nbody"),
        ({"fields": [{"title": "Order", "value": "4711"}, {"value": "late"}]}, "Order: 4711\nlate"),
        ({"blocks": [rich(section(words("from an app")))]}, "from an app"),
        ({"is_share": True, "message_blocks": [{"message": {"blocks": [rich(section(words("hi")))]}}]}, "hi"),
        ({"is_share": True, "files": [{"id": "F1", "name": "a.txt", "preview": "line one"}]}, "line one"),
    ],
)
def test_whatever_an_attachment_says_is_read(attachment: Payload, read: str) -> None:
    assert plain(message_text({"text": "", "attachments": [attachment]})) == read


def test_a_links_preview_is_not_what_its_writer_said() -> None:
    preview = {"from_url": "https://x.example", "title": "A page", "text": "of somebody else"}
    assert message_text({"text": "see <https://x.example>", "attachments": [preview]}) == message_text(
        {"text": "see <https://x.example>"}
    )


def test_a_pasted_table_is_read_row_by_row() -> None:
    cells: list[list[Payload]] = [[{"type": "raw_text", "text": "Order"}, {"type": "raw_text", "text": "Sum"}]]
    cells.append([rich(section(words("4711"))), {"type": "raw_text", "text": "9 €"}])
    message = {"text": "see", "blocks": [rich(section(words("see"))), {"type": "table", "rows": cells}]}
    assert plain(message_text(message)) == "see\nOrder | Sum\n4711 | 9 €"


@pytest.mark.parametrize(
    ("block", "read"),
    [
        (
            {"type": "section", "text": {"type": "mrkdwn", "text": "*a*"}, "fields": [{"type": "mrkdwn", "text": "b"}]},
            "a\nb",
        ),
        ({"type": "header", "text": {"type": "plain_text", "text": "Head"}}, "Head"),
        (
            {"type": "context", "elements": [{"type": "image", "alt_text": "logo"}, {"type": "mrkdwn", "text": "x"}]},
            "logo  x",
        ),
        ({"type": "image", "alt_text": "a bill", "image_url": "https://x.example/a.png"}, "a bill"),
        ({"type": "markdown", "text": "# Title"}, "# Title"),
        ({"type": "divider"}, ""),
    ],
)
def test_every_block_with_words_is_read(block: Payload, read: str) -> None:
    assert plain(message_text({"text": "", "blocks": [block]})) == read


def test_rich_text_keeps_lists_quotes_code_links_and_names() -> None:
    items = {"type": "rich_text_list", "style": "bullet", "elements": [section(words("one")), section(words("two"))]}
    numbers = {"type": "rich_text_list", "style": "ordered", "offset": 1, "elements": [section(words("three"))]}
    link = {"type": "link", "url": "https://x.example", "text": "here"}
    block = rich(
        section({"type": "user", "user_id": "U0BOT"}, words(" see "), link, {"type": "emoji", "name": "wave"}),
        items,
        numbers,
        {"type": "rich_text_quote", "elements": [words("paid")]},
        {"type": "rich_text_preformatted", "elements": [words("x = 1")], "language": "python"},
        section(words("bold", bold=True), {"type": "broadcast", "range": "here"}),
    )
    text = message_text({"text": "ignored", "blocks": [block]}, "U0BOT")
    assert plain(text) == "see here👋\n• one\n• two\n2. three\npaid\nx = 1\nbold@here"
    found = {run.text: [mark.style for mark in run.marks] for run in runs(text)}
    assert (found["here"], found["paid"], found["x = 1"], found["bold"]) == (
        [Style.LINK],
        [Style.QUOTE],
        [Style.PRE],
        [Style.BOLD],
    )


def test_what_a_file_says_is_read() -> None:
    snippet = {"id": "F1", "title": "log.txt", "mode": "snippet", "preview": "error 4711"}
    mail = {"id": "F2", "name": "mail", "subject": "Refund", "plain_text": "Please pay me back"}
    voice = {"id": "F3", "transcription": {"status": "complete", "preview": {"content": "hello it is me"}}}
    text = message_text({"text": "see", "files": [snippet, mail, voice]})
    assert plain(text) == "see\nerror 4711\nRefund\nPlease pay me back\nhello it is me"
