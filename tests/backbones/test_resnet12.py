import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cilsim.backbones.resnet12 import resnet12
from cilsim.backbones.resnet12_options import ResNet12Options
from cilsim.backbones.weight_fitting import load_weights
from cilsim.errors import CheckpointError


def build(shape=(3, 84, 84), **options):
    return resnet12(ResNet12Options(**options), shape, torch.Generator().manual_seed(0))


def parameter_count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("widths", "parameters", "millions"),
    [((64, 160, 320, 640), 12_424_320, 12.4), ((64, 128, 256, 512), 7_996_800, 8.0)],
)
def test_parameters_are_those_of_the_papers(widths, parameters, millions):
    backbone = build(widths=widths)
    assert parameter_count(backbone) == parameters
    assert round(parameters / 1e6, 1) == millions
    assert backbone.feature_size == widths[-1]


def test_the_last_map_of_the_published_images_has_five_by_five_pixels():
    backbone = build(widths=(4, 4, 4, 8)).eval()
    shapes = []
    backbone.layer4.register_forward_hook(lambda module, inputs, output: shapes.append(output))
    features = backbone(torch.randn(2, 3, 84, 84))
    assert shapes[0].shape == (2, 8, 5, 5)
    assert torch.equal(features, shapes[0].mean((2, 3)))


def test_a_block_is_what_the_paper_describes():
    block = build(widths=(4, 4, 4, 4)).layer1[0].eval()
    image = torch.randn(1, 3, 8, 8)
    inner = image
    for conv, norm in ((block.conv1, block.bn1), (block.conv2, block.bn2)):
        inner = norm(F.conv2d(inner, conv.weight, padding=1))
        inner = torch.where(inner > 0, inner, 0.1 * inner)
    inner = block.bn3(F.conv2d(inner, block.conv3.weight, padding=1)) + block.downsample(image)
    inner = torch.where(inner > 0, inner, 0.1 * inner)
    expected = inner.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    torch.testing.assert_close(block(image), expected)


def test_weights_of_another_width_are_told_by_the_feature_size():
    other = build(widths=(4, 4, 4, 8)).state_dict()
    with pytest.raises(CheckpointError) as caught:
        load_weights(build(widths=(4, 4, 4, 16)), other, "weights 'a.pt'")
    assert "8" in str(caught.value)
    assert "16" in str(caught.value)
