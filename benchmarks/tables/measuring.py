"""Runs one row of a table, or takes what an earlier command left of it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.tables.catalogue import METRICS
from benchmarks.tables.figures import Row
from benchmarks.tables.jobs import Job
from cilsim.errors import RunFailed
from cilsim.plugins import Plugins
from cilsim.records import RunResult
from cilsim.results.manifest import MANIFEST
from cilsim.runner.request import RunRequest
from cilsim.runner.scenario_run import run_scenario


def measure(job: Job, plugins: Plugins, out: Path) -> Row:
    """Return the figures of a row; finished runs under `out` are not run again.

    Each row has a run folder of its own, so that a strategy more in the file does not make the
    others run again. A base that several rows share is trained once, as always.

    Raises:
        CilsimError: the row cannot be run, or a run failed.
    """
    alone = replace(job.scenario, strategies=(job.choice,))
    outcome = run_scenario(alone, plugins, RunRequest(out / job.label, device="cpu"))
    if outcome.failures:
        failure = outcome.failures[0]
        raise RunFailed(f"{failure.strategy}, seed {failure.seed}: {failure.message}")
    facts = json.loads((outcome.folder / MANIFEST).read_text(encoding="utf-8"))
    return Row(
        recipe=job.recipe,
        scenario_hash=facts["scenario_hash"],
        measured_on=_measured_on(facts),
        kept=fmean(sum(result.evaluations[-1].kept.values()) for result in outcome.results),
        seeds={result.run.seed: _figures(result) for result in outcome.results},
    )


def _figures(result: RunResult) -> dict[str, float]:
    final = result.final
    return {name: round(final[name], 6) for name in METRICS if name in final}


def _measured_on(facts: dict[str, Any]) -> dict[str, Any]:
    packages = {name: facts["packages"][name] for name in ("cilsim", "torch", "numpy")}
    machine = {"cpu": facts["cpu"], "instructions": facts["torch"]["cpu_capability"]}
    now = {"date": time.strftime("%Y-%m-%d"), "threads": facts["threads"]}
    return {**now, **machine, "python": facts["python"], **packages}
