"""Every link between the pages leads to an existing file, and to a heading in it."""

import re
from pathlib import Path

import pytest

from tests.acceptance.processes import REPOSITORY

PAGES = sorted(
    page
    for page in (*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "deploy").rglob("*.md"))
)
_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of the headings as GitHub makes them; the second of one name ends in -1."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} (.+)$", _CODE.sub("", page.read_text("utf-8")), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        found[slug if slug not in found else f"{slug}-{found[slug]}"] = found.get(slug, 0) + 1
    return set(found)


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere in this repository."""
    text = _CODE.sub("", page.read_text("utf-8"))
    return [link for link in (*_LINK.findall(text), *_PICTURE.findall(text)) if not _leads_somewhere(page, link)]


def _leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True  # another site, which this test cannot check
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    if not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert broken(page) == []


def test_a_link_to_nothing_is_found_out(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One `two`: three\n[a](#one-two-three) [b](#four) [c](none.md) [d](page.md#x) ![e](no.png) [f](https://x.example)\n"
        "```\n[g](none.md)\n```\n",
        "utf-8",
    )
    assert broken(page) == ["#four", "none.md", "page.md#x", "no.png"]


def test_no_page_stands_alone() -> None:
    """Every page can be reached from the README."""
    seen: set[Path] = set()
    waiting = [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(page.read_text("utf-8")))
        found = {(page.parent / link).resolve() for link in links if link.endswith(".md") and ":" not in link}
        waiting += [one for one in found if one.exists() and one not in seen]
    assert [str(page.relative_to(REPOSITORY)) for page in PAGES if page.resolve() not in seen] == []


def test_four_people_have_a_path_of_their_own_from_the_first_page() -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    paths = dict(re.findall(r"^- \*\*(\w+)[^*]*\*\*: ((?:.|\n {2})+)", readme, re.MULTILINE))
    firsts = {who: _LINK.findall(path)[0] for who, path in paths.items()}
    assert firsts == {
        "Employee": "docs/people.md#employees-in-slack",
        "Customer": "docs/people.md#customers-in-telegram",
        "Lead": "docs/leads.md",
        "Engineer": "docs/running.md",
    }
    assert readme.index("make demo") < readme.index("![") < readme.index("Four paths"), (
        "a command, a picture, the paths"
    )


def test_every_word_of_the_architecture_is_in_the_glossary() -> None:
    words = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8").split("## Words")[1].split("\n## ")[0]
    glossary = (REPOSITORY / "docs" / "glossary.md").read_text("utf-8").lower()
    ours = [word for cell in re.findall(r"^\| ([a-z, ]+) \|", words, re.MULTILINE) for word in cell.split(", ")]
    assert len(ours) > 15
    assert [word for word in ours if word != "word" and word not in glossary] == []
