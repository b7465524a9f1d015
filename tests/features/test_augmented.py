from __future__ import annotations

import dataclasses

import torch
from torch import nn

from cilsim.backbones.options import SmallOptions
from cilsim.backbones.residual import small
from cilsim.data.samples import Samples
from cilsim.features.augmented import augmented_features
from cilsim.features.extract import extract
from cilsim.scenario.recipe import Augmentation
from cilsim.training.modes import set_layout

CROP = Augmentation(crop_padding=1, flip=True)


class Flatten(nn.Module):
    """Pixels as features."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)


def images(count: int = 40) -> Samples:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (count, 3, 4, 4), dtype=torch.uint8, generator=generator)
    return Samples(x, None, torch.arange(count), "images", (0.5,) * 3, (0.25,) * 3)


def net() -> nn.Module:
    generator = torch.Generator().manual_seed(1)
    return small(SmallOptions(widths=(4, 6, 8)), (3, 8, 8), generator)


def test_without_augmentation_they_are_the_plain_features() -> None:
    found = augmented_features(Flatten(), images(), Augmentation(), (0,))
    torch.testing.assert_close(found, extract(Flatten(), images()))


def test_equal_seeds_give_equal_features_and_others_do_not() -> None:
    first = augmented_features(Flatten(), images(), CROP, (0, "x"))
    assert torch.equal(first, augmented_features(Flatten(), images(), CROP, (0, "x")))
    assert not torch.equal(first, augmented_features(Flatten(), images(), CROP, (1, "x")))


def test_turned_images_are_the_same_augmented_images() -> None:
    upright = augmented_features(Flatten(), images(), CROP, (0,)).unflatten(1, (3, 4, 4))
    turned = augmented_features(Flatten(), images(), CROP, (0,), quarter_turns=3)
    assert torch.equal(upright.rot90(3, (2, 3)), turned.unflatten(1, (3, 4, 4)))


def test_the_mode_is_put_back_and_statistics_stay() -> None:
    backbone = net().train()
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    augmented_features(backbone, images(), CROP, (0,))
    assert all(part.training for part in backbone.modules())
    after = backbone.state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


def test_the_layout_of_the_weights_does_not_matter() -> None:
    backbone = net()
    found = []
    for channels_last in (False, True):
        set_layout([backbone], channels_last)
        found.append(augmented_features(backbone, images(), CROP, (0,)))
    assert torch.equal(*found)


def test_images_are_cropped_to_what_the_data_set_crops_to() -> None:
    samples = dataclasses.replace(images(), crop=2)
    found = augmented_features(Flatten(), samples, CROP, (0,))
    assert found.shape == (len(samples), samples.x.shape[1] * 4)


def test_ready_features_pass_the_augmentation_unchanged() -> None:
    x = torch.arange(12.0).reshape(4, 3)
    samples = Samples(x, None, torch.arange(4), "features", (), ())
    assert torch.equal(augmented_features(nn.Identity(), samples, CROP, (0,)), x)
