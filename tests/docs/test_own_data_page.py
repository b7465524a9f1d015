"""What docs/own-data.md says of lists, tables and arrays is so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import cilsim
from cilsim.data.image_folder import ImageFolderOptions, facts_image_folder
from cilsim.data.tabular import TabularOptions, facts_tabular

PAGE = Path(__file__).parents[2] / "docs" / "own-data.md"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def examples(code_blocks: Any) -> list[str]:
    """The list of images and the table."""
    return list(code_blocks(PAGE.read_text(), "csv"))


def write_list(text: str) -> Path:
    """Write the page's list and its images, each of the colour of its class."""
    Path("list.csv").write_text(text)
    for line in text.splitlines()[1:]:
        name, label, *_ = line.split(",")
        Path(name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32), {"bolt": "red", "nut": "lime"}.get(label, "blue")).save(name)
    return Path("list.csv")


def test_the_list_is_one(examples: list[str]) -> None:
    facts = facts_image_folder(ImageFolderOptions(path=write_list(examples[0])))

    assert facts.class_names == ("bolt", "nut", "washer")
    assert facts.domain_names == ("0", "1")
    assert facts.y_train.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("kind", "sizes", "labelled"),
    [
        ({"kind": "avalanche_repeated"}, [2, 1], [2, 2]),
        ({"kind": "class_incremental", "sizes": [2, 1]}, [2, 1], [3, 1]),
    ],
    ids=["avalanche_repeated", "class_incremental"],
)
def test_streams_bring_the_list_as_the_table_says(
    examples: list[str], kind: dict[str, Any], sizes: list[int], labelled: list[int]
) -> None:
    scenario = {
        "name": "list",
        "stream": {
            **kind,
            "dataset": {"name": "image_folder", "path": str(write_list(examples[0]))},
        },
        "backbone": "small",
        "base_training": {"epochs": 1},
        "training": {"epochs": 1},
        "strategy": "joint" if "avalanche" in kind["kind"] else "nmc",
    }
    [result] = cilsim.run(scenario, device="cpu").results

    experiences = result.run.stream.experiences
    assert [len(experience.new_labels) for experience in experiences] == sizes
    assert [experience.labelled for experience in experiences] == labelled
    assert [experience.test for experience in experiences] == [2, 1]
    assert result.run.stream.class_names == ("bolt", "nut", "washer")


def test_the_table_is_one(examples: list[str]) -> None:
    rows = ["20,Rome,healed", "30,Oslo,ill"]
    Path("patients.csv").write_text(examples[1] + "\n".join(rows))

    facts = facts_tabular(TabularOptions(path=Path("patients.csv"), label="outcome"))
    assert facts.class_names == ("healed", "ill")


def test_the_example_of_arrays_runs_with_unequal_classes(
    code_blocks: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    [block] = code_blocks(PAGE.read_text(), "python")
    exec(compile(block, "example", "exec", dont_inherit=True), {})

    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows] == [["nmc", "0"], ["slda", "0"], ["nmc", "1"], ["slda", "1"]]
    assert all(float(row[2]) > 0.95 for row in rows)
