"""The results of a scenario as the JSON document that commands print."""

from __future__ import annotations

from typing import Any

from cilsim.records import RunResult
from cilsim.runner.request import ScenarioOutcome


def describe_outcome(outcome: ScenarioOutcome) -> dict[str, Any]:
    """Return the results of a scenario as plain data."""
    return {
        "name": outcome.folder.name,
        "folder": str(outcome.folder),
        "runs": [describe_result(result) for result in outcome.results],
        "failures": [
            {"strategy": failure.strategy, "seed": failure.seed, "message": failure.message}
            for failure in outcome.failures
        ],
    }


def describe_result(result: RunResult) -> dict[str, Any]:
    """Return one run's metrics as plain data; accuracies are fractions."""
    return {
        "strategy": result.run.strategy,
        "seed": result.run.seed,
        "metrics": dict(sorted(result.final.items())),
        "experiences": [
            {
                "experience": evaluation.experience,
                "metrics": dict(sorted(evaluation.values.items())),
            }
            for evaluation in result.evaluations
        ],
    }
