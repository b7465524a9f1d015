"""Promises that are judged by running: each function tries one and says what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cilsim.errors import Interrupted
from cilsim.runner.interruption import StopRequest
from cilsim.runner.request import ScenarioOutcome
from cilsim.seeding import derive_seed
from cilsim.testing.check_spies import CountedStop, StateSpy
from cilsim.testing.project import RunFiles
from cilsim.testing.spies import StopAfterCheckpoint
from cilsim.testing.trial import Trial, write_trial_data
from cilsim.testing.trial_streams import HIDDEN, ONE_CLASS, PER_CLASS, RECIPE, STREAMS, TESTS
from cilsim.testing.verdicts import Broken

BOOKKEEPING = 4096
"""Bytes of a state that need not be declared: counters, small tables."""


def runs(trial: Trial) -> str:
    """Return how many experiences the main stream had."""
    if trial.main.files is None:
        raise Broken(trial.failure)
    return _said(trial.main.files, trial.main_kind)


def has_right_shapes(trial: Trial) -> str:
    """Return for how many classes there were scores."""
    shapes = trial.main.shapes
    if shapes.wrong:
        raise Broken(f"returned {shapes.wrong[0]}")
    seen = ", ".join(map(str, shapes.seen))
    ids = "one cluster id per sample" if shapes.assigned else ""
    return " and ".join(filter(None, [f"scores over {seen} classes" if seen else "", ids]))


def repeats_itself(trial: Trial) -> str:
    """Return how many files of two equal runs were compared."""
    first = _bytes_of_main(trial)
    _require_equal(first, _finished(trial, trial.main_scenario()).deterministic_bytes())
    return f"{len(first)} files of two runs are equal byte for byte"


def resumes(trial: Trial) -> str:
    """Return where runs were stopped before they went on.

    One is stopped once, at a step drawn by lot, which may be inside a training; one after each
    experience, so that whatever an experience leaves behind has to be taken over.
    """
    scenario, looks = trial.main_scenario(), trial.main.stop.looks
    at = 1 + derive_seed(0, "plugin check", trial.subject.entry.name) % looks
    name = trial.new_name()
    try:
        trial.project.run(scenario, name, stop=CountedStop(at))
    except Interrupted:
        outcome = trial.project.run(scenario, name)
        if outcome.failures:
            raise Broken(f"going on fails: {trial.told(outcome, name)}") from None
    where = f"stopped at step {at} of {looks}"
    _require_equal(_bytes_of_main(trial), trial.files(name).deterministic_bytes(), f"{where}: ")
    _resumes_after_each_experience(trial)
    return f"{where}, and after each experience: the same files byte for byte"


def _resumes_after_each_experience(trial: Trial) -> None:
    name, where = trial.new_name(), "stopped after each experience"
    while not (outcome := _until_a_checkpoint(trial, name)):
        pass
    if outcome.failures:
        raise Broken(f"{where}: going on fails: {trial.told(outcome, name)}")
    _require_equal(_bytes_of_main(trial), trial.files(name).deterministic_bytes(), f"{where}: ")


def _until_a_checkpoint(trial: Trial, name: str) -> ScenarioOutcome | None:
    """Go on with a run up to its next checkpoint; return its outcome once it is at its end."""
    stop = StopRequest()
    spies = [StopAfterCheckpoint(stop)]
    try:
        return trial.project.run(
            trial.main_scenario(), name, stop=stop, reporters=lambda start: spies
        )
    except Interrupted:
        return None


def declares_its_memory(trial: Trial) -> str:
    """Return the bytes that are stored and those that are declared."""
    kept = trial.main.kept
    found = f"state_dict() holds {kept.stored:,} bytes of tensors, kept() says {kept.declared:,}"
    if kept.stored > kept.declared + BOOKKEEPING:
        raise Broken(found)
    return found


def stores_plain_data(trial: Trial) -> str:
    """Return after how many experiences the state could be stored."""
    return f"{len(trial.main.states.digests)} states of tensors and plain data"


def leaves_its_samples(trial: Trial) -> str:
    """Return how many times the samples were looked at."""
    before, after = trial.main.samples.before, trial.main.samples.after
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        if one != other:
            raise Broken(f"the samples of experience {index} changed while it was learnt")
    return f"those of {len(before)} experiences are as they were"


def learns_from_nothing_hidden(trial: Trial) -> str:
    """Return what was changed without a change of what was learnt."""
    kind, spy = trial.main_kind, StateSpy()
    if trial.main.labels.leaks:
        raise Broken("samples of the unlabelled part came with labels")
    twin = trial.project.folder / "twin.npz"
    write_trial_data(twin, other_tests=True, swapped=HIDDEN.get(kind))
    _finished(trial, trial.scenario({"kind": kind, **STREAMS[kind]}, twin.name), spy)
    changed = "other test images" + (" and other hidden labels" if kind in HIDDEN else "")
    if spy.digests != trial.main.states.digests:
        raise Broken(f"{changed} change what it learns")
    return f"{changed} change nothing that it learns"


def takes_single_classes(trial: Trial) -> str:
    """Return how many experiences of one class it learnt."""
    kind = next((kind for kind in trial.subject.kinds if kind in ONE_CLASS), "")
    if not kind:
        return f"{trial.main_kind} has no such stream"
    return _said(_finished(trial, trial.scenario({"kind": kind, **ONE_CLASS[kind]})), kind)


def takes_a_last_batch_of_one(trial: Trial) -> str:
    """Return how many experiences it learnt and was evaluated on with a single sample left over.

    A single training sample left over joins the batch before it.
    """
    recipe = {**RECIPE, "batch_size": PER_CLASS - 1}
    scenario = trial.main_scenario(
        base_training=recipe,
        training=recipe,
        evaluate={"batch_size": TESTS[trial.main_kind] - 1},
    )
    return _said(_finished(trial, scenario), trial.main_kind)


def serves_what_it_says(trial: Trial) -> str:
    """Return the other stream kinds on which it ran."""
    others = trial.subject.kinds[1:]
    for kind in others:
        if trial.run(trial.scenario({"kind": kind, **STREAMS[kind]})) is None:
            raise Broken(f"{kind}: {trial.failure}")
    return f"also runs on {', '.join(others)}" if others else f"serves {trial.main_kind} alone"


def _finished(trial: Trial, scenario: Any, *spies: object, **request: Any) -> RunFiles:
    files = trial.run(scenario, *spies, **request)
    if files is None:
        raise Broken(trial.failure)
    return files


def _bytes_of_main(trial: Trial) -> dict[str, bytes]:
    assert trial.main.files is not None  # without them nothing else is tried
    return trial.main.files.deterministic_bytes()


def _said(files: RunFiles, kind: str) -> str:
    number = "1 experience" if files.experiences == 1 else f"{files.experiences} experiences"
    return f"{number} of {kind}"


def _require_equal(one: Mapping[str, bytes], other: Mapping[str, bytes], where: str = "") -> None:
    differing = [name for name in one if one[name] != other.get(name)]
    if differing:
        raise Broken(f"{where}{differing[0]} differs, with {len(differing) - 1} other files")
