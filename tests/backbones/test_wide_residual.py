import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from cilsim.backbones.options import WideResNetOptions
from cilsim.backbones.wide_residual import WideResidualNet, wide_resnet


def parameter_count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("depth", "factor", "millions"),
    [
        *((40, 1, 0.6), (40, 2, 2.2), (40, 4, 8.9), (40, 8, 35.7)),
        *((28, 10, 36.5), (28, 12, 52.5), (22, 8, 17.2), (22, 10, 26.8)),
        *((16, 8, 11.0), (16, 10, 17.1)),
    ],
)
def test_parameters_are_those_of_table_4_of_the_paper(depth, factor, millions):
    with torch.device("meta"):
        backbone = WideResidualNet(3, depth, factor)
    classifier = backbone.feature_size * 10 + 10
    assert round((parameter_count(backbone) + classifier) / 1e6, 1) == millions
    assert backbone.feature_size == 64 * factor


def test_wrn_28_10_has_exactly_the_parameters_of_its_authors_code():
    with torch.device("meta"):
        backbone = WideResidualNet(3, 28, 10)
    assert parameter_count(backbone) + 640 * 10 + 10 == 36_479_194


def test_a_block_activates_before_it_convolves():
    options = WideResNetOptions(depth=10, factor=1)
    backbone = wide_resnet(options, (3, 8, 8), torch.Generator().manual_seed(0)).eval()
    block, image = backbone.layer2[0], torch.randn(2, 16, 8, 8)
    active = block.bn1(image).clamp(min=0)
    inner = F.conv2d(active, block.conv1.weight, stride=2, padding=1)
    inner = F.conv2d(block.bn2(inner).clamp(min=0), block.conv2.weight, padding=1)
    expected = inner + F.conv2d(active, block.downsample.weight, stride=2)
    torch.testing.assert_close(block(image), expected)
    assert backbone(torch.randn(2, 3, 8, 8)).min() >= 0.0


def test_the_last_map_of_small_images_has_eight_by_eight_pixels():
    backbone = WideResidualNet(3, 10, 1).eval()
    shapes = []
    backbone.layer3.register_forward_hook(
        lambda module, inputs, output: shapes.append(output.shape)
    )
    backbone(torch.randn(1, 3, 32, 32))
    assert shapes == [(1, 64, 8, 8)]


def test_a_depth_that_is_not_six_n_plus_four_is_refused():
    with pytest.raises(ValidationError, match="Input should be 10, 16, 22, 28, 34 or 40"):
        WideResNetOptions(depth=18)
