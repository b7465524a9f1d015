from __future__ import annotations

import numpy as np
import pytest
import torch

from cilsim.data.arrays import arrays_dataset
from cilsim.data.dataset import DataSet
from cilsim.runner.materials import Materials
from cilsim.scenario.discovery_options import NovelClassDiscoveryOptions
from cilsim.scenario.stream_options import ClassIncrementalOptions
from cilsim.streams.class_incremental import class_incremental
from cilsim.streams.novel_discovery import novel_class_discovery

CPU = torch.device("cpu")
ORDER = (2, 0, 1)


@pytest.fixture
def dataset() -> DataSet:
    """Three classes in turn; a sample's value is its position."""
    x_train = np.arange(12, dtype=np.float32)[:, None]
    x_test = 100 + np.arange(6, dtype=np.float32)[:, None]
    return arrays_dataset(x_train, np.tile([0, 1, 2], 4), x_test, np.tile([0, 1, 2], 2))


@pytest.fixture
def materials(dataset: DataSet) -> Materials:
    options = ClassIncrementalOptions(sizes=(2, 1))
    return Materials(dataset, class_incremental(options, dataset.facts, ORDER, 0), CPU)


@pytest.fixture
def discovery(dataset: DataSet) -> Materials:
    options = NovelClassDiscoveryOptions(labelled_classes=1)
    return Materials(dataset, novel_class_discovery(options, dataset.facts, ORDER, 0), CPU)


def test_an_experience_has_its_samples_with_labels_in_stream_order(materials: Materials) -> None:
    train = materials.experience(0).labelled
    assert train.x.squeeze(1).tolist() == [0, 2, 3, 5, 6, 8, 9, 11]
    assert train.labels is not None
    assert train.labels.tolist() == [1, 0] * 4
    assert train.index.tolist() == [0, 2, 3, 5, 6, 8, 9, 11]


def test_an_experience_counts_its_classes(materials: Materials) -> None:
    experience = materials.experience(1)
    assert (experience.old_classes, experience.new_classes, experience.seen_classes) == (2, 1, 3)
    assert list(experience.new_labels) == [2]
    assert experience.unlabelled is None


def test_test_samples_are_those_of_the_new_classes(materials: Materials) -> None:
    test = materials.test(1)
    assert test.x.squeeze(1).tolist() == [101, 104]
    assert test.labels is not None
    assert test.labels.tolist() == [2, 2]


def test_hidden_labels_are_absent(discovery: Materials) -> None:
    experience = discovery.experience(1)
    assert experience.train is None
    assert experience.unlabelled is not None
    assert experience.unlabelled.labels is None
    assert experience.unlabelled.index.tolist() == [0, 1, 3, 4, 6, 7, 9, 10]


def test_asking_for_labelled_samples_where_there_are_none_says_so(discovery: Materials) -> None:
    with pytest.raises(ValueError, match=r"^experience 1 has no labelled samples$"):
        discovery.experience(1).labelled  # noqa: B018


def test_recall_gives_samples_back_in_the_order_asked_for(materials: Materials) -> None:
    materials.experience(0)
    recalled = materials.recall(torch.tensor([11, 0]), torch.tensor([0, 1]))
    assert recalled.x.squeeze(1).tolist() == [11, 0]
    assert recalled.labels is not None
    assert recalled.labels.tolist() == [0, 1]


def test_recall_knows_no_labels_of_its_own(materials: Materials) -> None:
    materials.experience(0)
    assert materials.recall(torch.tensor([0])).labels is None


def test_recall_refuses_positions_that_were_never_given(materials: Materials) -> None:
    materials.experience(0)
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        materials.recall(torch.tensor([0, 4, 1]))
    assert str(raised.value) == "sample 1 was never given to the strategy and cannot be recalled"


def test_recall_serves_unlabelled_samples_too(discovery: Materials) -> None:
    discovery.experience(1)
    assert discovery.recall(torch.tensor([4])).x.tolist() == [[4.0]]


def test_giving_allows_recall_without_handing_out_the_experience(materials: Materials) -> None:
    materials.give(1, known_classes=2)
    assert materials.recall(torch.tensor([1])).x.tolist() == [[1.0]]


def test_recalled_samples_share_the_features_of_equal_parts(materials: Materials) -> None:
    train = materials.experience(0).labelled
    assert materials.recall(train.index).digest == train.digest
