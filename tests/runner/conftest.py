from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cilsim.testing import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the ring and the installed plugins."""
    return Project.create(tmp_path)


@pytest.fixture
def project_with(tmp_path: Path) -> Callable[..., Project]:
    """Return a maker of projects with further plugins, named by the keywords."""

    def make(**plugins: Any) -> Project:
        return Project.create(tmp_path, tuple(plugins.items()))

    return make


@pytest.fixture
def ring() -> Callable[..., dict[str, Any]]:
    """Return a maker of ring scenarios with several strategies and seeds."""

    def make(
        project: Project, strategies: Sequence[Any], seeds: Sequence[int] = (0,), **changes: Any
    ) -> dict[str, Any]:
        scenario = project.ring_scenario("nmc", **changes)
        del scenario["strategy"]
        return {**scenario, "strategies": list(strategies), "seeds": list(seeds)}

    return make
