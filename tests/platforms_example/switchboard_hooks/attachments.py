"""Attachments, of which this chat has none."""

from bot.domain.errors import Refused
from bot.domain.messages import Media


async def fetch(media: Media) -> bytes:
    """Raises Refused."""
    raise Refused("platforms.hooks: there are no attachments")
