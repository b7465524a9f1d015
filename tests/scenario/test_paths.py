from __future__ import annotations

from pathlib import Path

import pytest

from cilsim.scenario.load import load_scenario

STREAM = "{{kind: cil, dataset: {{name: image_folder, root: {root}}}, experiences: 5}}"


@pytest.fixture
def root_of(tmp_path, monkeypatch, registries):
    """Load `scenarios/a.yaml` from beside that folder and return where the data are looked for."""
    monkeypatch.chdir(tmp_path)
    Path("scenarios").mkdir()

    def root(written: str, *overrides: str) -> Path:
        text = f"stream: {STREAM.format(root=written)}\nstrategy: nmc\n"
        Path("scenarios/a.yaml").write_text(text)
        path = Path("scenarios/a.yaml")
        scenario = load_scenario(path, registries, overrides, with_data=False)
        return scenario.stream.dataset.options.root

    return root


def test_a_relative_path_is_looked_up_beside_the_scenario_first(root_of, tmp_path):
    Path("scenarios/photos").mkdir()
    Path("photos").mkdir()
    assert root_of("photos") == tmp_path / "scenarios/photos"


def test_a_relative_path_is_looked_up_in_the_current_folder_next(root_of, tmp_path):
    Path("photos").mkdir()
    assert root_of("photos") == tmp_path / "photos"


def test_a_path_that_leads_nowhere_stays_beside_the_scenario(root_of, tmp_path):
    assert root_of("../photos") == tmp_path / "photos"
    assert root_of("photos") == tmp_path / "scenarios/photos"


def test_the_path_of_an_override_is_looked_up_in_the_current_folder(root_of, tmp_path):
    Path("scenarios/photos").mkdir()
    assert root_of("x", "stream.dataset.root=photos") == tmp_path / "photos"


def test_an_absolute_path_and_the_home_folder_are_understood(root_of, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert root_of("/data/photos") == Path("/data/photos")
    assert root_of("~/photos") == tmp_path / "home/photos"


def test_every_path_of_a_list_is_made_absolute(load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lists = "{name: image_folder, root: r, lists: [a, /b]}"
    text = f"stream: {{kind: cil, dataset: {lists}, experiences: 5}}\nstrategy: nmc\n"
    options = load(text, with_data=False, folder=tmp_path).stream.dataset.options
    assert options.lists == (tmp_path / "a", Path("/b"))


def test_a_missing_data_set_is_told_at_the_data_set(problems, load, tmp_path):
    text = f"stream: {STREAM.format(root='photos')}\nstrategy: nmc\n"
    assert problems(text, folder=tmp_path) == [
        "scen.yaml:1:30: stream.dataset: no such folder: photos"
    ]
    assert load(text, with_data=False).stream.dataset.name == "image_folder"


def test_the_class_order_file_is_read_beside_the_scenario(load, problems, short, tmp_path):
    (tmp_path / "order.txt").write_text("\n".join(map(str, reversed(range(100)))))
    text = f"{short}class_order: {{file: order.txt}}\n"
    assert load(text, folder=tmp_path).class_order.file == tmp_path / "order.txt"
    (tmp_path / "order.txt").write_text("0 1, 2 # three classes\nx\n")
    assert problems(text, folder=tmp_path) == [
        f"scen.yaml:3:21: class_order.file: {tmp_path}/order.txt:2: expected class ids, found 'x'"
    ]
