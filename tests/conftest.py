"""One thread, and caches of their own: tests neither compete for cores nor touch the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Equal runs draw equal examples; a slow machine is not a failure.
settings.register_profile("cilsim", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("cilsim")

# Before torch is imported, which reads them once. Results depend on the number of threads.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"


@pytest.fixture(scope="session", autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the session's cache and data sets in temporary folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CILSIM_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("CILSIM_DATA", str(tmp_path_factory.mktemp("data")))
        patch.delenv("CILSIM_PLUGINS", raising=False)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def golden(root: Path) -> Path:
    """The folder of arrays that reference implementations gave."""
    return root / "tests" / "golden"
