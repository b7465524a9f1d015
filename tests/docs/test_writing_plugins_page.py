"""Every command and block of docs/writing-plugins.md runs, and does what the page says."""

from __future__ import annotations

import inspect
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from scratch_environment import ScratchEnvironment

from cilsim import Context, Strategy, hookimpl
from cilsim.cli.main import main
from cilsim.cli.plugin_template import parse_name, rendered
from cilsim.plugins import discover
from cilsim.testing import Project, RunFiles
from cilsim.testing.conformance import PROMISES

BLOBS = ("blobs", "pairs", "tiny_conv", "worst_class")
"""What the page writes besides strategies: a data set, a stream, a backbone, a metric."""

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
    assert list(modules) == [
        *("nearest", "trimmed", "distilled", "pinned", "counted", "shrink", *BLOBS, "test_nearest"),
    ]


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
    example, _ = code_blocks(PAGE.read_text(), "yaml")
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


def test_there_is_no_block_of_another_kind(code_blocks: Any) -> None:
    fences = re.findall(r"^```(\w*)$", PAGE.read_text(), flags=re.MULTILINE)
    opened = fences[::2]
    executed = {"python": 11, "yaml": 2, "bash": 4, "": 1}
    assert {kind: opened.count(kind) for kind in set(opened)} == executed


def section(heading: str) -> str:
    """Return the text below a heading of the page, up to the next one."""
    (text,) = re.findall(
        rf"^##+ {heading}\n(.*?)(?=^##+ |\Z)", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL
    )
    return text


def table_of(heading: str) -> list[str]:
    """Return the first cells of the table below a heading."""
    cells = re.findall(r"^\| (.+?) \|", section(heading), flags=re.MULTILINE)
    return [cell for cell in cells[1:] if not set(cell) <= {"-"}]


@pytest.mark.slow
@pytest.mark.timeout(900)  # eight processes, most of which import torch
def test_a_plugin_is_written_installed_run_tested_checked_and_built(
    tmp_path: Path, code_blocks: Any
) -> None:
    (block,) = code_blocks(section("Published in ten minutes"), "bash")
    environment = ScratchEnvironment.create(tmp_path / "environment")
    done = environment.run("sh", "-ec", block, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "my_strategy       cilsim-my-strategy 0.1.0  register_strategies" in done.stdout
    assert "strategy my_strategy\nPASS  runs" in done.stdout
    (wheel,) = (tmp_path / "cilsim-my-strategy" / "dist").glob("*.whl")
    assert wheel.name == "cilsim_my_strategy-0.1.0-py3-none-any.whl"


@pytest.mark.parametrize("heading", ["A strategy in one file", "See what happens"])
def test_the_strategy_in_one_file_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code_blocks: Any,
    heading: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "nearest", raising=False)
    (strategy,) = code_blocks(section("A strategy in one file"), "python")
    Path("nearest.py").write_text(strategy)
    Path("scenario.yaml").write_text(rendered(parse_name("mine"), "strategy")["scenario.yaml"])
    (block,) = code_blocks(section(heading), "bash")
    (*environment, _), arguments = split(block)
    for assignment in environment:
        monkeypatch.setenv(*assignment.split("=", 1))
    assert main(arguments) == 0
    del sys.modules["nearest"]
    assert (tmp_path / "runs" / "mine-digits" / "nearest" / "seed-0" / "metrics.jsonl").is_file()
    traced = "trace: cilsim_register_strategies  nearest  " in capsys.readouterr().err
    assert traced == (heading == "See what happens")


def split(command: str) -> tuple[list[str], list[str]]:
    """Return what is before the arguments of a command of cilsim, its name included, and those."""
    words = shlex.split(command)
    place = words.index("cilsim") + 1
    return words[:place], words[place:]


def test_data_set_stream_backbone_metric_and_reporter_run_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code_blocks: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in code_blocks(PAGE.read_text(), "python"):
        name = block.partition("\n")[0].removeprefix("# ").removesuffix(".py")
        if name in BLOBS:
            Path(f"{name}.py").write_text(block)
            monkeypatch.delitem(sys.modules, name, raising=False)
    (scenario,) = code_blocks(section("A metric and a reporter"), "yaml")
    Path("blobs.yaml").write_text(scenario)
    (command,) = code_blocks(section("A metric and a reporter"), "bash")

    assert main(shlex.split(command)[1:]) == 0

    for name in BLOBS:
        del sys.modules[name]
    files = RunFiles(tmp_path / "runs" / "blobs" / "nmc" / "seed-0")
    rows = (files.folder / "worst_class.csv").read_text().split()
    worst = [files.metrics()[index, "A_worst_class"] for index in range(4)]
    assert rows == [f"{index},{value}" for index, value in enumerate(worst)]
    assert files.metrics()[3, "A_all"] > 0.5


BROKEN = [
    "@hookimpl\ndef cilsim_after_evalution(run): pass\n",
    "@hookimpl\ndef cilsim_scores(feature): pass\n",
    "@hookimpl\ndef cilsim_register_strategies(register): register('nmc', 'nearest:Nearest')\n",
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_plugin_is_named_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code_blocks: Any, number: int
) -> None:
    (shown,) = code_blocks(section("When something is wrong"), "")
    metadata = tmp_path / "cilsim_nearest-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: cilsim-nearest\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text(f"[cilsim]\nnearest = broken_{number}\n")
    code = "from cilsim import hookimpl\ncilsim_api = 1\n" + BROKEN[number]
    (tmp_path / f"broken_{number}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert [
        line for line in discover().explain_broken() if line.startswith("plugin 'nearest'")
    ] == [shown.splitlines()[number]]


def test_the_table_of_methods_is_complete() -> None:
    documented = re.findall(r"`(\w+)\((.*?)\)`", "".join(table_of("Methods")))
    methods = {
        name: ", ".join(list(inspect.signature(method).parameters)[1:])
        for name, method in vars(Strategy).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    assert dict(documented) == methods


def test_the_services_of_the_table_exist() -> None:
    documented = re.findall(r"`(\w+)(?:\(.*?\))?`", " ".join(table_of("The context")))
    assigned = inspect.getsource(Context.__init__)
    missing = [
        name for name in documented if not hasattr(Context, name) and name not in assigned
        and name not in (inspect.getdoc(Context) or "")
    ]  # fmt: skip
    assert missing == []


def test_the_table_of_promises_is_that_of_the_check() -> None:
    assert table_of("The check") == [promise.name for promise in PROMISES]
