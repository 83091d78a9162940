"""The README's tree matches the files."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_every_file_with_what_it_says_of_itself() -> None:
    """When this fails: paste what `python docs/tree.py` prints between the README's two tree marks."""
    printed = runpy.run_path(str(ROOT / "docs" / "tree.py"))["tree"]()
    shown = (ROOT / "README.md").read_text("utf-8").split("<!-- tree -->")[1]
    assert shown.strip().removeprefix("```").removesuffix("```").strip("\n") == printed
