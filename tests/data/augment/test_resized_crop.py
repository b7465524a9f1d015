from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch import Tensor

from cilsim.data.augment import augment
from cilsim.data.augment.resized_crop import DRAWS, resize, windows
from cilsim.scenario.recipe import Augmentation

DEFAULTS = Augmentation(random_resized_crop=True)


def uniform(count: int, seed: int = 2) -> torch.Tensor:
    return torch.rand(DRAWS, count, generator=torch.Generator().manual_seed(seed))


def drawn(draw: list[float], image: tuple[int, int], options: Augmentation) -> tuple[int, ...]:
    """Return the window of one image, as torchvision's RandomResizedCrop.get_params finds it."""
    height, width = image
    (small, large), (low, high) = options.resized_crop_scale, options.resized_crop_ratio
    for area_draw, aspect_draw in zip(draw[:10], draw[10:20], strict=True):
        area = height * width * (small + (large - small) * area_draw)
        log_aspect = math.log(low) + (math.log(high) - math.log(low)) * aspect_draw
        w = round(math.sqrt(area * math.exp(log_aspect)))
        h = round(math.sqrt(area / math.exp(log_aspect)))
        if 0 < w <= width and 0 < h <= height:
            return int(draw[20] * (height - h + 1)), int(draw[21] * (width - w + 1)), h, w
    h, w = height, width
    if width / height < low:
        h = round(w / low)
    elif width / height > high:
        w = round(h * high)
    return (height - h) // 2, (width - w) // 2, h, w


@pytest.mark.parametrize("image", [(32, 32), (92, 92), (20, 64), (64, 20)], ids=str)
@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.9, 1.0), (1.0, 1.0)], ids=str)
def test_windows_are_drawn_as_torchvision_draws_them(image, scale):
    options = Augmentation(random_resized_crop=True, resized_crop_scale=scale)
    numbers = uniform(200)
    expected = [drawn(draw, image, options) for draw in numbers.double().T.tolist()]
    assert windows(numbers, image, options).T.tolist() == [list(window) for window in expected]


def test_the_largest_central_window_is_that_of_torchvision():
    from torchvision.transforms import RandomResizedCrop

    for shape in ((10, 40), (40, 10)):
        options = Augmentation(random_resized_crop=True, resized_crop_scale=(1.0, 1.0))
        theirs = RandomResizedCrop.get_params(torch.zeros(1, *shape), [1.0, 1.0], [3 / 4, 4 / 3])
        assert windows(uniform(1), shape, options)[:, 0].tolist() == list(theirs)


def resized(pictures: Any, images: Tensor, window: Tensor, size: tuple[Any, Any]) -> Tensor:
    """Return Pillow's result; None in a size keeps that side of every window."""

    def pillow(position: int, image: Image.Image) -> Image.Image:
        y, x, h, w = window[:, position].tolist()
        cut = image.crop((x, y, x + w, y + h))
        return cut.resize((size[1] or w, size[0] or h), Image.Resampling.BILINEAR)

    return pictures.each(images, pillow)


@pytest.mark.parametrize("kind", ["noise", "smooth"])
@pytest.mark.parametrize("side", [8, 11, 32, 50])
def test_one_side_of_a_window_is_resized_as_pillow_resizes_it(pictures, side, kind):
    images = getattr(pictures, kind)(count=60, height=30, width=26)
    window = windows(uniform(60), (30, 26), DEFAULTS)
    window[2], window[0] = 9, window[0].clamp(max=21)
    top, left, height, width = window.unbind()
    wider = resize(images, (top, height), (left, width), (9, side))
    assert torch.equal(wider, resized(pictures, images, window, (None, side)))
    higher = resize(images.mT, (left, width), (top, height), (side, 9))
    assert torch.equal(higher.mT, wider)


@pytest.mark.parametrize("kind", ["noise", "smooth"])
@pytest.mark.parametrize("size", [(8, 8), (13, 11), (32, 24)], ids=str)
def test_both_sides_are_but_for_one_level_in_few_pixels(pictures, kind, size):
    """Some releases of Pillow resize the height of some windows before their width."""
    images = getattr(pictures, kind)(count=60, height=30, width=26)
    window = windows(uniform(60), (30, 26), DEFAULTS)
    top, left, height, width = window.unbind()
    found = resize(images, (top, height), (left, width), size)
    assert found.dtype == torch.uint8
    apart = (found.int() - resized(pictures, images, window, size).int()).abs()
    assert int(apart.max()) <= 1
    assert float((apart > 0).float().mean()) < 0.01


def test_a_window_of_the_whole_image_is_the_image(pictures):
    images = pictures.noise()
    first = torch.zeros(12, dtype=torch.int64)
    rows, columns = (first, first + 13), (first, first + 11)
    assert torch.equal(resize(images, rows, columns, (13, 11)), images)


@pytest.mark.parametrize(
    ("options", "crop", "shape"),
    [
        pytest.param({}, None, (13, 11), id="the images'"),
        pytest.param({}, 9, (9, 9), id="the data set's crop"),
        pytest.param({"resized_crop_size": 16}, 9, (16, 16), id="the one asked for"),
        pytest.param({"flip": True, "autoaugment": "imagenet"}, 9, (9, 9), id="with others"),
    ],
)
def test_the_size_of_the_result_is(pictures, options, crop, shape):
    options = Augmentation(random_resized_crop=True, **options)
    generator = torch.Generator().manual_seed(0)
    found = augment(pictures.noise(), options, generator, (0.5,) * 3, (0.5,) * 3, crop=crop)
    assert found.shape == (12, 3, *shape)


def test_mirroring_comes_after_it_and_leaves_its_windows(pictures):
    def images(**options: bool) -> torch.Tensor:
        generator = torch.Generator().manual_seed(5)
        every = Augmentation(random_resized_crop=True, **options)
        return augment(pictures.noise(), every, generator, (0.5,) * 3, (0.5,) * 3)

    cropped, both = images(), images(flip=True)
    same = (both == cropped).flatten(1).all(1)
    mirrored = (both == cropped.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 0 < int(mirrored.sum()) < 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"random_resized_crop": True, "crop_padding": 4},
            "crop_padding and random_resized_crop are two crops; use one of them",
        ),
        (
            {"resized_crop_scale": (0.5, 0.2)},
            "resized_crop_scale must ascend, found [0.5, 0.2]",
        ),
        (
            {"resized_crop_ratio": (2.0, 1.0)},
            "resized_crop_ratio must ascend, found [2, 1]",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValidationError) as caught:
        Augmentation(**options)
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {message}"]
