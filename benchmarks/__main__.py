"""Run comparisons and print one table; `python -m benchmarks --help` lists them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.avalanche_arm import (
    AVALANCHE,
    AVALANCHE_FEATURES,
    AVALANCHE_INPUT,
    AVALANCHE_TINY,
)
from benchmarks.increment_arm import INCREMENT_5, INCREMENT_50, INCREMENT_500
from benchmarks.kmeans_arm import KMEANS_5000, KMEANS_50000, KMEANS_RESTARTS
from benchmarks.machine import describe
from benchmarks.rounds import (
    Arm,
    Quartiles,
    Samples,
    added_seconds,
    run_rounds,
    speeds,
    verdict,
)
from benchmarks.session_arm import SESSION_RESNET20, SESSION_SMALL
from benchmarks.svm_arm import SVM_5000, SVM_20000, SVM_50000
from benchmarks.training_arms import STEP_OVERHEAD, TRAIN_RESNET20, TRAIN_SMALL

ARMS: dict[str, Arm] = {
    "train-small": TRAIN_SMALL,
    "train-resnet20": TRAIN_RESNET20,
    "session-small": SESSION_SMALL,
    "session-resnet20": SESSION_RESNET20,
    "increment-5": INCREMENT_5,
    "increment-50": INCREMENT_50,
    "increment-500": INCREMENT_500,
    "step-overhead": STEP_OVERHEAD,
    "svm-5000": SVM_5000,
    "svm-20000": SVM_20000,
    "svm-50000": SVM_50000,
    "kmeans-5000": KMEANS_5000,
    "kmeans-50000": KMEANS_50000,
    "kmeans-restarts": KMEANS_RESTARTS,
    "avalanche": AVALANCHE,
    "avalanche-tiny": AVALANCHE_TINY,
    "avalanche-features": AVALANCHE_FEATURES,
    "avalanche-input": AVALANCHE_INPUT,
}

ON_REQUEST = ("svm-50000", "kmeans-50000")
"""Left out unless named: the baseline alone takes a minute per round."""


def main() -> None:
    options = _parse()
    torch.set_num_threads(options.threads)
    device = torch.device("cuda" if options.gpu else "cpu")
    machine = describe(device)
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    results = {}
    for name in options.arm or [name for name in ARMS if name not in ON_REQUEST]:
        arm = ARMS[name]
        cpu, wall = run_rounds(arm.build(device), options.rounds, device)
        judged = wall if options.gpu else cpu  # CPU time is what a busy machine cannot spoil
        judgement = verdict(judged, arm, device)
        results[name] = {"cpu_seconds": cpu, "wall_seconds": wall, "verdict": judgement}
        _print_arm(name, arm, cpu, wall, judged)
        for line in judgement:
            print(f"  {line}")
    if options.json is not None:
        report = {"machine": machine, "rounds": options.rounds, "arms": results}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _parse() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--arm", action="append", choices=sorted(ARMS), help="default: all")
    parser.add_argument("--rounds", type=int, default=9, help="after one that is dropped")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--gpu", action="store_true", help="on CUDA, judged by wall time")
    parser.add_argument("--json", type=Path, help="where to write all samples")
    return parser.parse_args()


def _print_arm(name: str, arm: Arm, cpu: Samples, wall: Samples, judged: Samples) -> None:
    print(f"\n{name}: {arm.summary}")
    print(f"  {'':12}{'CPU us/' + arm.unit:>16}{'wall us/' + arm.unit:>16}{'x ' + arm.baseline:>14}"
          f"{'quartiles':>18}{'added us':>12}")  # fmt: skip
    ratios, added = speeds(judged, arm.baseline), added_seconds(judged, arm.baseline)
    for contestant in cpu:
        micro = [1e6 * Quartiles.of(s[contestant]).middle / arm.work for s in (cpu, wall)]
        ratio, extra = ratios[contestant], 1e6 * added[contestant].middle / arm.work
        print(
            f"  {contestant:12}{micro[0]:16.1f}{micro[1]:16.1f}{ratio.middle:14.3f}"
            f"{f'{ratio.low:.3f} - {ratio.high:.3f}':>18}{extra:12.1f}"
        )


if __name__ == "__main__":
    main()
