"""The chat over HTTP, with the rest of the bot in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message as Event

from bot.domain.errors import Refused, Unreachable
from bot.domain.ledger import Change
from bot.domain.messages import Media, MediaKind, MessageRef, Person, Place
from bot.domain.posts import Answer, OutboxItem, Post
from bot.domain.presses import Button
from bot.platforms import Routed
from bot.platforms.web import PLATFORM, adapter
from bot.platforms.web.adapter import WebChat
from tests.fakes_web import TASK, FakeInbox, FakeWorld

HELLO = {"room": "customer", "text": "I was charged twice", "id": "m1"}
REACTION = {"ref": {"room": "billing", "id": "post-7"}, "emoji": "📦", "added": True, "actor": "lead"}
NOTE = {"under": {"room": "billing", "id": "post-7"}, "id": "n1", "text": "the third today", "send": False}
OWN = {"ref": {"room": "customer", "id": "m1"}}


@dataclass(frozen=True)
class Door:
    """The chat as a browser reaches it."""

    chat: WebChat
    inbox: FakeInbox
    world: FakeWorld
    client: httpx.AsyncClient


@asynccontextmanager
async def _listening(chat: WebChat, inbox: FakeInbox) -> AsyncIterator[None]:
    task = asyncio.create_task(chat.listen(inbox))
    while not chat.healthy():  # noqa: ASYNC110 - the chat has no event for it
        await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.wait([task])


def _client(chat: WebChat, sits_at: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=list(chat.routes)), client=(sits_at, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    world, inbox = FakeWorld(), FakeInbox()
    async with PLATFORM.connect(PLATFORM.parse({}, {}), world.around()) as chat:
        assert isinstance(chat, WebChat)
        assert isinstance(chat, Routed)
        async with _listening(chat, inbox), _client(chat) as client:
            yield Door(chat, inbox, world, client)


async def test_a_message_is_stored_before_it_is_answered(door: Door) -> None:
    answer = await door.client.post("/chat/messages", json=HELLO, headers={"accept-language": "es-MX,es;q=0.9"})
    assert (answer.status_code, answer.json()) == (200, {"stored": {"room": "customer", "id": "m1"}})
    assert [(m.text, m.author.language) for m in door.inbox.messages] == [("I was charged twice", "es-MX")]


async def test_what_could_not_be_stored_is_not_answered_as_stored(door: Door) -> None:
    door.inbox.down = True
    edit = OWN | {"text": "three times"}
    facts = {"messages": HELLO, "reactions": REACTION, "notes": NOTE, "edits": edit, "deletions": OWN}
    for path, body in facts.items():
        answer = await door.client.post(f"/chat/{path}", json=body)
        assert answer.status_code == 503
        assert "Nothing was stored" in answer.json()["problem"]


async def test_reactions_and_presses_reach_the_inbox(door: Door) -> None:
    assert (await door.client.post("/chat/reactions", json=REACTION)).status_code == 200
    press = {"ref": {"room": "customer", "id": "post-1"}, "value": "0"}
    assert (await door.client.post("/chat/presses", json=press)).status_code == 200
    assert [(r.ref, r.emoji) for r in door.inbox.reactions] == [(MessageRef("web", "billing", "post-7"), "📦")]
    assert [p.value for p in door.inbox.presses] == ["0"]


async def test_who_may_not_decide_on_the_model_is_told_and_the_press_is_stored() -> None:
    world, inbox = FakeWorld(), FakeInbox()
    card = MessageRef("web", "billing", "post-9")
    world.buttons[card] = Button(Place("web", "billing"), False, for_leads=True, of_all_teams=True)
    press = {"ref": {"room": "billing", "id": "post-9"}, "value": "promote"}
    answers = []
    for leads in ([], ["lead"]):
        async with PLATFORM.connect(PLATFORM.parse({"leads": leads}, {}), world.around()) as chat:
            assert isinstance(chat, WebChat)
            async with _listening(chat, inbox), _client(chat) as client:
                answers.append(await client.post("/chat/presses", json=press))
    assert [answer.status_code for answer in answers] == [403, 200]
    assert answers[0].json()["problem"].startswith("Only leads of all teams decide which model serves")
    assert [p.value for p in inbox.presses] == ["promote", "promote"]


async def test_edits_deletions_and_notes_reach_the_inbox(door: Door) -> None:
    assert (await door.client.post("/chat/edits", json=OWN | {"text": "three times"})).status_code == 200
    assert (await door.client.post("/chat/deletions", json=OWN)).status_code == 200
    stored = (await door.client.post("/chat/notes", json=NOTE | {"send": True})).json()
    assert stored == {"stored": {"room": "billing", "id": "n1"}}
    assert [(e.ref.id, e.text) for e in door.inbox.edits] == [("m1", "three times")]
    assert [d.ref for d in door.inbox.deletions] == [MessageRef("web", "customer", "m1")]
    assert [(n.text, n.send, n.author.key) for n in door.inbox.notes] == [("the third today", True, "web:lead")]


async def test_nobody_writes_notes_in_a_persons_room(door: Door) -> None:
    answer = await door.client.post("/chat/notes", json=NOTE | {"under": {"room": "customer", "id": "post-1"}})
    assert (answer.status_code, door.inbox.notes) == (422, [])


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"room": NaN}', b'"text"'])
async def test_a_body_that_makes_no_sense_gets_a_sentence(door: Door, body: bytes) -> None:
    answer = await door.client.post("/chat/messages", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["problem"].endswith(".")


async def test_a_flood_is_cut_off_with_a_sentence(door: Door) -> None:
    answer = await door.client.post("/chat/messages", json=HELLO | {"text": "x" * 3_000_000})
    assert (answer.status_code, answer.json()["problem"]) == (422, "That is too long to be a message.")


async def test_a_lone_surrogate_is_stored_as_a_question_mark(door: Door) -> None:
    body = rb'{"room": "customer", "text": "a \ud800 b", "id": "m1"}'
    await door.client.post("/chat/messages", content=body, headers={"content-type": "application/json"})
    assert door.inbox.messages[0].text == "a ? b"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"host": "evil.example", "origin": "http://evil.example"},
        {"content-type": "text/plain"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_another_website_cannot_write(door: Door, headers: dict[str, str]) -> None:
    answer = await door.client.post("/chat/messages", json=HELLO, headers=headers)
    assert answer.status_code == 403
    assert door.inbox.messages == []


async def test_the_page_itself_may_write(door: Door) -> None:
    answer = await door.client.post("/chat/messages", json=HELLO, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 200
    assert len(door.inbox.messages) == 1


async def test_a_name_rebound_to_this_machine_cannot_read(door: Door) -> None:
    assert (await door.client.get("/chat/state", headers={"host": "evil.example:8080"})).status_code == 403
    for host in ("localhost:8080", "[::1]:8080", "127.0.0.1"):
        assert (await door.client.get("/chat/state", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("sits_at", ["192.168.7.9", "203.0.113.5", "2001:db8::1", "::ffff:10.0.0.1", "testclient", ""])
@pytest.mark.parametrize("host", ["192.168.7.1:8080", "127.0.0.1:8080", "localhost"])
async def test_nobody_from_another_machine_may_look_or_be_the_lead(sits_at: str, host: str) -> None:
    """Whatever address it listens on, and whatever host they name, because nobody signs in here."""
    chat, inbox = WebChat(("lead",), FakeWorld().around()), FakeInbox()
    async with _listening(chat, inbox), _client(chat, sits_at) as client:
        for path in ("/", "/chat/state", "/chat/events"):
            assert (await client.get(path, headers={"host": host})).status_code == 403
        for path, body in {"reactions": REACTION, "notes": NOTE, "messages": HELLO, "learn": {}}.items():
            assert (await client.post(f"/chat/{path}", json=body, headers={"host": host})).status_code == 403
    assert (inbox.messages, inbox.reactions, inbox.notes) == ([], [], [])


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_a_proxy_on_this_machine_lets_nobody_in(door: Door, header: str) -> None:
    answer = await door.client.post("/chat/reactions", json=REACTION, headers={header: "127.0.0.1"})
    assert (answer.status_code, door.inbox.reactions) == (403, [])


async def test_networks_of_the_settings_are_let_in_and_no_others() -> None:
    config = PLATFORM.parse({"networks": ["192.168.7.0/24", "2001:db8::/32"]}, {})
    chat = WebChat(("lead",), FakeWorld().around(), config.networks)
    async with _listening(chat, FakeInbox()):
        for sits_at, status in {
            "192.168.7.9": 200,
            "::ffff:192.168.7.9": 200,
            "2001:db8::7": 200,
            "192.168.8.1": 403,
        }.items():
            async with _client(chat, sits_at) as client:
                assert (await client.get("/chat/state", headers={"host": "192.168.7.1:8080"})).status_code == status


async def test_our_own_page_may_write(door: Door) -> None:
    headers = {"origin": "http://127.0.0.1:8080"}
    assert (await door.client.post("/chat/messages", json=HELLO, headers=headers)).status_code == 200


async def test_the_page_and_its_parts_come_with_a_policy_and_from_here_alone(door: Door) -> None:
    parts = [path.name for path in Path(adapter.__file__).parent.iterdir() if path.suffix in (".css", ".js")]
    assert len(parts) > 2
    for path in ("/", *(f"/chat/{part}" for part in parts)):
        answer = await door.client.get(path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "https://" not in answer.text
        assert "innerHTML" not in answer.text


async def test_the_state_tells_rooms_and_learning(door: Door) -> None:
    door.world.waiting = 3
    state = (await door.client.get("/chat/state")).json()
    assert [room["room"] for room in state["people"]] == ["customer", "employee"]
    assert len(state["teams"]) == 9
    assert (state["learning"]["adapter"], state["learning"]["waiting"]) == ("routing-1", 3)


async def test_a_database_that_is_away_is_said(door: Door) -> None:
    door.world.down = True
    answer = await door.client.get("/chat/state")
    assert (answer.status_code, "database" in answer.json()["problem"]) == (503, True)


async def test_learn_now_asks_once_while_a_lesson_waits(door: Door) -> None:
    assert (await door.client.post("/chat/learn", json={})).json() == {"asked": True}
    assert (await door.client.post("/chat/learn", json={})).json() == {"asked": False}
    assert [lead.key for lead in door.world.asked] == ["web:lead"]


async def test_without_a_lead_nobody_asks_for_a_lesson() -> None:
    world = FakeWorld()
    chat = WebChat((), world.around())
    async with _listening(chat, FakeInbox()), _client(chat) as client:
        assert (await client.post("/chat/learn", json={})).status_code == 403
    assert world.asked == []


async def test_before_it_listens_the_page_says_that_it_is_starting() -> None:
    chat = WebChat(("lead",), FakeWorld().around())
    async with _client(chat) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["refresh"]) == (503, "1")
        assert (await client.post("/chat/messages", json=HELLO)).status_code == 503


async def test_every_open_page_hears_of_a_change_and_is_let_go_when_listening_ends() -> None:
    world = FakeWorld()
    chat = WebChat(("lead",), world.around())
    async with _listening(chat, FakeInbox()):
        first, second = await _watch(chat), await _watch(chat)
        assert await asyncio.wait_for(first.get(), 1) == b"event: changed\ndata: 1\n\n"
        assert await asyncio.wait_for(second.get(), 1) == b"event: changed\ndata: 1\n\n"
        world.tell()
        assert await asyncio.wait_for(first.get(), 1) == b"event: changed\ndata: 1\n\n"
        assert await asyncio.wait_for(second.get(), 1) == b"event: changed\ndata: 1\n\n"
    assert await asyncio.wait_for(first.get(), 1) == b""
    assert await asyncio.wait_for(second.get(), 1) == b""


async def _watch(chat: WebChat) -> asyncio.Queue[bytes]:
    """The chunks of an open event stream; the last one is empty. httpx's ASGI client would wait for the end."""
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    never = asyncio.Event()

    async def receive() -> Event:
        await never.wait()
        return {"type": "http.disconnect"}

    async def send(event: Event) -> None:
        if event["type"] == "http.response.body":
            chunks.put_nowait(event["body"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": "/chat/events",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50_000),
        "query_string": b"",
    }
    task = asyncio.create_task(Starlette(routes=list(chat.routes))(scope, receive, send))
    task.add_done_callback(lambda done: done.result())
    return chunks


async def test_listening_that_the_database_ends_can_be_taken_up_again() -> None:
    class Ended(FakeWorld):
        @asynccontextmanager
        async def changes(self) -> AsyncIterator[AsyncIterator[frozenset[Change]]]:
            yield _nothing()

    with pytest.raises(Unreachable, match="no longer says"):
        await WebChat(("lead",), Ended().around()).listen(FakeInbox())


async def _nothing() -> AsyncIterator[frozenset[Change]]:
    return
    yield


async def test_saying_a_post_twice_is_saying_it_once(door: Door) -> None:
    item = OutboxItem(41, Post(Place("web", "customer", "m1"), Answer("billing", None)), 1)
    assert await door.chat.say(item) == await door.chat.say(item) == MessageRef("web", "customer", "post-41")


async def test_a_rewritten_post_keeps_its_receipt(door: Door) -> None:
    old = MessageRef("web", "customer", "post-40")
    item = OutboxItem(41, Post(Place("web", "customer", "m1"), Answer("billing", None), edits=40), 1, edits=old)
    assert await door.chat.say(item) == old


async def test_a_room_that_is_gone_from_the_settings_is_refused(door: Door) -> None:
    with pytest.raises(Refused, match="no such room"):
        await door.chat.say(OutboxItem(41, Post(Place("web", "attic"), Answer("billing", None)), 1))


async def test_only_leads_may_correct_and_a_teams_own_only_its_cards(door: Door) -> None:
    billing = TASK.labels[0]
    room = billing.deliver_to["web"]
    assert await door.chat.may_correct(Person("web", "lead"), billing, room)
    assert not await door.chat.may_correct(Person("web", "employee"), billing, room)
    assert not await door.chat.may_correct(Person("slack", "lead"), billing, room)
    own = replace(billing, leads={"web": frozenset({"employee"})})
    assert await door.chat.may_correct(Person("web", "employee"), own, room)


async def test_the_lead_and_nobody_else_handles_what_is_in_team_rooms(door: Door) -> None:
    room = Place("web", "billing")
    people = [Person("web", "lead"), Person("web", "customer"), Person("web", "employee"), Person("slack", "lead")]
    assert [await door.chat.may_handle(person, room) for person in people] == [True, False, False, False]


async def test_nothing_is_attached_and_nothing_is_whispered(door: Door) -> None:
    assert not door.chat.whispers
    with pytest.raises(Refused, match="no attachments"):
        await door.chat.fetch(Media("web", "1", MediaKind.PHOTO))
