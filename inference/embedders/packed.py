"""Linear layers in bfloat16 whose weights lie in the order that the processor multiplies them in.

torch puts the weights of a plain layer into that order for every text: a third to a half of a short text's time.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_ROWS = 16
"""Pieces of a text for which the order is chosen; any other number is multiplied correctly, too."""


def pack(model: "torch.nn.Module") -> "torch.nn.Module":
    """The same model, its linear layers packed in place where this torch can and where that changes no digit.

    For a model in bfloat16. What packs is no part of torch's public interface: hence the trial of every layer.
    """
    import torch

    if not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return model
    for part in list(model.modules()):
        for name, layer in list(part.named_children()):
            if isinstance(layer, torch.nn.Linear) and layer.weight.dtype is torch.bfloat16 and layer.bias is not None:
                setattr(part, name, _packed(layer))
    return model


def _packed(layer: "torch.nn.Linear") -> "torch.nn.Module":
    """The layer, packed; itself, if the packed one gives another number for a trial."""
    import torch

    class Packed(torch.nn.Module):
        def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
            super().__init__()
            self.register_buffer("weight", torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS))
            self.register_buffer("bias", bias)

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            said: torch.Tensor = torch.ops.mkldnn._linear_pointwise(given, self.weight, self.bias, "none", [], "")
            return said

    with torch.inference_mode():
        trial = torch.linspace(-1, 1, _ROWS * layer.in_features).to(layer.weight.dtype).view(_ROWS, -1)
        try:
            packed: torch.nn.Module = torch.jit.script(Packed(layer.weight.detach(), layer.bias.detach()))
            same = torch.equal(packed(trial), layer(trial))
        except RuntimeError:  # this processor or this torch has no such product
            return layer
    return packed if same else layer
