"""Prints docs/settings.md: every setting, from what the settings' reader asks for and the commented settings say."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from bot.platforms import platform_modules
from bot.settings.environment import SECRETS_APART, VARIABLES
from docs.settings_code import defaults, environment, known_keys, required, takes
from docs.settings_words import Words, value_of, words

PAGE = Path(__file__).with_name("settings.md")
_HEAD = """# Every setting

Written by `python -m docs.settings` out of the settings' reader (which keys there are, what they take, what counts
without them) and of the commented settings that `switchboard init` writes (what they do).

Settings are read once, when a program starts: a change counts from the next start of `switchboard run` on, and at once
for every other command. The commands below a table look at what it says, so that a mistake is found before that start.
`NAME` is a name of your choice. What is left out is as usual; a key that does not exist, or that holds something else,
stops the start with a sentence that names it.
"""
_LOOKED_AT = {
    "database": "switchboard check",
    "model": "switchboard check\nswitchboard check --server-flags",
    "training": "switchboard check\nswitchboard train",
    "privacy": "switchboard models",
    "retention": "switchboard retention --dry-run",
    "compare.endpoints.NAME": "switchboard compare --endpoint NAME",
    "platforms.slack": "switchboard check slack --live",
    "platforms.telegram": "switchboard check telegram --live",
    "platforms.web": "switchboard check web",
    "tasks.NAME": "switchboard check\nswitchboard models",
    "tasks.NAME.learning": "switchboard check\nswitchboard train",
    "tasks.NAME.labels.NAME": "switchboard teams list",
    "rules": 'switchboard rules list\nswitchboard rules test "Where is purchase order 77?"',
    "api.tokens.NAME": "switchboard token",
    "webhooks.NAME": "switchboard webhooks list\nswitchboard webhooks test NAME",
}
"""Table -> the commands that show what became of it, besides the start."""


def page() -> str:
    """The whole page."""
    said = words()
    return "\n".join([_HEAD, *_tables(said), *_variables()]).rstrip() + "\n"


def _tables(said: Words) -> Iterator[str]:
    known, usual, taken, missed = known_keys(), defaults(), takes(), required()
    for table, intro in said.tables.items():
        yield f"## `[[{table}]]`\n" if table == "rules" else f"## `[{table}]`\n"
        if intro:
            yield f"{_linked(intro)}\n"
        yield "| key | takes | usual | what it does | example |\n|---|---|---|---|---|"
        for key, (does, example) in said.keys.items():
            if key.table == table and key in known:
                without = "must be written" if key in missed else _written(usual.get(key))
                kind = taken.get(key) or _kind(value_of(example))
                yield _row(f"`{key.name}`", kind, without, does, f"`{example}`")
        yield ""
        if commands := _LOOKED_AT.get(table):
            yield f"```sh\n{commands}\n```\n"


def _variables() -> Iterator[str]:
    theirs = {name: says for module in platform_modules().values() for name, says in module.variables.items()}
    files = environment()
    yield "## The environment\n"
    yield (
        "Secrets are never in the settings' file. Where the last column says so, `NAME_FILE` may name a file that\n"
        "holds the value, and a credential of systemd's (`LoadCredential=NAME:…`) is found by the variable's name.\n"
        "So are variables that the settings name (`key` of an endpoint, `environment` of a token or a webhook).\n"
    )
    yield "| variable | what it is | may be a file |\n|---|---|---|"
    for name, says in sorted({**VARIABLES, **theirs}.items()):
        yield _row(f"`{name}`", says, "yes" if name in SECRETS_APART or files.get(name) else "no")


def _linked(text: str) -> str:
    return re.sub(r"docs/([a-z-]+\.md)", r"[\1](\1)", text)


def _kind(value: object) -> str:
    """In a word or two."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case date():
            return "day"
        case list():
            return "list"
        case dict():
            return "by platform" if set(value) <= set(platform_modules()) else "table"
        case _:
            return "text"


def _written(value: object) -> str:
    """A default as one writes it; what is nothing is a dash."""
    if value in (None, "", {}) or value == []:
        return "–"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{json.dumps(value, ensure_ascii=False, default=str)}`"


def _row(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    sys.stdout.write(page())
