import pytest
import torch

from cilsim.training.batching import Batcher, batch_bounds

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("count", "batch_size", "bounds"),
    [
        pytest.param(6, 3, [(0, 3), (3, 6)], id="even"),
        pytest.param(8, 3, [(0, 3), (3, 6), (6, 8)], id="last-one-smaller"),
        pytest.param(7, 3, [(0, 3), (3, 7)], id="last-single-sample-merged"),
        pytest.param(2, 5, [(0, 2)], id="fewer-than-a-batch"),
        pytest.param(1, 5, [(0, 1)], id="one-sample"),
        pytest.param(3, 1, [(0, 1), (1, 2), (2, 3)], id="batches-of-one"),
    ],
)
def test_bounds_cover_every_sample_once(count, batch_size, bounds):
    assert batch_bounds(count, batch_size) == bounds


def test_each_epoch_has_its_own_order_of_all_samples(toy):
    batcher = Batcher(toy.images(), toy.recipe, (0, "test"), CPU)
    first, again, second = batcher.order(0), batcher.order(0), batcher.order(1)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert sorted(second.tolist()) == list(range(22))


def test_batches_of_one_seed_are_equal_and_of_another_not(toy):
    positions = torch.arange(5)
    one, same, other = (
        Batcher(toy.images(), toy.recipe, (seed, "test"), CPU).x(positions, 2, 1)
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_features_are_taken_as_they_are(toy):
    samples = toy.features()
    batcher = Batcher(samples, toy.recipe, (0,), CPU)
    assert torch.equal(batcher.x(torch.tensor([4, 2]), 0, 0), samples.x[[4, 2]])
    assert batcher.labels(torch.tensor([4, 2])).tolist() == [4, 2]
