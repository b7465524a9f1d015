"""Reads run folders back: the scenario, and results as the records that reports are made of."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.metrics.evaluate import evaluate_next
from cilsim.plugins import Plugins
from cilsim.records import Evaluation, RunInfo, RunResult, StreamInfo
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.results.scenario_files import RESOLVED, SCENARIO
from cilsim.results.seed_folder import SeedFolder
from cilsim.results.shelf import Shelf
from cilsim.results.stream_file import read_stream
from cilsim.runner.references import with_references
from cilsim.scenario.load import load_text
from cilsim.scenario.resolved import resolved_yaml
from cilsim.scenario.schema import Scenario, SourceFile, StrategyChoice

AGAIN = "give the command again that started the run"


def scenario_in(folder: RunFolder, plugins: Plugins) -> Scenario:
    """Return the scenario of a run folder with the values that it was run with.

    Raises:
        ScenarioError: it names something that is no longer installed, or was changed.
    """
    where = str(folder.path / RESOLVED)
    return load_text(folder.resolved_text, where, plugins.registries, with_data=False)


def scenario_to_resume(folder: RunFolder, plugins: Plugins) -> Scenario:
    """Return the scenario of a run folder, one of whose two copies may be damaged.

    Raises:
        ScenarioError: it names something that is no longer installed, or was changed.
        RunFolderError: `resolved.yaml` is damaged, and `scenario.yaml` does not give it back.
    """
    try:
        scenario = scenario_in(folder, plugins)
    except CheckpointError as damage:
        return _scenario_as_given(folder, plugins, damage)
    try:
        text = folder.scenario_text
    except (CheckpointError, RunFolderError):  # the folder takes the resolved one, with a warning
        text = folder.resolved_text
    return replace(scenario, name=folder.path.name, source=SourceFile(None, text))


def _scenario_as_given(folder: RunFolder, plugins: Plugins, damage: CheckpointError) -> Scenario:
    """Return the scenario made from `scenario.yaml`, if it certainly is the one that was run."""
    try:
        text, where = folder.scenario_text, str(folder.path / SCENARIO)
    except (CheckpointError, RunFolderError) as error:
        raise RunFolderError(f"{error}; {AGAIN}") from error
    scenario = load_text(text, where, plugins.registries, with_data=False)
    scenario = replace(scenario, name=folder.path.name, source=SourceFile(None, text))
    if not folder.files.agrees(RESOLVED, resolved_yaml(scenario).encode()):
        raise RunFolderError(
            f"{damage}; {SCENARIO} beside it was run with further options; {AGAIN}"
        ) from damage
    return scenario


def results_in(folder: RunFolder, scenario: Scenario) -> list[RunResult]:
    """Return every finished run of a folder, strategies in the order of the scenario.

    Metrics that follow from the stored predictions are computed anew; the data are not needed.

    Raises:
        CheckpointError: a file is missing or damaged; the message says what helps.
    """
    try:
        results = list(_results(folder, scenario))
    except CheckpointError as error:
        command = shlex.join(["cilsim", "resume", str(folder.path)])
        raise CheckpointError(f"{error}; rebuild it with: {command}") from error
    names = {choice.label: choice.name for choice in scenario.strategies}
    return with_references(results, names)


def _results(folder: RunFolder, scenario: Scenario) -> Iterator[RunResult]:
    device = str((read_manifest(folder.path) or {}).get("device", ""))
    for choice in scenario.strategies:
        for seed in scenario.seeds:
            stored = folder.seed_folder(choice.label, seed)
            stream = read_stream(stored.path)
            if stream is not None and stored.finished(len(stream.experiences)):
                yield _result(_info(scenario, choice, stored, stream, device), stored)


def _info(
    scenario: Scenario, choice: StrategyChoice, stored: SeedFolder, stream: StreamInfo, device: str
) -> RunInfo:
    return RunInfo(
        scenario=scenario.name,
        strategy=choice.label,
        seed=stored.seed,
        stream=stream,
        device=device,
        folder=stored.path,
        options=choice.options.model_dump(mode="json"),
        calibrators=tuple(calibrator.name for calibrator in choice.calibrators),
    )


def _result(info: RunInfo, stored: SeedFolder) -> RunResult:
    metrics, costs = stored.read_metrics(), stored.read_ledger().get("experiences", [])
    evaluations: list[Evaluation] = []
    shelf, known = Shelf(stored, info.stream), None
    for experience, cost in enumerate(costs):
        predicted = stored.read_predicted(experience)
        known = evaluate_next(predicted.test, info.stream, known)
        evaluations.append(
            Evaluation(
                experience=experience,
                values={**metrics[experience], **known.values},
                accuracy_matrix=known.accuracy_matrix,
                confusion=known.confusion,
                predictions=predicted.test,
                unlabelled=predicted.unlabelled,
                seconds=cost.get("seconds", {}),
                kept=cost.get("bytes_kept", {}),
            )
        )
        shelf.tidy(evaluations)
    seconds = sum(sum(evaluation.seconds.values()) for evaluation in evaluations)
    return RunResult(info, tuple(evaluations), seconds)
