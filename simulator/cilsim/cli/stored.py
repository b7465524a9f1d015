"""Reads run folders back: the scenario, and results as the records that reports are made of."""

from __future__ import annotations

from cilsim.metrics.evaluate import recompute
from cilsim.plugins import Plugins
from cilsim.records import Evaluation, RunInfo, RunResult, StreamInfo
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RESOLVED, RunFolder
from cilsim.results.seed_folder import SeedFolder
from cilsim.results.stream_file import read_stream
from cilsim.runner.references import with_references
from cilsim.scenario.load import load_text
from cilsim.scenario.schema import Scenario, StrategyChoice


def scenario_in(folder: RunFolder, plugins: Plugins) -> Scenario:
    """Return the scenario of a run folder with the values that it was run with.

    Raises:
        ScenarioError: it names something that is no longer installed, or was changed.
    """
    where = str(folder.path / RESOLVED)
    return load_text(folder.resolved_text, where, plugins.registries, with_data=False)


def results_in(folder: RunFolder, scenario: Scenario) -> list[RunResult]:
    """Return every finished run of a folder, strategies in the order of the scenario.

    Metrics that follow from the stored predictions are computed anew; the data are not needed.

    Raises:
        CheckpointError: a file is damaged.
    """
    device = str((read_manifest(folder.path) or {}).get("device", ""))
    results = []
    for choice in scenario.strategies:
        for seed in scenario.seeds:
            stored = folder.seed_folder(choice.label, seed)
            stream = read_stream(stored.path)
            if stream is not None and stored.finished(len(stream.experiences)):
                info = _info(scenario, choice, stored, stream, device)
                results.append(_result(info, stored))
    names = {choice.label: choice.name for choice in scenario.strategies}
    return with_references(results, names)


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
    history = stored.read_history()
    tests = [predicted.test for predicted in history]
    metrics, costs = stored.read_metrics(), stored.read_ledger().get("experiences", [])
    evaluations = tuple(
        Evaluation(
            experience=known.experience,
            values={**metrics[known.experience], **known.values},
            accuracy_matrix=known.accuracy_matrix,
            confusion=known.confusion,
            predictions=predicted.test,
            unlabelled=predicted.unlabelled,
            seconds=cost.get("seconds", {}),
            kept=cost.get("bytes_kept", {}),
        )
        for known, predicted, cost in zip(
            recompute(tests, info.stream), history, costs, strict=True
        )
    )
    seconds = sum(sum(evaluation.seconds.values()) for evaluation in evaluations)
    return RunResult(info, evaluations, seconds)
