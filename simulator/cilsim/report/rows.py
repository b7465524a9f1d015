"""One line per finished experience, in columns whose widths are known before the first row."""

from __future__ import annotations

from cilsim.records import Evaluation, StreamInfo
from cilsim.report.formatting import count_text, duration, percent, size
from cilsim.report.summary import Column, columns

_NUMBER = 6
_COST = 8


class RowLayout:
    """Column widths for one stream."""

    def __init__(self, stream: StreamInfo) -> None:
        self._stream = stream
        self._columns = columns(stream)
        names = [f"{part.index} {part.name}" for part in stream.experiences]
        self._name_width = max(len("experience"), *map(len, names))

    @property
    def heading(self) -> str:
        """The line above the rows."""
        heads = [column.heading for column in self._columns]
        return self._join("experience", "classes", heads, "kept", "time")

    def row(self, evaluation: Evaluation, stored: bool = False) -> str:
        """Return the row of one experience; `stored` ones were finished by an earlier process."""
        experience = self._stream.experiences[evaluation.experience]
        values = [_text(column, evaluation.values.get(column.metric)) for column in self._columns]
        return self._join(
            f"{experience.index} {experience.name}",
            str(experience.seen),
            values,
            size(sum(evaluation.kept.values())),
            "stored" if stored else duration(sum(evaluation.seconds.values())),
        )

    def _join(self, name: str, classes: str, values: list[str], kept: str, spent: str) -> str:
        numbers = [
            value.rjust(max(_NUMBER, len(column.heading)))
            for value, column in zip(values, self._columns, strict=True)
        ]
        cells = [name.ljust(self._name_width), classes.rjust(len("classes")), *numbers]
        return "  ".join([*cells, kept.rjust(_COST), spent.rjust(_COST)])


def _text(column: Column, value: float | None) -> str:
    return percent(value) if column.percent else count_text(value)
