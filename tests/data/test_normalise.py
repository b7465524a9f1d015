import pytest
import torch

from cilsim.data.normalise import centre_crop, normalise, prepare
from cilsim.data.samples import Samples

MEAN, STD = (0.5, 0.25, 0.1), (0.2, 0.5, 0.3)


def images(count: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 5, 7), dtype=torch.uint8, generator=generator)


def test_images_are_scaled_centred_and_divided_per_channel():
    expected = images().double() / 255.0
    for channel in range(3):
        expected[:, channel] = (expected[:, channel] - MEAN[channel]) / STD[channel]
    normalised = normalise(images(), MEAN, STD)
    assert normalised.dtype == torch.float32
    torch.testing.assert_close(normalised.double(), expected, rtol=0.0, atol=1e-6)


def test_memory_layout_changes_no_value():
    ordinary, channels_last = (
        normalise(images(), MEAN, STD, channels_last=flag) for flag in (False, True)
    )
    assert ordinary.is_contiguous()
    assert channels_last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(ordinary, channels_last)


def test_stored_images_stay_as_they_are():
    stored = images()
    normalise(stored, MEAN, STD)
    assert torch.equal(stored, images())


def test_features_pass_unchanged():
    features = torch.randn(4, 6)
    assert normalise(features, (), ()) is features


def test_images_normalised_in_inference_mode_do_not_spoil_later_training():
    with torch.inference_mode():
        normalise(images(), (0.125,) * 3, (0.5,) * 3)
    weight = torch.ones((), requires_grad=True)
    (normalise(images(), (0.125,) * 3, (0.5,) * 3) * weight).sum().backward()
    assert weight.grad is not None


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5])
def test_the_centre_is_that_of_torchvision(side):
    from torchvision.transforms.functional import center_crop

    assert torch.equal(centre_crop(images(), side), center_crop(images(), [side, side]))


def test_samples_are_cropped_and_normalised_for_testing():
    samples = Samples(images(), None, torch.arange(4), "", MEAN, STD, crop=3)
    prepared = prepare(samples.x, samples, channels_last=True)
    assert prepared.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(prepared, normalise(images()[:, :, 1:4, 2:5], MEAN, STD))
    assert torch.equal(samples.x, images())


def test_samples_without_a_crop_and_features_are_taken_whole():
    samples = Samples(images(), None, torch.arange(4), "", MEAN, STD)
    assert torch.equal(prepare(samples.x, samples), normalise(images(), MEAN, STD))
    features = torch.randn(4, 6)
    assert prepare(features, Samples(features, None, torch.arange(4), "", (), ())) is features


def test_grey_images_become_equal_channels_each_normalised_by_its_own_moments():
    grey = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
    expected = torch.tensor([[[[-2.5, 2.5]], [[-0.5, 1.5]], [[-1.0, 9.0]]]])
    normalised = normalise(grey, (0.5, 0.25, 0.1), (0.2, 0.5, 0.1))
    torch.testing.assert_close(normalised, expected)


def test_grey_float_images_become_equal_channels_too():
    grey = torch.tensor([[[[0.0, 255.0]]]])
    halves = normalise(grey, (0.5,) * 3, (0.5,) * 3)
    torch.testing.assert_close(halves, torch.tensor([-1.0, 1.0]).expand(1, 3, 1, 2))
