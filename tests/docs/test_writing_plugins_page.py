"""Every block of Python in docs/writing-plugins.md runs, and does what the page says."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from cilsim import hookimpl
from cilsim.testing import Project, RunFiles

PAGE = Path(__file__).parents[2] / "docs" / "writing-plugins.md"


@pytest.fixture(scope="module")
def modules(code_blocks: Any) -> dict[str, ModuleType]:
    """The blocks as modules by name; each block begins with the name of its file."""
    made: dict[str, ModuleType] = {}
    for block in code_blocks(PAGE.read_text(), "python"):
        name = block.partition("\n")[0].removeprefix("# ").removesuffix(".py")
        made[name] = ModuleType(name)
        with pytest.MonkeyPatch.context() as patch:
            for other, module in made.items():
                patch.setitem(sys.modules, other, module)
            exec(compile(block, str(PAGE), "exec", dont_inherit=True), vars(made[name]))
    return made


def run(modules: Any, folder: Path, name: str, strategy: Any = None, **changes: Any) -> RunFiles:
    project = Project.create(folder, [(name, modules[name])])
    assert project.plugins.explain_broken() == ()
    outcome = project.run(project.ring_scenario(strategy or name, **changes))
    assert [failure.message for failure in outcome.failures] == []
    return project.files("toy", outcome.results[0].run.strategy)


def test_the_page_has_these_blocks(modules: Any) -> None:
    expected = ["nearest", "trimmed", "distilled", "pinned", "counted", "shrink", "test_nearest"]
    assert list(modules) == expected


def test_the_pinned_strategy_finds_the_classes_of_the_plane(modules: Any, tmp_path: Path) -> None:
    stream = {"kind": "generalized_category_discovery", "old_classes": 6}
    metrics = run(modules, tmp_path, "pinned", stream=stream, backbone="identity").metrics()
    assert metrics[0, "A_old"] > 0.95
    assert metrics[0, "A_new"] > 0.95


@pytest.mark.parametrize("name", ["nearest", "trimmed", "counted"])
def test_strategies_with_prototypes_forget_nothing_in_the_plane(
    modules: Any, tmp_path: Path, name: str
) -> None:
    files = run(modules, tmp_path, name, backbone="identity")
    assert files.accuracy_matrix()[-1].min() > 0.95


def test_the_distilled_strategy_without_weight_is_fine_tuning(modules: Any, tmp_path: Path) -> None:
    matrices = {}
    for name, weight in {"off": 0.0, "on": 1.0}.items():
        (tmp_path / name).mkdir()
        strategy = {"name": "distilled", "weight": weight}
        files = run(modules, tmp_path / name, "distilled", strategy)
        matrices[name] = files.accuracy_matrix()[-1].tolist()
    project = Project.create(tmp_path)
    project.run(project.ring_scenario("finetune"))
    assert matrices["off"] == project.files("toy", "finetune").accuracy_matrix()[-1].tolist()
    assert matrices["on"] != matrices["off"]


def test_parts_of_the_loss_are_reported(modules: Any, tmp_path: Path) -> None:
    project = Project.create(tmp_path, [("distilled", modules["distilled"])])
    names: set[str] = set()

    class Reporter:
        @hookimpl
        def cilsim_on_scalars(self, scalars: Any) -> None:
            names.update(scalars.values)

    project.run(project.ring_scenario("distilled"), reporters=lambda start: [Reporter()])
    assert {"train/loss_new", "train/loss_kept"} <= names


def test_the_calibrator_runs_over_nmc(modules: Any, tmp_path: Path) -> None:
    strategy = {"name": "nmc", "calibrators": [{"name": "shrink", "weight": 0.9}]}
    shrunk = run(modules, tmp_path, "shrink", strategy, backbone="identity")
    assert shrunk.accuracy_matrix()[-1].mean() < 0.95


def test_the_yaml_example_names_the_calibrator(code_blocks: Any) -> None:
    (example,) = code_blocks(PAGE.read_text(), "yaml")
    assert yaml.safe_load(example)["strategies"][1]["calibrators"] == [
        {"name": "shrink", "weight": 0.2}
    ]


def test_the_contract_of_the_page_passes(modules: Any, tmp_path: Path) -> None:
    suite = modules["test_nearest"].TestNearest()
    project = Project.create(tmp_path, suite.plugins)
    suite.test_forgets_nothing(project)
    suite.test_equal_seeds_give_equal_files(project)
    suite.test_resumed_after_each_experience_equals_uninterrupted(project)


def test_stored_counts_survive_an_interruption(modules: Any, tmp_path: Path) -> None:
    kind = type("Suite", (modules["test_nearest"].StrategyContract,), {"strategy": "counted"})
    project = Project.create(tmp_path, [("counted", modules["counted"])])
    kind().test_resumed_after_each_experience_equals_uninterrupted(project)
    kind().test_stores_no_more_than_it_declares(project)
