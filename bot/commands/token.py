"""`switchboard token`: a new token for the API, shown once, and what the settings keep of it."""

import sys
from typing import Annotated

import typer

from bot.console import say
from bot.domain.api_tokens import Scope, digest_of, new_token


def token(
    name: Annotated[str, typer.Argument(help="Whose token it is; the name under which it corrects.")] = "helpdesk",
    scopes: Annotated[list[Scope] | None, typer.Option("--scope", help="What it may do; repeatable.")] = None,
) -> None:
    """Make a token for the API: it is shown only once, on stdout; the lines for the settings go to stderr."""
    made = new_token()
    allowed = ", ".join(f'"{scope.value}"' for scope in scopes or [Scope.ROUTE, Scope.READ])
    say("Write this in the settings; whoever uses the API gets the token itself, which nobody can read out of it:")
    say(f'[api.tokens.{name}]\ndigest = "{digest_of(made)}"\nscopes = [{allowed}]')
    print(made, file=sys.stdout)  # noqa: T201 - it is what the command is for
