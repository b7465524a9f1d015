from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cilsim.testing.failure_place import place_of

TRACEBACK = """\
Traceback (most recent call last):
  File "/engine/cilsim/runner/guard.py", line 68, in guarded
    result = function(*arguments, **keywords)
  File "/site/lab/strategy.py", line 12, in learn
    self.means(experience)
  File "/site/lab/parts/means.py", line 30, in means
    return torch.cat(rows)
  File "/site/torch/functional.py", line 7, in cat
    raise TypeError("no rows")
TypeError: no rows

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/site/lab/hooks.py", line 99, in named
    raise named from error
cilsim.errors.PluginFailed: no rows
"""


def code_from(monkeypatch: pytest.MonkeyPatch, module: str, files: dict[str, str | None]) -> Any:
    """Return a class of `module`, with the modules of `files` imported from there."""
    for name, file in files.items():
        made = ModuleType(name)
        made.__file__ = file
        monkeypatch.setitem(sys.modules, name, made)
    return type("Strategy", (), {"__module__": module})


@pytest.mark.parametrize(
    ("module", "files", "place"),
    [
        ("lab.strategy", {"lab": "/site/lab/__init__.py"}, "means.py, line 30"),
        ("lab", {"lab": "/site/lab/strategy.py"}, "strategy.py, line 12"),
        (
            "space.lab",
            {"space": None, "space.lab": "/site/lab/strategy.py"},
            "strategy.py, line 12",
        ),
        ("other", {"other": "/site/other/__init__.py"}, ""),
    ],
    ids=["package", "module", "namespace", "elsewhere"],
)
def test_the_innermost_line_of_the_plugin_in_the_first_error_is_told(
    monkeypatch: pytest.MonkeyPatch, module: str, files: dict[str, str | None], place: str
) -> None:
    assert place_of(TRACEBACK, code_from(monkeypatch, module, files)) == place


def test_code_of_no_module_has_no_place() -> None:
    assert place_of(TRACEBACK, Path("/site/lab")) == ""
