from __future__ import annotations

import numpy as np
import pytest

from cilsim.data.moments import channel_moments


def test_mean_and_deviation_are_per_channel_and_in_fractions_of_255() -> None:
    images = np.zeros((2, 2, 1, 2), dtype=np.uint8)
    images[:, 0] = [[[0, 255]], [[0, 255]]]
    images[:, 1] = [[[51, 51]], [[153, 153]]]
    assert channel_moments(images) == ((0.5, 0.4), (0.5, pytest.approx(0.2)))


def test_a_constant_channel_gets_a_deviation_of_one() -> None:
    assert channel_moments(np.full((4, 1, 2, 2), 51, dtype=np.uint8)) == ((0.2,), (1.0,))


def test_images_are_summed_exactly_over_many_chunks() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4000, 3, 32, 32), dtype=np.uint8)
    mean, std = channel_moments(images)
    assert mean == pytest.approx(images.mean((0, 2, 3)) / 255, rel=1e-12)
    assert std == pytest.approx(images.std((0, 2, 3)) / 255, rel=1e-9)
