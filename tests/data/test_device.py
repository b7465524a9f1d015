from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cilsim.data.arrays import arrays_dataset
from cilsim.data.dataset import DataSet
from cilsim.data.device import part_digest, take
from cilsim.data.host_rows import HostRows
from cilsim.data.samples import NO_LABEL, joined


@pytest.fixture
def dataset() -> DataSet:
    images = np.arange(4 * 12, dtype=np.uint8).reshape(4, 3, 2, 2)
    return arrays_dataset(images, [0, 0, 1, 1], images[::2], [0, 1], mean=[0.5] * 3, std=[0.2] * 3)


def test_samples_come_in_the_order_asked_for(dataset: DataSet) -> None:
    samples = take(dataset, "train", np.array([3, 0]), np.array([1, 0]), "cpu", "d")
    assert samples.x.tolist() == dataset.x_train[[3, 0]].tolist()
    assert samples.x.dtype == torch.uint8
    assert samples.labels is not None
    assert (samples.labels.tolist(), samples.labels.dtype) == ([1, 0], torch.int64)
    assert (samples.index.tolist(), samples.index.dtype) == ([3, 0], torch.int64)
    assert (samples.digest, samples.mean, samples.std) == ("d", (0.5,) * 3, (0.2,) * 3)


def test_the_test_part_is_another_array(dataset: DataSet) -> None:
    samples = take(dataset, "test", np.array([1]), None, "cpu", "d")
    assert samples.x.flatten().tolist() == list(range(24, 36))
    assert samples.labels is None


def test_an_empty_part_keeps_its_shape(dataset: DataSet) -> None:
    assert take(dataset, "train", np.array([], np.int64), None, "cpu", "d").x.shape == (0, 3, 2, 2)


def test_rows_of_a_memory_mapped_array_are_copied_so_the_file_cannot_change(
    dataset: DataSet, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", dataset.x_train)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    loaded = DataSet("m", dataset.facts, mapped, mapped, (), (), "")
    samples = take(loaded, "train", np.array([0, 1, 2, 3]), None, "cpu", "d")
    samples.x.zero_()
    assert np.load(tmp_path / "x.npy").sum() == dataset.x_train.sum()


@pytest.mark.parametrize("position", [-1, 4])
def test_a_position_outside_the_part_is_refused(dataset: DataSet, position: int) -> None:
    with pytest.raises(IndexError) as caught:
        take(dataset, "train", np.array([position]), None, "cpu", "d")
    assert str(caught.value) == f"positions {position} to {position} in a train part of 4"


def test_labels_of_another_length_are_refused(dataset: DataSet) -> None:
    with pytest.raises(ValueError, match=r"^1 labels for 2 samples$"):
        take(dataset, "train", np.array([0, 1]), np.array([0]), "cpu", "d")


def test_the_part_digest_tells_data_set_part_positions_and_order_apart() -> None:
    some = np.array([0, 1])
    digests = [
        part_digest("a", "train", some),
        part_digest("b", "train", some),
        part_digest("a", "test", some),
        part_digest("a", "train", np.array([0, 2])),
        part_digest("a", "train", np.array([1, 0])),
        part_digest("a", "train", np.array([], np.int64)),
    ]
    assert len(set(digests)) == 6
    assert part_digest("a", "train", some.astype(np.int32)) == digests[0]


def test_the_part_digest_tells_crops_apart() -> None:
    some = np.array([0, 1])
    digests = {part_digest("a", "train", some, crop) for crop in (None, 84, 224)}
    assert len(digests) == 3


def test_samples_know_the_crop_of_their_data_set(dataset: DataSet) -> None:
    facts = replace(dataset.facts, sample_shape=(3, 1, 1))
    cropped = replace(dataset, facts=facts, crop=1)
    parts = [take(one, "train", np.array([0]), None, "cpu", "d") for one in (dataset, cropped)]
    assert [part.crop for part in parts] == [None, 1]
    assert parts[1].x.shape == (1, 3, 2, 2)


def test_samples_that_are_not_resident_are_read_when_they_are_asked_for(dataset: DataSet) -> None:
    at = np.array([3, 0]), np.array([1, 0])
    there = take(dataset, "train", *at, "cpu", "d")
    left = take(dataset, "train", *at, "cpu", "d", resident=False)
    assert isinstance(left.x, HostRows)
    assert left.x.array_A is dataset.x_train
    assert torch.equal(left.x[:], there.x[:])
    assert (len(left), left.device, left.are_features) == (2, there.device, False)
    assert left.labels is not None
    assert left.labels.tolist() == [1, 0]


def test_labelled_and_unlabelled_samples_are_joined_where_they_are(dataset: DataSet) -> None:
    parts = [
        (take(dataset, "train", np.array([3, 0]), np.array([1, 0]), "cpu", "a", resident=resident),
         take(dataset, "train", np.array([2]), None, "cpu", "b", resident=resident))
        for resident in (True, False)
    ]  # fmt: skip
    there, left = (joined(*both) for both in parts)
    assert isinstance(left.x, HostRows)
    assert torch.equal(left.x[:], there.x[:])
    assert left.digest == there.digest
    assert left.labels is not None
    assert left.labels.tolist() == [1, 0, NO_LABEL]
