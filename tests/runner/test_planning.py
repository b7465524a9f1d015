from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cilsim.errors import DataError, ScenarioError
from cilsim.runner.planning import class_order, data_facts, plan_stream
from cilsim.scenario.load import load_scenario
from cilsim.scenario.schema import Scenario
from cilsim.testing import Project


def loaded(project: Project, **changes: Any) -> Scenario:
    path = project.folder / "toy.yaml"
    path.write_text(json.dumps(project.ring_scenario("nmc", **changes)))
    return load_scenario(path, project.plugins.registries)


def test_a_plan_tells_the_stream_without_reading_a_sample(project: Project) -> None:
    scenario = loaded(project)
    plan, info = plan_stream(scenario, project.plugins, seed=0)
    assert (info.dataset, info.protocol, info.groups) == ("arrays", "B0-Inc2", ("base", "novel"))
    assert [experience.labelled for experience in info.experiences] == [120] * 5
    assert info.digest == plan.digest()


def test_the_class_order_may_be_natural_seeded_listed_or_in_a_file(project: Project) -> None:
    listed = [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]
    (project.folder / "order.txt").write_text("# pairs\n" + "\n".join(map(str, listed)))
    orders = {
        "natural": "natural",
        "seed": {"seed": 1993},
        "list": {"list": listed},
        "file": {"file": "order.txt"},
    }
    found = {}
    for name, order in orders.items():
        scenario = loaded(project, class_order=order)
        found[name] = class_order(scenario, data_facts(scenario, project.plugins))
    assert found == {
        "natural": tuple(range(10)),
        "seed": (4, 2, 7, 6, 0, 3, 5, 8, 9, 1),
        "list": tuple(listed),
        "file": tuple(listed),
    }


def test_data_that_vanished_after_the_check_is_one_line(project: Project) -> None:
    scenario = loaded(project)
    path = project.folder / "ring.npz"
    path.unlink()
    with pytest.raises(DataError) as raised:
        plan_stream(scenario, project.plugins, seed=0)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_impossible_split_is_refused_before_anything_runs(project: Project) -> None:
    stream = {"kind": "class_incremental", "experiences": 3}
    with pytest.raises(ScenarioError) as raised:
        project.run(project.ring_scenario("nmc", stream))
    assert [problem.message for problem in raised.value.problems] == [
        "10 classes of arrays cannot be split evenly into 3; 'sizes' can say uneven ones"
    ]
    assert not (project.folder / "runs").exists()


def test_planning_imports_no_torch(project: Project, root: Path) -> None:
    loaded(project)
    code = (
        "import sys; from pathlib import Path\n"
        "from cilsim.plugins import discover\n"
        "from cilsim.scenario.load import load_scenario\n"
        "from cilsim.runner.planning import plan_stream\n"
        "plugins = discover()\n"
        f"path = Path({str(project.folder / 'toy.yaml')!r})\n"
        "scenario = load_scenario(path, plugins.registries)\n"
        "plan_stream(scenario, plugins, 0)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
