"""The bot: reads what people write and brings it to the team that owns it."""
