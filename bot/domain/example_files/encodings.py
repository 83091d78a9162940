"""Bytes become text: the encoding is named, marked, or recognised, and nothing is ever replaced in silence."""

import codecs
import re
from dataclasses import dataclass

import chardet

from bot.domain.errors import UsageError

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
"""What spreadsheets and helpdesks write. Rarer ones are only guessed wrongly; they can be named."""
_TWO_BYTES = frozenset(codecs.lookup(name).name for name in _USUAL_IN_ASIA)
_SHIFTED = re.compile(rb"\x1b\$[@B]|\x1b\([BJ]")
"""Seven-bit Japanese, which is ASCII at first sight."""
_LITTLE = 6
"""Up to so many different signs, a detector throws dice; then it is what Excel writes, if that makes sense."""
_TORN = (
    r"(?<=[a-zà-ÿ])[À-ÖØ-ÞŒŠŽŸ]|(?<=[A-Z])[À-ÖØ-ÞŸ](?=[a-zà-ÿ])"  # a capital inside a word
    r"|(?<=[^\W\d_])[¿¡£€§©°«‚„†‡ˆ‰¤¥]|[¿¡](?!\w)|(?<=[a-z])\xa0(?=[a-z])"  # a sign inside a word
    r"|\d[à-ÿœšž]|[à-ÿœšž]\d|\b[^\W\d_à-ÿ]?[œšžŒŠŽ]\b"  # a letter beside a digit, or alone
    r"|[A-Za-z][\u0370-\u2fff\u3040-\uffff](?<![‘’“”–—…•€™])"  # a word of two scripts
)
_SENSELESS = re.compile(_TORN + r"|[^\x00-\x7f\xa0À-ÖØ-ÜÞß-ïñ-öø-üÿŒœŠšŽž’‘“”–—…•«»€£°´¿¡§©®™ªº²³½]")
_DOUBTFUL = re.compile(_TORN)
_FOREIGN = re.compile("[\udc00-\udcff]")
_WORD = re.compile(r"[^\s,;|\"]*[^\x00-\x7f\s\udc00-\udcff][^\s,;|\"\udc00-\udcff]*")
_PEEK = 4_096
_EXAMINED = 200_000


_KEPT = "kept"
"""Python's own `surrogateescape`, for every byte: half a sign of UTF-16 may be any."""


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

    @property
    def said(self) -> str:
        """One sentence for the person, with words by which they can see whether it is right; empty for plain UTF-8."""
        if self.encoding == "utf-8":
            return ""
        words = list(dict.fromkeys(_WORD.findall(self.text)))[:5]
        seen = f" ({', '.join(words)})" if words else ""
        return f"read as {self.encoding}{seen}" + (
            "; if that is wrong, name it with --encoding" if self.guessed else ""
        )


def decoded(data: bytes, named: str | None = None) -> Decoded:
    """The bytes as text. Raises UsageError for an encoding there is none of."""
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
    """What was wrong with these bytes: the first of them that the encoding does not know; empty when there is none."""
    found = _FOREIGN.search(text)
    return f"the byte 0x{ord(found[0]) - 0xDC00:02X} belongs to another encoding" if found else ""


def _known(named: str) -> str:
    try:
        encoding = codecs.lookup(named).name
        b"text \xff".decode(encoding, _KEPT)  # what is no text encoding, or one of names alone, says so
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"--encoding {named}: there is no such encoding; usual ones are utf-8, utf-16, cp1252, cp1250, mac-roman"
        ) from error
    return encoding


def _as(data: bytes, encoding: str, guessed: bool = False) -> Decoded:
    text = data.decode(encoding, _KEPT).removeprefix("\ufeff").removesuffix("\x1a")  # by which DOS ends a file
    return Decoded(text, "utf-8" if encoding in ("utf-8", "utf-8-sig", "ascii") else encoding, guessed)


def _two_bytes_a_character(data: bytes) -> str | None:
    """UTF-16 without a mark: nearly all zero bytes are first, or second, of two."""
    zeros = data.count(0)
    if zeros * 20 < len(data) or not zeros:
        return None
    second = data[1::2].count(0) / zeros
    return "utf-16-le" if second > 0.95 else "utf-16-be" if second < 0.05 else None


def _eight_bits(data: bytes) -> Decoded:
    """UTF-8 where most of what is not ASCII is that; a few foreign lines do not make another file of it."""
    plain = _as(data, "utf-8")
    if not _FOREIGN.search(plain.text):
        return plain
    lines = [line for line in data.splitlines() if not line.isascii()]
    proper = sum(_is_utf8(line) for line in lines)
    if proper > len(lines) - proper:
        return plain
    encoding = _recognised(b"\n".join(line for line in lines if not _is_utf8(line)))
    if proper and encoding not in _TWO_BYTES:
        return Decoded("".join(_of_one_kind(line, encoding) for line in data.splitlines(keepends=True)), encoding, True)
    return _as(data, encoding, guessed=True)


def _of_one_kind(line: bytes, encoding: str) -> str:
    """A line of UTF-8 among others is not what they are: none of its bytes is read as if it were."""
    foreign = not line.isascii() and _is_utf8(line)
    return line.decode("ascii" if foreign else encoding, _KEPT)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _recognised(lines: bytes) -> str:
    """The detector's word, unless there is too little for it to go by; Windows' code pages for what they contain."""
    little = len(set(lines) - set(range(128))) <= _LITTLE
    if little and not _SENSELESS.search(lines.decode("cp1252", "replace")):
        return "cp1252"
    found = chardet.detect(
        lines[:_EXAMINED],
        prefer_superset=True,
        compat_names=False,
        include_encodings=[*_USUAL, *_USUAL_IN_ASIA],
        no_match_encoding="cp1252",
    )
    encoding = codecs.lookup(found["encoding"] or "cp1252").name
    if little and encoding not in _TWO_BYTES and _DOUBTFUL.search(lines.decode(encoding, "replace")):
        raise UsageError(f"it is not UTF-8, and which encoding it is cannot be told; name it: {_choices(lines)}")
    return encoding


def _choices(lines: bytes) -> str:
    """What the first foreign word would be in each of the likeliest."""
    read = {name: _WORD.search(lines.decode(name, "replace")) for name in ("cp850", "mac-roman", "cp1250", "cp1252")}
    return ", ".join(f'--encoding {name} for "{word[0]}"' for name, word in read.items() if word)
