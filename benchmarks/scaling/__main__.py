"""Measure curves, each point in a process of its own: `python -m benchmarks.scaling --help`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.scaling.curves import CURVES, QUICK, Case, Curve
from benchmarks.scaling.drawing import draw
from benchmarks.scaling.exponents import exponent
from cilsim.bench.machine import describe

FITTED = ("seconds_learning", "seconds_evaluating", "own_bytes", "run_folder_bytes")
SLOWEST = 600
"""Seconds after which a point is given up."""


def main() -> None:
    """Measure, print, write JSON and PNG."""
    options = _parse()
    for name in options.curve or list(CURVES):
        curve = CURVES[name](QUICK[name]) if options.quick else CURVES[name]()
        print(f"\n{name}: seconds and memory against {curve.axis}", flush=True)
        measured = measure(curve)
        exponents = _exponents(measured)
        _print_exponents(exponents, curve)
        options.out.mkdir(parents=True, exist_ok=True)
        machine = describe(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        report = {"machine": machine, "points": measured, "exponents": exponents}
        (options.out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
        draw(measured, curve.axis, options.out / f"{name}.png")


def measure(curve: Curve) -> dict[str, dict[int, dict[str, float]]]:
    """Return the figures by strategy and value on the axis, printing each as it comes."""
    measured: dict[str, dict[int, dict[str, float]]] = {}
    for value, case in curve.points:
        try:
            found = one_point(case)
        except subprocess.TimeoutExpired:
            print(f"  {case.label:18}{value:>10,} given up after {SLOWEST} s", flush=True)
            continue
        measured.setdefault(case.label, {})[value] = found
        print(f"  {case.label:18}{value:>10,}{_row(found)}", flush=True)
    return measured


def _row(found: dict[str, float]) -> str:
    seconds = [f"{found[f'seconds_{what}']:>10.3f} s {what}" for what in ("learning", "evaluating")]
    memory, disk = found["own_bytes"] / 1e6, found["run_folder_bytes"] / 1e6
    return f"{seconds[0]}{seconds[1]}{memory:>9.0f} MB{disk:>9.2f} MB on disk"


def one_point(case: Case) -> dict[str, float]:
    """Return what one run took, in a process of its own.

    Raises:
        RuntimeError: the process failed; the message holds the end of what it said.
    """
    command = [sys.executable, "-m", "benchmarks.scaling.probe", json.dumps(case.document())]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SLOWEST, check=False)
    if ended.returncode:
        raise RuntimeError(f"{case.label} with {case.document()}: {ended.stderr[-500:]}")
    figures: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return figures


def _exponents(measured: dict[str, dict[int, dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        strategy: {
            name: exponent({value: found[name] for value, found in points.items()})
            for name in FITTED
        }
        for strategy, points in measured.items()
    }


def _print_exponents(exponents: dict[str, dict[str, float]], curve: Curve) -> None:
    print("  exponents of the largest three points:")
    for strategy, fitted in exponents.items():
        row = ", ".join(f"{name} {value:.2f}" for name, value in fitted.items())
        print(f"    {strategy:18}{row}")
    worst = max(exponents, key=lambda strategy: exponents[strategy][curve.linear])
    print(f"  steepest {curve.linear}: {worst}, {exponents[worst][curve.linear]:.2f}")


def _parse() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--curve", action="append", choices=sorted(CURVES), help="default: all")
    parser.add_argument("--quick", action="store_true", help="two small points of each curve")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, help="where JSON and PNG go"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
