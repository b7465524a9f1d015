from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim import Experience, Strategy, hookimpl
from cilsim.registry import Register
from cilsim.testing import Project

Look = Callable[[Strategy, Experience], Any]


class Probe(Strategy):
    """Calls a function of the test in each experience instead of learning."""

    look: Any = None

    def learn(self, experience: Experience) -> None:
        type(self).look(self, experience)


@pytest.fixture
def probe(tmp_path: Path) -> Callable[..., list[Any]]:
    """Return a function that runs the ring and returns what a look into each experience gave."""

    def run(look: Look, kind: type[Strategy] = Strategy, **changes: Any) -> list[Any]:
        seen: list[Any] = []

        def note(strategy: Strategy, experience: Experience) -> None:
            seen.append(look(strategy, experience))

        probing = type("Probing", (Probe, kind), {"look": staticmethod(note)})

        class Adds:
            cilsim_api = 1

            @hookimpl
            def cilsim_register_strategies(self, register: Register) -> None:
                register("probing", probing)

        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        project = Project.create(folder, (("adds", Adds()),))
        recipe = {"epochs": 1, "batch_size": 60, "lr": 0.05}
        small = {"base_training": recipe, "training": recipe}
        outcome = project.run(project.ring_scenario("probing", **{**small, **changes}))
        assert [failure.message for failure in outcome.failures] == []
        return seen

    return run
