"""`switchboard webhooks list|test|replay`: the state of each webhook, a test event, and sending events again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import uuid4

import typer

from bot.commands.command_line import AsJson, Config, read_settings, run_to_end, spoken
from bot.commands.period import period
from bot.console import say, table
from bot.domain.errors import UsageError
from bot.domain.plural import counted
from bot.domain.webhooks import KEPT_DAYS, EventKind, Webhook, WebhookEvent, WebhookState
from bot.flow.webhooks import post_event
from bot.http.webhook_line import open_webhook_line
from bot.json_lines import json_line
from bot.settings import Settings
from bot.store import now, open_store
from db.webhooks import PostgresWebhookEvents

webhooks = typer.Typer(no_args_is_help=True, help="Other programs that are told what happens.")

WebhookName = Annotated[str, typer.Argument(metavar="NAME", help="Its name in the settings.")]


@webhooks.command(name="list")
def webhooks_list(as_json: AsJson = False, config: Config = None) -> None:
    """Every webhook: which events it gets, how many wait or were set aside, and when it last took one."""

    async def work(settings: Settings) -> Mapping[str, WebhookState]:
        async with open_store(settings) as store:
            return await PostgresWebhookEvents(store.database).states()

    settings = read_settings(config)
    states = run_to_end(work(settings))
    rows = [_row(one, states.get(one.name, WebhookState())) for one in settings.webhooks]
    if as_json:
        for row in rows:
            typer.echo(json_line(row))
    elif rows:
        cells = [["" if cell is None else str(cell) for cell in row.values()] for row in rows]
        table("webhooks", tuple(rows[0]), cells)
    else:
        say("the settings have no webhooks; see docs/api.md")


@webhooks.command(name="test")
def webhooks_test(name: WebhookName, config: Config = None) -> None:
    """Send a webhook one signed event of the kind `test`, now. Exit code 1: it was not taken."""
    settings = read_settings(config)
    with spoken():
        webhook = _named(settings.webhooks, name)
        settings.demand(f"webhooks.{name}")

    async def work() -> None:
        said = {"message": "a test of Switchboard's webhooks"}
        event = WebhookEvent(0, str(uuid4()), EventKind.TEST, now(), said)
        async with open_webhook_line() as line:
            await post_event(line, replace(webhook, texts=False), event, now())

    run_to_end(work())
    say(f"{name} took a test event")


@webhooks.command(name="replay")
def webhooks_replay(
    name: WebhookName,
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="30d, a day (2026-11-01), or from..to; at most 30 days back.")
    ],
    config: Config = None,
) -> None:
    """Send a webhook its events since then again, those set aside included, under their old ids."""
    settings = read_settings(config)
    with spoken():
        webhook = _named(settings.webhooks, name)
        first, last = period(since, settings.routing.learning.timezone, now())

    async def work() -> int:
        async with open_store(settings) as store:
            return await PostgresWebhookEvents(store.database).replay(webhook.name, first, last)

    sent = counted(run_to_end(work()), "event is", "events are")
    say(f"{sent} sent to {name} again, as soon as the bot runs")
    if first < (kept := now() - timedelta(days=KEPT_DAYS)):
        say(f"events are kept for {KEPT_DAYS} days: those before {kept:%Y-%m-%d %H:%M} UTC are not known any more")


def _named(webhooks: Sequence[Webhook], name: str) -> Webhook:
    for webhook in webhooks:
        if webhook.name == name:
            return webhook
    there = ", ".join(sorted(one.name for one in webhooks)) or "none"
    raise UsageError(f"there is no webhook called {name!r} in the settings; there are: {there}")


def _row(webhook: Webhook, state: WebhookState) -> dict[str, object]:
    """A webhook's row; of its address only the host, since the rest may hold a token."""
    return {
        "name": webhook.name,
        "host": urlsplit(webhook.url).netloc,
        "events": ", ".join(sorted(webhook.events)),
        "texts": webhook.texts,
        "waiting": state.waiting,
        "set_aside": state.set_aside,
        "last_sent": state.last_sent.isoformat(timespec="seconds") if state.last_sent else None,
    }
