"""One TensorBoard run per strategy with the mean over seeds and its 95 % band."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cilsim.records import RunResult
from cilsim.report.event_files import WriterClass, band_layout, open_writer
from cilsim.report.summary import StrategySummary, columns, summarise

FOLDER = "mean"
"""Name of the aggregate run beside `seed-0`, `seed-1`, ..."""


def write_aggregates(
    results: Sequence[RunResult], writer_class: WriterClass | None = None
) -> list[Path]:
    """Write the aggregate run of each strategy with at least two seeds and return the folders.

    What an earlier call wrote is replaced.
    """
    beside = {result.run.strategy: result.run.folder.parent / FOLDER for result in results}
    summaries = [summary for summary in summarise(results) if len(summary.seeds) > 1]
    for summary in summaries:
        write_aggregate(summary, beside[summary.strategy], writer_class)
    return [beside[summary.strategy] for summary in summaries]


def write_aggregate(
    summary: StrategySummary, folder: Path, writer_class: WriterClass | None = None
) -> None:
    """Write `mean/<metric>/value`, `lower` and `upper` over experiences into `folder`."""
    metrics = [column.metric for column in columns(summary.stream)]
    folder.mkdir(parents=True, exist_ok=True)
    writer = open_writer(folder, writer_class)
    writer.add_custom_scalars(band_layout(summary.stream, metrics))
    for row in summary.rows:
        for metric in metrics:
            if metric in row.values:
                interval = row.values[metric]
                step = row.experience.index
                writer.add_scalar(f"mean/{metric}/value", interval.mean, step)
                writer.add_scalar(f"mean/{metric}/lower", interval.lower, step)
                writer.add_scalar(f"mean/{metric}/upper", interval.upper, step)
    writer.close()
