"""`pytest --cilsim-strategy NAME`: each promise is a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from cilsim import Experience, Strategy, hookimpl, plugins


@pytest.fixture
def run_pytest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs pytest in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("CILSIM_PLUGINS", "nmc")

    def run(*arguments: str) -> tuple[int, str, str]:
        alone = ["--rootdir", str(tmp_path), "-c", os.devnull, "-p", "no:cacheprovider"]
        capsys.readouterr()
        code = pytest.main([*alone, "-q", "-W", "error", str(tmp_path), *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_it_is_installed_as_a_plugin_of_pytest() -> None:
    (found,) = [one for one in entry_points(group="pytest11") if one.dist.name == "cilsim"]
    assert (found.name, found.value) == ("cilsim", "cilsim.pytest_plugin")


def test_the_promises_are_tests_beside_the_own_ones(tmp_path: Path, run_pytest: Any) -> None:
    (tmp_path / "test_beside.py").write_text("def test_mine(): pass\n")
    code, out, _ = run_pytest("--cilsim-strategy", "nmc", "-k", "mine or documented")
    assert code == pytest.ExitCode.OK
    assert "2 passed, 12 deselected" in out


def test_without_the_option_nothing_is_added_or_imported(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import sys\ndef test_mine(): assert 'torch' not in sys.modules\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_an_unknown_name_is_an_error_of_use(run_pytest: Any) -> None:
    code, _, err = run_pytest("--cilsim-strategy", "mnc")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert err.strip() == (
        "ERROR: --cilsim-strategy: no plugin or strategy is named 'mnc'; did you mean 'nmc'?"
    )


class Mine(Strategy):
    """Cannot learn."""

    def learn(self, experience: Experience) -> None:
        raise ValueError("no")


class Adds:
    cilsim_api = 1

    @hookimpl
    def cilsim_register_strategies(self, register: Any) -> None:
        register("mine", Mine)


def test_a_broken_promise_fails_with_what_helps(
    run_pytest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = plugins.discover([("adds", Adds())])
    monkeypatch.setattr(plugins, "discover", lambda: found)
    code, out, _ = run_pytest("--cilsim-strategy", "mine", "-k", "runs or shapes")
    assert code == pytest.ExitCode.TESTS_FAILED
    line = Mine.learn.__code__.co_firstlineno + 1
    assert (
        "plugin 'adds' of this process: learn() of strategy 'mine', experience 0: ValueError: no "
        f"(test_pytest_plugin.py, line {line}); run a scenario of your own with --debug to see the "
        "traceback\n"
    ) in out
    assert "1 failed, 1 skipped, 11 deselected" in out
