"""`switchboard webhooks`: a real receiver, a real database, the real command line."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.domain.webhooks import EventKind, Webhook
from bot.flow.webhooks import WebhookSender
from bot.http.webhook_line import open_webhook_line
from db.webhooks import PostgresWebhookEvents
from tests.servers.webhook_receiver import receiving
from tests.unit.test_settings import GOOD
from tests.worlds.story import Story

SECRET = "a-secret-of-more-than-20-characters"


@dataclass(frozen=True)
class Said:
    """A command's exit code and its output."""

    exit_code: int
    stdout: str
    stderr: str


async def command(*words: str) -> Said:
    done = await asyncio.to_thread(lambda: CliRunner().invoke(cli, ["webhooks", *words]))
    return Said(done.exit_code, done.stdout, done.stderr)


async def test_a_webhook_is_tried_listed_and_told_again(
    story: Story, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    async with receiving() as receiver, open_webhook_line() as line:
        file = tmp_path / "switchboard.toml"
        hook = f'url = "{receiver.url}/?token=t0k"\nevents = ["decided"]\nenvironment = "HOOK_SECRET"'
        file.write_text(f'{GOOD}\n[database]\nurl = "{database_url}"\n[webhooks.helpdesk]\n{hook}\n', "utf-8")
        monkeypatch.setenv("SWITCHBOARD_CONFIG", str(file))
        events = PostgresWebhookEvents(story.database)
        webhook = Webhook("helpdesk", f"{receiver.url}/", frozenset({EventKind.DECIDED}), SECRET)
        await events.declare([webhook])
        await story.writes("I was charged twice", "m1")
        await story.settles()
        await WebhookSender(webhook, events, line, story.now).step()

        assert (await command("test", "helpdesk")).exit_code == 0
        assert receiver.told() == ["decided", "test"]
        unknown = await command("test", "desk")
        assert (unknown.exit_code, "there are: helpdesk" in unknown.stderr) == (2, True)
        receiver.status = 503
        down = await command("test", "helpdesk")
        assert (down.exit_code, "helpdesk: the receiver answered 503" in down.stderr) == (1, True)

        listed = await command("list", "--json")
        assert listed.exit_code == 0, listed.stderr
        row = json.loads(listed.stdout)
        assert (row["name"], row["waiting"], row["set_aside"], row["events"]) == ("helpdesk", 0, 0, "decided")
        assert "t0k" not in listed.stdout and SECRET not in listed.stdout
        again = await command("replay", "helpdesk", "--since", "2000-01-01")
        assert (again.exit_code, "1 event is sent to helpdesk again" in again.stderr) == (0, True), again.stderr
        assert "events are kept for 30 days: those before" in again.stderr
        recent = await command("replay", "helpdesk", "--since", "29d")
        assert (recent.exit_code, "are kept" in recent.stderr) == (0, False), recent.stderr
        receiver.status = 200
        await WebhookSender(webhook, events, line, story.now).step()
        assert receiver.told() == ["decided", "test", "decided"]
        assert receiver.events()[0] == receiver.events()[2]
