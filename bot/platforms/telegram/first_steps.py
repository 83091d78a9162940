"""What to do in Telegram before the first start."""

from collections.abc import Iterator


def steps(address: str) -> Iterator[str]:
    """One sentence for each step; with `address`, a placeholder for the reader's own, Telegram calls us there."""
    yield "Telegram: talk to @BotFather, send /newbot, and copy the token: export TELEGRAM_BOT_TOKEN=123456:ABC…"
    if address:
        yield "Telegram: invent a secret of letters and digits: export TELEGRAM_WEBHOOK_SECRET=…"
        yield f"Telegram: put your public address in place of {address} in webhook_url; it must lead to web.listen."
    yield (
        "Telegram: make a group for each team, add the bot, and make it an administrator; "
        "without that Telegram hides reactions from it."
    )
