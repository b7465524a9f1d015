import pytest
import torch
from torch.nn import functional as F

from cilsim.backbones.dense import identity, mlp
from cilsim.backbones.options import IdentityOptions, MlpOptions


def test_mlp_is_linear_layers_with_relu():
    backbone = mlp(MlpOptions(hidden=(5, 3)), (4,), torch.Generator().manual_seed(0))
    x = torch.randn(6, 4)
    first, second = backbone.layers
    assert torch.equal(backbone(x), F.relu(second(F.relu(first(x)))))
    assert backbone.feature_size == 3


def test_mlp_weights_are_uniform_within_one_over_root_of_the_inputs():
    backbone = mlp(MlpOptions(hidden=(2000,)), (16,), torch.Generator().manual_seed(0))
    weight = backbone.layers[0].weight
    assert weight.abs().max() <= 0.25
    assert weight.std().item() == pytest.approx(0.25 / 3**0.5, rel=0.01)


def test_identity_returns_its_input_and_has_nothing_to_train():
    backbone = identity(IdentityOptions(), (7,), torch.Generator())
    x = torch.randn(3, 7)
    assert backbone(x) is x
    assert backbone.feature_size == 7
    assert list(backbone.parameters()) == []
