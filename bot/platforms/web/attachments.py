"""Attachments, which the local chat does not have."""

from bot.domain.errors import Refused
from bot.domain.messages import Media


async def fetch(media: Media) -> bytes:
    """Raise Refused."""
    raise Refused("web: the local chat has no attachments")
