"""The lines that tell what an arm measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cilsim.bench.measuring import Measured
from cilsim.bench.verdicts import Quartiles, added_seconds, speeds


def machine_line(machine: dict[str, object]) -> str:
    """Return machine and versions in one line."""
    return ", ".join(f"{name} {value}" for name, value in machine.items())


def arm_lines(measured: Measured) -> Iterator[str]:
    """Return a table of the contestants and what to conclude from it."""
    arm, timings = measured.arm, measured.timings
    ratios = speeds(measured.judged, arm.baseline)
    added = added_seconds(measured.judged, arm.baseline)
    yield f"{measured.name}: {arm.summary}"
    yield _row(["", f"CPU us/{arm.unit}", f"wall us/{arm.unit}", f"x {arm.baseline}", "quartiles",
                "added us"])  # fmt: skip
    for contestant in timings.cpu:
        micro = [
            1e6 * Quartiles.of(samples[contestant]).middle / arm.work
            for samples in (timings.cpu, timings.wall)
        ]
        ratio, extra = ratios[contestant], 1e6 * added[contestant].middle / arm.work
        cells = [f"{value:.1f}" for value in micro]
        quartiles = f"{ratio.low:.3f} - {ratio.high:.3f}"
        yield _row([contestant, *cells, f"{ratio.middle:.3f}", quartiles, f"{extra:.1f}"])
    yield from (f"  {line}" for line in measured.verdict)


def _row(cells: Sequence[str]) -> str:
    name, cpu, wall, ratio, quartiles, added = cells
    return f"  {name:20}{cpu:>16}{wall:>16}{ratio:>14}{quartiles:>18}{added:>12}"
