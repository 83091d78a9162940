"""Controlling a server from another process: POST /_control/<verb> with the verb's keyword arguments as JSON."""

import argparse
import asyncio
import dataclasses
import inspect
from collections.abc import Callable, Mapping

from aiohttp import web

from tests.servers.local import LocalServer
from tests.servers.wire import read_args

Verbs = Mapping[str, Callable[..., object]]


def add_control(app: web.Application, verbs: Verbs) -> None:
    """Serve the verbs. A verb's result comes back as {"result": …}; a wrong call as 400 {"error": …}."""

    async def handle(request: web.Request) -> web.Response:
        verb = verbs.get(request.match_info["verb"])
        if verb is None:
            return web.json_response({"error": f"verbs are {', '.join(sorted(verbs))}"}, status=404)
        try:
            result = verb(**await read_args(request))
            if inspect.isawaitable(result):
                result = await result
        except (TypeError, ValueError, LookupError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response({"result": _plain(result)})

    app.router.add_post("/_control/{verb}", handle)


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def serve(make: Callable[[int], LocalServer], default_port: int) -> None:
    """Run a server until it is interrupted; the process prints its address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=default_port)
    port: int = parser.parse_args().port

    async def run() -> None:
        async with make(port) as server:
            print(server.url, flush=True)
            await asyncio.Event().wait()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        return
