"""Delivering events to the app: again if unacknowledged, over Socket Mode or as signed HTTP."""

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, WSMsgType, web

from tests.servers.wire import Json

MOST_SOCKETS = 10


@dataclass(slots=True)
class Delivery:
    """The outcome of one event or interaction: its attempts, why each failed, whether it was acknowledged."""

    kind: str
    payload: Json
    event_id: str
    retries: int
    attempts: int = 0
    acked: bool = False
    failures: list[str] = field(default_factory=list)
    answer: Json = field(default_factory=dict)
    """The body of the acknowledgement (a form's mistakes)."""
    acked_after: float = 0.0
    """Seconds from the attempt to its acknowledgement."""

    @property
    def given_up(self) -> bool:
        return not self.acked and self.attempts > self.retries


class Transport(Protocol):
    """One way to an app."""

    async def attempt(self, delivery: Delivery, ack_within: float) -> str | None:
        """Deliver once; None if it was acknowledged, otherwise the retry reason that Slack would give."""
        ...


class SocketMode:
    """The websockets that an app holds open; each event goes to one of them, in turn."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self._acks: dict[str, asyncio.Future[Json | None]] = {}
        self._owners: dict[str, web.WebSocketResponse] = {}
        self._arrived = asyncio.Event()
        self._turn = 0

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Hold one connection until the app closes it."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self.sockets) >= MOST_SOCKETS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self.sockets.append(socket)
        try:
            await socket.send_json({"type": "hello", "num_connections": len(self.sockets), "debug_info": {}})
            self._arrived.set()
            async for frame in socket:
                if frame.type == WSMsgType.TEXT:
                    self._acknowledge(json.loads(frame.data))
        finally:
            self._left(socket)
        return socket

    async def attempt(self, delivery: Delivery, ack_within: float) -> str | None:
        """Waits while there is no connection: an app that starts late misses nothing."""
        while not self.sockets:
            self._arrived.clear()
            await self._arrived.wait()
        self._turn += 1
        socket = self.sockets[self._turn % len(self.sockets)]
        envelope = str(uuid.uuid4())
        self._acks[envelope] = acked = asyncio.get_running_loop().create_future()
        self._owners[envelope] = socket
        try:
            await socket.send_json(_envelope(delivery, envelope))
            answer = await asyncio.wait_for(acked, ack_within)
            if answer is None:
                return "connection_failed"
            delivery.answer = answer
            return None
        except ConnectionError:
            return "connection_failed"
        except TimeoutError:
            return "timeout"
        finally:
            del self._acks[envelope], self._owners[envelope]

    async def disconnect(self, reason: str) -> None:
        """Announce the end of every connection, as Slack does from time to time."""
        for socket in list(self.sockets):
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})

    async def close(self) -> None:
        """Close every connection without announcing it."""
        for socket in list(self.sockets):
            await socket.close()

    def _acknowledge(self, frame: Json) -> None:
        acked = self._acks.get(str(frame.get("envelope_id")))
        if acked is not None and not acked.done():
            payload = frame.get("payload")
            acked.set_result(payload if isinstance(payload, dict) else {})

    def _left(self, socket: web.WebSocketResponse) -> None:
        self.sockets.remove(socket)
        for envelope, owner in self._owners.items():
            if owner is socket and not self._acks[envelope].done():
                self._acks[envelope].set_result(None)


def _envelope(delivery: Delivery, envelope_id: str) -> Json:
    frame: Json = {"envelope_id": envelope_id, "type": delivery.kind, "payload": delivery.payload}
    if delivery.kind != "events_api":
        return frame | {"accepts_response_payload": True}
    return frame | {
        "accepts_response_payload": False,
        "retry_attempt": delivery.attempts - 1,
        "retry_reason": delivery.failures[-1] if delivery.failures else "",
    }


@dataclass(slots=True)
class SignedHttp:
    """Posts to a request URL as Slack does; `skew` seconds are added to the timestamp, to make it wrong."""

    url: str
    secret: str
    client: ClientSession
    skew: int = 0
    statuses: list[int] = field(default_factory=list)

    async def attempt(self, delivery: Delivery, ack_within: float) -> str | None:
        body, kind = _http_body(delivery)
        headers = self._headers(body) | {"Content-Type": kind}
        if delivery.attempts > 1:
            headers["X-Slack-Retry-Num"] = str(delivery.attempts - 1)
            headers["X-Slack-Retry-Reason"] = delivery.failures[-1]
        limit = ClientTimeout(total=ack_within)
        try:
            async with self.client.post(self.url, data=body, headers=headers, timeout=limit) as answer:
                self.statuses.append(answer.status)
                if answer.ok:
                    delivery.answer = await answer.json() if answer.content_type == "application/json" else {}
                    return None
                if answer.headers.get("X-Slack-No-Retry") == "1":
                    delivery.retries = 0
                return "http_error"
        except TimeoutError:
            return "http_timeout"
        except ClientConnectionError:
            return "connection_failed"

    def _headers(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()) + self.skew)
        signed = hmac.new(self.secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={signed.hexdigest()}"}


def _http_body(delivery: Delivery) -> tuple[bytes, str]:
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload).encode(), "application/x-www-form-urlencoded"
    text = json.dumps(delivery.payload)
    if delivery.kind == "events_api":
        return text.encode(), "application/json"
    return urlencode({"payload": text}).encode(), "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Mischief:
    """Faults of deliveries: late, twice, lost the first time, or held back and then in reverse order."""

    delay: float = 0.0
    twice: bool = False
    lose_first: bool = False
    held: list[Delivery] | None = None
    """Not None: everything that is to be delivered waits here."""


class Courier:
    """Delivers until acknowledged or out of retries, and records the outcome.

    `redeliver_after`, in seconds, is both how long an acknowledgement may take and Slack's back-off.
    """

    def __init__(self, transport: Callable[[], Transport], redeliver_after: float, retries: int) -> None:
        self.redeliver_after = redeliver_after
        self.retries = retries
        self.deliveries: list[Delivery] = []
        self.mischief = Mischief()
        self._transport = transport

    def accept(self, kind: str, payload: Json, event_id: str) -> Delivery:
        # Slack retries events, never interactions: their trigger has expired by then
        delivery = Delivery(kind, payload, event_id, self.retries if kind == "events_api" else 0)
        self.deliveries.append(delivery)
        return delivery

    async def deliver(self, delivery: Delivery) -> None:
        if self.mischief.held is not None:
            self.mischief.held.append(delivery)
            return
        await asyncio.sleep(self.mischief.delay)
        while not delivery.acked and not delivery.given_up:
            await self.once(delivery)
        if self.mischief.twice:
            # Slack did not receive the acknowledgement in time
            delivery.failures.append("timeout")
            await self.once(delivery)

    async def release(self) -> None:
        """Deliver what was held back, the latest first."""
        held, self.mischief.held = self.mischief.held or [], None
        for delivery in reversed(held):
            await self.deliver(delivery)

    async def once(self, delivery: Delivery) -> None:
        """One attempt; calling it for an acknowledged delivery makes a duplicate."""
        delivery.attempts += 1
        began = time.monotonic()
        if self.mischief.lose_first and delivery.attempts == 1:
            delivery.failures.append("timeout")
            return
        failure = await self._transport().attempt(delivery, self.redeliver_after)
        if failure is None:
            delivery.acked, delivery.acked_after = True, time.monotonic() - began
            return
        delivery.failures.append(failure)
        if failure != "timeout" and not delivery.given_up:
            await asyncio.sleep(max(0.0, self.redeliver_after - (time.monotonic() - began)))
