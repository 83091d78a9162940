"""Packed layers compute exactly the numbers of plain ones; a layer that cannot be packed stays as it is."""

import warnings
from collections.abc import Iterator

import pytest
import torch

from inference.embedders.packed import pack


@pytest.fixture(autouse=True)
def _scripting() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its scripts deprecated
        yield


def model(kind: torch.dtype, bias: bool = True) -> torch.nn.Sequential:
    torch.manual_seed(7)
    layers = torch.nn.Linear(48, 96, bias=bias), torch.nn.GELU(), torch.nn.Linear(96, 24, bias=bias)
    return torch.nn.Sequential(*layers).to(kind).eval()


def plain(one: torch.nn.Module) -> list[bool]:
    return [isinstance(layer, torch.nn.Linear) for layer in one.children()]


able = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="this processor does not multiply bfloat16 itself"
)


@able
@pytest.mark.parametrize("rows", [1, 2, 7, 16, 33, 400])
def test_a_packed_model_gives_the_very_numbers_of_the_plain_one(rows: int) -> None:
    quick = pack(model(torch.bfloat16))
    assert plain(quick) == [False, False, False]
    given = torch.randn(1, rows, 48, generator=torch.Generator().manual_seed(rows)).to(torch.bfloat16)
    with torch.inference_mode():
        assert torch.equal(quick(given), model(torch.bfloat16)(given))


@able
def test_a_layer_that_would_give_another_number_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "equal", lambda *_: False)
    assert plain(pack(model(torch.bfloat16))) == [True, False, True]


@pytest.mark.parametrize(("kind", "bias"), [(torch.float32, True), (torch.bfloat16, False)])
def test_full_precision_and_layers_without_offsets_are_left_alone(kind: torch.dtype, bias: bool) -> None:
    assert plain(pack(model(kind, bias))) == [True, False, True]


def test_where_torch_cannot_pack_the_model_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> torch.Tensor:
        raise RuntimeError("no such product here")

    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", refuses)
    assert plain(pack(model(torch.bfloat16))) == [True, False, True]
