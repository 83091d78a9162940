"""Nothing is sent to a chat while a post is looked for there."""

import asyncio

from bot.platforms.telegram.gate import Gate


async def test_what_is_sent_goes_on_together() -> None:
    gate = Gate()
    async with asyncio.timeout(1), gate.sending("a"), gate.sending("a"), gate.sending("b"):
        pass


async def test_a_look_waits_for_what_is_being_sent_and_holds_up_what_comes_later() -> None:
    gate, done = Gate(), list[str]()

    async def look() -> None:
        async with gate.looking("a"):
            done.append("looked")

    async def send() -> None:
        async with gate.sending("a"):
            done.append("sent")

    async with asyncio.TaskGroup() as group, gate.sending("a"):
        group.create_task(look())
        await asyncio.sleep(0)
        group.create_task(send())
        await asyncio.sleep(0.01)
        assert done == []
    assert done == ["looked", "sent"]


async def test_one_looks_at_a_time_and_other_chats_are_free() -> None:
    gate, done = Gate(), list[str]()

    async def look(chat: str) -> None:
        async with gate.looking(chat):
            done.append(chat)

    async with asyncio.TaskGroup() as group, gate.looking("a"):
        group.create_task(look("a"))
        group.create_task(look("b"))
        await asyncio.sleep(0.01)
        assert done == ["b"]
    assert done == ["b", "a"]


async def test_a_cancelled_look_leaves_the_chat_free() -> None:
    gate = Gate()
    async with gate.sending("a"):
        task = asyncio.create_task(_look(gate))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    async with asyncio.timeout(1), gate.sending("a"):
        pass


async def _look(gate: Gate) -> None:
    async with gate.looking("a"):
        raise AssertionError("something is being sent")
