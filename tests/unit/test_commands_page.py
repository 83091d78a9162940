"""The page of commands matches the commands."""

from docs.commands import PAGE, page


def test_the_page_is_what_the_commands_say() -> None:
    """When this fails: python -m docs.commands > docs/commands.md"""
    assert PAGE.read_text("utf-8") == page()


def test_every_command_is_explained_and_so_is_every_option() -> None:
    sections = page().split("\n## ")[1:]
    assert len(sections) > 20
    assert [section.splitlines()[0] for section in sections if not section.splitlines()[2]] == []
    assert [row for row in page().splitlines() if row.startswith("|") and row.endswith("|  |")] == []
