"""The settings' API: who may use it over HTTP, with which token, and for what."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.api_tokens import ApiToken, Scope, digest_of, is_digest
from bot.domain.errors import ConfigError
from bot.settings.values import Table, Values, listed

PART = "api"
"""The part of the settings whose secrets these are."""
_LEAST = 20
"""The fewest characters of a token from the environment: a shorter one could be guessed."""


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Reads `[api.tokens.NAME]`."""

    values: Values
    environment: Mapping[str, str]

    def read(self, table: Table) -> tuple[ApiToken, ...]:
        """Every token; without any there is no API."""
        self.values.unknown(table, {"tokens"}, "api.")
        rows = self.values.table(table, "tokens", "api.")
        tokens = tuple(self._token(name, self.values.table(rows, name, "api.tokens.")) for name in rows)
        seen: dict[str, str] = {}
        for token in tokens:
            if token.digest and seen.setdefault(token.digest, token.name) != token.name:
                self.values.mistake(f"api.tokens.{token.name}: the same token as {seen[token.digest]}; make another")
        return tokens

    def _token(self, name: str, table: Table) -> ApiToken:
        where = f"api.tokens.{name}."
        self.values.unknown(table, {"digest", "environment", "scopes"}, where)
        return ApiToken(name, self._digest(table, where), self._scopes(table, where))

    def _digest(self, table: Table, where: str) -> str:
        digest = self.values.text(table, "digest", "", where)
        variable = self.values.text(table, "environment", "", where)
        if bool(digest) == bool(variable):
            self.values.mistake(
                f"{where}digest: write either digest, as `switchboard token` prints it, or environment, "
                "the name of the variable that holds the token"
            )
            return ""
        if digest:
            if not is_digest(digest):
                self.values.mistake(f"{where}digest: must be sha256:… as `switchboard token` prints it")
            return digest
        try:
            token = self.environment.get(variable, "").strip()
        except ConfigError as error:
            self.values.secret_mistake(PART, *error.mistakes)
            return ""
        if len(token) < _LEAST:
            self.values.secret_mistake(
                PART,
                f"{where}environment: {variable} is not set, or has less than {_LEAST} characters; "
                "`switchboard token` makes one",
            )
            return ""
        return digest_of(token)

    def _scopes(self, table: Table, where: str) -> frozenset[Scope]:
        written = self.values.texts(table, "scopes", (), where)
        known = {scope.value for scope in Scope}
        for one in written:
            if one not in known:
                self.values.mistake(f"{where}scopes: {one!r} is no scope; choose from {listed(known)}")
        if not written:
            self.values.mistake(f"{where}scopes: missing; say what it may do, any of {listed(known)}")
        return frozenset(Scope(one) for one in written if one in known)
