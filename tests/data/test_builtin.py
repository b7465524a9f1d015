from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from cilsim.data.builtin import DATASETS, DataSetDeclaration
from cilsim.options import descriptions


def test_the_built_in_data_sets_are_these() -> None:
    assert [declared.name for declared in DATASETS] == [
        "glyphs100",
        "glyphs200",
        "digits",
        "cifar10",
        "cifar100",
        "mini_imagenet",
        "cub200",
        "tiny_imagenet",
        "imagenet100",
        "core50",
        "imagenet",
        "svhn",
        "stanford_cars",
        "aircraft",
        "omniglot",
        "mnist",
        "fashion_mnist",
        "kmnist",
        "emnist",
        "image_folder",
        "arrays",
        "tabular",
    ]


@pytest.mark.parametrize("declared", DATASETS, ids=lambda declared: declared.name)
def test_each_target_exists_and_each_option_is_described(declared: DataSetDeclaration) -> None:
    for target in (declared.load, declared.facts):
        module, _, name = target.partition(":")
        assert callable(getattr(import_module(module), name))
    module, _, name = declared.options.partition(":")
    options = getattr(import_module(module), name)
    assert [name for name in options.model_fields if not descriptions(options).get(name)] == []


def test_options_and_facts_import_no_heavy_package() -> None:
    code = """
import sys
from importlib import import_module
from cilsim.data.builtin import DATASETS
for declared in DATASETS:
    import_module(declared.options.partition(":")[0])
from cilsim.data.digits import DigitsOptions, facts_digits
from cilsim.data.glyphs import GlyphOptions, facts_glyphs200
facts_digits(DigitsOptions()), facts_glyphs200(GlyphOptions())
heavy = {"torch", "torchvision", "sklearn", "scipy", "matplotlib", "avalanche", "PIL"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
