"""docs/environment.md names the variables that the code reads, and the exit codes."""

from __future__ import annotations

import re
from pathlib import Path

from cilsim.errors import CilsimError, Interrupted, RunFailed
from cilsim.sweep.job import PARENT

INTERNAL = {PARENT, "CILSIM_COMPLETE"}
"""What a sweep tells its workers, and what the completion script sets."""


def test_every_variable_of_cilsim_is_on_the_page(root: Path, docs: Path) -> None:
    sources = [*root.glob("simulator/**/*.py"), *root.glob("plugins/**/*.py")]
    read = {name for path in sources for name in re.findall(r"CILSIM_[A-Z_]+", path.read_text())}
    page = (docs / "environment.md").read_text()
    rows = set(re.findall(r"^\| `(CILSIM_[A-Z_]+)`", page, flags=re.MULTILINE))
    assert rows == read - INTERNAL


def test_exit_codes_are_those_of_the_errors(docs: Path) -> None:
    section = (docs / "environment.md").read_text().partition("## Exit codes")[2]
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", section, flags=re.MULTILINE)}
    raised = {error.exit_code for error in (CilsimError, RunFailed, Interrupted)}
    assert codes == {0, 3} | raised
