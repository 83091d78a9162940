"""Which columns hold the text, the label, the side and the time: by their names, or by their content."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bot.domain.errors import UsageError
from bot.domain.example_files.rows import Recognised, Row

_BODIES = (
    "text message body content description utterance query question request comment prompt input sentence phrase"
    " mensagem texto mensaje descricao descripcion corpo cuerpo conteudo contenido comentario pergunta pregunta"
).split()
_HEADLINES = "subject title short_description summary headline assunto asunto titulo resumo resumen".split()
_LABELS = (
    "label category intent assignment_group assigned_group assigned_team team group queue department class target"
    " topic tag completion output categoria intencao intencion equipe equipo grupo fila cola departamento rotulo"
    " etiqueta"
).split()
_SAMPLE = 1_000
_AGAIN = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns' names in the file. Several text columns are read one below another."""

    text: tuple[str, ...]
    label: str | None
    split: str | None = None
    at: str | None = None

    @property
    def said(self) -> str:
        """The columns in one sentence for the person; empty where the names are our own."""
        if self.text == ("text",) and self.label in ("label", None):
            return ""
        label = f", the label from {self.label!r}" if self.label else ""
        return f"the text is read from {' and '.join(map(repr, self.text))}{label}"


def how_many_known(names: Iterable[str]) -> int:
    """How many of these names are usual for a column that we read."""
    return sum(_meant(name, _BODIES + _HEADLINES + _LABELS) is not None for name in names)


def name_a_text(names: Iterable[str]) -> bool:
    """Whether one of these names is usual for a text."""
    return any(_meant(name, _BODIES + _HEADLINES) is not None for name in names)


def chosen(
    rows: Sequence[Row], texts: Sequence[str], label: str | None, recognised: Recognised, at: str | None = None
) -> Columns:
    """The columns that the person named, with the others recognised. Raises UsageError listing the file's names."""
    names = list(dict.fromkeys(name for row in rows[:_SAMPLE] for name in row.fields))
    names += [name for name in dict.fromkeys(n for row in rows[_SAMPLE:] for n in row.fields) if name not in names]
    found = tuple(_named("--text", name, names) for name in texts) or _texts(names)
    if not found:
        found = _beside_the_label(names, label, rows[:_SAMPLE], recognised)
    if not found:
        raise UsageError(f"no column is called text or the like; {_there_are(names)}; name it: --text COLUMN")
    kept = [name for name in names if name not in found]
    target = _named("--label", label, names) if label else _label(kept, rows[:_SAMPLE], recognised)
    plain = {plain_name(name): name for name in reversed(names)}
    return Columns(found, target, plain.get("split"), _named("--at", at, names) if at else plain.get("at"))


def without_label(rows: Sequence[Row]) -> UsageError:
    """The error for a file in which every example needs a label and none was found."""
    names = list(dict.fromkeys(name for row in rows for name in row.fields))
    return UsageError(f"no column is called label or the like; {_there_are(names)}; name it: --label COLUMN")


def _there_are(names: Collection[str]) -> str:
    return f"columns are {', '.join(names)}" if names else "there are no columns"


def _named(flag: str, name: str, names: Sequence[str]) -> str:
    for one in names:
        if one == name or (name not in names and plain_name(one) == plain_name(name)):
            return one
    raise UsageError(f"{flag} {name}: no such column; {_there_are(names)}")


def _texts(names: Sequence[str]) -> tuple[str, ...]:
    """`text` alone, or a headline and a body, as in helpdesks."""
    body = _first(names, _BODIES)
    headline = _first(names, _HEADLINES)
    if body is not None and plain_name(body) == "text":
        return (body,)
    return tuple(name for name in (headline, body) if name is not None)


def _beside_the_label(
    names: Sequence[str], label: str | None, rows: Sequence[Row], recognised: Recognised
) -> tuple[str, ...]:
    """With two columns, the one that does not hold the labels; with more, none can be told."""
    target = _named("--label", label, names) if label else _label(names, rows, recognised)
    return tuple(name for name in names if name != target) if target and len(names) == 2 else ()


def _first(names: Sequence[str], meant: Sequence[str]) -> str | None:
    ranked = [(rank, name) for name in names if (rank := _meant(name, meant)) is not None]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _label(names: Sequence[str], rows: Sequence[Row], recognised: Recognised) -> str | None:
    """Among the columns that may be the label, the one that names the most of our teams; of equals the more usual name.

    If none has such a name, a column that names teams in most of its rows is the label, whatever its name.
    """
    ranked = [(rank, name) for name in names if (rank := _meant(name, _LABELS)) is not None]

    def known(name: str) -> int:
        return sum(recognised(str(row.fields.get(name, ""))) for row in rows)

    if ranked:
        return min(ranked, key=lambda pair: (-known(pair[1]), pair[0]))[1]
    best = max(names, key=known, default=None)
    return best if best is not None and known(best) * 2 > len(rows) else None


def _meant(name: str, meant: Sequence[str]) -> int | None:
    """How usual the name is, 0 first; `Ticket description` and `fields.summary` go by their last word."""
    plain = plain_name(name)
    if plain in meant:
        return meant.index(plain)
    last = plain.rsplit("_", 1)[-1]
    return len(meant) + meant.index(last) if last in meant else None


def plain_name(name: str) -> str:
    """The name in small letters without accents, words joined by "_": `First Team` is `first_team`."""
    decomposed = unicodedata.normalize("NFKD", name).lower()
    return _AGAIN.sub("_", "".join(s for s in decomposed if not unicodedata.combining(s))).strip("_")
