"""The official TEEN base training of the classifier alone, in float64 (identity encoder)."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cilsim.scenario.recipe import Recipe
from cilsim.training.head import Head
from cilsim.training.optimisers import build_optimiser, set_learning_rate
from cilsim.training.schedules import learning_rate

GOLDEN = Path(__file__).parents[1] / "golden" / "teen_base_train_T16_lr01.npz"


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture
def head(golden: dict[str, np.ndarray]) -> Head:
    head = Head(64, 100, kind="cosine", temperature=float(golden["temperature"])).double()
    head.open(60, torch.Generator())
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(golden["fc_init"]))
    return head


def batches(golden: dict[str, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(golden["x"]).double(), torch.from_numpy(golden["y"]).long()


def test_first_batch(golden, head):
    x, y = batches(golden)
    logits = head(x[0, 0])
    loss = F.cross_entropy(logits, y[0, 0])
    loss.backward()
    np.testing.assert_allclose(
        logits.detach().numpy(), golden["first_batch_logits"][:, :60], rtol=0, atol=1e-9
    )
    assert loss.item() == pytest.approx(float(golden["first_batch_loss"]), abs=1e-9)
    np.testing.assert_allclose(
        head.weight.grad.numpy(), golden["first_batch_grad"], rtol=0, atol=1e-9
    )


def test_three_epochs(golden, head):
    x, y = batches(golden)
    recipe = Recipe(
        epochs=3,
        lr=float(golden["lr_base"]),
        momentum=float(golden["momentum"]),
        nesterov=bool(golden["nesterov"]),
        weight_decay=float(golden["weight_decay"]),
        schedule="cosine",
    )
    optimiser = build_optimiser(recipe, [{"params": list(head.parameters())}])
    rates = [learning_rate(recipe, epoch, 0, 5) for epoch in range(3)]
    assert rates == pytest.approx(golden["epoch_lr"].tolist(), abs=1e-15)
    for epoch in range(3):
        set_learning_rate(optimiser, rates[epoch])
        losses, accuracies = [], []
        for x_BD, y_B in zip(x[epoch], y[epoch], strict=True):
            logits = head(x_BD)
            loss = F.cross_entropy(logits, y_B)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
            accuracies.append((logits.argmax(1) == y_B).double().mean().item())
        np.testing.assert_allclose(
            head.weight.detach().numpy(), golden["fc_after_epoch"][epoch], rtol=0, atol=1e-9
        )
        assert np.mean(losses) == pytest.approx(float(golden["epoch_loss"][epoch]), abs=1e-9)
        assert np.mean(accuracies) == pytest.approx(float(golden["epoch_acc"][epoch]), abs=1e-12)
