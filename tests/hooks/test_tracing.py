"""CILSIM_TRACE: what is written about each hook call, and that it costs nothing when off."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pluggy
import pytest

from cilsim import hookimpl, hookspecs
from cilsim.errors import CilsimError
from cilsim.plugins import discover, new_manager
from cilsim.testing import Project
from cilsim.trace_output import in_words
from cilsim.tracing import TracedManager


class Watches:
    """Watches a run, with one hook per step and one wrapper."""

    cilsim_api = 1

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self) -> Generator[None, Any, Any]:
        return (yield)

    @hookimpl(wrapper=True)
    def cilsim_training_loss(self) -> Generator[None, Any, Any]:
        return (yield)


def traced(folder: Path, capsys: Any, value: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the trace of a run of two experiences with two optimiser steps in the base."""
    monkeypatch.setenv("CILSIM_TRACE", value)
    monkeypatch.setenv("CILSIM_PLUGINS", "nmc")
    project = Project.create(folder, [("watches", Watches())])
    capsys.readouterr()
    recipe = {"epochs": 1, "batch_size": 60, "lr": 0.05}
    stream = {"kind": "class_incremental", "sizes": [2, 2]}
    scenario = project.ring_scenario("nmc", stream, base_training=recipe)
    assert not project.run(scenario).failures
    return re.sub(r"\d+\.\d+ (ms|s)", "TIME", capsys.readouterr().err).splitlines()


EXPERIENCE_0 = [
    "trace: cilsim_train_experience  cilsim defaults ...",
    "trace:   cilsim_training_loss  cilsim defaults  2 calls, TIME",
    "trace:   cilsim_training_loss  watches (wrapper)  2 calls, TIME",
    "trace: cilsim_train_experience  cilsim defaults  TIME",
]
AFTER_LEARNING = "trace: cilsim_train_experience  watches (wrapper)  TIME"
AFTER_EVALUATION = [
    "trace: cilsim_scores  cilsim defaults  {calls}, TIME",
    "trace: cilsim_on_checkpoint  StatusKeeper  TIME",
]


def evaluated(calls: str) -> list[str]:
    return [line.format(calls=calls) for line in AFTER_EVALUATION]


def test_each_call_has_its_plugin_and_its_time(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = traced(tmp_path, capsys, "1", monkeypatch)
    assert [line for line in lines if "_register_" not in line] == [
        *EXPERIENCE_0,
        AFTER_LEARNING,
        *evaluated("1 call"),
        "trace: cilsim_train_experience  cilsim defaults  TIME",
        AFTER_LEARNING,
        *evaluated("1 call"),
    ]


def test_with_2_each_step_has_a_line(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = traced(tmp_path, capsys, "2", monkeypatch)
    step = [
        "trace:   cilsim_training_loss  cilsim defaults  TIME",
        "trace:   cilsim_training_loss  watches (wrapper)  TIME",
    ]
    assert lines[1:5] == [*step, *step]


def test_registration_is_traced(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CILSIM_TRACE", "1")
    monkeypatch.setenv("CILSIM_PLUGINS", "teen")
    discover()
    called = [line.split()[1:3] for line in capsys.readouterr().err.splitlines()]
    core = ["streams", "datasets", "backbones"]
    assert called == [
        *(["cilsim_register_" + kind, "cilsim"] for kind in core),
        *(["cilsim_register_" + kind, "teen"] for kind in ("strategies", "calibrators")),
    ]


def test_a_file_gets_an_object_per_call(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "trace.jsonl"
    assert traced(tmp_path, capsys, str(file), monkeypatch) == []
    calls = [json.loads(line) for line in file.read_text().splitlines()]
    calls = [call for call in calls if "_register_" not in call["hook"]]
    assert [(call["hook"], call["plugin"], call["depth"]) for call in calls[:5]] == [
        ("cilsim_training_loss", "cilsim defaults", 1),
        ("cilsim_training_loss", "watches (wrapper)", 1),
        ("cilsim_training_loss", "cilsim defaults", 1),
        ("cilsim_training_loss", "watches (wrapper)", 1),
        ("cilsim_train_experience", "cilsim defaults", 0),
    ]
    inside, outside = calls[0]["seconds"] + calls[2]["seconds"], calls[4]["seconds"]
    assert 0 < inside < outside


def test_results_are_the_same_with_a_trace(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for name, value in (("off", ""), ("on", "1")):
        (tmp_path / name).mkdir()
        traced(tmp_path / name, capsys, value, monkeypatch)
        stored = tmp_path / name / "runs" / "toy" / "nmc" / "seed-0"
        files.append((stored / "metrics.jsonl").read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize("value", [None, "", "0"])
def test_off_there_is_nothing_on_the_way(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("CILSIM_TRACE", raising=False)
    if value is not None:
        monkeypatch.setenv("CILSIM_TRACE", value)
    manager = new_manager()
    assert type(manager) is pluggy.PluginManager
    manager.register(watches := Watches())
    (implementation,) = manager.hook.cilsim_training_loss.get_hookimpls()
    assert implementation.function == watches.cilsim_training_loss


def test_another_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CILSIM_TRACE", "yes")
    with pytest.raises(CilsimError) as error:
        new_manager()
    assert str(error.value) == (
        "CILSIM_TRACE: found 'yes', expected 1, 2 or a file such as 'trace.jsonl'"
    )


def test_a_file_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "missing" / "trace.jsonl"
    monkeypatch.setenv("CILSIM_TRACE", str(path))
    with pytest.raises(CilsimError) as error:
        new_manager()
    assert str(error.value) == f"CILSIM_TRACE: {path}: No such file or directory"


class Record:
    """A trace that remembers the order of what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def begins(self, hook: str, plugin: str) -> None:
        self.told.append(("begins", plugin))

    def ends(self, hook: str, plugin: str, seconds: float) -> None:
        self.told.append(("ends", plugin))


def test_a_call_that_fails_has_ended_too() -> None:
    class Fails:
        @hookimpl
        def cilsim_train_experience(self) -> None:
            raise LookupError("no such mean")

    record = Record()
    manager = TracedManager("cilsim", record)
    manager.add_hookspecs(hookspecs)
    manager.register(Fails())
    manager.register(Watches(), "watches")
    with pytest.raises(LookupError, match="no such mean"):
        manager.hook.cilsim_train_experience(run=None, strategy=None, experience=None)
    assert record.told == [
        ("begins", "Fails"),
        ("ends", "Fails"),
        ("begins", "watches (wrapper)"),
        ("ends", "watches (wrapper)"),
    ]


def test_times_have_a_unit() -> None:
    assert [in_words(seconds) for seconds in (0.00031, 0.5, 1.25)] == [
        "0.3 ms",
        "500.0 ms",
        "1.25 s",
    ]
