from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.data.samples import Samples
from cilsim.errors import DataError
from cilsim.training.batch import Batch
from cilsim.training.rotation import require_square_images, rotated, rotated_images


def batch(images: torch.Tensor, labels: torch.Tensor | None) -> Batch:
    return Batch(images, labels, torch.arange(len(images)), 1, 2, 3, 0.5)


def samples(x: torch.Tensor) -> Samples:
    return Samples(x, None, torch.arange(len(x)), "", (), ())


def test_an_image_is_turned_counter_clockwise() -> None:
    turned = rotated_images(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
    assert turned[:, 0].tolist() == [
        [[1.0, 2.0], [3.0, 4.0]],
        [[2.0, 4.0], [1.0, 3.0]],
        [[4.0, 3.0], [2.0, 1.0]],
        [[3.0, 1.0], [4.0, 2.0]],
    ]


def test_rotations_of_a_sample_lie_side_by_side() -> None:
    found = rotated(batch(torch.rand(2, 3, 4, 4), torch.tensor([5, 0])))
    assert found.labels is not None
    assert found.labels.tolist() == [20, 21, 22, 23, 0, 1, 2, 3]
    assert found.position.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert (found.experience, found.epoch, found.step, found.progress) == (1, 2, 3, 0.5)
    assert len(found) == 8


def test_an_unlabelled_batch_has_no_labels_afterwards() -> None:
    assert rotated(batch(torch.rand(1, 3, 2, 2), None)).labels is None


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_layout_is_the_one_asked_for(channels_last: bool) -> None:
    found = rotated(batch(torch.rand(2, 3, 4, 4), None), channels_last=channels_last)
    assert found.x.stride() == ((48, 1, 12, 3) if channels_last else (48, 16, 4, 1))


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 5), side=st.integers(1, 6), seed=st.integers(0, 100))
def test_turning_on_gives_the_next_rotation(count: int, side: int, seed: int) -> None:
    images = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))
    turned = rotated_images(images).unflatten(0, (count, 4))
    assert torch.equal(turned[:, 0], images)
    for turns in range(4):
        assert torch.equal(turned[:, turns].rot90(1, (2, 3)), turned[:, (turns + 1) % 4])


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (torch.zeros(1, 3, 4, 5, dtype=torch.uint8), "images of shape (3, 4, 5)"),
        (torch.zeros(1, 7), "features of shape (7,)"),
    ],
    ids=["oblong", "features"],
)
def test_what_cannot_be_rotated_is_refused(x: torch.Tensor, found: str) -> None:
    with pytest.raises(DataError) as caught:
        require_square_images(samples(x), "mine")
    assert str(caught.value) == (
        f"strategy 'mine' rotates square images, the data set gives {found}; "
        "'rotations: 1' leaves the rotations out"
    )


def test_square_images_are_accepted() -> None:
    assert require_square_images(samples(torch.zeros(1, 3, 4, 4)), "mine") is None
