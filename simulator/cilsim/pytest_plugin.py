"""A plugin of pytest: `pytest --cilsim-strategy NAME` tries the promises of an installed plugin.

NAME is a plugin or a strategy, as for `cilsim plugin check`; each promise is a test. Nothing heavy
is imported before somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cilsim.testing.conformance import Checkup
    from cilsim.testing.verdicts import Promise

FOLDERS = pytest.StashKey[list["TemporaryDirectory[str]"]]()
"""Folders of runs, removed at the end."""

pytest.register_assert_rewrite("cilsim.testing")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--cilsim-strategy`."""
    parser.getgroup("cilsim").addoption(
        "--cilsim-strategy",
        action="append",
        default=[],
        metavar="NAME",
        help="try the promises of this plugin or strategy of cilsim too; may be repeated",
    )


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add a test for each promise of what was named."""
    names = config.getoption("cilsim_strategy")
    if names:
        config.stash[FOLDERS] = []
        items.extend(item for name in names for item in _items(session, name))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the runs left."""
    for folder in config.stash.get(FOLDERS, []):
        folder.cleanup()


def _items(session: pytest.Session, name: str) -> Iterator[PromiseItem]:
    from cilsim.errors import CilsimError
    from cilsim.plugins import discover
    from cilsim.testing.conformance import PROMISES, Checkup, subjects

    plugins = discover()
    try:
        found = subjects(name, plugins)
    except CilsimError as error:
        raise pytest.UsageError(f"--cilsim-strategy: {error}") from error
    for subject in found:
        folder = TemporaryDirectory(prefix="cilsim-check-")
        session.config.stash[FOLDERS].append(folder)
        checkup = Checkup(subject, plugins, Path(folder.name))
        called = f"{subject.entry.kind} {subject.entry.name}"
        for promise in PROMISES:
            yield PromiseItem.from_parent(
                session, name=f"{called}: {promise.name}", checkup=checkup, promise=promise
            )


class PromiseItem(pytest.Item):
    """One promise of one strategy or calibrator."""

    def __init__(self, *, checkup: Checkup, promise: Promise, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.checkup, self.promise = checkup, promise

    def runtest(self) -> None:
        """Try the promise."""
        verdict = self.checkup.judge(self.promise)
        if verdict.state == "FAIL":
            pytest.fail(f"{verdict.found}; {verdict.helps}", pytrace=False)
        if verdict.state == "SKIP":
            pytest.skip(verdict.found)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return how reports call the test."""
        return self.path, None, self.name
