"""Two real vLLM servers act as one model: a swap reaches both under load, and killing one fails no question."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from bot.domain.learning import Adapter
from bot.domain.model_ports import Query
from bot.domain.tasks import Label, Task
from inference.adapters import VllmAdapters
from inference.base_models import STARTER
from inference.child_environment import needed
from inference.client import VllmPredictor
from inference.http import Health, health, open_line
from inference.prompt import PromptBuilder
from inference.replicas import Replicas
from inference.server_command import environment, serving_flags
from tests.acceptance.processes import free_address, until
from tests.fakes_inference import write_lora

TASK = Task("routing", "Which?", (Label("billing", "Money"), Label("it", "Machines")), "billing")
START_SECONDS = 480.0


@dataclass
class Server:
    """A vLLM process that can be killed and started again at the same address."""

    home: Path
    address: str
    flags: Sequence[str] = field(default_factory=lambda: serving_flags(STARTER, "starter"))
    given: Mapping[str, str] = field(default_factory=lambda: environment(cpu=True))
    process: Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        host, port = self.address.split(":")
        flags = ["--model", str(STARTER), "--host", host, "--port", port, *self.flags]
        log = self.home / "log"
        with log.open("wb") as said:
            process = self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", *flags, "--enforce-eager"),
                cwd=self.home,
                env={**needed(os.environ), **self.given},
                stdout=said,
                stderr=STDOUT,
                start_new_session=True,
            )
        async with open_line(f"http://{self.address}") as line:

            async def answers() -> bool:
                assert process.returncode is None, log.read_text("utf-8")[-3_000:]
                return await health(line) is Health.ALIVE

            await until(answers, START_SECONDS, lambda: log.read_text("utf-8")[-3_000:])

    async def kill(self) -> None:
        """Kill all of it at once."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()


@dataclass
class Traffic:
    """People who ask continually, with the adapter that serves."""

    predictor: VllmPredictor
    serving: Adapter
    pause: float = 0.0
    """Seconds between an answer and that person's next question: a server that starts needs processor time, too."""
    answered: int = 0
    by: set[str] = field(default_factory=set)

    async def ask(self) -> None:
        while True:
            query = Query(TASK, self.serving.codes, self.serving, 120.0)
            [heard] = await self.predictor.predict(query, ["I was charged twice"])
            self.answered += 1
            self.by.add(str(heard.adapter))
            await asyncio.sleep(self.pause)

    async def more(self) -> None:
        """Wait until twenty more were answered."""
        goal = self.answered + 20

        async def reached() -> bool:
            return self.answered >= goal

        await until(reached, 120.0)


@asynccontextmanager
async def two_servers(folder: Path) -> AsyncIterator[Sequence[Server]]:
    servers = [Server(folder / name, free_address()) for name in ("one", "two")]
    try:
        for server in servers:
            server.home.mkdir()
        await asyncio.gather(*(server.start() for server in servers))
        yield servers
    finally:
        for server in servers:
            await server.kill()


async def _holds(adapters: VllmAdapters, names: set[str]) -> bool:
    return names <= await adapters.loaded()


@pytest.mark.slow
@pytest.mark.vllm
async def test_a_swap_under_load_reaches_both_and_one_that_is_killed_fails_nobody(tmp_path: Path) -> None:
    prompts = PromptBuilder(STARTER)
    codes = dict(zip(TASK.names, prompts.alphabet(), strict=False))

    def adapter(number: int) -> Adapter:
        lora = write_lora(tmp_path / f"routing-{number}", STARTER, seed=number)
        return Adapter(lora.name, "routing", lora, "starter", codes, 1.0, datetime(2026, 1, 1, tzinfo=UTC))

    first, second, third = (adapter(number) for number in range(1, 4))
    async with two_servers(tmp_path) as servers, AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(open_line(f"http://{one.address}")) for one in servers]
        each = [VllmAdapters(line, STARTER) for line in lines]
        replicas = Replicas(each)
        await replicas.load(first)
        traffic = Traffic(VllmPredictor(prompts, "starter", replicas), first)
        async with asyncio.TaskGroup() as group:  # a question that fails ends the test
            asking = [group.create_task(traffic.ask()) for _ in range(4)]
            asking.append(group.create_task(replicas.watch()))
            await traffic.more()
            await replicas.load(second)
            assert [second.name in await one.loaded() for one in each] == [True, True], "before the pointer moves"
            traffic.serving = second
            await traffic.more()
            await servers[0].kill()
            await traffic.more()
            await replicas.load(third)
            traffic.serving = third
            await traffic.more()
            traffic.pause = 1.0
            await servers[0].start()
            await until(partial(_holds, each[0], {second.name, third.name}), 120.0)
            await traffic.more()
            for task in asking:
                task.cancel()
        assert traffic.by == {first.name, second.name, third.name}
        alike = [VllmPredictor(prompts, "starter", one) for one in each]
        said = [await one.predict(Query(TASK, codes, third), ["I was charged twice"]) for one in alike]
        assert said[0] == said[1]
