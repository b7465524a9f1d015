from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.solvers import chunking
from cilsim.solvers.covariance import class_covariances, covariance


def drawn(samples: int, features: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, features, generator=torch.Generator().manual_seed(seed))


def test_covariance_by_hand():
    points = torch.tensor([[0.0, 0.0], [2.0, 4.0]])
    assert covariance(points).tolist() == [[2.0, 4.0], [4.0, 8.0]]


def test_covariance_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch):
    points = drawn(50, 4)
    whole = covariance(points)
    monkeypatch.setattr(chunking, "CPU_BYTES", 96)
    torch.testing.assert_close(covariance(points), whole, rtol=1e-12, atol=1e-14)


def test_covariance_of_one_sample_is_refused():
    with pytest.raises(ValueError, match=r"^1 sample; a covariance needs at least 2$"):
        covariance(torch.ones(1, 3))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), bound=st.sampled_from([1, 40, 2**25]))
def test_each_class_has_the_covariance_that_numpy_finds(seed: int, bound: int):
    """In whatever chunks, for classes of different sizes among samples of others."""
    generator = np.random.default_rng(seed)
    labels = torch.from_numpy(generator.permutation(np.repeat([3, 5, 6, 9], [2, 7, 4, 3])))
    points = drawn(16, 3, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunking, "CPU_BYTES", bound)
        found = torch.cat(list(class_covariances(points, labels, [5, 3, 9])))
    expected = [
        np.cov(points[labels == label].double().numpy(), rowvar=False) for label in (5, 3, 9)
    ]
    np.testing.assert_allclose(found.numpy(), np.stack(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("bound", [1 << 25, 200], ids=["classes together", "slices of a class"])
def test_embedded_covariances_are_those_of_an_embedded_copy(bound: int):
    points, labels = drawn(40, 4), torch.arange(40) % 3
    embedded = torch.nn.functional.normalize(points)
    of_classes = [
        torch.cat(list(class_covariances(rows, labels, range(3), embed=embed, max_bytes=bound)))
        for rows, embed in ((points, torch.nn.functional.normalize), (embedded, None))
    ]
    assert torch.equal(*of_classes)
    found = covariance(points, embed=torch.nn.functional.normalize, max_bytes=bound)
    assert torch.equal(found, covariance(embedded, max_bytes=bound))


def test_a_class_of_one_sample_is_refused():
    message = r"^class 7 has 1 sample; a covariance of its own needs at least 2$"
    with pytest.raises(ValueError, match=message):
        next(class_covariances(torch.ones(3, 2), torch.tensor([1, 1, 7]), [1, 7]))


def test_a_class_without_samples_is_refused():
    message = r"^class 2 has 0 samples; a covariance of its own needs at least 2$"
    with pytest.raises(ValueError, match=message):
        next(class_covariances(torch.ones(3, 2), torch.tensor([1, 1, 7]), [2]))
