"""An image works as compose runs it: the schema, a bot, and a message that reaches its team, all by podman.

    SWITCHBOARD_IMAGE=switchboard:bot pytest -m slow tests/acceptance/test_image.py

SWITCHBOARD_MODEL_IMAGE names an image that also serves the model (`switchboard:full` on a CPU), and
SWITCHBOARD_PODMAN_OPTIONS the options that `podman run` needs on this machine. Ports 8080 and 8000 have to be free.
"""

import asyncio
import os
import re
import shlex
import shutil
import uuid
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.acceptance.processes import REPOSITORY, until
from tests.postgres_servers import postgres
from tests.servers.slack import SlackServer, User

IMAGE, MODEL_IMAGE = (os.environ.get(f"SWITCHBOARD_{kind}", "") for kind in ("IMAGE", "MODEL_IMAGE"))
OPTIONS = shlex.split(os.environ.get("SWITCHBOARD_PODMAN_OPTIONS", ""))
START_SECONDS = 420.0
SECRETS_AT = "/run/secrets/switchboard"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not IMAGE or shutil.which("podman") is None, reason="SWITCHBOARD_IMAGE names no image to try"),
]


@dataclass(frozen=True, slots=True)
class Podman:
    """Containers with the same permissions as in compose, in this machine's network."""

    folder: Path

    async def says(self, *arguments: str) -> tuple[int, str]:
        """The exit status and the output of a podman command."""
        process = await asyncio.create_subprocess_exec("podman", *arguments, stdout=PIPE, stderr=STDOUT)
        said, _ = await asyncio.wait_for(process.communicate(), START_SECONDS)
        assert process.returncode is not None
        return process.returncode, said.decode("utf-8", "replace")

    def run(self, image: str, name: str, *more: str) -> list[str]:
        """The command that starts a container."""
        return [
            *("run", "--name", name, "--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "all"),  # noqa: S108
            *("--security-opt", "no-new-privileges", "--env", f"CREDENTIALS_DIRECTORY={SECRETS_AT}"),
            *("--volume", f"{self.folder}/switchboard.toml:/etc/switchboard/switchboard.toml:ro"),
            *("--volume", f"{self.folder}/secrets:{SECRETS_AT}:ro", *OPTIONS, *more, image),
        ]

    @asynccontextmanager
    async def started(self, image: str, *arguments: str, options: Sequence[str] = ()) -> AsyncIterator[str]:
        """A container that keeps running until the end; its name."""
        name = f"switchboard-{uuid.uuid4().hex[:8]}"
        code, said = await self.says(*self.run(image, name, "--detach", *options), *arguments)
        assert code == 0, said
        try:
            yield name
        finally:
            await self.says("rm", "--force", "--volumes", name)

    async def until_healthy(self, name: str) -> None:
        """Wait until the image's own HEALTHCHECK succeeds."""
        logs: list[str] = []

        async def healthy() -> bool:
            logs[:] = [(await self.says("logs", "--tail", "40", name))[1]]
            assert "true" in (await self.says("inspect", "--format", "{{.State.Running}}", name))[1], logs[0]
            return (await self.says("healthcheck", "run", name))[0] == 0

        await until(healthy, START_SECONDS, lambda: "".join(logs))


def prepared(folder: Path, slack: SlackServer, database: str) -> Podman:
    """The container settings and secrets that deploying.md describes, with the rooms that exist here."""
    text = (REPOSITORY / "deploy" / "kubernetes" / "switchboard.toml").read_text("utf-8")
    text = text.replace("http://model-server:8000", "http://127.0.0.1:8000" if MODEL_IMAGE else "http://127.0.0.1:9")
    text = text.replace(
        "[platforms.slack]", f'[platforms.slack]\napi_base_url = "{slack.api_url}"\nintake = ["C0HELP"]'
    )
    (folder / "switchboard.toml").write_text(text, "utf-8")
    (folder / "secrets").mkdir()
    secrets = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "DATABASE_URL": database,
        "SWITCHBOARD_ADAPTER_TOKEN": uuid.uuid4().hex,
    }
    for name, value in secrets.items():
        (folder / "secrets" / name).write_text(value, "utf-8")
    for path in (folder, folder / "secrets", *folder.glob("**/*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Podman(folder)


@asynccontextmanager
async def model_server(podman: Podman) -> AsyncIterator[None]:
    """What compose starts with --profile cpu; nothing if no image for it is named."""
    if not MODEL_IMAGE:
        yield
        return
    service = yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8"))["services"]["model-server-cpu"]
    given = {"SWITCHBOARD_ADAPTERS_URL": "http://127.0.0.1:8080"}
    environment = {**service["environment"], **given}
    options = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
    options += [
        "--shm-size",
        str(service["shm_size"]).removesuffix("b"),
        "--entrypoint",
        str(service["entrypoint"]).replace("'", '"'),
        "--health-cmd",
        "none",
    ]
    async with podman.started(MODEL_IMAGE, *service["command"], options=options) as name:

        async def answers() -> bool:
            asked = service["healthcheck"]["test"][1:]
            code, _ = await podman.says("exec", name, *asked)
            running = (await podman.says("inspect", "--format", "{{.State.Running}}", name))[1]
            assert "true" in running, (await podman.says("logs", "--tail", "60", name))[1]
            return code == 0

        await until(answers, START_SECONDS)
        yield


async def test_a_token_and_a_database_are_enough_for_the_first_message(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(SlackServer(["C0HELP", "C0BILLING", "C0TRIAGE"]))
        slack.add_user(User(id="U0ANN", name="ann"))
        database = stack.enter_context(postgres())
        database.does("CREATE DATABASE switchboard")
        podman = prepared(tmp_path, slack, database.url(name="switchboard"))
        await stack.enter_async_context(model_server(podman))

        code, said = await podman.says(*podman.run(IMAGE, f"migrate-{uuid.uuid4().hex[:8]}", "--rm"), "migrate")
        assert code == 0, said
        bot = await stack.enter_async_context(podman.started(IMAGE))
        await podman.until_healthy(bot)

        await slack.writes("U0ANN", "C0HELP", "I was charged twice for order L-7")
        [card] = await slack.until(lambda: slack.posts("C0BILLING"), START_SECONDS)
        assert "L-7" in card.text

        if MODEL_IMAGE:
            said = (await podman.says("exec", bot, "switchboard", "check"))[1]
            assert "✓ model: it takes adapters while it runs" in said, said
        assert (await podman.says("exec", bot, "id", "-u"))[1].split()[-1] == "10001"
        for written in ("/opt/switchboard/x", "/etc/x"):
            code, said = await podman.says("exec", bot, "touch", written)
            assert code != 0 and "Read-only" in said
        code, said = await podman.says("stop", "--time", "60", bot)
        assert code == 0, said
        code, said = await podman.says("inspect", "--format", "{{.State.ExitCode}}", bot)
        assert said.split()[-1] == "0", "it ends as it was told to"
        logs = (await podman.says("logs", bot))[1]
        assert not re.search(r"Traceback|L-7", logs), logs
