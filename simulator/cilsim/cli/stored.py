"""Reads run folders back: the scenario, and results as the records that reports are made of."""

from __future__ import annotations

from cilsim.errors import RunFolderError
from cilsim.metrics.evaluate import recompute
from cilsim.plugins import Plugins
from cilsim.records import Evaluation, RunInfo, RunResult, StreamInfo
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RESOLVED, RunFolder
from cilsim.results.seed_folder import SeedFolder
from cilsim.runner.planning import data_facts, plan_stream
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


def results_in(folder: RunFolder, scenario: Scenario, plugins: Plugins) -> list[RunResult]:
    """Return every finished run of a folder, strategies in the order of the scenario.

    Metrics that follow from the stored predictions are computed anew.

    Raises:
        DataError: the data set, whose class ids are needed, is not here.
        CheckpointError: a file is damaged.
        RunFolderError: the data set is no longer the one that the runs were made with.
    """
    facts = data_facts(scenario, plugins)
    _refuse_other_data(folder, plan_stream(scenario, plugins, scenario.seeds[0], facts)[1])
    device = str((read_manifest(folder.path) or {}).get("device", ""))
    results = []
    for choice in scenario.strategies:
        for seed in scenario.seeds:
            stored = folder.seed_folder(choice.label, seed)
            stream = plan_stream(scenario, plugins, seed, facts)[1]
            if stored.finished(len(stream.experiences)):
                info = _info(scenario, choice, stored, stream, device)
                results.append(_result(info, stored))
    names = {choice.label: choice.name for choice in scenario.strategies}
    return with_references(results, names)


def _refuse_other_data(folder: RunFolder, stream: StreamInfo) -> None:
    expected = (read_manifest(folder.path) or {}).get("stream_digest", stream.digest)
    if expected != stream.digest:
        raise RunFolderError(
            f"{folder.path}: the data set '{stream.dataset}' gives another class "
            "order or split than the runs had; put its files back as they were"
        )


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
    history = stored.read_predictions()
    metrics, costs = stored.read_metrics(), stored.read_ledger().get("experiences", [])
    evaluations = tuple(
        Evaluation(
            experience=known.experience,
            values={**metrics[known.experience], **known.values},
            accuracy_matrix=known.accuracy_matrix,
            confusion=known.confusion,
            predictions=predictions,
            seconds=cost.get("seconds", {}),
            kept=cost.get("bytes_kept", {}),
        )
        for known, predictions, cost in zip(
            recompute(history, info.stream), history, costs, strict=True
        )
    )
    seconds = sum(sum(evaluation.seconds.values()) for evaluation in evaluations)
    return RunResult(info, evaluations, seconds)
