"""What to do in Slack before the first start."""

from collections.abc import Iterator


def steps(manifest: str, address: str) -> Iterator[str]:
    """One sentence for each step; with `address`, a placeholder for the reader's own, Slack calls us there."""
    if address:
        yield f"Slack: put your public address in place of {address} in {manifest}; it must lead to web.listen."
    yield f"Slack: at https://api.slack.com/apps choose Create New App, From a manifest, and paste {manifest}."
    yield "Slack: Install to Workspace, then copy the Bot User OAuth Token: export SLACK_BOT_TOKEN=xoxb-…"
    if address:
        yield "Slack: under Basic Information, copy the Signing Secret: export SLACK_SIGNING_SECRET=…"
    else:
        yield (
            "Slack: under Basic Information, generate an App-Level Token with the scope connections:write: "
            "export SLACK_APP_TOKEN=xapp-…"
        )
    yield "Slack: invite the bot to every team's channel and every intake channel: /invite @switchboard"
