from __future__ import annotations

import numpy as np
import pytest
import torch

from cilsim.data.augment import augment, autoaugment
from cilsim.data.augment.autoaugment import OPERATIONS
from cilsim.data.augment.policies import MAGNITUDES, POLICIES, SIGNED
from cilsim.scenario.recipe import Augmentation

TORCHVISION_NAMES = {
    "ShearX": "shear_x", "ShearY": "shear_y", "TranslateX": "translate_x",
    "TranslateY": "translate_y", "Rotate": "rotate", "Color": "colour", "Contrast": "contrast",
    "Brightness": "brightness", "Sharpness": "sharpness", "Posterize": "posterize",
    "Solarize": "solarize", "AutoContrast": "autocontrast", "Equalize": "equalize",
    "Invert": "invert",
}  # fmt: skip


def draws(count: int, seed: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(autoaugment.DRAWS, count, generator=generator)


def one_after_the_other(images: torch.Tensor, policy: str, uniform: torch.Tensor) -> torch.Tensor:
    """Return what each image becomes, decided by plain Python."""
    changed = []
    for image, draw in zip(images, uniform.T.tolist(), strict=True):
        sub_policy = POLICIES[policy][int(draw[0] * len(POLICIES[policy]))]
        for step, (applied, sign) in zip(sub_policy, (draw[1:3], draw[3:5]), strict=True):
            if applied < step.probability:
                magnitude = MAGNITUDES[step.operation][step.bin]
                if step.operation in SIGNED and sign < 0.5:
                    magnitude = -magnitude
                image = OPERATIONS[step.operation](image[None].clone(), np.array([magnitude]))[0]
        changed.append(image)
    return torch.stack(changed)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_tables_are_those_of_torchvision(policy):
    from torchvision.transforms import AutoAugment, AutoAugmentPolicy

    theirs = [
        [(TORCHVISION_NAMES[name], probability, bin or 0) for name, probability, bin in pair]
        for pair in AutoAugment(AutoAugmentPolicy(policy)).policies
    ]
    ours = [[(s.operation, s.probability, s.bin) for s in pair] for pair in POLICIES[policy]]
    assert ours == theirs[:24] if policy == "imagenet" else ours == theirs
    assert len(theirs) == 25


def test_magnitudes_are_those_of_torchvision_but_for_solarize():
    from torchvision.transforms import AutoAugment

    for name, (values, signed) in AutoAugment()._augmentation_space(10, (331, 331)).items():
        ours = MAGNITUDES[TORCHVISION_NAMES[name]]
        scale = 331.0 if name.startswith("Translate") else 1.0
        expected = np.resize(values.double().numpy(), 10) * (256 / 255 if name == "Solarize" else 1)
        np.testing.assert_allclose(np.array(ours) * scale, expected, rtol=1e-6, err_msg=name)
        assert signed == (TORCHVISION_NAMES[name] in SIGNED or name == "Rotate")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_batch_becomes_what_each_image_becomes_alone(pictures, policy):
    images, uniform = pictures.noise(count=200), draws(200)
    found = autoaugment.autoaugment(images, policy, uniform)
    assert torch.equal(found, one_after_the_other(images, policy, uniform))
    assert torch.equal(images, pictures.noise(count=200))


def test_every_sub_policy_and_both_signs_are_drawn_evenly():
    uniform = draws(25_000).numpy()
    chosen = (uniform[0].astype(np.float64) * 25).astype(int)
    assert np.bincount(chosen, minlength=25).min() > 850
    assert (uniform[[2, 4]] < 0.5).mean(1) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("policy", POLICIES)
def test_each_seed_gives_its_own_images_again_and_again(pictures, policy):
    def images(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        options = Augmentation(crop_padding=2, flip=True, autoaugment=policy, cutout=3)
        return augment(pictures.noise(), options, generator, (0.5,) * 3, (0.25,) * 3)

    assert torch.equal(images(0), images(0))
    assert not torch.equal(images(0), images(1))


def test_the_policy_comes_after_crop_and_flip_and_before_cutout(pictures):
    def images(**options: object) -> torch.Tensor:
        generator = torch.Generator().manual_seed(1)
        return augment(pictures.noise(), Augmentation(**options), generator, (0.0,) * 3, (1.0,) * 3)

    first = {"crop_padding": 2, "flip": True}
    cropped = (images(**first) * 255).round().to(torch.uint8)
    generator = torch.Generator().manual_seed(1)
    torch.rand(8, len(cropped), generator=generator)
    uniform = torch.rand(autoaugment.DRAWS, len(cropped), generator=generator)
    expected = autoaugment.autoaugment(cropped, "cifar10", uniform)
    found = images(**first, autoaugment="cifar10")
    assert torch.equal((found * 255).round().to(torch.uint8), expected)
    with_hole = images(**first, autoaugment="cifar10", cutout=4)
    assert torch.equal(torch.where(with_hole == 0.0, 0.0, found), with_hole)
    assert int((with_hole == 0.0).sum()) > int((found == 0.0).sum())
