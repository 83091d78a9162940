"""The settings' webhooks: which programs receive which events, where, and the secret that signs them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.domain.errors import ConfigError
from bot.domain.webhooks import TOLD, EventKind, Webhook
from bot.settings.values import Table, Values, listed

_KEYS = "url events environment texts"
_LEAST = 20
"""The fewest characters of a secret: a shorter one could be guessed."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Reads `[webhooks.NAME]`."""

    values: Values
    environment: Mapping[str, str]

    def read(self, document: Table) -> tuple[Webhook, ...]:
        """Every webhook; without any, no events are sent."""
        rows = self.values.table(document, "webhooks")
        return tuple(self._webhook(name, self.values.table(rows, name, "webhooks.")) for name in rows)

    def _webhook(self, name: str, table: Table) -> Webhook:
        where = f"webhooks.{name}."
        self.values.unknown(table, set(_KEYS.split()), where)
        url = self.values.text(table, "url", "", where)
        if problem := _wrong_with(url):
            self.values.mistake(f"{where}url: {problem}")
        return Webhook(
            name=name,
            url=url,
            events=self._events(table, where),
            secret=self._secret(table, where),
            texts=self.values.yes_or_no(table, "texts", False, where),
        )

    def _events(self, table: Table, where: str) -> frozenset[EventKind]:
        written, known = self.values.texts(table, "events", (), where), {kind.value for kind in TOLD}
        for one in written:
            if one not in known:
                self.values.mistake(f"{where}events: {one!r} is no event; choose from {listed(known)}")
        if not written:
            self.values.mistake(f"{where}events: missing; say what it is told of, any of {listed(known)}")
        return frozenset(EventKind(one) for one in written if one in known)

    def _secret(self, table: Table, where: str) -> str:
        """The secret. A mistake repeats what is written only if it looks like a variable: it may be a secret."""
        variable = self.values.text(table, "environment", "", where)
        if not _VARIABLE.fullmatch(variable):
            self.values.mistake(
                f"{where}environment: write the variable that holds the secret, in capitals like "
                '"SWITCHBOARD_WEBHOOK_SECRET"; never the secret itself'
            )
            return ""
        try:
            secret = self.environment.get(variable, "").strip().strip("\"'")
        except ConfigError as error:
            self.values.secret_mistake(where.rstrip("."), *error.mistakes)
            return ""
        if len(secret) < _LEAST:
            self.values.secret_mistake(
                where.rstrip("."),
                f"{where}environment: {variable} (or the file that {variable}_FILE names) is not set, or has less "
                f"than {_LEAST} characters; `openssl rand -hex 32` makes a secret",
            )
        return secret


def _wrong_with(url: str) -> str:
    """What is wrong with an address, without repeating it, since it may hold a token; empty when nothing is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address; write https://… as the receiver has it"
    if parts.scheme not in ("http", "https") or not host:
        return "write the receiver's address, https://…"
    if parts.username is not None:
        return "has a user in it; take that out, for what we send is signed"
    if parts.scheme == "http" and not _here(host):
        return "write https:// instead; http:// only reaches this machine, 127.0.0.1"
    return ""


def _here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
