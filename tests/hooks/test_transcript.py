"""The transcript of a run, as a plugin that implements every hook sees it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cilsim import hookimpl, hookspecs
from cilsim.errors import PluginError

EVERY_HOOK = [name for name in vars(hookspecs) if name.startswith("cilsim_")]

REGISTRATION = [
    "cilsim_register_strategies",
    "cilsim_register_calibrators",
    "cilsim_register_streams",
    "cilsim_register_datasets",
    "cilsim_register_backbones",
    "cilsim_register_metrics",
]

RUN = [
    "cilsim_before_run",
    "cilsim_before_experience",
    "cilsim_train_experience",
    "cilsim_training_loss",
    "cilsim_training_loss",
    "cilsim_on_scalars",
    "cilsim_calibrate_prototypes",
    "cilsim_after_training",
    "cilsim_scores",
    "cilsim_after_evaluation",
    "cilsim_on_checkpoint",
    "cilsim_before_experience",
    "cilsim_train_experience",
    "cilsim_calibrate_prototypes",
    "cilsim_after_training",
    "cilsim_scores",
    "cilsim_after_evaluation",
    "cilsim_on_checkpoint",
    "cilsim_after_run",
]


def recorder(transcript: list[str]) -> Any:
    """Return a plugin that implements every hook, notes its name and returns None."""

    def noting(name: str) -> Any:
        return staticmethod(hookimpl(specname=name)(lambda: transcript.append(name)))

    return type("Recorder", (), {name: noting(name) for name in EVERY_HOOK})()


def test_a_run_of_two_experiences_calls_the_hooks_in_this_order(toy: Any) -> None:
    transcript: list[str] = []
    outcome = toy(recorder(transcript), calibrators=["teen"])
    assert not outcome.failures
    assert transcript == [*REGISTRATION, *RUN]


def test_the_documented_transcript_is_this_order() -> None:
    documented = re.findall(r"^ {4,}(cilsim_\w+)", hookspecs.__doc__ or "", flags=re.MULTILINE)
    once_per_step = [name for number, name in enumerate(RUN) if name != RUN[number - 1]]
    assert documented == [*REGISTRATION, *once_per_step]


def test_a_discovery_stream_asks_for_assignments_once_samples_are_unlabelled(toy: Any) -> None:
    transcript: list[str] = []
    stream = {
        "kind": "novel_class_discovery",
        "dataset": {"name": "arrays", "path": "ring.npz"},
        "labelled_classes": 2,
        "novel_classes": 2,
    }
    outcome = toy(recorder(transcript), strategy="kmeans_discovery", stream=stream)
    assert not outcome.failures
    evaluated = [name for name in transcript if name in ("cilsim_scores", "cilsim_assign")]
    assert evaluated == ["cilsim_scores", "cilsim_assign", "cilsim_assign"]


def test_every_evaluation_batch_asks_for_scores(toy: Any) -> None:
    transcript: list[str] = []
    toy(recorder(transcript), evaluate={"batch_size": 50})
    assert transcript.count("cilsim_scores") == 2 + 3  # 60 test samples, then 120


def test_a_failing_run_ends_with_on_run_error(toy: Any) -> None:
    transcript: list[str] = []

    class Breaks:
        @hookimpl
        def cilsim_after_training(self) -> None:
            raise PluginError("breaks", "'breaks' does not go on")

    outcome = toy(recorder(transcript), Breaks())
    assert [failure.message for failure in outcome.failures] == [
        "plugin 'plugin-1' of this process: cilsim_after_training, experience 0: "
        "'breaks' does not go on"
    ]
    assert transcript[-1] == "cilsim_on_run_error"
    assert "cilsim_after_run" not in transcript


@pytest.mark.parametrize("name", EVERY_HOOK)
def test_every_hook_is_documented_in_the_transcript(name: str) -> None:
    assert name in (hookspecs.__doc__ or "")
