"""The page of settings lists what the settings' reader accepts, with the text of the commented settings."""

import re

from docs.settings import PAGE, page
from docs.settings_code import environment, known_keys
from docs.settings_words import Key, words
from tests.acceptance.processes import REPOSITORY

_VARIABLE = re.compile(r"\"((?:SWITCHBOARD|SLACK|TELEGRAM|DATABASE|MODEL)_[A-Z_]+)\"")
_SETTINGS_OF_THEIR_OWN = {"SWITCHBOARD_WEBHOOK_SECRET"}
"""Named in a sentence, as an example of a name that people may choose."""


def rows() -> dict[Key, list[str]]:
    """The page's cells by table and key."""
    found, table = {}, ""
    for line in page().splitlines():
        if line.startswith("## `["):
            table = line.strip("#` []")
        elif line.startswith("| `"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found[Key(table, cells[0].strip("`"))] = cells[1:]
    return found


def test_the_page_is_what_the_settings_say() -> None:
    """When this fails: python -m docs.settings > docs/settings.md"""
    assert PAGE.read_text("utf-8") == page()


def test_every_key_that_the_reader_takes_is_explained_and_no_other() -> None:
    tables = words().tables
    inner = {Key(*table.removesuffix(".NAME").rpartition(".")[::2]) for table in tables if "." in table}
    assert len(known_keys()) > 90
    assert known_keys() - inner == set(words().keys)
    assert [key for key, (does, _) in words().keys.items() if len(does) < 8] == []


def test_what_a_key_takes_and_what_counts_without_it_is_what_the_reader_says() -> None:
    said = {key: cells[:2] for key, cells in rows().items()}
    assert said[Key("tasks.NAME.learning", "canary")] == ["number from 0 to 0.5", "`0`"]
    assert said[Key("conversation", "wordless")] == ["ask or fallback", '`"ask"`']
    assert said[Key("platforms.slack", "mode")] == ["socket or http", '`"socket"`']
    assert said[Key("platforms.telegram", "file_base_url")][1] == '`"https://api.telegram.org/file/bot"`'
    assert said[Key("tasks.NAME.labels.NAME", "means")] == ["text", "must be written"]
    assert said[Key("tasks.NAME", "fallback")] == ["text", "–"], "which label is the last differs from task to task"
    assert said[Key("tasks.NAME", "ask_below")] == ["number from 0 to 1", "–"], "who leaves it out has no threshold"
    assert said[Key("retention", "vectors_days")] == ["number from 0 to 36,500", "`7`"]
    assert said[Key("conversation", "per_person_minute")] == ["whole number from 0 to 1,000,000", "`30`"]


def test_every_variable_of_the_environment_that_the_code_names_is_on_the_page() -> None:
    code = [
        path.read_text("utf-8") for folder in ("bot", "db", "inference") for path in (REPOSITORY / folder).rglob("*.py")
    ]
    found = {name.removesuffix("_FILE") for text in code for name in _VARIABLE.findall(text)}
    named = found - _SETTINGS_OF_THEIR_OWN
    shown = set(re.findall(r"^\| `([A-Z_]+)` \|", page(), re.MULTILINE))
    assert "SLACK_BOT_TOKEN" in named
    assert named <= shown
    chosen_by_people = {"OPENAI_API_KEY", "SWITCHBOARD_HELPDESK_SECRET", "SWITCHBOARD_HELPDESK_TOKEN"}
    assert {name for name, file in environment().items() if file} - chosen_by_people <= shown
