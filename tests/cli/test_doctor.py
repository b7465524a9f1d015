"""`cilsim doctor`: one line per thing that can be missing."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def _findings(cli: Command, *arguments: str) -> dict[str, tuple[str, str]]:
    document = cli("doctor", "--json", *arguments).document()
    return {one["about"]: (one["state"], one["text"]) for one in document}


def test_a_ready_machine_has_nothing_to_fail(cli: Command, tiny: Path) -> None:
    outcome = cli("doctor")

    assert (outcome.code, outcome.err) == (0, "")
    states = {line.split()[0] for line in outcome.out.splitlines()}
    assert states <= {"ok", "warn"}


def test_everything_is_looked_at(cli: Command, tiny: Path) -> None:
    assert list(_findings(cli)) == [
        "python", "packages", "device", "threads", "runs", "cache", "free disk", "plugins",
        "data sets", "data folder",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("absent", "state"), [("timm", "ok"), ("torch", "fail")], ids=["an extra", "a requirement"]
)
def test_extras_may_be_absent_and_requirements_may_not(
    cli: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch, absent: str, state: str
) -> None:
    def found(name: str) -> str:
        if name == absent:
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr("cilsim.results.manifest.version", found)

    said, text = _findings(cli)["packages"]
    assert said == state
    assert text == f"not installed: {absent}" if state == "fail" else absent not in text


def test_the_runs_folder_need_not_exist(cli: Command, tiny: Path) -> None:
    assert _findings(cli, "--out", "a/b")["runs"] == ("ok", "a/b can be written")
    assert not Path("a").exists()


def test_a_folder_that_cannot_be_written_fails(cli: Command, tiny: Path) -> None:
    Path("file").touch()

    outcome = cli("doctor", "--out", "file/runs")

    assert outcome.code == 2
    [line] = [line for line in outcome.out.splitlines() if line.startswith("fail")]
    assert line.split(maxsplit=2) == [
        "fail",
        "runs",
        "file/runs cannot be written: Not a directory; change it by --out",
    ]


@pytest.mark.parametrize(
    ("free", "state"), [(10**6, "fail"), (10**9, "warn"), (10**12, "ok")], ids=str
)
def test_little_space_is_said(
    cli: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(0, 0, free))

    assert _findings(cli)["free disk"][0] == state


def test_a_broken_plugin_is_a_warning(cli: Command, tiny: Path, broken_plugin: Path) -> None:
    outcome = cli("doctor")

    assert (outcome.code, outcome.err) == (0, "")
    [line] = [line for line in outcome.out.splitlines() if line.startswith("warn")]
    assert line.split(maxsplit=2) == [
        "warn",
        "plugins",
        "plugin 'fancy' of cilsim-fancy 1.2 is not used: "
        "importing 'cilsim_fancy' fails: RuntimeError: no licence",
    ]
