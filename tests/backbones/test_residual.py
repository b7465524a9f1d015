import pytest
import torch
from torch import nn

from cilsim.backbones.options import (
    CifarResNetOptions,
    ImageNetResNetOptions,
    ResNetOptions,
    SmallOptions,
)
from cilsim.backbones.residual import (
    PadShortcut,
    resnet18,
    resnet18_cifar,
    resnet20,
    resnet32,
    small,
)

IMAGE = (3, 32, 32)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def parameter_count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("build", "options", "parameters", "feature_size"),
    [
        pytest.param(small, SmallOptions(), 173_304, 96, id="small"),
        pytest.param(resnet20, CifarResNetOptions(), 271_824, 64, id="resnet20"),
        pytest.param(resnet20, CifarResNetOptions(shortcut="pad"), 269_072, 64, id="resnet20-pad"),
        pytest.param(resnet32, CifarResNetOptions(), 466_256, 64, id="resnet32"),
        pytest.param(resnet18_cifar, ResNetOptions(), 11_168_832, 512, id="resnet18_cifar"),
        pytest.param(resnet18, ImageNetResNetOptions(), 11_176_512, 512, id="resnet18"),
    ],
)
def test_parameters_are_those_of_the_paper(build, options, parameters, feature_size):
    backbone = build(options, IMAGE, generator())
    assert parameter_count(backbone) == parameters
    assert backbone.feature_size == feature_size


@pytest.mark.parametrize(
    ("build", "options", "last_map"),
    [
        pytest.param(small, SmallOptions(), (96, 4, 4), id="small"),
        pytest.param(resnet20, CifarResNetOptions(), (64, 8, 8), id="resnet20"),
        pytest.param(resnet18_cifar, ResNetOptions(), (512, 4, 4), id="resnet18_cifar"),
        pytest.param(resnet18, ImageNetResNetOptions(), (512, 1, 1), id="resnet18"),
    ],
)
def test_last_feature_map_has_the_size_of_the_paper(build, options, last_map):
    backbone = build(options, IMAGE, generator()).eval()
    shapes = []
    last = getattr(backbone, backbone.stages[-1])
    last.register_forward_hook(lambda module, inputs, output: shapes.append(output.shape[1:]))
    backbone(torch.randn(1, *IMAGE))
    assert shapes == [last_map]


@pytest.mark.parametrize("size", [8, 16, 33])
def test_small_takes_images_of_other_sizes(size):
    backbone = small(SmallOptions(), (1, size, size), generator())
    assert backbone(torch.randn(4, 1, size, size)).shape == (4, 96)


def test_widths_of_small_can_be_set():
    backbone = small(SmallOptions(widths=(8, 8, 20)), IMAGE, generator()).eval()
    assert backbone(torch.randn(2, *IMAGE)).shape == (2, 20)


def test_features_are_not_negative():
    backbone = resnet20(CifarResNetOptions(), IMAGE, generator()).eval()
    assert backbone(torch.randn(4, *IMAGE)).min() >= 0.0


def test_convolutions_have_the_spread_of_kaiming_fan_out():
    weight = resnet18(ImageNetResNetOptions(), IMAGE, generator()).layer4[1].conv2.weight
    assert weight.std().item() == pytest.approx((2.0 / (9 * 512)) ** 0.5, rel=0.01)


def test_batch_norms_start_as_the_identity():
    backbone = resnet20(CifarResNetOptions(), IMAGE, generator())
    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 21
    for norm in norms:
        assert (norm.weight == 1).all()
        assert (norm.bias == 0).all()
        assert (norm.running_mean == 0).all()
        assert (norm.running_var == 1).all()


def test_resnet18_names_and_shapes_are_those_of_torchvision():
    reference = {"conv1.weight": (64, 3, 7, 7), **batch_norm("bn1", 64)}
    inputs = 64
    for stage, width in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            name = f"layer{stage}.{block}"
            reference[f"{name}.conv1.weight"] = (width, inputs, 3, 3)
            reference[f"{name}.conv2.weight"] = (width, width, 3, 3)
            reference |= batch_norm(f"{name}.bn1", width) | batch_norm(f"{name}.bn2", width)
            if block == 0 and stage > 1:
                reference[f"{name}.downsample.0.weight"] = (width, inputs, 1, 1)
                reference |= batch_norm(f"{name}.downsample.1", width)
            inputs = width
    backbone = resnet18(ImageNetResNetOptions(), IMAGE, generator())
    assert {name: tuple(t.shape) for name, t in backbone.state_dict().items()} == reference


def batch_norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    shapes = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (width,))
    return {f"{name}.{key}": shape for key, shape in shapes.items()} | {
        f"{name}.num_batches_tracked": ()
    }


def test_resnet18_features_equal_those_of_torchvision():
    from torchvision.models import resnet18 as torchvision_resnet18

    ours = resnet18(ImageNetResNetOptions(), (3, 64, 64), generator()).eval()
    theirs = torchvision_resnet18()
    theirs.fc = nn.Identity()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(ours(images), theirs.eval()(images), rtol=1e-6, atol=1e-6)


def test_pad_shortcut_keeps_every_second_pixel_and_appends_zero_channels():
    image = torch.arange(16.0).view(1, 1, 4, 4)
    expected = torch.zeros(1, 3, 2, 2)
    expected[0, 0] = torch.tensor([[0.0, 2.0], [8.0, 10.0]])
    assert torch.equal(PadShortcut(2, 2)(image), expected)
