"""What a newcomer begins with: commented settings, what the platforms want to be given, and what to do next."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from bot.domain.errors import UsageError
from bot.files import write_whole
from bot.platforms import Kind

USUAL = ("slack", "telegram")
"""The platforms of somebody who names none."""
_ADDRESS = "https://bot.example.com"
"""Stands for the reader's own public address."""
_TEMPLATE = Path(__file__).with_suffix(".toml")
_PAIR = re.compile(r'(\w+) = ("[^"]*"|\[[^\]]*\])')
_INLINE = re.compile(r"\{ (.*) \}")
_HTTP = {
    'mode = "socket"': 'mode = "http"',
    'mode = "polling"': 'mode = "webhook"',
    "#webhook_url = ": "webhook_url = ",
}


def begin(settings: Path, chosen: Collection[str], kinds: Mapping[str, Kind], http: bool, force: bool) -> list[Path]:
    """Write the settings and, beside them, what the platforms want to be given; the files.

    Raises UsageError for a platform there is none of, and when a file exists and `force` is false: nothing is written.
    """
    unknown = sorted(set(chosen) - set(kinds))
    if unknown:
        raise UsageError(f"no such platform: {', '.join(unknown)}; there are {', '.join(sorted(kinds))}")
    files = {settings: settings_text(chosen, set(kinds), http)}
    for name in chosen:
        handed = kinds[name].install(_ADDRESS if http else "")
        files |= {settings.parent / file: content for file, content in handed.items()}
    there = [str(path) for path in files if path.exists()]
    if there and not force:
        raise UsageError(f"{', '.join(there)}: here already, nothing was written; --force overwrites")
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
        write_whole(path, content)
    return list(files)


def settings_text(chosen: Collection[str], platforms: Collection[str], http: bool) -> str:
    """The commented settings, with the chosen ones of the platforms alone."""
    others = set(platforms) - set(chosen)
    blocks = _TEMPLATE.read_text("utf-8").split("\n\n")
    kept = [block for block in blocks if not any(f"[platforms.{name}]" in block for name in others)]
    lines = [_without(line, others) for block in kept for line in [*block.splitlines(), ""] if not _about(line, others)]
    text = "\n".join(lines).rstrip("\n") + "\n"
    for local, public in _HTTP.items() if http else ():
        text = text.replace(local, public)
    return text


def _about(line: str, others: Collection[str]) -> bool:
    """Whether the line is a comment for users of a platform that was not chosen."""
    return any(line.startswith(f"# {name.capitalize()}: ") for name in others)


def _without(line: str, others: Collection[str]) -> str:
    """The line without what it says for other platforms: `{ slack = …, web = … }` becomes `{ web = … }`."""

    def kept(inline: re.Match[str]) -> str:
        pairs = [pair[0] for pair in _PAIR.finditer(inline[1]) if pair[1] not in others]
        return "{ " + ", ".join(pairs) + " }"

    return _INLINE.sub(kept, line) if _INLINE.search(line) else line


def next_steps(settings: Path, written: Collection[Path], chosen: Collection[str], http: bool) -> list[str]:
    """What is left to do, in order, a sentence each."""
    manifest = next((str(path) for path in written if path.name.startswith("slack")), "the manifest")
    return [
        *(_slack(manifest, http) if "slack" in chosen else ()),
        *(_telegram(http) if "telegram" in chosen else ()),
        f"Open {settings} and put in your teams, their rooms and your leads; every key is explained there.",
        "Prove that all of it works: switchboard check (and, with somebody to react: switchboard check --live).",
        "Start it: switchboard run",
    ]


def _slack(manifest: str, http: bool) -> Iterator[str]:
    if http:
        yield f"Slack: put your public address in place of {_ADDRESS} in {manifest}; it must lead to web.listen."
    yield f"Slack: at https://api.slack.com/apps choose Create New App, From a manifest, and paste {manifest}."
    yield "Slack: Install to Workspace, then copy the Bot User OAuth Token: export SLACK_BOT_TOKEN=xoxb-…"
    if http:
        yield "Slack: under Basic Information, copy the Signing Secret: export SLACK_SIGNING_SECRET=…"
    else:
        yield (
            "Slack: under Basic Information, generate an App-Level Token with the scope connections:write: "
            "export SLACK_APP_TOKEN=xapp-…"
        )
    yield "Slack: invite the bot to every team's channel and every intake channel: /invite @switchboard"


def _telegram(http: bool) -> Iterator[str]:
    yield "Telegram: talk to @BotFather, send /newbot, and copy the token: export TELEGRAM_BOT_TOKEN=123456:ABC…"
    if http:
        yield "Telegram: invent a secret of letters and digits: export TELEGRAM_WEBHOOK_SECRET=…"
        yield f"Telegram: put your public address in place of {_ADDRESS} in webhook_url; it must lead to web.listen."
    yield (
        "Telegram: make a group for each team, add the bot, and make it an administrator; "
        "without that Telegram hides reactions from it."
    )
