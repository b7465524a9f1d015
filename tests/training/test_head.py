import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cilsim.scenario.recipe import Recipe
from cilsim.training.head import Head
from cilsim.training.optimisers import build_optimiser

KINDS = pytest.mark.parametrize("kind", ["linear", "cosine"])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def opened(kind: str, seen: int = 7, total: int = 12, feature_size: int = 16) -> Head:
    head = Head(feature_size, total, kind=kind)
    head.open(seen, generator())
    return head


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(32, 16, generator=generator(1)), torch.arange(32) % 7


@KINDS
def test_scores_cover_the_classes_seen(kind):
    features, _ = batch()
    head = opened(kind, seen=4)
    assert head(features).shape == (32, 4)
    head.open(3, generator(5))
    assert head(features).shape == (32, 7)
    assert head.seen == 7


def test_linear_scores_are_those_of_torch():
    features, _ = batch()
    head = opened("linear", seen=12)
    linear = nn.Linear(16, 12)
    linear.load_state_dict({"weight": head.weight, "bias": head.bias})
    assert torch.equal(head(features), linear(features))


@KINDS
def test_a_score_keeps_its_bits_when_classes_are_added(kind):
    features, _ = batch()
    head = opened(kind)
    before = head(features)
    head.open(3, generator(5))
    assert torch.equal(head(features)[:, :7], before)


def test_cosine_scores_are_scaled_cosines():
    features, _ = batch()
    head = Head(16, 9, kind="cosine", temperature=3.0)
    head.open(9, generator())
    expected = 3.0 * F.cosine_similarity(features[:, None], head.weight[None], dim=2)
    torch.testing.assert_close(head(features), expected)
    assert head.bias is None


def test_a_zero_feature_has_cosine_zero():
    assert torch.equal(opened("cosine")(torch.zeros(2, 16)), torch.zeros(2, 7))


def test_a_norm_below_the_floor_is_divided_by_the_floor():
    head = Head(2, 1, kind="cosine", temperature=1.0)
    head.open(1, generator())
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[2.0, 0.0]]))
    assert head(torch.tensor([[5e-13, 0.0]])).item() == pytest.approx(0.5)


@KINDS
def test_masked_logits_give_the_loss_and_gradient_bits_of_a_sliced_head(kind):
    features, labels = batch()
    # below 16 classes the sum of the softmax is grouped otherwise: the last bit can differ
    sliced, masked = opened(kind, seen=20, total=50), opened(kind, seen=20, total=50)
    loss_sliced = F.cross_entropy(sliced(features), labels)
    loss_masked = F.cross_entropy(masked.masked_logits(features), labels)
    loss_sliced.backward()
    loss_masked.backward()
    assert torch.equal(loss_sliced, loss_masked)
    for one, other in zip(sliced.parameters(), masked.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)
        assert (one.grad[20:] == 0).all()


@KINDS
def test_masked_logits_keep_their_shape_and_never_choose_an_unseen_class(kind):
    features, _ = batch()
    head = opened(kind)
    logits = head.masked_logits(features)
    assert logits.shape == (32, 12)
    assert torch.equal(logits[:, :7], head(features))
    assert (logits[:, 7:] == float("-inf")).all()


@KINDS
def test_rows_are_drawn_uniformly_within_one_over_root_d(kind):
    head = Head(16, 3000, kind=kind)
    head.open(3000, generator())
    assert head.weight.abs().max() <= 0.25
    assert head.weight.std().item() == pytest.approx(0.25 / 3**0.5, rel=0.01)
    if head.bias is not None:
        assert head.bias.std().item() == pytest.approx(0.25 / 3**0.5, rel=0.05)


@KINDS
def test_rows_not_yet_open_are_zero(kind):
    head = opened(kind)
    assert (head.weight[7:] == 0).all()
    assert (head.weight[:7] != 0).all()


@KINDS
def test_opening_later_is_not_touched_by_the_weight_decay_before(kind):
    features, labels = batch()
    fresh, trained = opened(kind), opened(kind)
    with torch.no_grad():
        trained.weight[7:] = 1.0  # whatever a training may have left there
    optimiser = build_optimiser(
        Recipe(lr=0.5, weight_decay=0.5), [{"params": list(trained.parameters())}]
    )
    for _ in range(3):
        optimiser.zero_grad()
        F.cross_entropy(trained(features), labels).backward()
        optimiser.step()
    fresh.open(2, generator(9))
    trained.open(2, generator(9))
    assert torch.equal(trained.weight[7:9], fresh.weight[7:9])
    assert not torch.equal(trained.weight[:7], fresh.weight[:7])


@KINDS
def test_opening_leaves_the_global_generator_alone(kind):
    before = torch.get_rng_state()
    opened(kind)
    assert torch.equal(torch.get_rng_state(), before)


def test_opening_more_rows_than_there_are_is_refused():
    with pytest.raises(ValueError, match=r"^6 more classes on top of 7 exceed 12$"):
        opened("linear").open(6, generator())


@KINDS
def test_a_restored_head_knows_how_many_classes_were_seen(kind):
    features, _ = batch()
    head, restored = opened(kind), Head(16, 12, kind=kind)
    restored.load_state_dict(head.state_dict())
    assert restored.seen == 7
    assert torch.equal(restored(features), head(features))
    assert copy.deepcopy(restored).seen == 7


@KINDS
def test_scores_are_float32_under_autocast(kind):
    features, _ = batch()
    head = opened(kind)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = head(features.bfloat16())
    assert torch.equal(scores, head(features.bfloat16().float()))


@KINDS
def test_a_widened_head_keeps_its_rows_and_opens_more(kind):
    features, _ = batch()
    narrow = Head(16, 0, kind=kind).widened(5, generator())
    wide = narrow.widened(3, generator())
    assert (narrow.seen, wide.seen, len(wide.weight)) == (5, 8, 8)
    assert torch.equal(wide.weight[:5], narrow.weight)
    torch.testing.assert_close(wide(features)[:, :5], narrow(features))
    assert bool(wide.weight[5:].any(1).all())
