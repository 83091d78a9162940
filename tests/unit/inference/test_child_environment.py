"""Processes that load models do not get the bot's secrets."""

import asyncio
import os
import sys

import pytest

from inference.child_environment import needed
from inference.worker_process import environment

SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "SLACK_SIGNING_SECRET": "s",
    "TELEGRAM_BOT_TOKEN": "1:a",
    "TELEGRAM_WEBHOOK_SECRET": "w",
    "DATABASE_URL": "postgresql://bot:pw@db/bot",
    "PGPASSWORD": "pw",
    "SWITCHBOARD_PROBE_TOKEN": "p",
    "AWS_SECRET_ACCESS_KEY": "k",
    "OPENAI_API_KEY": "sk",
    "HF_TOKEN": "hf_1",
    "HUGGING_FACE_HUB_TOKEN": "hf_1",
    "VLLM_API_KEY": "v",
    "GITHUB_PAT": "ghp",
    "HTTPS_PROXY": "http://user:pw@proxy",
    "SOMETHING_OF_A_PLATFORM_MADE_ELSEWHERE": "secret",
}
NEEDED = {
    "PATH": "/usr/bin",
    "HOME": "/home/bot",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "LD_LIBRARY_PATH": "/usr/local/cuda/lib64",
    "LD_PRELOAD": "libtcmalloc.so",
    "CUDA_VISIBLE_DEVICES": "1",
    "OMP_NUM_THREADS": "2",
    "VLLM_CPU_OMP_THREADS_BIND": "0-1",
    "HF_HOME": "/models",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONPATH": "/work",
    "VIRTUAL_ENV": "/venv",
    "XDG_CACHE_HOME": "/cache",
    "TMPDIR": "/scratch",
}


def test_secrets_stay_and_what_programs_and_devices_need_passes() -> None:
    assert needed(SECRETS | NEEDED) == NEEDED


async def test_a_child_is_started_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    told = "import os; print(sorted(os.environ))"
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", told, stdout=pipe, env=environment())
    said, _ = await child.communicate()
    assert child.returncode == 0
    assert not [name for name in SECRETS if repr(name) in said.decode()]
    assert "'PATH'" in said.decode() and "PATH" in os.environ
