import torch

from cilsim.data.normalise import normalise

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
