"""Attachments, of which the local chat has none."""

from bot.domain.errors import Refused
from bot.domain.messages import Media


async def fetch(media: Media) -> bytes:
    """Raises Refused."""
    raise Refused("web: the local chat has no attachments")
