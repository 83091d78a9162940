"""Every sentence the bot says to a person, one file per language."""

import tomllib
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


def available() -> tuple[str, ...]:
    """The languages there is a file for, as IETF tags."""
    return tuple(sorted(path.stem for path in _HERE.glob("*.toml")))


def choose(wanted: str | None, offered: tuple[str, ...]) -> str:
    """The offered language nearest to the wanted IETF tag: the same tag, the same language, else the first offered."""
    if wanted is None:
        return offered[0]
    exact = [tag for tag in offered if tag.lower() == wanted.lower().replace("_", "-")]
    kin = [tag for tag in offered if tag.split("-")[0].lower() == wanted.split("-")[0].split("_")[0].lower()]
    return next(iter(exact + kin), offered[0])


def sentence(language: str, key: str, **words: str | int) -> str:
    """The sentence of that key, with the words put in. Raises KeyError for a key that no file has (our mistake)."""
    return _sentences(language)[key].format(**words)


@cache
def _sentences(language: str) -> dict[str, str]:
    return {key: str(text) for key, text in tomllib.loads((_HERE / f"{language}.toml").read_text("utf-8")).items()}
