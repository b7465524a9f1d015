"""Herding, the exemplar set and the losses of iCaRL: golden arrays, values on paper, properties."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cilsim.prototypes.means import class_means
from cilsim.training.head import Head
from cilsim_icarl import herding
from cilsim_icarl.exemplars import Exemplars
from cilsim_icarl.herding import drawn, herded
from cilsim_icarl.losses import binary_classification, binary_distillation, softmax_distillation
from cilsim_icarl.options import IcarlOptions
from cilsim_icarl.prior import start_at_prior

seeds = st.integers(0, 10_000)
counts = st.lists(st.integers(1, 12), min_size=1, max_size=6)


def classes_of(seed: int, sizes: list[int], width: int = 5) -> tuple[Tensor, Tensor]:
    """Unit features of classes of these sizes, samples shuffled."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    labels = labels[torch.randperm(len(labels), generator=generator)]
    features = torch.randn(len(labels), width, generator=generator)
    return F.normalize(features), labels


def distances_to_mean(features: Tensor, chosen: list[int]) -> Tensor:
    """|mu - (f(x) + sum of those chosen) / k| for each sample x that is still free, squared."""
    rows = features.double()
    means = (rows + rows[chosen].sum(0)) / (len(chosen) + 1)
    distances = ((rows.mean(0) - means) ** 2).sum(1)
    distances[chosen] = torch.inf
    return distances


def test_herding_equals_the_released_order(golden: Path) -> None:
    arrays = np.load(golden / "der_small.npz", allow_pickle=False)
    features = F.normalize(torch.from_numpy(arrays["herd_features"]))
    order = herded(features, torch.zeros(len(features), dtype=torch.int64), int(arrays["herd_m"]))
    assert order.tolist() == arrays["herd_index"].tolist()


def test_herding_by_hand() -> None:
    """The mean of 9, 0, 2, 1 is 3: 2 is nearest, with it 1 gives 1.5 and 9 gives 5.5."""
    features = torch.tensor([[9.0], [0.0], [2.0], [1.0]])
    order = herded(features, torch.zeros(4, dtype=torch.int64), 4)
    # the third mean is (2 + 1 + 9) / 3 = 4 rather than (2 + 1 + 0) / 3 = 1
    assert features[order].flatten().tolist() == [2.0, 1.0, 9.0, 0.0]


@given(seeds)
def test_of_two_samples_the_first_is_taken(seed: int) -> None:
    """Both are equally near to their mean, whatever the rounding."""
    features = F.normalize(torch.randn(2, 7, generator=torch.Generator().manual_seed(seed)))
    assert herded(features, torch.zeros(2, dtype=torch.int64), 2).tolist() == [0, 1]


def test_of_equal_samples_the_first_is_taken() -> None:
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    assert herded(features, torch.zeros(4, dtype=torch.int64), 4).tolist() == [0, 1, 2, 3]


@given(seeds, counts, st.integers(1, 14))
def test_each_exemplar_is_the_nearest_that_algorithm_4_allows(
    seed: int, sizes: list[int], count: int
) -> None:
    features, labels = classes_of(seed, sizes)
    order = herded(features, labels, count)
    assert labels[order].tolist() == [
        label for label, size in enumerate(sizes) for _ in range(min(size, count))
    ]
    for label in range(len(sizes)):
        own = torch.nonzero(labels == label).flatten().tolist()
        chosen = [own.index(position) for position in order[labels[order] == label].tolist()]
        for k, pick in enumerate(chosen):
            distances = distances_to_mean(features[own], chosen[:k])
            assert distances[pick] <= distances.min() + 1e-8


@given(seeds, counts, st.integers(1, 6), st.integers(0, 6))
def test_fewer_exemplars_are_the_first_of_more(
    seed: int, sizes: list[int], fewer: int, extra: int
) -> None:
    features, labels = classes_of(seed, sizes)
    for order in (
        lambda count: herded(features, labels, count),
        lambda count: drawn(labels, count, torch.Generator().manual_seed(seed)),
    ):
        many, few = order(fewer + extra), order(fewer)
        assert torch.equal(Exemplars(many, labels[many]).first(fewer).index, few)


@given(seeds, counts)
def test_all_samples_as_exemplars_have_the_class_mean(seed: int, sizes: list[int]) -> None:
    features, labels = classes_of(seed, sizes)
    for order in (
        herded(features, labels, max(sizes)),
        drawn(labels, max(sizes), torch.Generator().manual_seed(seed)),
    ):
        assert sorted(order.tolist()) == list(range(len(labels)))
        means = class_means(features[order], labels[order], range(len(sizes)))
        torch.testing.assert_close(means, class_means(features, labels, range(len(sizes))))


@given(seeds, counts, st.integers(1, 14))
def test_blocks_change_nothing(seed: int, sizes: list[int], count: int) -> None:
    features, labels = classes_of(seed, sizes)
    whole = herded(features, labels, count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(herding, "BLOCK_NUMBERS", 70)
        assert torch.equal(herded(features, labels, count), whole)


@given(st.integers(1, 5000), st.integers(1, 300))
def test_the_memory_is_never_exceeded(memory: int, classes: int) -> None:
    options = IcarlOptions(memory=memory)
    assert classes * options.exemplars_per_class(classes) <= memory
    assert options.exemplars_per_class(1) == memory


def test_random_exemplars_are_drawn_without_repetition_from_each_class() -> None:
    labels = torch.tensor([1, 0, 1, 0, 1, 1])
    order = drawn(labels, 3, torch.Generator().manual_seed(4))
    assert labels[order].tolist() == [0, 0, 1, 1, 1]
    assert len(set(order.tolist())) == 5


def test_exemplars_of_some_classes_are_told_from_the_others() -> None:
    exemplars = Exemplars(torch.tensor([9, 4, 7, 2]), torch.tensor([0, 0, 1, 3]))
    among, others = exemplars.split(torch.tensor([3, 0, 3]))
    assert (among.index.tolist(), among.labels.tolist()) == ([9, 4, 2], [0, 0, 3])
    assert (others.index.tolist(), others.labels.tolist()) == ([7], [1])


def test_joined_exemplars_keep_the_order_within_classes() -> None:
    few = Exemplars(torch.tensor([5, 1]), torch.tensor([1, 1]))
    more = Exemplars(torch.tensor([8, 3]), torch.tensor([0, 2]))
    joined = few.joined(more)
    assert (joined.index.tolist(), joined.labels.tolist()) == ([8, 5, 1, 3], [0, 1, 1, 2])


LOGITS = torch.tensor([[0.0, math.log(3.0)]])  # sigmoids 1/2 and 3/4


@pytest.mark.parametrize(
    ("label", "old", "expected"),
    [
        (1, 0, math.log(2.0) + math.log(4.0 / 3.0)),
        (0, 0, math.log(2.0) + math.log(4.0)),
        (1, 1, math.log(4.0 / 3.0)),
        (0, 1, math.log(4.0)),  # an exemplar: 0 at the new output
    ],
    ids=["label 1", "label 0", "label 1, new", "label 0, old"],
)
def test_binary_classification_by_hand(label: int, old: int, expected: float) -> None:
    loss = binary_classification(LOGITS, torch.tensor([label]), old)
    assert float(loss) == pytest.approx(expected)


def test_binary_classification_with_smoothed_labels() -> None:
    """Targets of label 1 with 0.2: 0.1 and 0.9."""
    expected = math.log(2.0) - 0.9 * math.log(0.75) - 0.1 * math.log(0.25)
    loss = binary_classification(LOGITS, torch.tensor([1]), label_smoothing=0.2)
    assert float(loss) == pytest.approx(expected)


def test_binary_classification_is_a_mean_over_samples() -> None:
    loss = binary_classification(LOGITS.repeat(2, 1), torch.tensor([0, 1]), 1)
    assert float(loss) == pytest.approx((math.log(4.0) + math.log(4.0 / 3.0)) / 2)


def test_binary_distillation_by_hand() -> None:
    """Old sigmoids 1/2 and 3/4 against sigmoids 1/2 and 1/2: twice log 2."""
    loss = binary_distillation(torch.zeros(1, 2), LOGITS)
    assert float(loss) == pytest.approx(2.0 * math.log(2.0))


def test_both_parts_make_the_loss_of_algorithm_3() -> None:
    """One binary cross-entropy whose targets are old sigmoids, then the label."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 5, generator=generator)
    old = torch.randn(6, 3, generator=generator)
    labels = torch.tensor([3, 4, 0, 2, 3, 4])
    targets = F.one_hot(labels, 5).float()
    targets[:, :3] = old.sigmoid()
    whole = F.binary_cross_entropy(logits.sigmoid(), targets, reduction="none").sum(1).mean()
    parts = binary_classification(logits, labels, 3) + binary_distillation(logits[:, :3], old)
    torch.testing.assert_close(parts, whole)


def test_softmax_distillation_by_hand() -> None:
    """Logits 2 log 3 and 0 at temperature 2: 3/4 and 1/4, against 1/2 and 1/2."""
    old = torch.tensor([[2.0 * math.log(3.0), 0.0]])
    loss = softmax_distillation(torch.zeros(1, 2), old, 2.0)
    assert float(loss) == pytest.approx(math.log(2.0))
    itself = softmax_distillation(old, old, 2.0)
    assert float(itself) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))


@pytest.mark.parametrize(
    ("distil", "minimum"),
    [
        (binary_distillation, lambda old: old),
        (lambda now, old: softmax_distillation(now, old, 2.0), lambda old: old + 1.0),
    ],
    ids=["binary", "softmax"],
)
def test_distillation_is_least_at_the_old_outputs(distil, minimum) -> None:
    old = torch.tensor([[0.3, -1.0, 2.0]])
    now = minimum(old).clone().requires_grad_()
    distil(now, old).backward()
    torch.testing.assert_close(now.grad, torch.zeros(1, 3), atol=1e-6, rtol=0.0)


def test_new_outputs_begin_at_one_over_the_number_of_classes() -> None:
    """Old biases and weights stay: 1 of 5 classes is a sigmoid of -log 4."""
    head = Head(3, 6)
    with torch.no_grad():
        head.open(5, torch.Generator().manual_seed(0))
        assert head.bias is not None
        head.bias.zero_()
    weight = head.weight.detach().clone()
    start_at_prior(head, range(3, 5))
    assert head.bias.sigmoid().tolist() == pytest.approx([0.5, 0.5, 0.5, 0.2, 0.2, 0.5])
    assert torch.equal(head.weight, weight)


def test_a_cosine_head_and_a_single_class_have_no_prior() -> None:
    cosine, single = Head(3, 4, "cosine"), Head(3, 4)
    for head, classes in ((cosine, 4), (single, 1)):
        head.open(classes, torch.Generator().manual_seed(0))
        before = {name: tensor.clone() for name, tensor in head.state_dict().items()}
        start_at_prior(head, range(classes))
        for name, tensor in head.state_dict().items():
            assert torch.equal(tensor, before[name])
