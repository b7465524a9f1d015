"""The README's example files and its quick commands work as they are written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cilsim.cli.main import main
from cilsim.testing import Project

Blocks = Callable[[str, str], list[str]]


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text()


@pytest.fixture
def folder(
    readme: str, code_blocks: Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with the README's scenario and plugin, as a reader would save them."""
    for language in ("yaml", "python"):
        block = code_blocks(readme, language)[0]
        name = block.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(block)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def quick_commands(readme: str, code_blocks: Blocks) -> list[list[str]]:
    """Return the commands that take less than a second."""
    lines = [line for block in code_blocks(readme, "bash") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    quick = ("check", "plan", "list", "info")
    return [line[1:] for line in words if line[:1] == ["cilsim"] and line[1] in quick]


@pytest.mark.usefixtures("folder")
def test_quick_commands_succeed(readme: str, code_blocks: Blocks) -> None:
    commands = quick_commands(readme, code_blocks)
    assert {words[0] for words in commands} == {"check", "plan", "list", "info"}
    assert [main(words) for words in commands] == [0] * len(commands)


def test_the_plugin_runs_and_forgets_nothing(
    readme: str, code_blocks: Blocks, tmp_path: Path
) -> None:
    module = ModuleType("my_strategy")
    code = code_blocks(readme, "python")[0]
    exec(compile(code, "README.md", "exec", dont_inherit=True), vars(module))
    project = Project.create(tmp_path, [("my_strategy", module)])
    outcome = project.run(project.ring_scenario("nearest", backbone="identity"))
    assert not outcome.failures
    assert project.files("toy", "nearest").accuracy_matrix()[-1].min() > 0.98


def test_the_plugin_command_names_the_registered_strategy(folder: Path, readme: str) -> None:
    (command,) = re.findall(r"`(cilsim run \S+ --plugin [^`]+)`", readme)
    words: list[Any] = shlex.split(command)[1:]
    words[0] = "check"
    assert main(words) == 0
    assert (folder / words[words.index("--plugin") + 1]).is_file()
