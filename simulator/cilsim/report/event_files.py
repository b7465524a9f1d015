"""TensorBoard's event files: opened so that nothing of an earlier attempt is left, and laid out.

The metric store is the truth; event files are rebuilt from it. A resumed run therefore removes
what it finds and writes its past again. Going on with `purge_step` would not do: it drops every
tag from one step on, but `train/*` counts optimiser steps and everything else counts experiences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from cilsim.records import RunInfo, StreamInfo
from cilsim.report.telling_writer import telling
from cilsim.results.atomic import cannot_write
from cilsim.results.sealed_folder import EVENT_FILES

DISCOVERY_CHARTS = {
    "old classes forgotten, new ones found": r"eval/(forgetting|A_new)$",
    "on unlabelled samples": r"transductive/A_(all|old|new)$",
    "number of classes: found, and minus true": r"eval/classes_(found|error)$",
}
"""Charts that only streams of discovery have, by title."""
Layout = dict[str, dict[str, list[Any]]]


class EventWriter(Protocol):
    """The part of torch's SummaryWriter that reporters use."""

    file_writer: Any

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Add one value."""

    def add_image(self, tag: str, img_tensor: Any, global_step: int, *, dataformats: str) -> None:
        """Add one picture."""

    def add_text(self, tag: str, text_string: str, global_step: int = 0) -> None:
        """Add one Markdown text."""

    def add_custom_scalars(self, layout: Layout) -> None:
        """Say which tags the Custom Scalars tab draws together."""

    def flush(self) -> None:
        """Write everything to disk."""

    def close(self) -> None:
        """Flush and close the file."""


WriterClass = Callable[..., EventWriter]


def open_writer(folder: Path, writer_class: WriterClass | None = None) -> EventWriter:
    """Return a writer on an empty set of event files in `folder`.

    A TensorBoard that is already looking forgets what it has read: step 0 is purged. The first
    run says so too, because TensorBoard's Python reader takes only a second session in a run for
    a restart.

    Raises:
        RunFolderError: an old event file cannot be removed or no new one can be written.
    """
    if writer_class is None:
        from torch.utils.tensorboard import SummaryWriter

        writer_class = SummaryWriter
    try:
        _forget(folder)
        writer = writer_class(log_dir=str(folder), purge_step=0)
    except OSError as error:
        raise cannot_write(folder / EVENT_FILES, error) from error
    told: EventWriter = telling(writer, folder / EVENT_FILES)
    return told


def _forget(folder: Path) -> None:
    """Remove what old event files say.

    The newest one is emptied and stays until the next time: a TensorBoard that reads it would
    wait for a deleted file for ever and never turn to the new one.
    """
    stale = sorted(folder.glob(EVENT_FILES))
    for path in stale[:-1]:
        path.unlink()
    for path in stale[-1:]:
        path.write_bytes(b"")


def run_layout(stream: StreamInfo) -> Layout:
    """Return the Custom Scalars layout of a run: forgetting curves first."""
    charts = {
        "accuracy by experience": r"accuracy_by_experience/.*",
        "forgetting by experience": r"forgetting_by_experience/.*",
    }
    if stream.repeats_classes:
        charts["all"] = r"eval/A_all$"
    else:
        first, later = stream.groups
        groups = "old|new" if stream.discovery else "base|novel"
        charts[f"{first}, {later}, all"] = rf"eval/A_({groups}|all)$"
    layout = {"forgetting": {title: ["Multiline", [tag]] for title, tag in charts.items()}}
    if stream.discovery:
        layout["discovery"] = {
            title: ["Multiline", [tag]] for title, tag in DISCOVERY_CHARTS.items()
        }
    return layout


def band_layout(stream: StreamInfo, metrics: Sequence[str]) -> Layout:
    """Return the layout of an aggregate run: one band per metric.

    It begins like the layout of a single run: TensorBoard merges the layouts in the order of the
    runs' names, where `mean` precedes `seed-0`, and the forgetting curves shall come first.
    """
    edges = ("value", "lower", "upper")
    bands = {metric: ["Margin", [f"mean/{metric}/{edge}" for edge in edges]] for metric in metrics}
    return {**run_layout(stream), "mean over seeds, 95 % band": bands}


def write_session_start(writer: EventWriter, run: RunInfo, metrics: Sequence[str]) -> None:
    """Write the run's line of the HParams tab, whose metrics are the latest values of tags."""
    experiment, start, _ = _session(run, metrics)
    writer.file_writer.add_summary(experiment)
    writer.file_writer.add_summary(start)


def write_session_end(writer: EventWriter, run: RunInfo, metrics: Sequence[str]) -> None:
    """Mark the run's line of the HParams tab as finished."""
    _, _, end = _session(run, metrics)
    writer.file_writer.add_summary(end)


def hyperparameters(run: RunInfo) -> dict[str, float | str]:
    """Return what tells runs apart: scenario, strategy, seed and the strategy's options."""
    return {
        "scenario": run.scenario,
        "strategy": run.strategy,
        "seed": run.seed,
        "calibrators": " + ".join(run.calibrators) or "none",
        **_flat("option", run.options),
    }


def _session(run: RunInfo, metrics: Sequence[str]) -> tuple[Any, Any, Any]:
    from torch.utils.tensorboard.summary import hparams

    # The values are ignored by torch: the tab reads them from the scalars of the same name.
    values = dict.fromkeys(metrics, 0.0)
    session: tuple[Any, Any, Any]
    session = hparams(hyperparameters(run), values)  # type: ignore[no-untyped-call]
    return session


def _flat(prefix: str, value: Any) -> dict[str, float | str]:
    if isinstance(value, Mapping):
        return {
            name: leaf
            for key, inner in value.items()
            for name, leaf in _flat(f"{prefix}.{key}", inner).items()
        }
    return {prefix: value if isinstance(value, bool | int | float) else str(value)}
