import copy
import dataclasses

import pytest
import torch
from torch import nn

from cilsim.backbones.dense import identity
from cilsim.backbones.options import IdentityOptions
from cilsim.data.normalise import normalise
from cilsim.features.extract import ForwardCounter, extract


def test_features_are_those_of_a_plain_forward_pass(parts):
    backbone, samples = parts.resnet(), parts.images()
    with torch.no_grad():
        plain = backbone(normalise(samples.x, samples.mean, samples.std))
    features = extract(backbone, samples)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels_last", [True, False], ids=["channels_last", "ordinary"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sizes", [[1, 74], [32, 43], [64, 11], [25, 25, 25]], ids=str)
def test_a_feature_does_not_depend_on_its_neighbours(parts, channels_last, channels, sizes):
    backbone, samples = parts.resnet(channels), parts.images(channels=channels)
    whole = extract(backbone, samples, channels_last=channels_last)
    order = torch.randperm(75, generator=torch.Generator().manual_seed(2))
    for index in order.split(sizes):
        part = extract(backbone, parts.subset(samples, index), channels_last=channels_last)
        assert torch.equal(part, whole[index])


@pytest.mark.parametrize("view", ["plain", "mirror"])
def test_features_are_those_of_the_centre_where_the_data_set_crops(parts, view):
    backbone, whole = parts.resnet(), parts.images()
    cropped = dataclasses.replace(whole, crop=6)
    inner = dataclasses.replace(whole, x=whole.x[:, :, 1:7, 1:7].contiguous())
    assert torch.equal(extract(backbone, cropped, view=view), extract(backbone, inner, view=view))


def test_features_of_an_mlp_do_not_depend_on_their_neighbours(parts):
    backbone, samples = parts.mlp(), parts.features()
    whole = extract(backbone, samples)
    index = torch.tensor([70, 3, 4])
    assert torch.equal(extract(backbone, parts.subset(samples, index)), whole[index])


@pytest.mark.parametrize("channels_last", [True, False], ids=["channels_last", "ordinary"])
@pytest.mark.parametrize("channels", [1, 3])
def test_features_do_not_depend_on_the_layout_of_the_weights(parts, channels_last, channels):
    backbone, samples = parts.resnet(channels), parts.images(channels=channels)
    other = copy.deepcopy(backbone).to(memory_format=torch.channels_last)
    strides = [parameter.stride() for parameter in other.parameters()]
    one = extract(backbone, samples, channels_last=channels_last)
    assert torch.equal(one, extract(other, samples, channels_last=channels_last))
    assert [parameter.stride() for parameter in other.parameters()] == strides


def test_features_depend_only_slightly_on_chunk_and_layout(parts):
    backbone, samples = parts.resnet(), parts.images()
    reference = extract(backbone, samples)
    for changes in ({"chunk": 7}, {"channels_last": False}):
        torch.testing.assert_close(extract(backbone, samples, **changes), reference)


def test_identity_returns_the_samples_bit_for_bit(parts):
    samples = parts.features()
    backbone = identity(IdentityOptions(), (6,), torch.Generator())
    assert torch.equal(extract(backbone, samples), samples.x)


def test_modes_of_the_backbone_are_put_back_and_its_statistics_kept(parts):
    backbone = parts.resnet().train()
    backbone.layer1.eval()
    modes = [part.training for part in backbone.modules()]
    mean = backbone.bn1.running_mean.clone()
    extract(backbone, parts.images())
    assert [part.training for part in backbone.modules()] == modes
    assert torch.equal(backbone.bn1.running_mean, mean)


def test_modes_are_put_back_when_the_backbone_fails(parts):
    class Failing(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("no forward pass")

    backbone = Failing().train()
    with pytest.raises(RuntimeError, match=r"^no forward pass$"):
        extract(backbone, parts.images())
    assert backbone.training


def test_a_head_can_be_trained_on_features(parts):
    features = extract(parts.resnet(), parts.images())
    head = nn.Linear(64, 3)
    head(features).sum().backward()
    assert head.weight.grad is not None
    assert not features.requires_grad


def test_each_sample_is_counted_once_and_padding_never(parts):
    counter = ForwardCounter()
    extract(parts.resnet(), parts.images(75), counter=counter)
    extract(parts.resnet(), parts.images(1), counter=counter)
    assert counter.images == 76


def test_the_mirrored_view_is_that_of_mirrored_images(parts):
    backbone, samples = parts.resnet(), parts.images()
    flipped = parts.subset(samples, torch.arange(75))
    flipped.x.copy_(samples.x.flip(3))
    mirrored = extract(backbone, samples, view="mirror")
    assert torch.equal(mirrored, extract(backbone, flipped))
    assert not torch.equal(mirrored, extract(backbone, samples))


def test_bf16_is_near_and_returned_as_float32(parts):
    backbone, samples = parts.resnet(), parts.images()
    features = extract(backbone, samples, precision="bf16")
    assert features.dtype == torch.float32
    reference = extract(backbone, samples)
    assert not torch.equal(features, reference)
    assert ((features - reference).norm() / reference.norm()).item() < 0.02


def test_an_empty_part_has_features_of_the_right_width(parts):
    assert extract(parts.resnet(), parts.images(0)).shape == (0, 64)


def test_no_random_number_is_drawn(parts):
    before = torch.get_rng_state()
    extract(parts.resnet(), parts.images())
    assert torch.equal(torch.get_rng_state(), before)


def test_an_unknown_view_is_refused(parts):
    with pytest.raises(ValueError, match=r"^no view is named 'miror'; did you mean 'mirror'\?$"):
        extract(parts.resnet(), parts.images(), view="miror")


def test_a_view_of_images_is_refused_for_features(parts):
    with pytest.raises(
        ValueError, match=r"^view 'mirror' is for images, these samples are features$"
    ):
        extract(parts.mlp(), parts.features(), view="mirror")


def test_a_backbone_that_returns_maps_is_refused(parts):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        extract(nn.Conv2d(3, 5, 3), parts.images())
    assert str(caught.value) == (
        "the backbone returned features of shape (32, 5, 6, 6) for 32 samples, expected (32, D)"
    )
