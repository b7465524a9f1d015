"""Batch norms folded into the convolutions before them.

Axis letters: B batch, C channels, H W pixels.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cilsim.backbones.backbone import Backbone
from cilsim.backbones.folding import LastFolded, folded
from cilsim.backbones.residual import ResidualNet
from cilsim.backbones.resnet12 import ResNet12
from cilsim.backbones.wide_residual import WideResidualNet

NETWORKS = {
    "residual, pooled by a convolution": lambda: ResidualNet(3, (4, 8), 2),
    "residual, shortcuts padded": lambda: ResidualNet(3, (4, 8), 2, shortcut="pad"),
    "residual, stem of ImageNet": lambda: ResidualNet(3, (4, 8), 1, stem="imagenet"),
    "resnet12": lambda: ResNet12(3, (4, 8)),
    "wide": lambda: WideResidualNet(3, 10, 1),
}
NORMS_LEFT = {"wide": 4}
"""Norms that no convolution stands before: the first of each block, and the last of all."""


class _Normalised(nn.Module):
    """A convolution and a batch norm with the given moments."""

    folds = (("conv", "norm"),)

    def __init__(self, **options: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1, bias=True)
        self.norm = nn.BatchNorm2d(1, eps=0.0, **options)
        with torch.no_grad():
            self.conv.weight.fill_(3.0)
            self.conv.bias.fill_(1.0)
            self.norm.weight.fill_(4.0)
            self.norm.bias.fill_(-2.0)
            if self.norm.running_var is not None:
                self.norm.running_mean.fill_(5.0)
                self.norm.running_var.fill_(0.25)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the normalised map."""
        return self.norm(self.conv(x_BCHW))


def _trained(name: str) -> Backbone:
    """Return a network whose norms have seen something."""
    net: Backbone = NETWORKS[name]()
    net.draw(torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(2)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0.0, 0.3, generator=generator)
            part.running_var.uniform_(0.3, 3.0, generator=generator)
            nn.init.uniform_(part.weight, 0.5, 2.0, generator=generator)
            nn.init.normal_(part.bias, generator=generator)
    return net


def test_weights_are_those_that_the_rule_of_batch_norm_gives() -> None:
    # 4 (3 x + 1 - 5) / 0.5 - 2 = 24 x - 34
    net = folded(_Normalised())

    assert net.conv.weight.item() == 24.0
    assert net.conv.bias.item() == -34.0
    assert isinstance(net.norm, nn.Identity)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folded_network_computes_the_same_but_for_rounding(name: str) -> None:
    net = _trained(name)
    x_BCHW = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(3))

    with torch.inference_mode():
        expected, found = net.eval()(x_BCHW), folded(net)(x_BCHW)

    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("name", NETWORKS)
def test_no_norm_is_left_behind_a_convolution(name: str) -> None:
    norms = [part for part in folded(_trained(name)).modules() if isinstance(part, nn.BatchNorm2d)]

    assert len(norms) == NORMS_LEFT.get(name, 0)


def test_the_network_itself_is_left_alone() -> None:
    net = _trained("resnet12").train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}

    twin = folded(net)

    assert all(part.training for part in net.modules())
    assert not any(part.training for part in twin.modules())
    assert net.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_what_was_folded_is_not_folded_again() -> None:
    twin = folded(_trained("resnet12"))

    assert folded(twin) is twin


def test_a_network_that_declares_nothing_is_returned_as_it_is() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))

    assert folded(net) is net


def test_a_norm_of_the_batch_alone_is_not_folded() -> None:
    net = _Normalised(track_running_stats=False)

    assert folded(net) is net


@pytest.mark.parametrize("layer", ["conv", "norm"])
def test_a_layer_that_somebody_watches_is_not_folded(layer: str) -> None:
    net = _Normalised()
    net.get_submodule(layer).register_forward_hook(lambda *_: None)

    assert folded(net) is net


def test_hooks_of_the_network_see_the_folded_one_work() -> None:
    net, seen = _trained("resnet12"), []
    net.register_forward_hook(lambda *_: seen.append("forward"))

    folded(net)(torch.zeros(1, 3, 16, 16))

    assert seen == ["forward"]


def test_no_gradient_reaches_folded_weights() -> None:
    net = folded(_Normalised())

    assert not any(parameter.requires_grad for parameter in net.parameters())


def test_the_last_network_is_folded_once_for_each_version() -> None:
    last, net = LastFolded(), _trained("resnet12")

    first = last.get(net, "one")

    assert first is not net
    assert last.get(net, "one") is first
    assert last.get(net, "other") is not first


def test_another_network_of_equal_weights_is_folded_for_itself() -> None:
    last, net = LastFolded(), _trained("resnet12")

    first = last.get(net, "one")

    assert last.get(_trained("resnet12"), "one") is not first


def test_a_layer_that_is_watched_later_is_no_longer_folded() -> None:
    last, net, seen = LastFolded(), _Normalised(), []
    last.get(net, "one")
    net.norm.register_forward_hook(lambda *_: seen.append("norm"))

    last.get(net, "one").eval()(torch.zeros(1, 1, 2, 2))

    assert seen == ["norm"]
