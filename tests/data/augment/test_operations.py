"""Every operation of AutoAugment against Pillow, to the last level of the last pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from cilsim.data.augment.autoaugment import OPERATIONS
from cilsim.data.augment.policies import MAGNITUDES, SIGNED

GREY = (128, 128, 128)


def affine(image: Image.Image, matrix: tuple[float, ...], resample: Any) -> Image.Image:
    fill = GREY if image.mode == "RGB" else 128
    return image.transform(
        image.size, Image.Transform.AFFINE, matrix, resample=resample, fillcolor=fill
    )


def turned(image: Image.Image, degrees: float) -> Image.Image:
    """Return what the released code does: turned with an alpha channel, over a grey image."""
    layer = image.convert("RGBA").rotate(degrees)
    return Image.composite(layer, Image.new("RGBA", layer.size, (128,) * 4), layer).convert(
        image.mode
    )


NEAREST, BICUBIC = Image.Resampling.NEAREST, Image.Resampling.BICUBIC
PILLOW: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "shear_x": lambda image, m: affine(image, (1, m, 0, 0, 1, 0), BICUBIC),
    "shear_y": lambda image, m: affine(image, (1, 0, 0, m, 1, 0), BICUBIC),
    "translate_x": lambda image, m: affine(image, (1, 0, m * image.width, 0, 1, 0), NEAREST),
    "translate_y": lambda image, m: affine(image, (1, 0, 0, 0, 1, m * image.height), NEAREST),
    "rotate": turned,
    "colour": lambda image, m: ImageEnhance.Color(image).enhance(1 + m),
    "contrast": lambda image, m: ImageEnhance.Contrast(image).enhance(1 + m),
    "brightness": lambda image, m: ImageEnhance.Brightness(image).enhance(1 + m),
    "sharpness": lambda image, m: ImageEnhance.Sharpness(image).enhance(1 + m),
    "posterize": lambda image, m: ImageOps.posterize(image, int(m)),
    "solarize": lambda image, m: ImageOps.solarize(image, m),
    "autocontrast": lambda image, m: ImageOps.autocontrast(image),
    "equalize": lambda image, m: ImageOps.equalize(image),
    "invert": lambda image, m: ImageOps.invert(image),
}


def magnitudes(name: str, count: int) -> np.ndarray:
    every = np.array(MAGNITUDES[name])
    values = np.concatenate([-every, every]) if name in SIGNED else every
    return np.resize(values, count)


@pytest.mark.parametrize("size", [(13, 11), (32, 32), (40, 27)], ids=str)
@pytest.mark.parametrize("kind", ["noise", "smooth"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_gives_what_pillow_gives(pictures, name, kind, size):
    images = getattr(pictures, kind)(count=40, height=size[0], width=size[1])
    magnitude = magnitudes(name, 40)
    expected = pictures.each(images, lambda i, image: PILLOW[name](image, float(magnitude[i])))
    found = OPERATIONS[name](images.clone(), magnitude)
    assert found.dtype == torch.uint8
    assert torch.equal(found, expected)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_on_grey_images_gives_what_pillow_gives(pictures, name):
    images = pictures.noise(count=20, channels=1)
    magnitude = magnitudes(name, 20)
    expected = pictures.each(images, lambda i, image: PILLOW[name](image, float(magnitude[i])))
    assert torch.equal(OPERATIONS[name](images.clone(), magnitude), expected)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_leaves_what_it_is_given(pictures, name):
    images = pictures.noise(count=20)
    OPERATIONS[name](images, magnitudes(name, 20))
    assert torch.equal(images, pictures.noise(count=20))


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_treats_each_image_alone(pictures, name):
    images, magnitude = pictures.noise(count=20), magnitudes(name, 20)
    together = OPERATIONS[name](images.clone(), magnitude)
    alone = OPERATIONS[name](images[7:8].clone(), magnitude[7:8])
    assert torch.equal(together[7:8], alone)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2)], ids=str)
def test_an_operation_bears_tiny_images(pictures, name, size):
    images = pictures.noise(count=4, height=size[0], width=size[1])
    magnitude = magnitudes(name, 4)
    expected = pictures.each(images, lambda i, image: PILLOW[name](image, float(magnitude[i])))
    assert torch.equal(OPERATIONS[name](images, magnitude), expected)


def test_images_of_other_channels_are_grey_by_their_mean():
    images = torch.tensor([[[10]], [[21]]], dtype=torch.uint8)[None].expand(1, 2, 1, 1)
    assert OPERATIONS["colour"](images, np.array([-1.0])).flatten().tolist() == [16, 16]
