import pytest
import torch
from torch import nn

from cilsim.backbones.backbone import build_empty
from cilsim.backbones.options import CifarResNetOptions, ImageNetResNetOptions, SmallOptions
from cilsim.backbones.residual import ResidualNet, resnet18, resnet20, resnet32, small
from cilsim.backbones.transformer import VisionTransformer, VitSize
from cilsim.backbones.weight_fitting import load_weights
from cilsim.errors import CheckpointError

IMAGE = (3, 32, 32)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def complaint(backbone: ResidualNet, tensors: dict[str, torch.Tensor]) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_weights(backbone, tensors, "weights 'w.pt'")
    return str(caught.value)


def test_weights_of_torchvision_give_bit_identical_features():
    from torchvision.models import resnet18 as torchvision_resnet18

    theirs = torchvision_resnet18().eval()
    ours = build_empty(lambda: ResidualNet(3, (64, 128, 256, 512), 2, stem="imagenet")).eval()
    load_weights(ours, theirs.state_dict(), "weights")
    theirs.fc = nn.Identity()
    images = torch.randn(2, 3, 64, 64, generator=generator())
    with torch.inference_mode():
        theirs.avgpool = Mean()  # ours avoids AdaptiveAvgPool2d, which rounds otherwise
        assert torch.equal(ours(images), theirs(images))


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3), keepdim=True)


def test_weights_go_to_torchvision_and_back():
    from torchvision.models import resnet18 as torchvision_resnet18

    ours = resnet18(ImageNetResNetOptions(), IMAGE, generator())
    theirs = torchvision_resnet18()
    result = theirs.load_state_dict(ours.state_dict(), strict=False)
    assert (result.missing_keys, result.unexpected_keys) == (["fc.weight", "fc.bias"], [])
    back = resnet18(ImageNetResNetOptions(), IMAGE, generator(1))
    load_weights(back, theirs.state_dict(), "weights")
    for name, tensor in ours.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor), name


def test_half_precision_becomes_what_the_backbone_has():
    source = small(SmallOptions(), IMAGE, generator())
    target = small(SmallOptions(), IMAGE, generator(1))
    load_weights(target, {k: v.half() for k, v in source.state_dict().items()}, "weights")
    assert target.conv1.weight.dtype == torch.float32
    assert torch.equal(target.conv1.weight, source.conv1.weight.half().float())


def test_counters_of_batch_norm_may_be_missing():
    tensors = small(SmallOptions(), IMAGE, generator()).state_dict()
    without = {name: one for name, one in tensors.items() if "num_batches" not in name}
    target = build_empty(lambda: ResidualNet(3, (24, 48, 96), 1, stem="stride2"))
    load_weights(target, without, "weights")
    assert target.bn1.num_batches_tracked == 0
    assert torch.equal(target.bn1.running_var, torch.ones(24))


def test_another_feature_size_is_said_plainly():
    wide = small(SmallOptions(widths=(24, 48, 64)), IMAGE, generator())
    assert complaint(small(SmallOptions(), IMAGE, generator()), wide.state_dict()) == (
        "weights 'w.pt' do not fit: they give 64 features, the backbone 96; of another shape: "
        "layer3.0.conv1.weight 64x48x3x3 instead of 96x48x3x3, "
        "layer3.0.bn1.weight 64 instead of 96, layer3.0.bn1.bias 64 instead of 96 and 12 more"
    )


def test_another_feature_size_is_said_of_a_network_with_other_stages_too():
    wide = build_empty(lambda: ResidualNet(3, (8, 8, 8, 40), 1))
    assert complaint(small(SmallOptions(), IMAGE, generator()), wide.state_dict()).startswith(
        "weights 'w.pt' do not fit: they give 40 features, the backbone 96; "
    )


def test_another_width_of_a_transformer_is_said():
    narrow, wide = (
        build_empty(lambda width=width: VisionTransformer(3, VitSize(16, 8, width, 1, 2)))
        for width in (8, 12)
    )
    assert complaint(wide, narrow.state_dict()).startswith(
        "weights 'w.pt' do not fit: they give 8 features, the backbone 12; "
    )


def test_other_channels_are_said():
    grey = small(SmallOptions(), (1, 32, 32), generator())
    assert complaint(small(SmallOptions(), IMAGE, generator()), grey.state_dict()) == (
        "weights 'w.pt' do not fit: of another shape: conv1.weight 24x1x3x3 instead of 24x3x3x3"
    )


def test_weights_of_a_deeper_network_are_refused():
    deeper = resnet32(CifarResNetOptions(), IMAGE, generator())
    assert complaint(resnet20(CifarResNetOptions(), IMAGE, generator()), deeper.state_dict()) == (
        "weights 'w.pt' do not fit: unknown: layer1.3.conv1.weight, layer1.3.bn1.weight, "
        "layer1.3.bn1.bias and 69 more"
    )


def test_missing_tensors_are_listed():
    tensors = small(SmallOptions(), IMAGE, generator()).state_dict()
    del tensors["conv1.weight"], tensors["bn1.bias"]
    assert complaint(small(SmallOptions(), IMAGE, generator()), tensors) == (
        "weights 'w.pt' do not fit: missing: conv1.weight, bn1.bias"
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda weight: weight.to(torch.int32), "int32 instead of float32"),
        (lambda weight: weight.to(torch.bool), "bool instead of float32"),
        (lambda weight: weight.to(torch.complex64), "complex64 instead of float32"),
        (lambda weight: weight.to_sparse(), "float32 sparse_coo instead of float32"),
        (
            lambda weight: torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8),
            "qint8 instead of float32",
        ),
    ],
    ids=["integers", "booleans", "complex numbers", "sparse", "quantised"],
)
@pytest.mark.filterwarnings("ignore")
def test_weights_of_another_type_are_refused(changed, message):
    source = small(SmallOptions(), IMAGE, generator())
    tensors = dict(source.state_dict())
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    tensors[name] = changed(tensors[name])
    target = small(SmallOptions(), IMAGE, generator())
    assert complaint(target, tensors) == (
        f"weights 'w.pt' do not fit: of another type: {name} {message}"
    )


def test_a_tensor_that_claims_to_be_enormous_is_refused_by_its_shape():
    source = small(SmallOptions(), IMAGE, generator())
    tensors = dict(source.state_dict())
    name = next(name for name, tensor in tensors.items() if tensor.ndim == 1)
    count = len(tensors[name])
    tensors[name] = torch.zeros(1).expand(10**12)
    target = small(SmallOptions(), IMAGE, generator())
    assert f"{name} 1000000000000 instead of {count}" in complaint(target, tensors)
