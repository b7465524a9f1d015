"""A model of a table predicts and learns rows as its run did, and its export needs no table."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cilsim.cli.main import main
from cilsim.data.tabular_file import read_table
from cilsim.deploy import load_plain
from cilsim.deploy.exportable import classifier_of
from cilsim.deploy.extension import extended
from cilsim.deploy.from_run import model_of_run
from cilsim.deploy.model_folder import read_model, write_model
from cilsim.deploy.prediction import scores_of
from cilsim.deploy.revival import revived
from cilsim.deploy.row_files import table_rows
from cilsim.errors import CheckpointError
from cilsim.plugins import discover
from cilsim.results.sums import Sums, sum_of, write_sums

Command = Callable[..., tuple[int, str, str]]
CLASSES = ("cold", "flu", "gout", "mumps")
HEADER = "id,temperature,city,outcome,part"
SCENARIO = """\
schema: 1
name: patients
stream:
  kind: class_incremental
  dataset: {name: tabular, path: patients.csv, label: outcome, split: part, ignore: [id]}
  sizes: [2, 1, 1]
backbone: {name: mlp, hidden: [16, 8]}
strategies: [nmc, slda]
threads: 1
checkpoints: {keep: 3}
base_training: {epochs: 3, batch_size: 16}
"""


def rows_of(label: int) -> list[str]:
    """Return 12 rows of a class; every third is for testing."""
    generator = np.random.default_rng(label)
    rows = []
    for number in range(12):
        temperature = f"{36 + label + generator.normal() / 5:.2f}" if number % 5 else ""
        city = ("Oslo", "Rome", "Bonn", "Lima")[int(generator.integers(label, label + 2)) % 4]
        part = "train" if number % 3 else "test"
        rows.append(f"{label * 12 + number},{temperature},{city},{CLASSES[label]},{part}")
    return rows


ALL_ROWS = [row for label in range(4) for row in rows_of(label)]


def write_rows(path: Path, rows: list[str], columns: str = HEADER) -> Path:
    """Write some columns of rows."""
    header = HEADER.split(",")
    chosen = [header.index(name) for name in columns.split(",")]
    cells = [[row.split(",")[place] for place in chosen] for row in rows]
    path.write_text("\n".join([columns, *map(",".join, cells)]) + "\n")
    return path


def rows_for(part: str, outcome: str = "") -> list[str]:
    return [row for row in ALL_ROWS if row.endswith(f"{outcome},{part}")]


@pytest.fixture(scope="session")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the table, runs of two strategies on it, and the model of each."""
    folder = tmp_path_factory.mktemp("patients")
    write_rows(folder / "patients.csv", ALL_ROWS)
    (folder / "patients.yaml").write_text(SCENARIO, encoding="utf-8")
    with chdir(folder):
        assert main(["run", "patients.yaml", "--no-tensorboard", "--device", "cpu", "-q"]) == 0
        for name in ("nmc", "slda"):
            run = f"runs/patients/{name}/seed-0"
            assert main(["export", run, "--out", f"{name}-model"]) == 0
    return folder


@pytest.fixture(scope="session")
def model(patients: Path) -> Path:
    return patients / "nmc-model"


def run_of(patients: Path, strategy: str) -> Path:
    return patients / "runs" / "patients" / strategy / "seed-0"


@pytest.mark.parametrize("strategy", ["nmc", "slda"])
@pytest.mark.parametrize("exported", [False, True], ids=["run", "export"])
def test_test_rows_are_predicted_as_in_the_run(
    strategy: str, exported: bool, patients: Path, cli: Command, tmp_path: Path
) -> None:
    rows = write_rows(tmp_path / "test.csv", rows_for("test"))
    run = run_of(patients, strategy)
    source = patients / f"{strategy}-model" if exported else run
    code, out, err = cli("predict", source, rows)
    with np.load(run / "predictions" / "experience-02.npz") as stored:
        order = np.argsort(stored["index"])
        expected = [CLASSES[label] for label in stored["predicted_class_id"][order]]
    found = [line.split("\t") for line in out.splitlines()]

    assert (code, len(found)) == (0, 16)
    assert [row[0] for row in found] == [str(number) for number in range(1, 17)]
    assert "\n".join(row[1] for row in found).encode() == "\n".join(expected).encode()
    assert err == f"table '{rows}': column 'outcome' is not read: the model predicts it\n"


def test_an_export_needs_neither_table_nor_label(
    patients: Path, model: Path, cli: Command, tmp_path: Path
) -> None:
    bare = write_rows(tmp_path / "bare.csv", rows_for("test"), "city,temperature")
    whole = write_rows(tmp_path / "whole.csv", rows_for("test"))
    expected = cli("predict", model, whole)[1]
    table = patients / "patients.csv"
    hidden = table.rename(patients / "hidden.csv")
    try:
        found = cli("predict", model, bare)
    finally:
        hidden.rename(table)

    assert found == (0, expected, "")


def test_parquet_is_predicted_as_csv_is(model: Path, cli: Command, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [row.split(",") for row in rows_for("test")]
    numbers = [float(row[1]) if row[1] else None for row in rows]
    columns = {"temperature": numbers, "city": [row[2] for row in rows]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "rows.parquet")
    write_rows(tmp_path / "rows.csv", rows_for("test"), "temperature,city")

    found = cli("predict", model, tmp_path / "rows.parquet", "--top", 2)
    assert found == cli("predict", model, tmp_path / "rows.csv", "--top", 2)
    assert found[0] == 0


def test_json_tells_file_and_row(model: Path, cli: Command, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.csv", rows_for("test")[:2], "temperature,city")
    code, out, _ = cli("predict", model, rows, "--json", "--top", 2)
    document = json.loads(out)

    assert (code, [set(one) for one in document]) == (0, [{"file", "row", "classes"}] * 2)
    assert [(one["file"], one["row"]) for one in document] == [(str(rows), 1), (str(rows), 2)]
    assert [len(one["classes"]) for one in document] == [2, 2]


def test_rows_of_several_files_are_named_with_their_file(
    model: Path, cli: Command, tmp_path: Path
) -> None:
    files = [
        write_rows(tmp_path / name, rows_for("test")[:2], "temperature,city")
        for name in ("a.csv", "b.csv")
    ]
    _, out, _ = cli("predict", model, *files)

    named = [line.split("\t")[0] for line in out.splitlines()]
    assert named == [f"{file}:{row}" for file in files for row in (1, 2)]


def test_unknown_categories_are_told_and_count_as_other(
    model: Path, cli: Command, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("temperature,city\n36,Olso\n36,Oslo\n36,Paris\n37,\n")
    code, out, err = cli("predict", model, rows)
    encoder = read_model(model).input.row_encoder
    assert encoder is not None

    assert (code, len(out.splitlines())) == (0, 4)
    assert err == (
        f"warning: table '{rows}' line 2: city 'Olso' was in no training row; did you mean 'Oslo'?"
        " - it counts as 'other'; 2 rows have such a value\n"
    )
    assert encoder.encode(read_table("table", rows))[:, -1].tolist() == [1.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("temperature\n36", ": there is no column 'city'; known: temperature"),
        (
            "temperature,city,citty\n36,Oslo,Rome",
            ": column 'citty' was not there in training; did you mean 'city'? - leave it out",
        ),
        (
            "temperature,city\nwarm,Oslo",
            " line 2: temperature 'warm' - expected a finite number, or a word listed in 'missing'",
        ),
        ("", ": it is empty - expected a header with the names of the columns"),
    ],
    ids=["missing column", "extra column", "wrong type", "empty"],
)
def test_rows_that_do_not_fit_end_with_two(
    content: str, message: str, model: Path, cli: Command, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(content)
    assert cli("predict", model, rows) == (2, "", f"error: table '{rows}'{message}\n")


@pytest.mark.parametrize("strategy", ["nmc", "slda"])
def test_rows_learnt_later_give_the_bits_of_the_next_experience(
    strategy: str, patients: Path, tmp_path: Path
) -> None:
    plugins, run = discover(), run_of(patients, strategy)
    whole = model_of_run(run, plugins)
    with revived(whole, plugins) as back:
        expected = classifier_of(whole, back)
    part = model_of_run(run, plugins, after=1)
    assert part.input.row_encoder is not None
    rows = write_rows(tmp_path / "mumps.csv", rows_for("train", "mumps"))
    x_ND = table_rows(rows, part.input.row_encoder, "mumps").x
    with extended(part, plugins, "mumps", x_ND) as (longer, back):
        found = classifier_of(longer, back)

    assert longer.stream.class_names == whole.stream.class_names == CLASSES
    assert found.tensors.keys() == expected.tensors.keys()
    for name, tensor in expected.tensors.items():
        assert torch.equal(found.tensors[name], tensor), name


def test_a_class_learnt_from_rows_is_predicted_and_can_be_followed_by_another(
    patients: Path, cli: Command, tmp_path: Path
) -> None:
    three, four, five = (tmp_path / name for name in ("three", "four", "five"))
    run = run_of(patients, "nmc")
    assert main(["export", str(run), "--after", "1", "--out", str(three)]) == 0
    rows = write_rows(tmp_path / "mumps.csv", rows_for("train", "mumps"))
    assert cli("extend", three, "--class", "mumps", rows, "--out", four) == (0, f"{four}\n", "")
    bare = write_rows(tmp_path / "bare.csv", rows_for("test", "mumps"), "temperature,city")
    assert cli("extend", four, "--class", "measles", bare, "--out", five)[0] == 0
    _, out, _ = cli("predict", four, bare)

    found = [line.split("\t")[1] for line in out.splitlines()]
    assert found.count("mumps") > len(found) / 2
    assert read_model(five).stream.class_names == (*CLASSES, "measles")
    assert read_model(five).input == read_model(three).input


def test_rows_of_another_class_are_not_learnt(model: Path, cli: Command, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.csv", rows_for("train", "mumps"))
    assert cli("extend", model, "--class", "measles", rows, "--out", tmp_path / "new") == (
        2,
        "",
        f"error: table '{rows}' line 2: outcome 'mumps' - expected 'measles', the name after "
        "--class\n",
    )


def test_model_json_tells_what_was_fitted_and_no_row(model: Path) -> None:
    given = json.loads((model / "model.json").read_text())["input"]
    temperatures = [float(row.split(",")[1]) for row in rows_for("train") if row.split(",")[1]]

    assert given == {
        "kind": "table",
        "size": 7,
        "columns": [
            {
                "name": "temperature",
                "kind": "number",
                "mean": np.mean(temperatures),
                "deviation": np.std(temperatures),
                "missing_feature": True,
            },
            {
                "name": "city",
                "kind": "categories",
                "categories": ["Bonn", "Lima", "Oslo", "Rome"],
                "missing_feature": False,
            },
        ],
        "label": "outcome",
        "unused": ["part", "id"],
        "missing": ["", "?", "NA", "N/A", "NaN", "null", "None"],
    }


def test_a_model_of_a_table_exports_again_to_the_same_bytes(model: Path, tmp_path: Path) -> None:
    plugins, again, stored = discover(), tmp_path / "again", read_model(model)
    with revived(stored, plugins) as back:
        write_model(again, stored, back)

    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in model.iterdir()
    }


def test_the_plain_loader_encodes_and_scores_as_the_engine(model: Path, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.csv", rows_for("test"))
    with rows.open("a") as file:
        file.write("\n,,,,\n99,null, Paris ,,\n")
    plugins, stored, plain = discover(), read_model(model), load_plain.load(model)
    assert stored.input.row_encoder is not None
    x_ND = stored.input.row_encoder.encode(read_table("table", rows))
    with revived(stored, plugins) as back:
        own_NK = scores_of(back.run, x_ND, stored.input)

    found_ND = plain.read_rows(rows)
    assert found_ND.numpy().tobytes() == x_ND.tobytes()
    np.testing.assert_allclose(plain.scores(found_ND), own_NK, rtol=0, atol=1e-6)


def test_the_plain_loader_prints_the_class_of_each_row(
    model: Path,
    cli: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = write_rows(tmp_path / "rows.csv", rows_for("test"), "temperature,city")
    for files in ([str(rows)], [str(rows), str(rows)]):
        told = cli("predict", model, *files)[1]
        monkeypatch.setattr("sys.argv", ["load_plain.py", *files])
        runpy.run_path(str(model / "load_plain.py"), run_name="__main__")
        plain = capsys.readouterr().out
        found, expected = (
            [line.split("\t")[:2] for line in text.splitlines()] for text in (plain, told)
        )
        assert found == expected


def test_the_plain_loader_without_a_file_says_what_it_takes(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["load_plain.py"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(model / "load_plain.py"), run_name="__main__")
    assert (ended.value.code, capsys.readouterr().err) == (2, "usage: load_plain.py FILE...\n")


def with_input(model: Path, folder: Path, given: dict[str, Any]) -> Path:
    """Return a copy of a model that takes something else, with the checksums that fit."""
    shutil.copytree(model, folder)
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**about, "input": given}))
    files = [path for path in folder.iterdir() if path.name != "SHA256SUMS"]
    write_sums(folder, Sums({path.name: (sum_of(path.read_bytes()),) for path in files}))
    return folder


@pytest.mark.parametrize(
    "given",
    [{"kind": "table"}, {"kind": "table", "columns": 3}, {}],
    ids=["no columns", "no list", "nothing"],
)
def test_an_input_that_is_not_described_is_damage(
    given: dict[str, Any], model: Path, tmp_path: Path
) -> None:
    folder = with_input(model, tmp_path / "new", given)
    with pytest.raises(CheckpointError) as caught:
        read_model(folder)
    assert str(caught.value) == (
        f"{folder / 'model.json'}: is damaged: it does not describe a model"
    )


def test_an_export_that_does_not_know_columns_opens_and_takes_features(
    model: Path, cli: Command, tmp_path: Path
) -> None:
    old = with_input(model, tmp_path / "old", {"kind": "features", "size": 7})
    encoder = read_model(model).input.row_encoder
    assert encoder is not None
    rows = write_rows(tmp_path / "rows.csv", rows_for("test"), "temperature,city")
    np.savez(tmp_path / "rows.npz", x=encoder.encode(read_table("table", rows)))

    classes = [line.split("\t")[1:] for line in cli("predict", model, rows)[1].splitlines()]
    code, out, _ = cli("predict", old, tmp_path / "rows.npz")
    assert (code, [line.split("\t")[1:] for line in out.splitlines()]) == (0, classes)
    assert cli("predict", old, rows) == (
        2,
        "",
        f"error: {rows}: the model takes vectors of 7 features - expected .npz files with x\n",
    )
