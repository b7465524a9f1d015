"""Run comparisons and print one table; `python -m benchmarks --help` lists them."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks import profiling
from benchmarks.catalogue import ARMS, ON_REQUEST
from cilsim.bench.machine import describe
from cilsim.bench.measuring import measure
from cilsim.bench.table import arm_lines, machine_line


def main() -> None:
    options = _parse()
    torch.set_num_threads(options.threads)
    device = torch.device("cuda" if options.gpu else "cpu")
    machine = describe(device)
    if options.profile:
        print(machine_line(machine), "", *profiling.lines(device), sep="\n")
        return
    names = options.arm or [name for name in ARMS if name not in ON_REQUEST]
    if len(names) == 1:
        print(machine_line(machine))
        arms = _here(names[0], options.rounds, device)
    else:
        arms = {}
        for name in names:
            arms |= _alone(name, options)
    if options.json is not None:
        report = {"machine": machine, "rounds": options.rounds, "arms": arms}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _here(name: str, rounds: int, device: torch.device) -> dict[str, Any]:
    for measured in measure(ARMS, [name], rounds, device):
        print("", *arm_lines(measured), sep="\n", flush=True)
        return {name: measured.document()}
    return {}


def _alone(name: str, options: Any) -> dict[str, Any]:
    """Measure one arm in a process of its own: none meets the memory that another left."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arm.json"
        words = ["--arm", name, "--json", str(file), *(["--gpu"] if options.gpu else [])]
        words += ["--rounds", str(options.rounds), "--threads", str(options.threads)]
        subprocess.run([sys.executable, "-m", "benchmarks", *words], check=True)
        arms: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["arms"]
    return arms


def _parse() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--arm", action="append", choices=sorted(ARMS), help="default: all")
    parser.add_argument("--rounds", type=int, default=7, help="after one that is dropped")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--gpu", action="store_true", help="on CUDA, judged by wall time")
    parser.add_argument("--json", type=Path, help="where to write all samples")
    parser.add_argument(
        "--profile", action="store_true", help="show where an epoch and a k-means spend their time"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
