"""Bytes become text: the encoding is named, marked or recognised, and nothing is ever replaced in silence."""

import codecs
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

import chardet

from bot.domain.errors import UsageError
from bot.domain.example_files.alphabets import one_language, related_languages

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_USUAL = (
    "cp1252 iso8859-15 cp1250 iso8859-2 cp1251 koi8-r koi8-u cp1253 iso8859-7 cp1254 cp1255 cp1256 cp1257 cp1258 cp874"
    " cp437 cp850 cp852 cp866 mac-roman mac-cyrillic"
).split()
_USUAL_IN_ASIA = ["cp932", "euc_jis_2004", "gb18030", "big5hkscs", "cp949"]
"""The encodings that spreadsheets and helpdesks write. Rarer ones would only be guessed wrongly; they can be named."""
_TWO_BYTES = frozenset(codecs.lookup(name).name for name in _USUAL_IN_ASIA)
_SHIFTED = re.compile(rb"\x1b\$[@B]|\x1b\([BJ]")
"""Seven-bit Japanese, which looks like ASCII."""
_CLEARLY = 1.5
"""How much surer the detector must be of one reading than of the next plausible one."""
_MOSTLY, _HALF = 0.9, 0.5
"""The share of a file's lines that must be plausible in the right reading: some lines hold unusual names and signs."""
_SURE = 0.04
"""Below this a detector only guesses: where several readings are plausible, the encoding cannot be told."""
_USUALLY = {"cp1252": 1.5} | dict.fromkeys("cp437 cp850 cp852 cp866 mac-roman mac-cyrillic".split(), 0.7)
"""How much more often than others an encoding occurs: most files are Windows', hardly any DOS's or an old Mac's."""
_FOREIGN = re.compile("[\udc00-\udcff]")
_WORD = re.compile(r"[^\s,;|\"]{0,60}[^\x00-\x7f\s\udc00-\udcff][^\s,;|\"\udc00-\udcff]{0,60}")
_UTF7 = re.compile(rb"[A-Za-z]{0,60}\+[A-Za-z0-9+/]{3,400}-[A-Za-z]{0,60}")
"""Longer runs are no words, and without a bound a picture pasted into a cell would be scanned from each letter."""
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1f\x7f-\xff]")
_PEEK = 4_096
_EXAMINED = 200_000


_KEPT = "kept"
"""As Python's `surrogateescape`, but for every byte: half a character of UTF-16 may be any byte."""


def _keep(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_KEPT, _keep)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text. Bytes that its encoding does not know stay in it as lone surrogates: `undecodable` finds them."""

    text: str
    encoding: str
    guessed: bool = False
    doubt: str = ""
    """A word that another encoding would read differently, with that reading."""

    @property
    def said(self) -> str:
        """One sentence for the person, with words by which they can see whether it is right; empty for plain UTF-8."""
        if self.encoding == "utf-8":
            return self.doubt
        words = list(dict.fromkeys(_WORD.findall(self.text)))[:5]
        seen = f" ({', '.join(words)})" if words else ""
        return f"read as {self.encoding}{seen}" + (
            "; if that is wrong, name it with --encoding" if self.guessed else ""
        )


def decoded(data: bytes, named: str | None = None) -> Decoded:
    """The bytes as text. Raises UsageError for an unknown encoding."""
    if named is not None:
        return _as(data, _known(named))
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _as(data, encoding)
    wide = _two_bytes_a_character(data[:_PEEK])
    if wide:
        return _as(data, wide)
    if _SHIFTED.search(data):
        return _as(data, "iso2022_jp", guessed=True)
    return _eight_bits(data)


def undecodable(text: str) -> str:
    """The error for the first byte that the encoding does not know; empty if there is none."""
    found = _FOREIGN.search(text)
    return f"the byte 0x{ord(found[0]) - 0xDC00:02X} belongs to another encoding" if found else ""


def _known(named: str) -> str:
    try:
        encoding = codecs.lookup(named).name
        b"text \xff".decode(encoding, _KEPT)  # raises for what is no text encoding, or is one of names alone
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"--encoding {named}: there is no such encoding; usual ones are utf-8, utf-16, cp1252, cp1250, mac-roman"
        ) from error
    return encoding


def _as(data: bytes, encoding: str, guessed: bool = False) -> Decoded:
    text = data.decode(encoding, _KEPT).removeprefix("\ufeff").removesuffix("\x1a")  # DOS ends a file with it
    return Decoded(text, "utf-8" if encoding in ("utf-8", "utf-8-sig", "ascii") else encoding, guessed)


def _two_bytes_a_character(data: bytes) -> str | None:
    """UTF-16 without a mark: nearly all zero bytes are the first, or the second, of two."""
    zeros = data.count(0)
    if zeros * 20 < len(data) or not zeros or (zeros * 5 < len(data) and not _CONTROLS.search(data)):
        return None  # a few zeros among letters are just zeros
    second = data[1::2].count(0) / zeros
    return "utf-16-le" if second > 0.95 else "utf-16-be" if second < 0.05 else None


def _eight_bits(data: bytes) -> Decoded:
    """UTF-8 if most of what is not ASCII is that; a few lines in another encoding do not change it."""
    plain = _as(data, "utf-8")
    if not _FOREIGN.search(plain.text):
        return replace(plain, doubt=_seven_bits(data)) if data.isascii() else plain
    lines = [line for line in data.splitlines() if not line.isascii()]
    proper = sum(_is_utf8(line) for line in lines)
    if proper > len(lines) - proper:
        return plain
    first = next(number for number, line in enumerate(data.splitlines(), start=1) if not _is_utf8(line))
    encoding = _recognised(b"\n".join(line for line in lines if not _is_utf8(line)), first)
    if proper and encoding not in _TWO_BYTES:
        return Decoded("".join(_of_one_kind(line, encoding) for line in data.splitlines(keepends=True)), encoding, True)
    return _as(data, encoding, guessed=True)


def _seven_bits(data: bytes) -> str:
    """A warning for a file that may be UTF-7, in which accents are written in ASCII; usually empty."""
    for word in dict.fromkeys(_UTF7.findall(data)):
        with suppress(UnicodeDecodeError):
            meant = word.decode("utf-7")
            if not meant.isascii() and one_language(meant):
                return f"read as plain text; if {word.decode()} means {meant}, name it: --encoding utf-7"
    return ""


def _of_one_kind(line: bytes, encoding: str) -> str:
    """The line, decoded; if it is UTF-8 among lines in `encoding`, none of its bytes is decoded by `encoding`."""
    foreign = not line.isascii() and _is_utf8(line)
    return line.decode("ascii" if foreign else encoding, _KEPT)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _recognised(lines: bytes, first: int) -> str:
    """The plausible reading; of several the one of which a detector is clearly surer.

    Raises UsageError if none is plausible, or the encoding cannot be told: a wrong reading would be kept for good.
    """
    readings = _sensible(lines)
    if len(readings) != 1 and not _is_clear(readings):
        raise UsageError(
            f"line {first}: it is not UTF-8, and which encoding it is cannot be told; name it: "
            f"{_choices(lines, readings)}"
        )
    return readings[0].encoding


def _is_clear(readings: Sequence["_Reading"]) -> bool:
    if not readings or readings[0].confidence < _SURE:
        return False
    return readings[0].likeliness >= _CLEARLY * readings[1].likeliness


class _Reading(NamedTuple):
    encoding: str
    confidence: float

    @property
    def likeliness(self) -> float:
        return self.confidence * _USUALLY.get(self.encoding, 1.0)


def _sensible(lines: bytes) -> list[_Reading]:
    """The readings in which each line is of one language, the likeliest first; else of related languages."""
    found: dict[str, _Reading] = {}
    for guess in _guessed(lines[:_EXAMINED]):
        text = lines[:_EXAMINED].decode(guess.encoding, "replace")
        alike = found.setdefault(text, guess)
        found[text] = _Reading(alike.encoding, max(alike.confidence, guess.confidence))
    for sense, share in ((one_language, _MOSTLY), (related_languages, _MOSTLY), (related_languages, _HALF)):
        fitting = [guess for text, guess in found.items() if _fitting(text, sense) >= share]
        if fitting:
            return sorted(fitting, key=lambda guess: -guess.likeliness)
    return []


def _guessed(lines: bytes) -> list[_Reading]:
    """Every usual encoding, the most usual first, with how sure a detector is of it."""
    known = [*_USUAL, *_USUAL_IN_ASIA]
    told = chardet.detect_all(
        lines, ignore_threshold=True, prefer_superset=True, compat_names=False, include_encodings=known
    )
    sure = {codecs.lookup(one["encoding"]).name: one["confidence"] for one in told if one["encoding"]}
    return [_Reading(name, sure.get(name, 0.0)) for name in (codecs.lookup(one).name for one in known)]


def _fitting(text: str, sense: Callable[[str], bool]) -> float:
    """The share of plausible lines."""
    lines = text.split("\n")
    return sum(map(sense, lines)) / len(lines)


def _choices(lines: bytes, readings: Sequence[_Reading]) -> str:
    """The first foreign word in each of the likeliest readings."""
    likely = dict.fromkeys([*(one.encoding for one in readings), "cp850", "mac-roman", "cp1250", "cp1252"])
    read = {name: _WORD.search(lines.decode(name, "replace")) for name in list(likely)[:6]}
    return ", ".join(f'--encoding {name} for "{word[0]}"' for name, word in read.items() if word)
