"""Sentences that the bot says to people on every platform, one file per language."""

import re
import string
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bot.domain.control_characters import without_controls

_HERE = Path(__file__).parent
_FIRST = "en"
"""The language that every folder of sentences has."""


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


class _Forms(string.Formatter):
    """Gaps with a form for one and a form for more than one."""

    def format_field(self, value: object, format_spec: str) -> str:
        one, bar, more = format_spec.partition("|")
        if not bar:
            return str(super().format_field(value, format_spec))
        return (one if str(value) == "1" else more).replace("#", str(value))


_FORMS = _Forms()


class Sentences:
    """A platform's own sentences, in its `folder`, over those that every platform says.

    A folder must have English. A language that it lacks is spoken in English there: a platform made by somebody else
    need not know every language that we add.
    """

    def __init__(self, folder: Path = _HERE) -> None:
        self._folder = folder

    def keys(self, language: str) -> frozenset[str]:
        """Of every sentence that can be said."""
        return frozenset(_shared(language)) | frozenset(_own(self._folder, language))

    def sentence(self, language: str, key: str, **words: str | int) -> str:
        """The sentence of that key, with the words put in. Raises KeyError for a key that no file has (our mistake).

        A gap such as `{count:# request|# requests}` takes its first form for 1; `#` stands for the number.
        """
        said = {gap: without_controls(word) if isinstance(word, str) else word for gap, word in words.items()}
        return _FORMS.format(self.text(language, key), **said)

    def gaps(self, language: str, key: str, said: str) -> dict[str, str] | None:
        """What was put into that sentence's gaps to say this; None: this is another sentence.

        A number with the form for more than one is found, too: versions without forms said "1 requests".
        """
        found = _pattern(self.text(language, key)).fullmatch(said)
        return None if found is None else {gap: words or "1" for gap, words in found.groupdict().items()}

    def text(self, language: str, key: str) -> str:
        """The sentence as its file has it, with its gaps. Raises KeyError as `sentence` does."""
        own = _own(self._folder, language)
        return own[key] if key in own else _shared(language)[key]


sentence = Sentences().sentence


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """What a sentence says, with a group for each gap; a gap's form for one leaves its group out."""
    return re.compile(
        "".join(re.escape(words) + (_gap(gap, form or "") if gap else "") for words, gap, form, _ in _FORMS.parse(text))
    )


def _gap(gap: str, form: str) -> str:
    one, bar, more = form.partition("|")
    words = f"(?P<{gap}>.+?)"
    if not bar:
        return words
    first, others = one.replace("#", "1"), words.join(re.escape(part) for part in more.split("#", 1))
    return f"(?:{re.escape(first)}|{others})"


def _shared(language: str) -> Mapping[str, str]:
    return _read(_HERE / f"{language}.toml")


def _own(folder: Path, language: str) -> Mapping[str, str]:
    file = folder / f"{language}.toml"
    return _read(file if file.is_file() else folder / f"{_FIRST}.toml")


@cache
def _read(file: Path) -> Mapping[str, str]:
    return {key: str(text) for key, text in tomllib.loads(file.read_text("utf-8")).items()}
