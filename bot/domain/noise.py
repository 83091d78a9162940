"""Reduces a long, messy message to what the voices read: no markup, quoted mail, signature or stack trace.

Training and serving read messages through this one function; what people read is never changed. Quoted and forwarded
mail is found by quotequail, which knows the phrases of many mail programs and languages. (mail-parser-reply and
email-reply-extractor were tried: some texts of 8,000 characters take them 11 and 161 seconds.)
"""

import re
from dataclasses import dataclass
from enum import StrEnum

import quotequail

from bot.domain.example_files.html_text import as_text, is_html

_ENOUGH = 6
"""Words that must be left: with "see below" the quoted mail is the message, and with a bare trace the trace is."""
_CLOSING_TAGS = re.compile(r"</\w+\s*>")
_LEAST_TAGS = 3
"""Closing tags that make a page: somebody who asks about one `</div>` wrote it themselves."""
_LINES = 300
"""Lines in which a quote must begin to be found: the time to find it grows with the square of the lines."""
_FRAME = re.compile(
    r"""\s*(?:at\ .+[):]\d*\)?$            # Java, .NET, JavaScript
        |File\ ".*",\ line\ \d+            # Python
        |\.\.\.\ \d+\ (?:more|common)      # Java
        |from\ .+:\d+:in\                  # Ruby
        |\#\d+\ .+(?:\(\d+\)|0x[0-9a-f]+)  # PHP, gdb
        )""",
    re.VERBOSE,
)
_PYTHON_FRAME = re.compile(r'\s*File ".*", line \d+')
_LEAST_FRAMES = 2
_SIGN_OFF = re.compile(
    r"(?:--|__+|(?:with |mit |com os |con )?(?:(?:best|kind|warm|kindest|many|thanks and|thanks & best)\s+)*"
    r"(?:regards|wishes|thanks|cheers|sincerely|yours \w+|thank you|thanks in advance|best"
    r"|atenciosamente|att|cordialmente|abraços?|obrigad[oa](?: desde já)?|grat[oa]|(?:os )?melhores cumprimentos"
    r"|cumprimentos|(?:un |muchos )?saludos?(?: cordiales?)?|atentamente|(?:muchas |mil )?gracias(?: de antemano)?"
    r"|(?:mit )?(?:freundlichen|vielen|besten|liebe|viele|beste|freundliche) grüßen?|mfg|lg"
    r"|(?:bien )?cordialement|bien à vous|merci(?: d'avance)?))[\s,.!]*",
    re.IGNORECASE,
)
_SENT_FROM = re.compile(
    r"(?:sent from my|get outlook for|enviado d[eo] meu|enviado (?:a partir|através) do|enviado desde mi"
    r"|obter o outlook|obtener outlook|von meinem .* gesendet|envoyé de(?:puis)? mon)\b.{0,40}",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"@|https?:|www\.|\+?\d[\d ()/.-]{6,}|\|")
_LONGEST_OF_SIGNATURE = 8
"""Words of a line under a sign-off: names, roles, addresses. A longer line speaks to somebody."""
_DISCLAIMER = re.compile(
    r"\W*(?:confidentiality|disclaimer|legal notice|aviso legal|aviso de confidenciali"
    r"|(?:this|the information in this) (?:e-?mail|message|communication)\b.{0,120}(?:confidential|intended|privileged)"
    r"|est[ae] (?:mensagem|mensaje|e-?mail|correo)\b.{0,120}(?:confidencia|destin)"
    r"|diese (?:e-?mail|nachricht)\b.{0,120}vertraulich)",
    re.IGNORECASE | re.DOTALL,
)


class Noise(StrEnum):
    """A kind of noise that is left out."""

    MARKUP = "markup"
    QUOTE = "quote"
    TRACE = "trace"
    DISCLAIMER = "disclaimer"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a message that the voices did not read."""

    kind: Noise
    words: int
    """Its number of words; for markup, what was removed besides words."""


@dataclass(frozen=True, slots=True)
class Stripped:
    """What the voices read of a message."""

    text: str
    left_out: tuple[LeftOut, ...] = ()


def strip_noise(text: str) -> Stripped:
    """The message without what its author did not write for the reader. A message on one line stays as it is.

    A step that would leave next to nothing is not taken: then that was the message.
    """
    left_out: list[LeftOut] = []
    if "\n" not in text and "</" not in text:
        return Stripped(text)
    for kind, step in _STEPS:
        rest = step(text)
        words = len(text.split()) - len(rest.split())
        if rest != text and (kind is Noise.MARKUP or (words > 0 and len(rest.split()) >= _ENOUGH)):
            left_out.append(LeftOut(kind, max(words, 0)))
            text = rest.strip()
    return Stripped(text, tuple(left_out))


def _markup(text: str) -> str:
    page = len(_CLOSING_TAGS.findall(text)) >= _LEAST_TAGS and is_html(text)
    return (as_text(text) or text) if page else text


def _quotes(text: str) -> str:
    lines = text.split("\n")
    found = quotequail.unwrap("\n".join(lines[:_LINES]))
    if not found:
        return text
    return "\n".join(part for part in (found.get("text_top", ""), found.get("text_bottom", "")) if part)


def _traces(text: str) -> str:
    """The text without frames of stack traces; the error's own words stay, since they say what is wrong."""
    lines = text.split("\n")
    frames = [bool(_FRAME.match(line)) for line in lines]
    for at in range(1, len(lines)):  # Python shows the line of code under each frame
        if not frames[at] and _PYTHON_FRAME.match(lines[at - 1]) and lines[at].startswith((" ", "\t")):
            frames[at] = True
    if sum(frames) < _LEAST_FRAMES:
        return text
    return "\n".join(line for line, frame in zip(lines, frames, strict=True) if not frame)


def _disclaimers(text: str) -> str:
    first, *others = re.split(r"\n[ \t]*\n", text)
    return "\n\n".join([first, *(part for part in others if not _DISCLAIMER.match(part))])


def _signature(text: str) -> str:
    """The text without the last sign-off and what is under it, if that looks like names and addresses."""
    lines = [line for line in text.rstrip().split("\n") if not _SENT_FROM.fullmatch(line.strip())]
    for at in range(len(lines) - 1, 0, -1):
        if _SIGN_OFF.fullmatch(lines[at].strip()):
            return "\n".join(lines[:at]).rstrip()
        if len(lines[at].split()) > _LONGEST_OF_SIGNATURE and not _CONTACT.search(lines[at]):
            break
    return "\n".join(lines)


_STEPS = (
    (Noise.MARKUP, _markup),
    (Noise.QUOTE, _quotes),
    (Noise.TRACE, _traces),
    (Noise.DISCLAIMER, _disclaimers),
    (Noise.SIGNATURE, _signature),
)
