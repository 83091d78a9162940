"""The pages for people and for leads have the same content in every language of the bot."""

import re
from collections import Counter
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TRANSLATED = sorted(DOCS.glob("pt-BR/*.md")) + sorted(DOCS.glob("es/*.md"))
_CODE = re.compile(r"`[^`]+`")
_EMOJI = re.compile(r"[\U0001f300-\U0001faff\u2600-\u27bf]")


def shape(page: str) -> dict[str, object]:
    """What must be the same in every language: what people type, the emoji, and the structure of the page."""
    lines = page.splitlines()
    return {
        "code": Counter(_CODE.findall(page)),
        "emoji": Counter(_EMOJI.findall(page)),
        "headings": [line.split(" ")[0] for line in lines if line.startswith("#")],
        "rows": sum(line.startswith("|") for line in lines),
        "paragraphs": len(re.split(r"\n\s*\n", page.strip())),
        "bold": page.count("**"),
    }


def test_every_language_has_its_pages() -> None:
    assert {page.parent.name for page in TRANSLATED} == {"pt-BR", "es"}
    assert {page.name for page in DOCS.glob("pt-BR/*.md")} == {page.name for page in DOCS.glob("es/*.md")}


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_a_page_is_built_like_the_english_one(page: Path) -> None:
    """When this fails: make the same change in the other languages, too."""
    assert shape(page.read_text("utf-8")) == shape((DOCS / page.name).read_text("utf-8"))
