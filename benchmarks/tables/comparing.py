"""Whether figures measured again are those that are kept.

On one machine, with the same threads and versions, they are equal bit for bit. On another
processor sums round otherwise, and a training goes another way, as it does with another seed.
"""

from __future__ import annotations

from benchmarks.tables.figures import Row

LEAST = 0.02
"""An interval over three seeds may be narrow by chance; two points are always let pass."""

COMPARED = (
    "A_all", "A_avg_inc", "A_base", "A_novel", "A_hm", "forgetting", "transductive/A_all",
)  # fmt: skip


def differences(label: str, kept: Row, again: Row) -> list[str]:
    """Return one line per mean that left the interval it was measured with, and two points."""
    return [
        f"{label}: {metric} {100 * after.mean:.1f} %, kept {100 * before.mean:.1f} "
        f"± {100 * allowed:.1f}"
        for metric in COMPARED
        if kept.has(metric) and again.has(metric)
        for before, after in [(kept.interval(metric), again.interval(metric))]
        for allowed in [max(LEAST, (before.upper - before.lower) / 2)]
        if abs(after.mean - before.mean) > allowed
    ]
