from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.errors import DataError


def dataset(stored: tuple[int, ...], shape: tuple[int, ...], crop: int | None) -> DataSet:
    y = np.zeros(2, dtype=np.int64)
    x = np.zeros((2, *stored), dtype=np.uint8)
    return DataSet("birds", DataFacts((0,), ("crow",), y, y, shape), x, x, (), (), "", crop)


def test_facts_tell_the_shape_after_the_crop() -> None:
    made = dataset((3, 256, 256), (3, 224, 224), 224)
    assert (made.crop, made.facts.sample_shape) == (224, (3, 224, 224))


def test_images_are_taken_whole_by_default() -> None:
    assert dataset((3, 8, 9), (3, 8, 9), None).crop is None


@pytest.mark.parametrize("stored", [(3, 223, 256), (3, 256, 223), (16,)], ids=str)
def test_a_crop_larger_than_the_images_is_refused(stored: tuple[int, ...]) -> None:
    with pytest.raises(DataError) as caught:
        dataset(stored, (3, 224, 224), 224)
    assert str(caught.value) == (
        f"data set 'birds': a crop of 224 pixels was found for samples of shape {stored} - "
        "expected images of at least that size"
    )


def test_facts_that_forget_the_crop_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        dataset((3, 256, 256), (3, 256, 256), 224)
    assert str(caught.value) == (
        "data set 'birds': its facts give samples of shape (3, 256, 256) - expected "
        "(3, 224, 224), what the crop leaves"
    )


def test_a_cropped_image_takes_the_bytes_that_are_stored() -> None:
    y = np.zeros(1, dtype=np.int64)
    whole = DataFacts((0,), ("crow",), y, y, (3, 224, 224))
    cropped = replace(whole, stored_shape=(3, 256, 256))
    features = replace(whole, sample_shape=(64,))

    assert whole.sample_bytes == 3 * 224 * 224
    assert cropped.sample_bytes == 3 * 256 * 256
    assert features.sample_bytes == 64 * 4
