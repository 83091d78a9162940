"""Slack's markup keeps its content: addresses, mentions, formatting, quotes, emoji, dates."""

import pytest

from bot.domain.rich_text import Mark, Run, Style, mentions, plain, runs
from bot.platforms.slack.emoji_characters import character
from bot.platforms.slack.mrkdwn import read_mrkdwn

PAY = "https://pay.example/refund?id=9"


def styles(raw: str) -> list[tuple[str, list[str]]]:
    return [(run.text, [f"{mark.style} {mark.value}".strip() for mark in run.marks]) for run in runs(read_mrkdwn(raw))]


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (f"fill in <{PAY}|this form>", [("fill in ", []), ("this form", [f"link {PAY}"])]),
        (f"<{PAY}>", [(PAY, [f"link {PAY}"])]),
        ("<https://a.example/?x=1&amp;y=2|a &amp; b>", [("a & b", ["link https://a.example/?x=1&y=2"])]),
        ("<mailto:ann@example.com|ann@example.com>", [("ann@example.com", ["link mailto:ann@example.com"])]),
        ("<tel:+351210000|call us>", [("call us", ["link tel:+351210000"])]),
        (
            "*bold* _italic_ ~gone~",
            [("bold", ["bold"]), (" ", []), ("italic", ["italic"]), (" ", []), ("gone", ["strike"])],
        ),
        ("*very _both_*", [("very ", ["bold"]), ("both", ["bold", "italic"])]),
        (f"*<{PAY}|form>*", [("form", ["bold", f"link {PAY}"])]),
        ("`a_b_c &lt;x&gt; :wave:`", [("a_b_c <x> :wave:", ["code"])]),
        ("```for x in y:\n    print(*x*)```", [("for x in y:\n    print(*x*)", ["pre"])]),
        ("she said\n&gt; pay &amp; go\n&gt; now\nso", [("she said\n", []), ("pay & go\nnow", ["quote"]), ("\nso", [])]),
        ("&gt;&gt;&gt;one\ntwo", [("one\ntwo", ["quote"])]),
        ("2*3*4, snake_case_name, a~b", [("2*3*4, snake_case_name, a~b", [])]),
        ("<!date^1392734382^{date}^https://x.example/|Feb 18>", [("Feb 18", ["link https://x.example/"])]),
        ("<!date^1392734382^{date_short}>", [("2014-02-18 14:39 UTC", [])]),
        ("<javascript:alert(1)|click>", [("click", [])]),
        (":party_parrot: at 12:30:45", [(":party_parrot:", ["emoji party_parrot"]), (" at 12:30:45", [])]),
    ],
)
def test_what_was_written_is_kept(raw: str, read: list[tuple[str, list[str]]]) -> None:
    assert styles(raw) == read


@pytest.mark.parametrize(
    ("name", "emoji"),
    [
        ("heart", "❤️"),
        ("wave", "👋"),
        ("white_check_mark", "✅"),
        ("+1", "👍"),
        ("thumbsup", "👍"),
        ("-1", "👎"),
        ("+1::skin-tone-2", "👍🏻"),
        ("wave::skin-tone-6", "👋🏿"),
        ("flag-pt", "🇵🇹"),
        ("man-raising-hand", "🙋‍♂️"),
        ("slightly_smiling_face", "🙂"),
        ("sweat_smile", "😅"),
        ("large_blue_circle", "🔵"),
        ("party_parrot", None),
    ],
)
def test_a_short_name_is_the_emoji_that_everybody_writes(name: str, emoji: str | None) -> None:
    assert character(name) == emoji
    assert plain(read_mrkdwn(f"ok :{name}:")) == f"ok {emoji or f':{name}:'}"


def test_who_is_mentioned_can_be_looked_up() -> None:
    text = read_mrkdwn("<@U0ANN> and <!subteam^S0LEADS> in <#C0HELP>, <!here>")
    assert mentions(text) == {
        Mark(Style.MENTION, "U0ANN"),
        Mark(Style.MENTION, "S0LEADS"),
        Mark(Style.CHANNEL, "C0HELP"),
    }
    assert plain(text) == "@someone and @subteam in #channel, @here"


def test_nobody_can_type_a_mark() -> None:
    assert runs(read_mrkdwn("\ufff9click\ufffalink https://evil.example\ufffb")) == (
        Run("clicklink https://evil.example"),
    )
