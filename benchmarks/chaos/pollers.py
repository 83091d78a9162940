"""Which bots ask Telegram for updates: one at a time of several, each handing over to the next."""

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pollers:
    """Watches polls that are open at the same time on connections that are both alive."""

    def __init__(self) -> None:
        self._open: dict[int, web.Request] = {}
        self.together = 0
        """How often a poll began while another, on a connection still alive, was waiting for its answer."""

    @property
    def waiting(self) -> int:
        """Polls that wait for an update."""
        return len(self._open)

    @web.middleware
    async def watching(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.get("method", "") != "getUpdates":
            return await handler(request)
        self.together += any(
            one.transport is not None and not one.transport.is_closing() for one in self._open.values()
        )
        self._open[id(request)] = request
        try:
            return await handler(request)
        finally:
            del self._open[id(request)]
