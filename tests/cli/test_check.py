"""`cilsim check`: every problem at once, with its place, and exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

FEW_SHOT = """\
stream:
  kind: few_shot_class_incremental
  dataset: digits
  base_classes: 6
  way: 2
  shot: 5
strategy: nmc
"""


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_fine_scenario_is_said_on_stdout(cli: Command, tiny: Path) -> None:
    outcome = cli("check", tiny)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "tiny.yaml: fine: class_incremental, B0-Inc2 on arrays, strategies nmc, far, seeds 0, 1\n"
    )


def test_the_json_of_a_fine_scenario(cli: Command, tiny: Path) -> None:
    outcome = cli("check", tiny, "--json")

    assert (outcome.code, outcome.document()) == (
        0,
        {
            "fine": True,
            "scenarios": [
                {
                    "file": "tiny.yaml",
                    "name": "tiny",
                    "stream": "class_incremental",
                    "protocol": "B0-Inc2",
                    "dataset": "arrays",
                    "strategies": ["nmc", "far"],
                    "seeds": [0, 1],
                }
            ],
            "problems": [],
        },
    )


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("strategy=nmmc",),
            "--set strategy=nmmc: strategy: no strategy is named 'nmmc'; did you mean 'nmc'?",
        ),
        (
            ("stream.increment=4",),
            "--set stream.increment=4: stream.increment: 6 classes of arrays are left after the "
            "base, which 4 does not divide; 'uneven: true' makes the last experience 2",
        ),
        (
            ("stream.dataset=cifar100",),
            "--set stream.dataset=cifar100: stream.dataset: data set 'cifar100': neither "
            "'cifar-100-python.tar.gz' (169001437 bytes, md5 eb9058c3a382ffc7106e4002c42a8d85) nor "
            "the unpacked folder 'cifar-100-python' is in '{data}/cifar100' - fetch it with "
            "'cilsim data fetch cifar100' or from "
            "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz into that folder; "
            "the data set 'glyphs100' needs no download",
        ),
    ],
    ids=["unknown strategy", "classes do not divide", "missing data"],
)
def test_a_problem_names_its_place(
    cli: Command,
    tiny: Path,
    monkeypatch: pytest.MonkeyPatch,
    overrides: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setenv("CILSIM_DATA", str(tiny.absolute().parent))
    options = [part for override in overrides for part in ("--set", override)]

    outcome = cli("check", tiny, *options)

    expected = message.replace("{data}", str(tiny.absolute().parent))
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {expected}\n")


@pytest.mark.parametrize(
    ("old", "new", "message", "column"),
    [
        (
            "way: 2",
            "way: 3",
            "many.yaml:5:8: stream.way: 4 classes of digits are left after the base, which 3 does "
            "not divide; 'sessions: 1' leaves 1 out",
            8,
        ),
        (
            "shot: 5",
            "sessions: 3",
            "many.yaml:6:13: stream.sessions: 6 + 3 x 2 = 12 classes are asked for, digits has 10; "
            "at most 2 sessions fit",
            13,
        ),
        (
            "shot: 5",
            "shot: 500",
            "many.yaml:6:9: stream.shot: 500 training samples of each new class are asked for, "
            "class '8' of digits has 122",
            9,
        ),
    ],
    ids=["way beyond the classes", "sessions beyond the classes", "shots beyond the images"],
)
def test_a_stream_beyond_the_data_is_shown_in_the_file(
    cli: Command, tiny: Path, old: str, new: str, message: str, column: int
) -> None:
    _write(Path("many.yaml"), FEW_SHOT.replace(old, new))

    outcome = cli("check", "many.yaml")

    assert (outcome.code, outcome.out) == (2, "")
    number = message.split(":")[1]
    assert outcome.err == (f"error: {message}\n     {number} |   {new}\n       |{' ' * column}^\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tinny.yaml", "tinny.yaml: no such file; did you mean 'tiny.yaml'?"),
        (
            "void.yaml",
            "void.yaml:1:1: the file is empty; a scenario needs at least 'stream' and 'strategy'",
        ),
        ("folder", "folder: is a folder, expected a YAML file"),
    ],
)
def test_a_file_that_is_none(cli: Command, tiny: Path, name: str, message: str) -> None:
    _write(Path("void.yaml"), "")
    Path("folder").mkdir()

    outcome = cli("check", name)

    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {message}\n")


def test_the_fine_files_are_named_beside_the_problems_of_the_others(
    cli: Command, tiny: Path
) -> None:
    outcome = cli("check", "a/none.yaml", tiny, "b/none.yaml")

    assert outcome.code == 2
    assert outcome.out.startswith("tiny.yaml: fine: ")
    assert outcome.err == ("error: a/none.yaml: no such file\nerror: b/none.yaml: no such file\n")


def test_the_json_of_problems(cli: Command, tiny: Path) -> None:
    outcome = cli("check", tiny, "--json", "--set", "seeds=[-1]", "--set", "sedes=1")

    assert (outcome.code, outcome.err) == (2, "")
    document = outcome.document()
    assert (document["fine"], document["scenarios"]) == (False, [])
    assert [(one["where"], one["path"]) for one in document["problems"]] == [
        ("--set seeds=[-1]", "seeds.0"),
        ("--set sedes=1", "sedes"),
    ]
    assert document["problems"][1]["message"] == "unknown key; did you mean 'seeds'?"


LOCAL = """
from cilsim import Options, hookimpl

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register):
    register("local", "{name}:Local", summary="lies beside the scenario")
"""


def test_a_plugin_file_can_be_used(cli: Command, tiny: Path) -> None:
    _write(Path("beside_check.py"), LOCAL.replace("{name}", "beside_check"))

    outcome = cli("check", tiny, "--plugin", "beside_check.py", "--set", "strategy=local")

    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("gone.py", None, "no such file"),
        ("fromt_here.py", None, "no such file; did you mean 'from_here.py'?"),
        (
            "folder",
            None,
            "is a folder; expected a file such as 'my_strategy.py'; a package is used once it is "
            "installed",
        ),
        ("my-plugin.py", "", "expected a file such as 'my_strategy.py'"),
        ("json.py", "", "a module 'json' is installed already; rename the file"),
        ("raises_here.py", "1 / 0", "importing it fails: ZeroDivisionError: division by zero"),
        (
            "says_no_api.py",
            "",
            "it does not declare the interface that it was written for; add `cilsim_api = 1` to "
            "'says_no_api'",
        ),
    ],
)
def test_a_plugin_file_that_cannot_be_used(
    cli: Command, tiny: Path, name: str, text: str | None, message: str
) -> None:
    Path("folder").mkdir()
    _write(Path("from_here.py"), "")
    if text is not None:
        _write(Path(name), text)

    outcome = cli("check", tiny, "--plugin", name)

    assert outcome.code == 2
    assert outcome.err.replace(str(Path.cwd()) + "/", "") == f"error: --plugin {name}: {message}\n"


def test_a_plugin_file_is_given_once(cli: Command, tiny: Path) -> None:
    _write(Path("given_twice.py"), LOCAL.replace("{name}", "given_twice"))

    outcome = cli("check", tiny, "--plugin", "given_twice.py", "--plugin", "./given_twice.py")

    assert (outcome.code, outcome.err) == (
        2,
        "error: --plugin given_twice.py: this file is given twice\n",
    )


def test_two_plugin_files_with_the_same_strategy_are_told_apart(cli: Command, tiny: Path) -> None:
    for name in ("first_of_two", "second_of_two"):
        _write(Path(f"{name}.py"), LOCAL.replace("{name}", name))

    outcome = cli("check", tiny, "--plugin", "first_of_two.py", "--plugin", "second_of_two.py")

    assert (outcome.code, outcome.err) == (
        2,
        f"error: --plugin {Path.cwd() / 'second_of_two.py'}: strategy 'local' of this process is "
        "refused: the name is taken by plugin 'first_of_two' of this process\n",
    )
