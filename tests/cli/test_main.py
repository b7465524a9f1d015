"""The entry point: help, names that do not exist, errors, exit codes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from cilsim.cli.main import COMMANDS, cilsim
from cilsim.errors import CilsimError, Interrupted
from cilsim.plugins import discover

Command = Callable[..., Any]

BROKEN = (
    "plugin 'fancy' of cilsim-fancy 1.2 is not used: "
    "importing 'cilsim_fancy' fails: RuntimeError: no licence"
)


def test_help_lists_every_command(cli: Command) -> None:
    outcome = cli("--help")

    assert outcome.code == 0
    listed = [
        line.split()[0] for line in outcome.out.partition("Commands:")[2].splitlines() if line
    ]
    assert listed == list(COMMANDS)


def test_no_command_shows_the_help(cli: Command) -> None:
    assert cli() == cli("--help")


def test_version_goes_to_stdout(cli: Command) -> None:
    assert cli("--version").out == "cilsim 0.1.0\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_their_own_help_says(name: str) -> None:
    command = cilsim.get_command(click.Context(cilsim), name)

    assert command is not None
    assert (command.help or "").splitlines()[0] == COMMANDS[name].summary


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chekc",), "there is no command 'chekc'; did you mean 'check'?"),
        (
            ("frobnicate",),
            f"there is no command 'frobnicate'; known: {', '.join(sorted(COMMANDS))}",
        ),
        (("plugin", "lits"), "there is no command 'lits'; did you mean 'list'?"),
        (
            ("run", "a.yaml", "--sedes", "1"),
            "there is no option '--sedes'; did you mean '--seeds'?",
        ),
        (
            ("advise", "a", "--stream", "fewshot"),
            "invalid value for '--stream': 'fewshot' is not one of 'class-incremental', "
            "'few-shot'; did you mean 'few-shot'?",
        ),
        (
            ("report", "a", "--format", "word"),
            "invalid value for '--format': 'word' is not one of 'text', 'markdown', 'latex', 'csv'",
        ),
        (("check", "a.yaml", "--zzz"), "there is no option '--zzz'; see 'cilsim check --help'"),
        (("run",), "missing argument 'FILE...'"),
        (("resume",), "missing argument 'RUN'"),
        (("plan", "a", "b"), "got unexpected extra argument (b)"),
        (("run", "a.yaml", "--seeds"), "option '--seeds' requires an argument"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    cli: Command, arguments: tuple[str, ...], message: str
) -> None:
    outcome = cli(*arguments)

    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {message}\n")


def _raise(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("cilsim.cli.commands.list.find_plugins", fail)


def test_an_internal_error_is_one_line(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _raise(ZeroDivisionError("by\nnought"), monkeypatch)

    outcome = cli("list", "strategies")

    assert outcome.code == 1
    assert outcome.err == (
        "internal error: ZeroDivisionError: by nought; run again with --debug for the traceback\n"
    )


@pytest.mark.parametrize(
    "arguments", [("--debug", "list", "metrics"), ("list", "metrics", "--debug")]
)
def test_debug_shows_the_traceback(
    cli: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    _raise(ZeroDivisionError("by nought"), monkeypatch)

    outcome = cli(*arguments)

    assert outcome.code == 1
    first, *_, last = outcome.err.splitlines()
    assert first == "Traceback (most recent call last):"
    assert last == (
        "internal error: ZeroDivisionError: by nought; run again with --debug for the traceback"
    )


def test_each_line_of_an_error_is_marked(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _raise(CilsimError("first\nsecond"), monkeypatch)

    outcome = cli("list", "metrics")

    assert (outcome.code, outcome.err) == (2, "error: first\nerror: second\n")


def test_an_interruption_has_exit_code_130(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _raise(Interrupted("stopped\nresume with: cilsim resume runs/a"), monkeypatch)

    outcome = cli("list", "metrics")

    assert (outcome.code, outcome.err) == (130, "stopped\nresume with: cilsim resume runs/a\n")


def test_ctrl_c_has_exit_code_130(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _raise(KeyboardInterrupt(), monkeypatch)

    outcome = cli("list", "metrics")

    assert (outcome.code, outcome.err) == (130, "\nstopped\n")


def test_a_broken_plugin_is_one_warning(cli: Command, broken_plugin: Path) -> None:
    outcome = cli("list", "backbones")

    assert (outcome.code, outcome.err) == (0, f"warning: {BROKEN}\n")


def test_quiet_hides_the_warning(cli: Command, broken_plugin: Path) -> None:
    assert cli("list", "backbones", "-q").err == ""


def test_a_broken_plugin_is_not_in_the_json(cli: Command, broken_plugin: Path) -> None:
    names = [row["name"] for row in cli("list", "calibrators", "--json").document()]

    assert "teen" in names


def test_an_unknown_name_is_followed_by_the_broken_plugin(
    cli: Command, broken_plugin: Path, tiny: Path
) -> None:
    known = ", ".join(discover().registries.strategies.names())

    outcome = cli("check", tiny, "--set", "strategy=fancy")

    assert outcome.code == 2
    assert outcome.err == (
        f"error: --set strategy=fancy: strategy: no strategy is named 'fancy'; known: {known}\n"
        f"warning: {BROKEN}\n"
    )


def test_what_a_terminal_cannot_show_is_replaced(fresh: Command, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    text = "stream: {kind: ncd, dataset: größe}\nstrategy: nmc\n"
    (tmp_path / "scenarios" / "a.yaml").write_text(text, encoding="utf-8")

    outcome = fresh("list", "scenarios", cwd=tmp_path, PYTHONIOENCODING="iso8859-7")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[1] == "scenarios/a.yaml  ncd on gr??e: nmc"


def test_a_reader_who_leaves_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "cilsim.cli.main", "schema"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (1, b"")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_cilsim(cli: Command, shell: str) -> None:
    if shutil.which("bash") is None and shell == "bash":
        pytest.skip("click asks bash for its version")
    outcome = cli("completion", shell)

    assert outcome.code == 0
    assert f"_CILSIM_COMPLETE={shell}_complete" in outcome.out
