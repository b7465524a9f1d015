"""`cilsim plugin new`: names, files, refusals; tests/external installs and runs what it writes."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.cli.plugin_template import KINDS, parse_name, rendered

Command = Callable[..., Any]

FILES = [
    "pyproject.toml",
    "README.md",
    "LICENSE",
    ".gitignore",
    ".github/workflows/tests.yml",
    "scenario.yaml",
    "src/cilsim_my_idea/__init__.py",
    "src/cilsim_my_idea/options.py",
    "src/cilsim_my_idea/strategy.py",
    "tests/test_my_idea.py",
]


def test_it_writes_a_complete_distribution(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    outcome = cli("plugin", "new", "my-idea")

    assert (outcome.code, outcome.out) == (0, "cilsim-my-idea\n")
    assert outcome.err == (
        "next:\n"
        "  cd cilsim-my-idea\n"
        "  pip install -e '.[test]'\n"
        "  pytest\n"
        "  cilsim run scenario.yaml\n"
    )
    written = [path for path in Path("cilsim-my-idea").rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to("cilsim-my-idea")) for path in written) == sorted(FILES)


def test_the_folder_can_lie_elsewhere(cli: Command, tmp_path: Path) -> None:
    outcome = cli("plugin", "new", "my-idea", "--dir", tmp_path / "plugins", "--json")

    assert outcome.document() == {
        "folder": str(tmp_path / "plugins" / "cilsim-my-idea"),
        "name": "my_idea",
        "files": FILES,
    }


@pytest.mark.parametrize("given", ["my-idea", "my_idea", "cilsim-my-idea", "cilsim_my_idea"])
def test_a_name_may_be_written_in_each_of_its_forms(given: str) -> None:
    naming = parse_name(given)

    assert (naming.hyphened, naming.name) == ("my-idea", "my_idea")
    assert (naming.distribution, naming.package) == ("cilsim-my-idea", "cilsim_my_idea")
    assert naming.title == "My idea"
    assert naming.class_name("strategy") == "MyIdeaStrategy"


def test_a_class_is_called_what_it_is_once() -> None:
    assert parse_name("my-strategy").class_name("strategy") == "MyStrategy"
    assert parse_name("strategy").class_name("strategy") == "StrategyStrategy"


@pytest.mark.parametrize(
    "given", ["My-Idea", "my idea", "2nd", "", "a--b", "../up", "a" * 61, "naïve"]
)
def test_what_cannot_be_a_name_is_refused(cli: Command, tmp_path: Path, given: str) -> None:
    outcome = cli("plugin", "new", given, "--dir", tmp_path)

    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        f"error: plugin name '{given}': expected small letters, digits and hyphens, at most 60, "
        "such as 'my-strategy'\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_word_of_yaml_is_refused(cli: Command, tmp_path: Path) -> None:
    outcome = cli("plugin", "new", "null", "--dir", tmp_path)

    assert (outcome.code, outcome.err) == (
        2,
        "error: plugin name 'null': a scenario file would not read it as a name\n",
    )


@pytest.mark.parametrize(
    ("given", "kind", "complaint"),
    [
        ("nmc", "strategy", "strategy 'nmc' is taken by cilsim 0.1.0"),
        ("naive", "discovery", "strategy 'naive' is taken by cilsim 0.1.0"),
        ("teen", "calibrator", "calibrator 'teen' is taken by cilsim 0.1.0"),
        ("nmc", "calibrator", "a plugin of cilsim 0.1.0 has it already"),
    ],
)
def test_a_taken_name_is_refused(
    cli: Command, tmp_path: Path, given: str, kind: str, complaint: str
) -> None:
    outcome = cli("plugin", "new", given, "--kind", kind, "--dir", tmp_path)

    assert (outcome.code, outcome.err) == (2, f"error: plugin name '{given}': {complaint}\n")


def test_a_folder_that_exists_is_left_alone(cli: Command, tmp_path: Path) -> None:
    mine = tmp_path / "cilsim-my-idea" / "thesis.tex"
    mine.parent.mkdir()
    mine.write_text("years of work")

    outcome = cli("plugin", "new", "my-idea", "--dir", tmp_path)

    assert (outcome.code, outcome.err) == (
        2,
        f"error: {tmp_path / 'cilsim-my-idea'}: exists already; choose another name or --dir\n",
    )
    assert [path.read_text() for path in mine.parent.iterdir()] == ["years of work"]


def test_a_place_that_is_no_folder_is_refused(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    outcome = cli("plugin", "new", "my-idea", "--dir", tmp_path / "file")

    assert (outcome.code, outcome.err) == (
        2,
        f"error: {tmp_path / 'file' / 'cilsim-my-idea'}: cannot be written: Not a directory\n",
    )


def test_a_plugin_that_cannot_be_written_leaves_nothing_behind(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "write_text", full)
    outcome = cli("plugin", "new", "my-idea", "--dir", tmp_path)

    place = tmp_path / "cilsim-my-idea"
    assert (outcome.code, outcome.err) == (
        2,
        f"error: {place}: cannot be written: Input/output error\n",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_is_in_good_style(cli: Command, tmp_path: Path, kind: str) -> None:
    cli("plugin", "new", "my-idea", "--kind", kind, "--dir", tmp_path)
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run(
            [*ruff, *command, "."], cwd=tmp_path / "cilsim-my-idea", text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_of_the_strategy_is_short(kind: Any) -> None:
    texts = rendered(parse_name("my-idea"), kind)
    (code,) = (text for place, text in texts.items() if place.endswith(("strategy.py", "tor.py")))
    assert len(code.splitlines()) <= 41
