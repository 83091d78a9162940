"""Reading Slack's notation and time."""

from datetime import UTC, datetime

import pytest

from bot.platforms.slack.payload import each, inner, moment, readable, word

BOT = "U0BOT"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (f"<@{BOT}> I was charged twice", "I was charged twice"),
        (f"<@{BOT}|switchboard>: I was charged twice", "I was charged twice"),
        (f"hey <@{BOT}>, are you there", "hey are you there"),
        ("ask <@U0BEN> or <@U0BEN|ben>", "ask @someone or @ben"),
        ("<!here> <!channel> <!everyone|everyone>", "@here @channel everyone"),
        ("<!subteam^S0LEADS|@leads> and <!subteam^S0LEADS>", "@leads and @subteam"),
        ("<!date^1764000000^{date}|Nov 24>", "Nov 24"),
        ("in <#C0HELP|help> or <#C0HELP> or <#C0HELP|>", "in #help or #channel or #channel"),
        ("see <https://example.com/a?b=1&amp;c=2>", "see https://example.com/a?b=1&c=2"),
        ("see <https://example.com|the page>", "see the page"),
        ("<mailto:ann@example.com|ann@example.com> <tel:+123>", "ann@example.com +123"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("I typed &amp;lt;b&amp;gt;", "I typed &lt;b&gt;"),
        ("<|> <> < a", "<> < a"),
        ("two\nlines", "two\nlines"),
        ("", ""),
    ],
)
def test_slacks_notation_becomes_plain_words(written: str, read_as: str) -> None:
    assert readable(written, BOT) == read_as


@pytest.mark.parametrize("ts", ["", "soon", "1.1234567", "123456789012", "-1.0"])
def test_what_is_no_timestamp_is_none(ts: str) -> None:
    assert moment(ts) is None


def test_a_timestamp_keeps_its_microseconds() -> None:
    assert moment("1764000000.000100") == datetime.fromtimestamp(1764000000, UTC).replace(microsecond=100)


def test_what_is_not_there_is_empty() -> None:
    assert (inner({"a": 1}, "a", "b"), word({"a": 1}, "a"), list(each({"a": ["x", {}]}, "a"))) == ({}, "", [{}])
