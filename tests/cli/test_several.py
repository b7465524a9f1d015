"""`--processes`: what is refused, and who speaks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.cli import one_voice
from cilsim.cli.one_voice import Voice
from cilsim.cli.settings import Settings
from cilsim.cli.several import several, shared_threads
from cilsim.distributed.placement import Placement
from cilsim.distributed.processes import ALONE
from cilsim.errors import CilsimError, OutOfStep

Command = Callable[..., Any]
TORCHRUN = {
    "WORLD_SIZE": "4",
    "RANK": "0",
    "LOCAL_RANK": "0",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}


@pytest.mark.parametrize("count", ["0", "-1"])
def test_less_than_one_process_is_refused(cli: Command, tiny: Path, count: str):
    outcome = cli("run", tiny, "--processes", count)
    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        f"error: invalid value for '--processes': {count} is not in the range 1<=x<=1024\n",
    )


def test_another_number_than_that_of_torchrun_is_refused(
    cli: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    outcome = cli("run", tiny, "--processes", "2")
    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        "error: --processes 2: there are 4 already, as WORLD_SIZE says; leave the option out\n",
    )


@pytest.mark.parametrize("command", ["sweep", "reproduce", "advise"])
def test_other_commands_are_not_shared(cli: Command, command: str, monkeypatch: pytest.MonkeyPatch):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    outcome = cli(command, "some.yaml")
    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        f"error: cilsim {command} is not shared by processes, torchrun has started 4; start it "
        "without torchrun\n",
    )


def test_variables_that_make_no_sense_are_told_once(
    cli: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, value in {**TORCHRUN, "RANK": "x"}.items():
        monkeypatch.setenv(name, value)
    outcome = cli("check", tiny)
    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        "error: environment: RANK=x - expected a number, as torchrun sets it\n",
    )


@pytest.mark.parametrize("wanted", [None, 1])
def test_one_process_is_alone(wanted: int | None):
    with several(Settings(), wanted, "cpu") as found:
        assert found == (ALONE, "cpu")


def test_the_processes_of_a_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cilsim.cli.several.threads_per_worker", lambda count: 8 // count)
    scenario: Any = type("Scenario", (), {"threads": None})
    assert [shared_threads(scenario, wanted) for wanted in (None, 1, 2, 4)] == [None, None, 4, 2]
    scenario.threads = 3
    assert shared_threads(scenario, 2) == 3


@pytest.mark.parametrize(
    ("place", "met", "error", "heard"),
    [
        (None, False, CilsimError("bad"), True),
        (Placement(0, 2, 0), True, CilsimError("bad"), True),
        (Placement(1, 2, 1), False, CilsimError("bad"), False),
        (Placement(2, 4, 0), False, CilsimError("bad"), True),
        (Placement(1, 2, 1), True, CilsimError("bad"), False),
        (Placement(1, 2, 1), True, OutOfStep("bad", here=True), True),
        (Placement(1, 2, 1), True, OutOfStep("bad"), False),
    ],
    ids=[
        "alone", "the first", "another before they met", "the first of its machine",
        "another", "another that failed alone", "another that lost one",
    ],
)  # fmt: skip
def test_who_tells_of_an_error(
    place: Placement | None,
    met: bool,
    error: Exception,
    heard: bool,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(one_voice, "SECONDS_TO_TELL", 0.0)
    voice = Voice(place, Settings(processes_met=met))
    with voice.hushed():
        voice.speak_of(error)
        os.write(2, b"told")
    assert capfd.readouterr() == ("", "told" if heard else "")
