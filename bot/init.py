"""What a newcomer starts with: commented settings, the files that platforms need, and what to do next."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from bot.domain.errors import UsageError
from bot.files import write_whole
from bot.platforms import EMOJI_ACTS, MORE_EMOJI_ACTS, PlatformModule

USUAL = ("slack", "telegram")
"""The platforms for somebody who names none."""
_ADDRESS = "https://bot.example.com"
"""Stands for the reader's own public address."""
_TEMPLATE = Path(__file__).with_suffix(".toml")


def of_names(names: Collection[str], platform_modules: Mapping[str, PlatformModule]) -> dict[str, PlatformModule]:
    """The platforms of these names, in this order. Raises UsageError for an unknown name."""
    unknown = sorted(set(names) - set(platform_modules))
    if unknown:
        raise UsageError(f"no such platform: {', '.join(unknown)}; there are {', '.join(sorted(platform_modules))}")
    return {name: platform_modules[name] for name in names}


def begin(settings: Path, chosen: Mapping[str, PlatformModule], http: bool, force: bool) -> list[Path]:
    """Write the settings and, beside them, the files that the chosen platforms need; return all files.

    Raises UsageError when a file exists and `force` is false: nothing is written.
    """
    files = {settings: settings_text(chosen, http)}
    for module in chosen.values():
        handed = module.install(_ADDRESS if http else "")
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


def settings_text(chosen: Mapping[str, PlatformModule], http: bool) -> str:
    """The commented settings, for the chosen platforms alone."""
    address = _ADDRESS if http else ""
    lines: list[str] = []
    team = ""
    for line in _TEMPLATE.read_text("utf-8").splitlines():
        team = line.rpartition(".")[2].rstrip("]") if line.startswith("[") else team
        key = line.removesuffix(" = {}")
        if line == "[platforms]":
            lines += "\n".join(module.settings_table(address) for module in chosen.values()).splitlines()
        elif key != line:
            lines += [
                f"# {note}" for module in chosen.values() if key == EMOJI_ACTS[0] and (note := module.emoji_note())
            ]
            lines.append(f"{key} = {_by_platform(key.lstrip('# '), team, chosen)}")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _by_platform(key: str, team: str, chosen: Mapping[str, PlatformModule]) -> str:
    """`{ slack = …, web = … }` for a key of the template: an act's emoji, or what reaches a team."""
    lacking = {name for name, module in chosen.items() if key in MORE_EMOJI_ACTS and key not in module.more_emoji}
    values = {name: _value(key, team, module) for name, module in chosen.items() if name not in lacking}
    pairs = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "{ " + ", ".join(pairs) + " }"


def _value(key: str, team: str, module: PlatformModule) -> str | list[str | int]:
    if key in EMOJI_ACTS:
        return module.usual_emoji[key]
    if key in MORE_EMOJI_ACTS:
        return module.more_emoji[key]
    example = module.example_teams[team]
    match key:
        case "emoji":
            return example.emoji
        case "deliver_to" | "also_to":
            return example.room
        case "channel":
            return [example.room]
        case _:
            return [example.lead]


def next_steps(
    settings: Path, written: Collection[Path], chosen: Mapping[str, PlatformModule], http: bool
) -> list[str]:
    """What is left to do, in order, one sentence each."""
    address = _ADDRESS if http else ""
    theirs: list[str] = []
    for module in chosen.values():
        names = module.install(address)
        theirs += module.first_steps([str(path) for path in written if path.name in names], address)
    return [
        *theirs,
        f"Open {settings} and put in your teams, their rooms and your leads; every key is explained there.",
        "Prove that all of it works: switchboard check (and, with somebody to react: switchboard check --live).",
        "Start it: switchboard run",
    ]
