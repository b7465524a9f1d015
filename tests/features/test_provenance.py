import sys
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import pytest
from torch import nn

from cilsim.backbones import residual, resizing
from cilsim.features import provenance
from cilsim.features.provenance import code_of


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A module with a layer of its own, and what changes its file."""
    path = tmp_path / "cilsim_own_layer.py"
    path.write_text("from torch import nn\n\n\nclass Own(nn.ReLU):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("cilsim_own_layer"), path
    sys.modules.pop("cilsim_own_layer")
    provenance._sha256.cache_clear()


def test_a_network_is_known_by_the_files_of_its_classes(parts):
    files = {module.__name__: Path(module.__file__) for module in (residual, resizing)}
    assert code_of(parts.resnet()) == [
        [name, sha256(path.read_bytes()).hexdigest()] for name, path in files.items()
    ]


def test_layers_inside_count_and_those_of_torch_do_not(plugin):
    module, path = plugin
    network = nn.Sequential(nn.Linear(2, 2), nn.Sequential(module.Own()))
    assert code_of(network) == [["cilsim_own_layer", sha256(path.read_bytes()).hexdigest()]]
    assert code_of(nn.Linear(2, 2)) == []


def test_classes_without_a_file_are_known_by_name(monkeypatch):
    class Typed(nn.ReLU):
        __module__ = "typed_in_a_console"

    assert code_of(Typed()) == [["typed_in_a_console", ""]]
