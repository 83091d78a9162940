"""Further questions that come along: each a block of settings and labelled examples in three languages."""

import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.errors import UsageError
from bot.platforms import PlatformModule

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class PackLabel:
    """A label of a pack, and the emoji that may stand for it, the best first."""

    name: str
    title: str
    means: str
    emoji: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pack:
    """One further question."""

    name: str
    about: str
    question: str
    fallback: str
    labels: tuple[PackLabel, ...]
    suggests: bool = False
    """Its labels are what could be offered: see `bot.domain.suggestions`."""
    ask_below: float | None = None
    """How sure an answer has to be for anything to be shown or to follow; None: as sure as usual."""

    @property
    def examples(self) -> Path:
        """What it is taught with: JSON lines of `text` and `label`."""
        return HERE / f"{self.name}.jsonl"

    @property
    def held_out(self) -> Path:
        """By what it is judged: written in other habits, and never learned from."""
        return HERE / f"{self.name}_heldout.jsonl"


def packs() -> list[Pack]:
    """Every pack there is, by name."""
    return [_read(path) for path in sorted(HERE.glob("*.toml"))]


def pack(name: str) -> Pack:
    """The pack of that name. Raises UsageError naming the choices."""
    found = next((one for one in packs() if one.name == name), None)
    if found is None:
        raise UsageError(f"no such pack: {name}; there are {', '.join(one.name for one in packs())}")
    return found


def _read(path: Path) -> Pack:
    document = tomllib.loads(path.read_text("utf-8"))
    labels = tuple(
        PackLabel(name, row["title"], row["means"], {of: tuple(signs) for of, signs in row["emoji"].items()})
        for name, row in document["labels"].items()
    )
    sure = document.get("suggests", False), document.get("ask_below")
    return Pack(path.stem, document["about"], document["question"], document["fallback"], labels, *sure)


def settings_block(
    chosen: Pack, modules: Mapping[str, PlatformModule], taken: Collection[tuple[str, str]]
) -> tuple[str, list[str]]:
    """The pack as a block of settings for these platforms, and which labels got no emoji on which of them.

    `taken` are the (platform, emoji) that mean something already: the first that is free is written.
    """
    used, missing = set(taken), []
    lines = [
        "",
        f"[tasks.{chosen.name}]",
        f"question = {_text(chosen.question)}",
        f"fallback = {_text(chosen.fallback)}",
    ]
    lines += ["suggests = true"] if chosen.suggests else []
    lines += [f"ask_below = {chosen.ask_below}"] if chosen.ask_below is not None else []
    for label in chosen.labels:
        signs: dict[str, str] = {}
        for platform, module in modules.items():
            free = [one for one in label.emoji.get(platform, ()) if (platform, module.emoji(one)) not in used]
            if free:
                signs[platform] = free[0]
                used.add((platform, module.emoji(free[0])))
            else:
                missing.append(f"{label.name} on {platform}")
        pairs = ", ".join(f"{platform} = {_text(sign)}" for platform, sign in signs.items())
        lines += ["", f"[tasks.{chosen.name}.labels.{label.name}]", f"title = {_text(label.title)}"]
        lines += [f"means = {_text(label.means)}", f"emoji = {{ {pairs} }}" if pairs else "emoji = {}"]
    return "\n".join(lines) + "\n", missing


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
