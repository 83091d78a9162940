"""Tickets that changed hands, as helpdesks export them: the team that had a ticket last is its label.

A reassignment is a correction that somebody made before us. In a table, columns name the first and the last team.
Zammad, Zendesk and Chatwoot keep a history, whose parts are read wherever they are in the file: whole responses of
their APIs, one behind another, are a file, too.

- Zammad: `tickets?expand=true`, `ticket_articles/by_ticket/…`, `ticket_history/…`
- Zendesk: `tickets` with `audits`, or `incremental/ticket_events`; `groups` say what the numbers mean
- Chatwoot: `conversations` and their `messages`, of which the activities say who was assigned
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from bot.domain.errors import UsageError
from bot.domain.example_files.columns import plain_name
from bot.domain.example_files.rows import UNREADABLE_REST, BadLine, Line, Recognised, Row
from bot.domain.plural import counted, worded

_MARKS = re.compile(r'"(?:value_to|child_events|message_type)"\s*:|"field_name"\s*:\s*"group_id"')
# Of names as `plain_name` has them
_FIRST = re.compile(r"(?:first|original|initial|from|old|previous|primeir[oa]|primer[oa]?|origen|origem)\w*")
_LAST = re.compile(r"(?:last|final|current|to|new|resolved|ultim[oa]|atual|actual|destino)\w*")
_TEAM = re.compile(r"team|group|queue|department|assigned|owner|equip|grup|fila|cola")
_ASSIGNED = re.compile(
    r"(?:Assigned to|Atribu[ií]d[oa] a|Asignad[oa] a) (?:.+ via )?(?P<to>.+?) (?:by|por) .+$", re.DOTALL
)
_INCOMING, _ACTIVITY = (0, "incoming"), (2, "activity")
_SHOWN = 3


@dataclass(slots=True)
class _Ticket:
    """What is known about a ticket so far."""

    text: str = ""
    created: str = ""
    now: str = ""
    """Its present team, by the ticket itself."""
    moves: list[tuple[str, str, str]] = field(default_factory=list)
    """(when, from whom, to whom); from nobody for the first. Moves of one second stay as they are in the file."""


def from_helpdesk(text: str, recognised: Recognised) -> tuple[list[Line], str] | None:
    """(a row a ticket, a note for the person); None if the file is no history of tickets."""
    if not _MARKS.search(text):
        return None
    found, broken = _History(recognised), list[Line]()
    for value in _values(text):
        if isinstance(value, BadLine):
            broken.append(value)
        else:
            found.read(value)
    rows = found.rows()
    note = told([moved for _, moved in rows])
    return ([row for row, _ in rows] + broken, f"{note}{found.left_out()}") if rows else None


def from_table(rows: Sequence[Row], first: str | None, last: str | None) -> tuple[str, str] | None:
    """(the column with the last team, a note for the person); None if no column holds the first team.

    `first` and `last` were named by the person. Raises UsageError if there is no column `first`.
    """
    names = list(dict.fromkeys(name for row in rows for name in row.fields))
    if first is not None and first not in names:
        raise UsageError(f"--first {first}: no such column; columns are {', '.join(names)}")
    before, after = first or _team_column(names, _FIRST), last or _team_column(names, _LAST)
    if before is None or after is None:
        return None
    return after, told([(_word(row.fields.get(before)), _word(row.fields.get(after))) for row in rows])


def _team_column(names: Sequence[str], which: re.Pattern[str]) -> str | None:
    """The first column whose name says that it holds a team, and which of a ticket's teams."""
    plain = {name: plain_name(name) for name in names}
    return next((name for name in names if which.fullmatch(plain[name]) and _TEAM.search(plain[name])), None)


def told(tickets: Sequence[tuple[str, str]]) -> str:
    """How many tickets changed hands, and between which teams most often."""
    moved = [pair for pair in tickets if pair[0] and pair[1] and pair[0] != pair[1]]
    every, were = counted(len(tickets), "ticket"), worded(len(tickets), "was", "were")
    share = f"{len(moved)} of {every} ({len(moved) / max(1, len(tickets)):.0%}) {were} reassigned"
    often = ", ".join(f"{one} → {other} ({many})" for (one, other), many in Counter(moved).most_common(_SHOWN))
    return f"{share}{f', most often {often}' if often else ''}; each counts with its last team"


def _word(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""


def _values(text: str) -> Iterator[object]:
    """Every JSON value of the file, one behind another; a bad line, and no more, where one is broken.

    A history without its end would give tickets to teams that they have left since.
    """
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        while place < len(text) and text[place] in " \t\r\n,":
            place += 1
        if place < len(text):
            try:
                value, place = decoder.raw_decode(text, place)
            except (ValueError, RecursionError):
                yield BadLine(text.count("\n", 0, place) + 1, UNREADABLE_REST)
                return
            yield value


class _History:
    """Tickets, their words and their moves, collected from wherever they are in the file."""

    def __init__(self, recognised: Recognised) -> None:
        self._recognised = recognised
        self._tickets: dict[str, _Ticket] = {}
        self._names: dict[str, str] = {}

    def read(self, value: object) -> None:
        """Collect whatever in the value belongs to a ticket, at any depth."""
        ahead = [(value, "")]
        while ahead:
            value, inside = ahead.pop()  # inside: the conversation that the value is in
            if isinstance(value, list):
                ahead += [(one, inside) for one in reversed(value)]
            elif isinstance(value, Mapping):
                here = _word(value.get("id")) if "messages" in value else inside
                for reader in (self._group, self._ticket, self._article, self._zammad, self._audit, self._events):
                    reader(value)
                self._chatwoot(value, inside)
                ahead += [(one, here) for one in reversed(list(value.values()))]

    def rows(self) -> list[tuple[Row, tuple[str, str]]]:
        """A row for each ticket that has words and a team, with its first and its last team."""
        made: list[tuple[Row, tuple[str, str]]] = []
        for number, ticket in enumerate(self._tickets.values(), start=1):
            moves = [
                (at, self._team(old), self._team(new))
                for at, old, new in sorted(ticket.moves, key=itemgetter(0))
                if new
            ]
            last = moves[-1][2] if moves else self._team(ticket.now)
            if not ticket.text.strip() or not last:
                continue
            first = next((old or new for _, old, new in moves), last)
            at = moves[-1][0] if moves else ticket.created
            made.append((Row(number, {"text": ticket.text, "label": last, "at": at}), (first, last)))
        return made

    def left_out(self) -> str:
        """How many tickets give no row, and for want of what; empty if all give one."""
        worded = [bool(ticket.text.strip()) for ticket in self._tickets.values()]
        silent = worded.count(False)
        nobodys = len(worded) - silent - len(self.rows())
        lacking = [f"{count} without {what}" for count, what in ((silent, "words"), (nobodys, "a team")) if count]
        return f"; left out: {', '.join(lacking)}" if lacking else ""

    def _of(self, id: object) -> _Ticket:
        return self._tickets.setdefault(_word(id), _Ticket())

    def _team(self, written: str) -> str:
        return self._names.get(written, written)

    def _group(self, value: Mapping[str, object]) -> None:
        """An entry of a list of groups or teams: number and name."""
        if "id" in value and isinstance(value.get("name"), str) and not {"email", "title", "subject"} & value.keys():
            self._names.setdefault(_word(value["id"]), _word(value["name"]))

    def _ticket(self, value: Mapping[str, object]) -> None:
        """A ticket of Zammad (`number`, `title`) or of Zendesk (`subject`, `description`)."""
        words = [_word(value.get(name)) for name in ("title", "subject", "description")]
        if "id" not in value or not any(words) or not {"group", "group_id"} & value.keys():
            return
        ticket = self._of(value["id"])
        group = value.get("group")
        named = _word(group.get("name")) if isinstance(group, Mapping) else _word(group)
        ticket.now = named or _word(value.get("group_id"))
        ticket.created = ticket.created or _word(value.get("created_at"))
        new = [word for word in words if word and word not in ticket.text]
        ticket.text = "\n".join([*new, ticket.text]).strip()

    def _article(self, value: Mapping[str, object]) -> None:
        """An article of Zammad: the customer's first one is the ticket's text."""
        if {"ticket_id", "body"} <= value.keys() and value.get("sender", "Customer") == "Customer":
            ticket = self._of(value["ticket_id"])
            if "\n" not in ticket.text:
                ticket.text = "\n".join(word for word in (ticket.text, _word(value["body"])) if word)

    def _zammad(self, value: Mapping[str, object]) -> None:
        if value.get("attribute") == "group" and value.get("object", "Ticket") == "Ticket":
            move = (_word(value.get("created_at")), _word(value.get("value_from")), _word(value.get("value_to")))
            self._of(value.get("o_id", value.get("ticket_id"))).moves.append(move)

    def _audit(self, value: Mapping[str, object]) -> None:
        """An audit of Zendesk: changes of `group_id`; the first comment is the ticket's text."""
        events, at = value.get("events"), _word(value.get("created_at"))
        if not isinstance(events, list) or "ticket_id" not in value:
            return
        ticket = self._of(value["ticket_id"])
        for event in events:
            if not isinstance(event, Mapping):
                continue
            if event.get("field_name") == "group_id":
                ticket.moves.append((at, _word(event.get("previous_value")), _word(event.get("value"))))
            elif event.get("type") == "Comment" and not ticket.text:
                ticket.text = _word(event.get("plain_body") or event.get("body"))

    def _events(self, value: Mapping[str, object]) -> None:
        """An event of Zendesk's incremental export."""
        children, at = value.get("child_events"), _word(value.get("timestamp", value.get("created_at")))
        if isinstance(children, list) and "ticket_id" in value:
            for event in children:
                if isinstance(event, Mapping) and "group_id" in event:
                    move = (at, _word(event.get("previous_value")), _word(event["group_id"]))
                    self._of(value["ticket_id"]).moves.append(move)

    def _chatwoot(self, value: Mapping[str, object], inside: str) -> None:
        """A conversation's team, its first incoming message, and the assignments that its activities name."""
        meta = value.get("meta")
        if "messages" in value and isinstance(meta, Mapping):
            team = meta.get("team")
            self._of(value.get("id")).now = _word(team.get("name")) if isinstance(team, Mapping) else ""
        kind, content = value.get("message_type"), _word(value.get("content"))
        if kind is None or not content:
            return
        ticket = self._of(value.get("conversation_id", inside))
        at = _word(value.get("created_at"))
        if kind in _INCOMING:
            ticket.text = ticket.text or content
            ticket.created = ticket.created or at
        elif kind in _ACTIVITY and (said := _ASSIGNED.match(content)) and self._is_team(said["to"]):
            ticket.moves.append((at, "", said["to"]))

    def _is_team(self, name: str) -> bool:
        """Whether it is a team's name: people are assigned in the same words."""
        return self._recognised(name) or name in self._names.values()
