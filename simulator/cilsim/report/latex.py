"""A comparison as a LaTeX table for `booktabs`.

What it needs of the document: `\\usepackage{booktabs}`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cilsim.report.comparison_tables import MEAN, ComparisonTable
from cilsim.report.formatting import printable

_ESCAPED = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "±": r"$\pm$",
    "``": "`{}`", "''": "'{}'", "--": "-{}-",  # else they join to other signs
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, _ESCAPED)))
_NEGATIVE = re.compile(r"-(?=\d)")


def latex_table(table: ComparisonTable) -> str:
    """Return a `table` environment; what is significantly the best is in bold."""
    rows = [[escape(row[0]), *map(_number, row[1:])] for row in table.rows]
    if table.strong is not None:
        rows[table.strong][MEAN] = rf"\textbf{{\boldmath {rows[table.strong][MEAN]}}}"
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape(' '.join([table.title + '.', *table.notes]))}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.heads) - 1)}}}",
            r"\toprule",
            _line([escape(head) for head in table.heads]),
            r"\midrule",
            *map(_line, rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def escape(text: str) -> str:
    """Return one line of LaTeX that shows exactly this text."""
    return _SPECIAL.sub(lambda match: _ESCAPED[match.group()], printable(text))


def _number(cell: str) -> str:
    """Return a cell that is no name: a minus in front of a digit becomes a sign."""
    return _NEGATIVE.sub(lambda _: "$-$", escape(cell))


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
