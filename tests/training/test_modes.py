import pytest
import torch
from torch import nn

from cilsim.training.modes import (
    draws_random_numbers,
    freeze,
    keep_batch_statistics,
    set_layout,
    train_mode,
)


def net() -> nn.Sequential:
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)),
        nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False)),
    ).eval()


def training_parts(module: nn.Module) -> list[str]:
    return [name for name, part in module.named_modules() if part.training]


def test_train_mode_reaches_every_part():
    module = net()
    train_mode([module])
    assert all(part.training for part in module.modules())


def test_a_frozen_part_stays_in_eval_mode():
    module = net()
    freeze(module[0])
    train_mode([module])
    assert training_parts(module) == ["", "1", "1.0", "1.1", "1.2"]


def test_freezing_takes_gradients_away():
    module = net().train()
    freeze(module)
    assert not any(parameter.requires_grad for parameter in module.parameters())
    assert training_parts(module) == []


def test_batch_statistics_are_kept_without_touching_other_layers():
    module = net().train()
    keep_batch_statistics([module])
    assert training_parts(module) == ["", "0", "0.0", "0.2", "1", "1.0"]


def test_layout_of_convolutions_is_set_both_ways():
    module = net()
    weight = module[0][0].weight
    before = weight.detach().clone()
    set_layout([module], channels_last=True)
    assert weight.is_contiguous(memory_format=torch.channels_last)
    set_layout([module], channels_last=False)
    assert weight.is_contiguous()
    assert torch.equal(weight, before)


@pytest.mark.parametrize(
    ("module", "draws"),
    [(net(), True), (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), False)],
    ids=["dropout", "none"],
)
def test_dropout_layers_are_found(module, draws):
    assert draws_random_numbers([module]) is draws
