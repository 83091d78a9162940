"""Telegram's entities are kept, and are written as Telegram's HTML again."""

import random

import pytest
from telegram import MessageEntity, User

from bot.domain.rich_text import Style, linked, marked, plain, runs, written
from bot.platforms.slack.blocks import quote
from bot.platforms.telegram.entities import html, read_entities
from tests.servers.telegram.formatting import parse

PAY = "https://pay.example/refund?id=9&x=1"


def entity(kind: str, offset: int, length: int, **more: str) -> MessageEntity:
    return MessageEntity(kind, offset, length, **more)  # type: ignore[arg-type]


def again(text: str) -> str:
    """What Telegram would send us of what we sent it."""
    words, found = parse(html(text), "HTML")
    told = [
        entity(
            str(one["type"]),
            int(str(one["offset"])),
            int(str(one["length"])),
            **({"url": str(one["url"])} if "url" in one else {}),
        )
        for one in found
    ]
    return read_entities(words, told)


def test_offsets_are_counted_as_telegram_does() -> None:
    text = read_entities("👍 see this form", [entity("text_link", 7, 9, url=PAY)])
    assert [(run.text, run.value(Style.LINK)) for run in runs(text)] == [("👍 see ", None), ("this form", PAY)]


@pytest.mark.parametrize(
    ("kind", "text", "address"),
    [
        ("url", "pay.example/x", "https://pay.example/x"),
        ("url", "http://pay.example", "http://pay.example"),
        ("email", "ann@example.com", "mailto:ann@example.com"),
        ("phone_number", "+351210000", "tel:+351210000"),
        ("text_link", "evil", None),
    ],
)
def test_what_leads_somewhere_says_where(kind: str, text: str, address: str | None) -> None:
    url = {"url": "javascript:alert(1)"} if kind == "text_link" else {}
    [run] = runs(read_entities(text, [entity(kind, 0, len(text), **url)]))
    assert run.value(Style.LINK) == address


def test_a_mention_without_a_name_of_its_own_is_one() -> None:
    told = MessageEntity("text_mention", 0, 3, user=User(7, "Ann", is_bot=False))
    assert runs(read_entities("Ann asks", [told]))[0].value(Style.MENTION) == "7"


def test_marks_cross_and_go_past_the_end_without_harm() -> None:
    text = read_entities("abcd", [entity("bold", 0, 3), entity("italic", 2, 9)])
    assert plain(text) == "abcd"


_STYLES = [Style.BOLD, Style.ITALIC, Style.UNDERLINE, Style.STRIKE]


@pytest.mark.parametrize("seed", range(100))
def test_what_goes_out_comes_back(seed: int) -> None:
    """Slack or anything else -> domain -> Telegram -> domain: the same characters with the same marks."""
    chance = random.Random(seed)
    parts = []
    for _ in range(chance.randint(1, 6)):
        words = "".join(chance.choices(["a", "<b>", "&amp;", "👍", "é", " ", '"', "'"], k=4)) + "x"
        for style in chance.sample(_STYLES, chance.randint(0, 2)):
            words = marked(words, style)
        parts.append(linked(words, PAY) if chance.random() < 0.3 else words)
    text = "".join(parts)

    def characters(of: str) -> list[tuple[str, frozenset[str]]]:
        return [(c, frozenset(f"{m.style} {m.value}" for m in run.marks)) for run in runs(of) for c in run.text]

    assert characters(again(text)) == characters(text)
    assert written(runs(text)) == written(runs(written(runs(text))))
    assert quote(text, 3_000)


def test_code_holds_no_other_marks() -> None:
    assert html(marked(f"x{marked('y', Style.BOLD)}<", Style.PRE, "python")) == (
        '<pre><code class="language-python">xy&lt;</code></pre>'
    )
