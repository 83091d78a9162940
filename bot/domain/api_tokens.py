"""Tokens of the API, each with scopes that say what it may do. Kept as digests; a token itself is shown once."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

PLATFORM = "api"
"""The platform of statements by API tokens, which stand among those of leads: `api:NAME`."""
_PREFIX = "sb_"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Scope(StrEnum):
    """What a token may do."""

    ROUTE = "route"
    """Ask what would be decided about a text."""
    CORRECT = "correct"
    """Say which team a request belongs to, as a lead."""
    READ = "read"
    """List requests, without a word of what people wrote."""
    TEXTS = "texts"
    """With `read`: see how each request begins."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as the settings define it."""

    name: str
    digest: str
    scopes: frozenset[Scope]


def new_token() -> str:
    """A new token that nobody can guess: 256 random bits."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """The digest that the settings keep. A token is long and random: its digest needs no salt and reveals nothing."""
    return f"sha256:{hashlib.sha256(token.encode('utf-8', 'replace')).hexdigest()}"


def is_digest(written: str) -> bool:
    return _DIGEST.fullmatch(written) is not None


def holder(tokens: Sequence[ApiToken], shown: str) -> ApiToken | None:
    """The token that was shown; None: there is none such. Takes the same time for every token."""
    digest = digest_of(shown)
    found = [token for token in tokens if hmac.compare_digest(token.digest, digest)]
    return found[0] if found else None
