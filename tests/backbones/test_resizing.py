import pytest
import torch
from torch.nn import functional as F

from cilsim.backbones.pretrained import FileOptions, ResizedOptions
from cilsim.backbones.resizing import Resizing, resizing


def test_images_of_the_wanted_size_are_passed_on():
    images = torch.randn(2, 3, 16, 16)
    assert Resizing(16)(images) is images


def test_without_a_size_images_are_passed_on():
    images = torch.randn(2, 3, 7, 9)
    assert resizing(ResizedOptions(weights="none"))(images) is images


def test_doubling_a_row_weighs_the_two_nearest_pixels_by_three_and_one():
    row = torch.tensor([0.0, 4.0, 8.0, 12.0]).expand(1, 1, 4, 4)
    doubled = torch.tensor([0.0, 1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 12.0]).expand(1, 1, 8, 8)
    torch.testing.assert_close(Resizing(8)(row), doubled)


def test_halving_is_antialiased():
    row = torch.tensor([0.0, 8.0, 0.0, 8.0, 0.0, 8.0, 0.0, 8.0]).expand(1, 1, 8, 8)
    middle = Resizing(4)(row)[0, 0, 0, 1:3]  # weights 1/8, 3/8, 3/8, 1/8
    torch.testing.assert_close(middle, torch.tensor([4.0, 4.0]))


def test_the_centre_is_cut_out_of_a_larger_image():
    images = torch.arange(36.0).view(1, 1, 6, 6)
    expected = images[:, :, 1:5, 1:5]
    assert torch.equal(Resizing(4, resize_to=6)(images), expected)


def test_the_shorter_side_of_an_oblong_image_is_resized():
    images = torch.randn(1, 3, 8, 12)
    wanted = F.interpolate(images, (4, 6), mode="bilinear", antialias=True)[:, :, :, 1:5]
    assert torch.equal(Resizing(4)(images), wanted)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_it_does_what_torchvision_does_to_tensors(interpolation):
    from torchvision.transforms import functional
    from torchvision.transforms.functional import InterpolationMode

    images = torch.rand(2, 3, 20, 32)
    mode = InterpolationMode(interpolation)
    resized = functional.resize(images, [32], interpolation=mode, antialias=True)
    expected = functional.center_crop(resized, [28])
    torch.testing.assert_close(Resizing(28, 32, interpolation)(images), expected)


def test_the_size_to_cut_from_must_not_be_smaller():
    with pytest.raises(ValueError, match="resize_to must be at least image_size"):
        ResizedOptions(image_size=224, resize_to=192)


def test_only_some_backbones_resize():
    assert "image_size" not in FileOptions.model_fields
