"""What can go wrong, as a tree. The command line prints these as one line; anything else is a bug.

CilsimError                 exit code 2: the user can mend it
├── ScenarioError           the scenario file; carries every problem found, with line and column
├── PluginError             a plugin cannot be loaded, registered or used; carries its name
├── DataError               a data set is missing, damaged or not what was asked for
├── StreamError             a stream cannot be expressed as asked
├── RunFolderError          a run folder is locked, unwritable or belongs to another scenario
├── CheckpointError         a stored state is damaged or does not fit
├── RunFailed               exit code 1: a run started and could not be finished
│   ├── PluginFailed        a plugin's code raised, or returned what nobody can use, in a run
│   └── OutOfStep           one of several processes ended, or failed alone; the others cannot go on
└── Interrupted             exit code 130: stopped by the user, resumable
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class CilsimError(Exception):
    """An error with a message meant for the user: where, what was found, what was expected."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One complaint about a scenario.

    Attributes:
        where: `file:line:column`, or the command-line option that the value came from.
        path: dotted path of the key, such as `stream.way`; empty for the file as a whole.
        message: what was found and what was expected, in one sentence.
        excerpt: the line of the file with a caret below, or empty.
    """

    where: str
    path: str
    message: str
    excerpt: str = ""

    def __str__(self) -> str:
        head = f"{self.where}: {self.path}: " if self.path else f"{self.where}: "
        tail = f"\n{self.excerpt}" if self.excerpt else ""
        return f"{head}{self.message}{tail}"


class ScenarioError(CilsimError):
    """A scenario cannot be used; `problems` holds every complaint, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginError(CilsimError):
    """A plugin cannot be loaded, registered or used."""

    def __init__(self, plugin: str, message: str) -> None:
        self.plugin = plugin
        super().__init__(message)


class DataError(CilsimError):
    """A data set is missing, damaged or not what was asked for."""


class StreamError(CilsimError):
    """A stream cannot be expressed as asked."""


class RunFolderError(CilsimError):
    """A run folder is locked, cannot be written, or belongs to another scenario."""


class CheckpointError(CilsimError):
    """A stored state is damaged or does not fit the run."""


class RunFailed(CilsimError):
    """A run started and could not be finished; what it had written stays readable."""

    exit_code = 1


class PluginFailed(RunFailed):
    """A plugin's code raised, or returned what nobody can use; the message names both."""

    def __init__(self, plugin: str, message: str) -> None:
        self.plugin = plugin
        super().__init__(message)


class OutOfStep(RunFailed):
    """One of several processes ended or failed alone; `here` says whether it is this one."""

    def __init__(self, message: str, *, here: bool = False) -> None:
        self.here = here
        super().__init__(message)


class Interrupted(CilsimError):
    """The user stopped the command; `resume` names what continues it."""

    exit_code = 130


LONGEST_MESSAGE = 500
"""Characters of somebody else's message that fit into a line for the user."""


def in_one_line(error: BaseException) -> str:
    """Return type and message of any error as one line, cut where it is longer than anybody reads.

    An error whose own message fails is described by its type.
    """
    name = type(error).__name__
    try:
        said = " ".join(str(error).split())
    except Exception as second:  # a stranger's __str__; what matters is the first error
        return f"{name} (its message fails: {type(second).__name__})"
    if len(said) > LONGEST_MESSAGE:
        said = f"{said[:LONGEST_MESSAGE]}..."
    return f"{name}: {said}" if said else name
