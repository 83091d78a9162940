"""An answer that breaks off, as from a server that dies while it answers."""

from aiohttp import web


async def half(request: web.Request, beginning: bytes) -> web.StreamResponse:
    """Begin to answer, and close the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "5000"})
    await response.prepare(request)
    await response.write(beginning)
    if request.transport is not None:
        request.transport.close()
    return response
