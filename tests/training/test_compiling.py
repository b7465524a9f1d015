import shutil

import pytest
import torch
from torch import nn

from cilsim.training.compiling import compiled
from cilsim.training.loop import fit

CPU = torch.device("cpu")


def test_without_a_compiler_training_goes_on_and_says_so(toy, monkeypatch, caplog):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    plain, asked = toy.image_modules(), toy.image_modules()
    fit(toy.spec(plain))
    fit(toy.spec(asked, recipe=toy.recipe.model_copy(update={"compile": True})))
    toy.assert_equal(plain, asked)
    assert caplog.messages == [
        "compile: 'g++' is not found on this machine; training runs uncompiled"
    ]


def test_a_module_is_as_it_was_after_the_block(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda forward, **options: lambda x: forward(x) + 1.0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    module = nn.Linear(2, 2)
    x = torch.randn(3, 2)
    before = module(x)
    with compiled(module, CPU) as forward:
        assert torch.equal(module(x), before)
        forward.on = True
        assert torch.equal(module(x), before + 1.0)
    assert torch.equal(module(x), before)
    assert list(module.state_dict()) == ["weight", "bias"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_compiled_training_learns_what_an_uncompiled_one_does(toy):
    plain, fast = toy.feature_modules(), toy.feature_modules()
    fit(toy.spec(plain, samples=toy.features()))
    recipe = toy.recipe.model_copy(update={"compile": True})
    fit(toy.spec(fast, samples=toy.features(), recipe=recipe))
    torch.testing.assert_close(fast["head"].weight, plain["head"].weight, rtol=1e-4, atol=1e-5)
