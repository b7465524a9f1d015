"""The batched augmentation against one image after another, written as plainly as possible."""

import numpy as np
import pytest
import torch

from cilsim.data.augment import DRAWS, augment
from cilsim.data.normalise import centre_crop, normalise
from cilsim.data.samples import Samples
from cilsim.scenario.recipe import Augmentation, Recipe
from cilsim.training.batching import Batcher

MEAN, STD = (0.5, 0.25, 0.1), (0.2, 0.5, 0.3)
EVERYTHING = Augmentation(
    crop_padding=4, flip=True, brightness=0.4, contrast=0.5, saturation=0.6, cutout=5
)


def images(count: int = 16, channels: int = 3, height: int = 12, width: int = 10) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def generator(seed: int = 7) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augmented(x: torch.Tensor, augmentation: Augmentation, seed: int = 7) -> torch.Tensor:
    channels = x.shape[1]
    return augment(x, augmentation, generator(seed), MEAN[:channels], STD[:channels])


def reference(x: torch.Tensor, augmentation: Augmentation, seed: int = 7) -> np.ndarray:
    uniform = torch.rand(len(DRAWS), len(x), generator=generator(seed)).numpy()
    each = [
        one_image(image, augmentation, dict(zip(DRAWS, uniform[:, i], strict=True)))
        for i, image in enumerate(x.numpy())
    ]
    return np.stack(each)


def one_image(image: np.ndarray, options: Augmentation, draw: dict[str, float]) -> np.ndarray:
    channels, height, width = image.shape
    if options.crop_padding:
        pad = options.crop_padding
        mode = {"zero": "constant", "reflect": "reflect"}[options.crop_fill]
        padded = np.pad(image, ((0, 0), (pad, pad), (pad, pad)), mode=mode)
        y, x = (int(draw[axis] * (2 * pad + 1)) for axis in ("crop_y", "crop_x"))
        image = padded[:, y : y + height, x : x + width]
    if options.flip and draw["flip"] < 0.5:
        image = image[:, :, ::-1]
    pixels = image.astype(np.float64)
    if options.brightness:
        pixels = np.clip(pixels * factor(options.brightness, draw["brightness"]), 0, 255)
    if options.contrast:
        f = factor(options.contrast, draw["contrast"])
        pixels = np.clip(f * pixels + (1 - f) * grey(pixels).mean(), 0, 255)
    if options.saturation:
        f = factor(options.saturation, draw["saturation"])
        pixels = np.clip(f * pixels + (1 - f) * grey(pixels), 0, 255)
    if options.cutout:
        y = int(draw["cutout_y"] * height) - options.cutout // 2
        x = int(draw["cutout_x"] * width) - options.cutout // 2
        rows = slice(max(y, 0), max(y + options.cutout, 0))
        columns = slice(max(x, 0), max(x + options.cutout, 0))
        pixels[:, rows, columns] = 0
    mean, std = (np.array(v[:channels]).reshape(-1, 1, 1) for v in (MEAN, STD))
    return (pixels / 255 - mean) / std


def factor(strength: float, uniform: float) -> float:
    return 1 - strength + 2 * strength * float(uniform)


def grey(pixels: np.ndarray) -> np.ndarray:
    if len(pixels) == 3:
        return np.tensordot((0.299, 0.587, 0.114), pixels, 1)
    return pixels.mean(0)


@pytest.mark.parametrize(
    "augmentation",
    [
        pytest.param(Augmentation(), id="nothing"),
        pytest.param(Augmentation(crop_padding=3), id="crop-zero"),
        pytest.param(Augmentation(crop_padding=3, crop_fill="reflect"), id="crop-reflect"),
        pytest.param(Augmentation(crop_padding=30, crop_fill="reflect"), id="crop-reflect-twice"),
        pytest.param(Augmentation(flip=True), id="flip"),
        pytest.param(Augmentation(brightness=0.7), id="brightness"),
        pytest.param(Augmentation(contrast=0.7), id="contrast"),
        pytest.param(Augmentation(saturation=0.7), id="saturation"),
        pytest.param(Augmentation(cutout=4), id="cutout-even"),
        pytest.param(Augmentation(cutout=5), id="cutout-odd"),
        pytest.param(Augmentation(cutout=100), id="cutout-larger-than-the-image"),
        pytest.param(EVERYTHING, id="everything"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_batch_is_augmented_as_each_image_would_be(augmentation, channels):
    x = images(channels=channels)
    actual = augmented(x, augmentation)
    assert actual.dtype == torch.float32
    np.testing.assert_allclose(actual.numpy(), reference(x, augmentation), rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    "augmentation",
    [
        pytest.param(Augmentation(crop_padding=4), id="crop"),
        pytest.param(Augmentation(flip=True), id="flip"),
        pytest.param(Augmentation(brightness=0.5), id="brightness"),
        pytest.param(Augmentation(contrast=0.5), id="contrast"),
        pytest.param(Augmentation(saturation=0.5), id="saturation"),
        pytest.param(Augmentation(cutout=3), id="cutout"),
        pytest.param(Augmentation(random_resized_crop=True), id="resized crop"),
        pytest.param(Augmentation(autoaugment="cifar10"), id="cifar10"),
        pytest.param(Augmentation(autoaugment="imagenet"), id="imagenet"),
    ],
)
def test_images_of_one_batch_get_different_draws(augmentation):
    x = images(count=1).expand(32, -1, -1, -1)
    assert len(torch.unique(augmented(x, augmentation), dim=0)) > 1


def test_the_same_seed_gives_the_same_images_and_another_seed_others():
    first, again, other = (augmented(images(), EVERYTHING, seed) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_switching_one_change_on_leaves_the_draws_of_the_others():
    cropped = augmented(images(), Augmentation(crop_padding=4))
    both = augmented(images(), Augmentation(crop_padding=4, flip=True))
    same = (both == cropped).flatten(1).all(1)
    mirrored = (both == cropped.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 0 < int(mirrored.sum()) < len(same)


def test_every_shift_occurs_and_none_beyond_the_padding():
    x = torch.zeros(400, 1, 1, 9, dtype=torch.uint8)
    x[:, :, :, 4] = 255
    shifted = augment(x, Augmentation(crop_padding=2), generator(), (0.0,), (1.0,))
    rows_with_the_dot = shifted.amax(3).flatten() == 1.0
    columns = shifted[rows_with_the_dot].flatten(1).argmax(1)
    assert sorted(set(columns.tolist())) == [2, 3, 4, 5, 6]
    assert int(rows_with_the_dot.sum()) == pytest.approx(400 / 5, abs=30)


@pytest.mark.parametrize("crop", [8, 7, 10])
def test_without_a_random_crop_the_centre_is_cut_out_as_for_testing(crop):
    flipped = augment(images(), Augmentation(flip=True), generator(), MEAN, STD, crop=crop)
    plain = augment(images(), Augmentation(), generator(), MEAN, STD, crop=crop)
    assert torch.equal(plain, normalise(centre_crop(images(), crop), MEAN, STD))
    same, mirrored = ((flipped == x).flatten(1).all(1) for x in (plain, plain.flip(3)))
    assert (same ^ mirrored).all()


def test_a_padded_crop_takes_every_window_of_the_size_the_data_set_crops_to():
    x = torch.arange(1, 10, dtype=torch.uint8).expand(400, 1, 9, 9)
    cropped = augment(x, Augmentation(crop_padding=1), generator(), (0.0,), (1 / 255,), crop=8)
    rows = {tuple(row) for row in cropped.round().int().flatten(0, 2).tolist() if any(row)}
    padded = [0, *range(1, 10), 0]
    assert rows == {tuple(padded[first : first + 8]) for first in range(4)}


def test_a_step_is_drawn_alike_whatever_was_drawn_before():
    recipe = Recipe(augmentation=EVERYTHING.model_copy(update={"autoaugment": "cifar10"}))
    samples = Samples(images(), None, torch.arange(16), "", MEAN, STD, crop=8)
    position = torch.arange(16)

    def batcher() -> Batcher:
        return Batcher(samples, recipe, (0, "train"), torch.device("cpu"))

    used, fresh = batcher(), batcher()
    used.x(position, 0, 0)
    assert torch.equal(used.x(position, 1, 3), fresh.x(position, 1, 3))


def test_memory_layout_changes_no_value():
    ordinary, channels_last = (
        augment(images(), EVERYTHING, generator(), MEAN, STD, channels_last=flag)
        for flag in (False, True)
    )
    assert channels_last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(ordinary, channels_last)


def test_stored_images_stay_as_they_are():
    x = images()
    augmented(x, EVERYTHING)
    assert torch.equal(x, images())


def test_no_augmentation_is_plain_normalisation():
    assert torch.equal(augmented(images(), Augmentation()), normalise(images(), MEAN, STD))


def test_features_pass_unchanged():
    features = torch.randn(4, 6)
    assert augment(features, EVERYTHING, generator(), (), ()) is features


def test_the_global_generator_is_not_touched():
    before = torch.get_rng_state()
    augmented(images(), EVERYTHING)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.gpu
@pytest.mark.parametrize("policy", [None, "cifar10", "imagenet"])
def test_the_same_seed_gives_the_same_images_on_a_gpu(policy):
    everything = EVERYTHING.model_copy(update={"autoaugment": policy})
    on_cpu, on_gpu = (
        augmented(images(count=64).to(device), everything) for device in ("cpu", "cuda")
    )
    assert torch.equal(on_cpu, on_gpu.cpu())
