"""docs/file-formats.md lists the files that a real command leaves behind, and what is in them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.cli.main import main
from cilsim.data.arrays import ArraysOptions, facts_arrays
from cilsim.data.row_encoder import RowEncoder
from cilsim.data.tabular_columns import CategoryColumn, NumberColumn
from cilsim.scenario.resolved import NO_INFLUENCE
from cilsim.testing import Project

PAGE = Path(__file__).parents[2] / "docs" / "file-formats.md"
PLACES = [
    (r"^nmc(?=/|$)", "<strategy label>"),
    (r"seed-\d+", "seed-<n>"),
    (r"experience-\d\d", "experience-00"),
    (r"events\.out\.tfevents\..*", "events.out.tfevents.*"),
]


OF_DISCOVERY = ("predictions/unlabelled", "pictures/clusters-01.png")
"""What only discovery leaves; see tests/runner/test_cluster_picture.py."""
OF_FAILURES = "error.txt"
"""What only a run that failed leaves; see tests/hooks/test_raising_plugins.py."""
OF_IMAGES = ("pictures", "pictures/examples.png")
"""What only images leave; see tests/runner/test_example_picture.py."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a command with two seeds."""
    project = Project.create(tmp_path_factory.mktemp("formats"))
    path = project.folder / "toy.yaml"
    scenario = project.ring_scenario("nmc", backbone="identity", seeds=[0, 1])
    path.write_text(json.dumps(scenario))
    out = str(project.folder / "runs")
    assert main(["run", str(path), "--out", out, "--device", "cpu", "--no-cache", "-q"]) == 0
    return project.folder / "runs" / "toy"


@pytest.fixture(scope="module")
def documented() -> set[str]:
    """Paths below the run folder, from the tree at the head of the page."""
    tree = re.search(r"^runs/<scenario>/\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert tree is not None
    paths: set[str] = set()
    above: list[str] = []
    for line in tree[1].splitlines():
        name = re.match(r" *(<[^>]+>|[^ /]+)", line)
        assert name is not None
        above = [*above[: (len(line) - len(line.lstrip())) // 2 - 1], name[1]]
        paths.add("/".join(above))
    return paths


def general(path: str) -> str:
    for pattern, place in PLACES:
        path = re.sub(pattern, place, path)
    return path


def test_the_tree_names_every_file_and_folder_that_is_left(
    folder: Path, documented: set[str]
) -> None:
    found = {general(str(path.relative_to(folder))) for path in folder.rglob("*")}
    inside = {path for path in found if re.search(r"checkpoints/experience-00/|mean/", path)}
    assert found - inside - documented == set()
    seed = "<strategy label>/seed-<n>"
    elsewhere = ("checkpoints/training-01", OF_FAILURES, *OF_DISCOVERY, *OF_IMAGES)
    assert documented - found == {f"{seed}/{path}" for path in elsewhere}


def test_checkpoints_hold_the_two_documented_files(folder: Path) -> None:
    names = {path.name for path in folder.glob("nmc/seed-0/checkpoints/experience-*/*")}
    assert names == {"tensors.safetensors", "state.json"}


def test_every_key_of_the_manifest_is_explained(folder: Path) -> None:
    section = PAGE.read_text().partition("### manifest.json")[2].partition("\n### ")[0]
    keys = json.loads((folder / "manifest.json").read_text())
    assert [key for key in keys if f"`{key}`" not in section] == []


def test_every_key_of_the_status_is_explained(folder: Path) -> None:
    section = PAGE.read_text().partition("### status.json")[2].partition("\n### ")[0]
    keys = json.loads((folder / "status.json").read_text())
    assert [key for key in keys if f"`{key}`" not in section] == []


def test_predictions_hold_the_documented_arrays(folder: Path) -> None:
    section = PAGE.read_text().partition("### predictions")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `(\w+)` \| \(N,\) int64 \|", section, flags=re.MULTILINE)
    path = folder / "nmc" / "seed-0" / "predictions" / "experience-04.npz"
    with np.load(path, allow_pickle=False) as stored:
        assert set(rows) == set(stored.files)
        assert {(stored[name].ndim, str(stored[name].dtype)) for name in rows} == {(1, "int64")}


def test_metrics_look_like_the_example(folder: Path, code_blocks: Any) -> None:
    (example,) = code_blocks(PAGE.read_text(), "json")
    first = (folder / "nmc" / "seed-0" / "metrics.jsonl").read_text().splitlines()[0]
    assert list(json.loads(first)) == list(json.loads(example))


def test_the_python_examples_run(
    folder: Path,
    code_blocks: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reads, writes = code_blocks(PAGE.read_text(), "python")
    monkeypatch.chdir(tmp_path)
    path = re.search(r'"(runs/.*)"', reads)
    assert path is not None
    Path(path[1]).parent.mkdir(parents=True)
    shutil.copy(folder / "nmc" / "seed-0" / "predictions" / "experience-04.npz", path[1])
    exec(reads, {})
    assert float(capsys.readouterr().out) > 0.98
    exec(writes, {})
    assert facts_arrays(ArraysOptions(path=tmp_path / "features.npz")).sample_shape == (16,)


@pytest.mark.parametrize("page", ["file-formats.md", "scenarios.md"])
def test_keys_that_change_no_result_are_named(page: str) -> None:
    *first, last = (f"`{key}`" for key in NO_INFLUENCE)
    text = " ".join((PAGE.parent / page).read_text().split())
    assert f"{', '.join(first)} and {last}" in text


def test_the_page_names_what_an_exported_table_tells() -> None:
    columns = NumberColumn("a", 0.0, 1.0, False), CategoryColumn("b", ("c",), True)
    told = RowEncoder(columns, "label", (), ()).described()
    keys = {*told, *(key for column in told["columns"] for key in column)}
    kinds = {column["kind"] for column in told["columns"]}
    section = PAGE.read_text().partition("## Exported models")[2].partition("\n## ")[0]

    assert {name for name in keys | kinds if f"`{name}`" not in section} == set()
