"""How often the backbone is compiled over a stream, counted without a C++ compiler."""

import functools
import shutil

import pytest
import torch
from torch._dynamo.utils import counters

from cilsim.data.samples import Samples
from cilsim.training.head import Head
from cilsim.training.loop import fit
from cilsim.training.modes import freeze

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def compiler(monkeypatch):
    """Takes the graphs as they are, and starts counting at zero."""
    eager = functools.partial(torch.compile, backend="eager")
    monkeypatch.setattr(torch, "compile", eager)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def compiled_graphs():
    return counters["stats"]["unique_graphs"]


def stream(toy, sizes, **recipe):
    """Trains on one experience after another; returns the graphs known after each."""
    modules = toy.image_modules()
    modules["head"] = Head(8, 6)
    recipe = toy.recipe.model_copy(update={"compile": True, **recipe})
    graphs = []
    for number, size in enumerate(sizes):
        modules["head"].open(2, toy.generator(number))
        images = toy.images(size)
        part = Samples(
            images.x,
            images.labels % modules["head"].seen,
            images.index,
            "",
            images.mean,
            images.std,
        )
        fit(toy.spec(modules, samples=part, recipe=recipe, experience=number))
        graphs.append(compiled_graphs())
    return graphs, modules


def test_a_stream_is_compiled_once_whatever_the_sizes_of_its_experiences(toy):
    graphs, _ = stream(toy, (22, 19, 29))
    assert graphs == [1, 1, 1]


def test_a_few_samples_that_fill_no_batch_are_not_compiled_for(toy):
    graphs, _ = stream(toy, (16, 5, 3))
    assert graphs == [1, 1, 1]


def test_another_precision_is_compiled_for_once(toy):
    first, _ = stream(toy, (16, 16))
    second, _ = stream(toy, (16, 16), precision="bf16")
    assert (first, second) == ([1, 1], [2, 2])


def test_the_growing_head_has_one_shape_for_the_compiler(toy):
    head = Head(8, 6)
    compiled = torch.compile(head.masked_logits, dynamic=False)
    shapes, features = [], torch.randn(4, 8, generator=toy.generator())
    for number in range(3):
        head.open(2, toy.generator(number))
        logits = compiled(features)
        shapes.append(tuple(logits.shape))
        assert torch.equal(logits, head.masked_logits(features))
    assert shapes == [(4, 6)] * 3
    assert compiled_graphs() == 1


def test_full_batches_run_compiled_and_the_last_one_as_it_is(toy):
    modules, calls = toy.image_modules(), []
    own = modules["backbone"].forward
    wrapped = torch.compile

    def noting(forward, **options):
        fast = wrapped(forward, **options)

        def call(x):
            calls.append(len(x))
            return fast(x)

        return call

    torch.compile = noting
    try:
        fit(toy.spec(modules, recipe=toy.recipe.model_copy(update={"compile": True})))
    finally:
        torch.compile = wrapped
    assert calls == [8, 8] * 3
    assert modules["backbone"].forward == own


def test_features_extracted_after_an_epoch_do_not_run_compiled(toy):
    modules, seen = toy.image_modules(), []

    def look(report):
        seen.append(modules["backbone"].forward.on)

    fit(toy.spec(modules, recipe=toy.recipe.model_copy(update={"compile": True}), on_epoch=look))
    assert seen == [False] * 3


def test_compiled_weights_are_those_of_an_uncompiled_training(toy):
    plain, fast = toy.image_modules(), toy.image_modules()
    fit(toy.spec(plain))
    fit(toy.spec(fast, recipe=toy.recipe.model_copy(update={"compile": True})))
    for one, other in zip(plain.values(), fast.values(), strict=True):
        for name, value in one.state_dict().items():
            torch.testing.assert_close(other.state_dict()[name], value, rtol=1e-4, atol=1e-5)


def test_a_frozen_backbone_is_compiled_for_once_more(toy):
    modules, graphs = toy.image_modules(), []
    recipe = toy.recipe.model_copy(update={"compile": True, "epochs": 1})
    for frozen in (False, True, True):
        if frozen:
            freeze(modules["backbone"])
        fit(toy.spec(modules, samples=toy.images(16), recipe=recipe))
        graphs.append(compiled_graphs())
    assert graphs == [1, 2, 2]
