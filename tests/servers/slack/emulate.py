"""Another implementation of Slack: the npm package `emulate`, which checks scopes strictly. Needs node and npm."""

import asyncio
import json
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

PACKAGE = "emulate@0.8.0"
_INSTALL_SECONDS, _START_SECONDS = 90, 20
_SCRIPT = """
import { createEmulator } from 'emulate';
const [port, seed] = process.argv.slice(2);
const emulator = await createEmulator({ service: 'slack', port: Number(port), seed: JSON.parse(seed) });
console.log(emulator.url);
setInterval(() => {}, 1000);
"""


class NotHere(Exception):
    """It cannot be run on this machine; the message says why."""


@asynccontextmanager
async def emulated(tokens: Mapping[str, Sequence[str]]) -> AsyncIterator[str]:
    """Its address, with these tokens and their scopes, all of one user. Raises NotHere."""
    home = await _installed()
    seed = {
        "slack": {
            "strict_scopes": True,
            "team": {"name": "Test", "domain": "test"},
            "users": [{"name": "switchboard", "real_name": "Switchboard"}, {"name": "ann", "real_name": "Ann"}],
            "channels": [{"name": "billing"}],
            "tokens": [
                {"token": token, "user": "switchboard", "scopes": list(scopes)} for token, scopes in tokens.items()
            ],
        }
    }
    node = await asyncio.create_subprocess_exec(
        *("node", "serve.mjs", str(_free_port()), json.dumps(seed)), cwd=home, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert node.stdout is not None
        line = await asyncio.wait_for(node.stdout.readline(), _START_SECONDS)
        if not line:
            raise NotHere("emulate does not start")
        yield line.decode().strip().replace("localhost", "127.0.0.1")
    finally:
        if node.returncode is None:
            node.kill()
        await node.wait()


async def _installed() -> Path:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotHere("node and npm are not installed")
    home = Path(tempfile.gettempdir()) / "switchboard-emulate-0.8.0"
    home.mkdir(exist_ok=True)
    if not (home / "node_modules" / "emulate" / "package.json").exists():
        options = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(home))
        npm = await asyncio.create_subprocess_exec(
            *("npm", "install", *options, PACKAGE), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            code = await asyncio.wait_for(npm.wait(), _INSTALL_SECONDS)
        except TimeoutError:
            npm.kill()
            await npm.wait()
            code = -1
        if code != 0:
            raise NotHere(f"npm cannot install {PACKAGE}")
    (home / "serve.mjs").write_text(_SCRIPT)
    return home


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
