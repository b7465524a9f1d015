"""The traced text computes what the backbone computes, bit for bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cilsim.backbones.backbone import Backbone
from cilsim.backbones.dense import identity, mlp
from cilsim.backbones.options import IdentityOptions, MlpOptions, SmallOptions
from cilsim.backbones.residual import small
from cilsim.deploy.network_code import network_code
from cilsim.errors import CilsimError


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def run_text(text: str, weights: dict[str, Tensor], x: Tensor) -> Tensor:
    names: dict[str, Any] = {}
    exec(compile(text, "network.py", "exec"), names)
    found: Tensor = names["forward"](weights, x)
    return found


class _Looped(Backbone):
    """Fixes the number of samples while it is traced, as attention does."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.feature_size = 3

    def forward(self, x_BD: Tensor) -> Tensor:
        return torch.cat([self.layer(x_BD[at : at + 1]) for at in range(int(x_BD.shape[0]))])


class _Branching(Backbone):
    def forward(self, x_BD: Tensor) -> Tensor:
        return x_BD if float(x_BD.sum()) > 0 else -x_BD


BACKBONES = {
    "small": (lambda: small(SmallOptions(widths=(4, 6, 8)), (1, 12, 12), generator()), (1, 12, 12)),
    "mlp": (lambda: mlp(MlpOptions(hidden=(5, 4)), (4,), generator()), (4,)),
    "identity": (lambda: identity(IdentityOptions(), (4,), generator()), (4,)),
    "one by one": (_Looped, (4,)),
}


@pytest.mark.parametrize("name", BACKBONES)
def test_the_text_computes_the_same_bits_for_any_number_of_samples(name: str) -> None:
    make, shape = BACKBONES[name]
    backbone = make().eval()
    text, weights = network_code(backbone, shape, name)
    for samples in (1, 3):
        x = torch.randn(samples, *shape, generator=generator())
        with torch.inference_mode():
            assert torch.equal(run_text(text, weights, x), backbone(x))


def test_modes_of_the_backbone_are_put_back() -> None:
    backbone = mlp(MlpOptions(hidden=(5,)), (4,), generator()).train()
    network_code(backbone, (4,), "mlp")
    assert backbone.training


def test_a_network_that_looks_at_its_input_is_refused() -> None:
    with pytest.raises(CilsimError) as caught:
        network_code(_Branching(), (4,), "branching")
    text = str(caught.value)
    assert text.startswith("backbone 'branching': torch.export cannot trace it: ")
    assert text.endswith(" - expected a network without control flow that depends on its input")
