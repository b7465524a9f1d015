"""Writes one run's TensorBoard files: scalars, forgetting curves, matrices, texts, hparams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np

from cilsim.errors import RunFolderError
from cilsim.hookspecs import hookimpl
from cilsim.records import Evaluation, RunInfo, RunResult, Scalars, StreamInfo
from cilsim.report.cluster_pictures import read_cluster_picture
from cilsim.report.event_files import (
    EventWriter,
    WriterClass,
    open_writer,
    run_layout,
    write_session_end,
    write_session_start,
)
from cilsim.report.markdown import fenced, run_markdown, table
from cilsim.report.matrices import forgetting
from cilsim.report.pictures import pictures_of
from cilsim.report.progress import PROGRESS_NAMES, training_name
from cilsim.report.summary import columns

SECONDS_WORTH_A_PICTURE = 1.0
"""Drawing the four pictures takes about a tenth of this."""


class TensorBoardReporter:
    """Hook implementations that write the event files of one run into its folder.

    Args:
        replay: stored evaluations of a resumed run; written again first.
        replay_scalars: stored training scalars up to the checkpoint; written again first.
        scenario_yaml: the resolved scenario.
        environment: versions, device and the like by name.
        images: whether to draw matrices and curves: after the last experience and after each that
            took a second or more, so that pictures never take longer than what they show.
        writer_class: stands in for torch's SummaryWriter in tests.
    """

    def __init__(
        self,
        replay: Sequence[Evaluation] = (),
        replay_scalars: Sequence[Scalars] = (),
        scenario_yaml: str = "",
        environment: Mapping[str, str] | None = None,
        images: bool = True,
        writer_class: WriterClass | None = None,
    ) -> None:
        self._replay = tuple(replay)
        self._replay_scalars = tuple(replay_scalars)
        self._scenario_yaml = scenario_yaml
        self._environment = dict(environment or {})
        self._images = images
        self._writer_class = writer_class
        self._writer: EventWriter | None = None

    @hookimpl
    def cilsim_before_run(self, run: RunInfo) -> None:
        """Open the event file, lay out the charts, and write the past of a resumed run."""
        writer = self._writer = open_writer(run.folder, self._writer_class)
        writer.add_custom_scalars(run_layout(run.stream))
        if self._scenario_yaml:
            writer.add_text("run/scenario", fenced(self._scenario_yaml), 0)
        if self._environment:
            rows = list(self._environment.items())
            writer.add_text("run/environment", table(("name", "value"), rows), 0)
        write_session_start(writer, run, session_metrics(run.stream))
        for scalars in self._replay_scalars:
            write_scalars(writer, scalars)
        for evaluation in self._replay:
            self._write(writer, run, evaluation)
        writer.flush()

    @hookimpl
    def cilsim_on_scalars(self, scalars: Scalars) -> None:
        """Write the scalars of one epoch."""
        if self._writer is not None:
            write_scalars(self._writer, scalars)

    @hookimpl
    def cilsim_after_evaluation(self, run: RunInfo, evaluation: Evaluation) -> None:
        """Write all about one experience and put it on disk."""
        if self._writer is not None:
            self._write(self._writer, run, evaluation)
            self._writer.flush()

    @hookimpl
    def cilsim_after_run(self, run: RunInfo, result: RunResult) -> None:
        """Write the run's table and close the file."""
        if self._writer is not None:
            self._writer.add_text("run/report", run_markdown(result), 0)
            write_session_end(self._writer, run, session_metrics(run.stream))
            self._close()

    @hookimpl
    def cilsim_on_run_error(self) -> None:
        """Close the file; what was written stays readable."""
        with suppress(RunFolderError):  # why the run ends is what the user has to know
            self._close()

    def _write(self, writer: EventWriter, run: RunInfo, evaluation: Evaluation) -> None:
        stream, step = run.stream, evaluation.experience
        for tag, value in evaluation_scalars(evaluation).items():
            writer.add_scalar(tag, value, step)
        if self._images and _worth_a_picture(evaluation, stream):
            for tag, picture in pictures_of(stream).draw(evaluation).items():
                writer.add_image(tag, picture, step, dataformats="HWC")
        clusters = read_cluster_picture(run.folder, step) if self._images else None
        if clusters is not None:
            writer.add_image("images/clusters", clusters, step, dataformats="HWC")

    def _close(self) -> None:
        if self._writer is not None:
            writer = self._writer
            # A closed SummaryWriter would silently open another file on the next write.
            self._writer = None
            writer.close()


def _worth_a_picture(evaluation: Evaluation, stream: StreamInfo) -> bool:
    last = evaluation.experience == len(stream.experiences) - 1
    return last or sum(evaluation.seconds.values()) >= SECONDS_WORTH_A_PICTURE


def write_scalars(writer: EventWriter, scalars: Scalars) -> None:
    """Write training scalars at their optimiser step, those about progress left out."""
    for name, value in scalars.values.items():
        tag = training_name(name)
        if tag not in PROGRESS_NAMES:
            writer.add_scalar(tag, value, scalars.step)


def evaluation_scalars(evaluation: Evaluation) -> dict[str, float]:
    """Return every value after an experience by tag.

    A metric lies under `eval/` unless its name has a `/`.
    """
    seconds = {f"cost/seconds_{part}": value for part, value in evaluation.seconds.items()}
    metrics = {_tag(name): value for name, value in evaluation.values.items()}
    curves = {**_by_experience(evaluation), **metrics}
    return {**curves, **seconds, "cost/bytes_kept": float(sum(evaluation.kept.values()))}


def _tag(metric: str) -> str:
    return metric if "/" in metric else f"eval/{metric}"


def session_metrics(stream: StreamInfo) -> list[str]:
    """Return the tags whose latest values the HParams tab lists."""
    return [_tag(column.metric) for column in columns(stream)]


def _by_experience(evaluation: Evaluation) -> dict[str, float]:
    """Return the points of the forgetting curves, from the accuracy matrix."""
    i = evaluation.experience
    rows = {
        "accuracy_by_experience": evaluation.accuracy_matrix[i, : i + 1],
        "forgetting_by_experience": forgetting(evaluation.accuracy_matrix)[i, :i],
    }
    return {
        f"{name}/{j:02d}": float(value)
        for name, values in rows.items()
        for j, value in enumerate(values)
        if np.isfinite(value)
    }
