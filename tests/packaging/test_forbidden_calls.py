"""Nothing in the simulator or its plugins loads what could run code, or hands text to a shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
"""No module of these is imported at all, by whatever name."""

CALLS = {
    "builtins.eval", "builtins.exec", "builtins.compile", "eval", "exec", "compile",
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
    "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.full_load_all", "yaml.unsafe_load",
    "yaml.unsafe_load_all", "torch.jit.load", "torch.hub.load", "pandas.read_pickle",
}  # fmt: skip
"""Calls that nothing makes harmless."""

LOADERS = {"yaml.Loader", "yaml.FullLoader", "yaml.UnsafeLoader", "yaml.CLoader"}

NEEDED = {
    "torch.load": ("weights_only", True),
    "numpy.load": ("allow_pickle", False),
    "numpy.save": ("allow_pickle", False),
    "numpy.lib.format.read_array": ("allow_pickle", False),
    "numpy.lib.format.write_array": ("allow_pickle", False),
}
"""Calls that are harmless with one argument only; numpy's own default is the harmless one."""

DEFAULTS = {"numpy.load", "numpy.save", "numpy.lib.format.read_array"}
UNPACKING = {"extractall", "extract", "unpack_archive"}


def complaints(source: str) -> list[str]:
    """Return what a module does that no module may do, each with its line."""
    tree = ast.parse(source)
    names = dict(imported(tree))
    found = [
        f"{node.lineno}: imports {full}"
        for node in ast.walk(tree)
        for full in modules_of(node)
        if full.partition(".")[0] in MODULES
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [f"{node.lineno}: {said}" for said in about(node, names)]
        elif full_name(node, names) in LOADERS:
            found.append(f"{node.lineno}: uses {full_name(node, names)}")
    return sorted(found)


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield every name that an import gives, with what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                yield name, alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def modules_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def full_name(node: ast.AST, names: dict[str, str]) -> str:
    """Return the dotted name of an expression as imported, or nothing."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{full_name(node.value, names)}.{node.attr}"
    return ""


def about(call: ast.Call, names: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with a call."""
    name = full_name(call.func, names)
    given = {one.arg: one.value for one in call.keywords}
    if name in CALLS:
        yield f"calls {name}"
    if name in NEEDED:
        argument, value = NEEDED[name]
        right = constant(given.get(argument)) is value
        if not right and (argument in given or name not in DEFAULTS):
            yield f"calls {name} without {argument}={value}"
    if name.startswith("subprocess.") and constant(given.get("shell")) not in (None, False):
        yield f"calls {name} with a shell"
    if isinstance(call.func, ast.Attribute) and call.func.attr in UNPACKING:
        yield f"unpacks to disk by {call.func.attr}"
    if name.endswith(("import_module", "__import__")) and call.args:
        module = constant(call.args[0])
        if isinstance(module, str) and module.partition(".")[0] in MODULES:
            yield f"imports {module}"


def constant(node: ast.AST | None) -> object:
    """Return the value of a constant, None if there is no node, the node if it is computed."""
    return node.value if isinstance(node, ast.Constant) else node


def modules(root: Path) -> list[Path]:
    return sorted([*root.glob("simulator/**/*.py"), *root.glob("plugins/**/*.py")])


def test_no_module_loads_what_could_run_code(root: Path) -> None:
    files = modules(root)
    assert len(files) > 200
    found = [
        f"{path.relative_to(root)}:{said}"
        for path in files
        for said in complaints(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import pickle", "imports pickle"),
        ("from joblib import load", "imports joblib"),
        ("import dill as harmless", "imports dill"),
        ("import importlib\nimportlib.import_module('marshal')", "imports marshal"),
        ("import yaml\nyaml.load(x)", "calls yaml.load"),
        ("from yaml import load as read\nread(x)", "calls yaml.load"),
        ("import yaml\nf(Loader=yaml.UnsafeLoader)", "uses yaml.UnsafeLoader"),
        ("import torch as t\nt.load(x)", "calls torch.load without weights_only=True"),
        (
            "import torch\ntorch.load(x, weights_only=False)",
            "calls torch.load without weights_only=True",
        ),
        (
            "import torch\ntorch.load(x, weights_only=flag)",
            "calls torch.load without weights_only=True",
        ),
        (
            "import numpy as np\nnp.load(x, allow_pickle=True)",
            "calls numpy.load without allow_pickle=False",
        ),
        ("eval('1')", "calls eval"),
        ("exec(code)", "calls exec"),
        ("import os\nos.system('x')", "calls os.system"),
        ("from os import system as s\ns('x')", "calls os.system"),
        ("import subprocess\nsubprocess.run(x, shell=True)", "calls subprocess.run with a shell"),
        ("import tarfile\ntarfile.open(x).extractall(y)", "unpacks to disk by extractall"),
        ("import shutil\nshutil.unpack_archive(x)", "unpacks to disk by unpack_archive"),
    ],
)
def test_what_is_forbidden_is_found_under_any_name(source: str, complaint: str) -> None:
    assert [said.partition(": ")[2] for said in complaints(source)] == [complaint]


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.load(x)",
        "import torch\ntorch.load(x, weights_only=True)",
        "import yaml\nyaml.safe_load(x)\nyaml.SafeLoader(x)",
        "model.eval()",
        "import re\nre.compile('x')",
        "import subprocess\nsubprocess.run(['x'])",
        "archive.extractfile(member)",
    ],
)
def test_what_is_harmless_is_not_found(source: str) -> None:
    assert complaints(source) == []
