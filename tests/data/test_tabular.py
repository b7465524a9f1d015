"""A table as a data set."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cilsim
from cilsim.data.tabular import TabularOptions, about_table, facts_tabular, load_tabular
from cilsim.errors import DataError

PATIENTS = """\
age,city,sick,part
20,Oslo,no,train
40,Rome,no,train
,Oslo,yes,train
30,,yes,train
30,Bonn,yes,test
NA,Rome,no,test
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path, PATIENTS)


def write(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def options(path: Path, **changes: Any) -> TabularOptions:
    return TabularOptions(path=path, **{"label": "sick", "split": "part", **changes})


def refusal(path: Path, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_tabular(options(path, **changes))
    return str(caught.value)


def test_numbers_are_standardised_and_categories_one_hot(table: Path) -> None:
    dataset = load_tabular(options(table))
    about = about_table(options(table))

    z = 10 / np.std([20, 40, 30])  # the mean is 30
    assert about["features"] == [
        "age", "age missing", "city = Oslo", "city = Rome", "city missing", "city other",
    ]  # fmt: skip
    np.testing.assert_array_equal(
        dataset.x_train,
        np.array(
            [[-z, 0, 1, 0, 0, 0], [z, 0, 0, 1, 0, 0], [0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0]],
            dtype=np.float32,
        ),
    )
    np.testing.assert_array_equal(dataset.x_test, [[0, 0, 0, 0, 0, 1], [0, 1, 0, 1, 0, 0]])
    assert dataset.facts.class_names == ("no", "yes")
    assert dataset.facts.y_train.tolist() == [0, 0, 1, 1]
    assert dataset.facts.y_test.tolist() == [1, 0]
    assert facts_tabular(options(table)).sample_shape == (6,)


def test_what_was_read_is_told_by_column(table: Path) -> None:
    assert about_table(options(table))["columns"] == {
        "age": {"categories": None, "missing": 2},
        "city": {"categories": 3, "missing": 1},
    }


def test_test_rows_have_no_part_in_the_statistics(table: Path, tmp_path: Path) -> None:
    train = load_tabular(options(table)).x_train.tolist()
    changed = write(tmp_path, PATIENTS.replace("30,Bonn,yes,test", "900,Paris,yes,test"))

    assert load_tabular(options(changed)).x_train.tolist() == train


def test_statistics_can_be_those_of_some_classes(table: Path) -> None:
    about = about_table(options(table, statistics_of=["no"]))
    dataset = load_tabular(options(table, statistics_of=["no"]))

    assert about["features"] == ["age", "city = Oslo", "city = Rome", "city other"]
    np.testing.assert_array_equal(
        dataset.x_train, [[-1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    )


def test_a_column_of_numbers_can_be_one_of_categories(tmp_path: Path) -> None:
    path = write(tmp_path, "code,sick,part\n7,no,train\n12,yes,train\n7,no,test\n1,yes,test\n")

    dataset = load_tabular(options(path, categorical=["code"]))
    np.testing.assert_array_equal(dataset.x_train, [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(dataset.x_test, [[0, 1, 0], [0, 0, 1]])


def test_a_column_that_is_the_same_everywhere_is_zero(tmp_path: Path) -> None:
    path = write(tmp_path, "a,sick,part\n0.1,no,train\n0.1,yes,train\n0.1,no,test\n3,yes,test\n")

    dataset = load_tabular(options(path))
    assert dataset.x_train.tolist() == [[0.0], [0.0]]
    assert dataset.x_test[:, 0].tolist() == pytest.approx([0.0, 2.9])


def test_ignored_columns_are_left_out(table: Path) -> None:
    assert about_table(options(table, ignore=["age"]))["features"] == [
        "city = Oslo", "city = Rome", "city missing", "city other",
    ]  # fmt: skip


def test_classes_that_are_numbers_are_in_their_order(tmp_path: Path) -> None:
    rows = "".join(f"{value},{value}\n" * 2 for value in (10, 9, 100))
    path = write(tmp_path, "a,digit\n" + rows)

    facts = facts_tabular(TabularOptions(path=path, label="digit"))
    assert facts.class_names == ("9", "10", "100")


def test_without_a_split_a_part_of_each_class_is_held_out(tmp_path: Path) -> None:
    rows = "".join(f"{value},{'no' if value < 30 else 'yes'}\n" for value in range(40))
    path = write(tmp_path, "a,sick\n" + rows)

    first, second = (load_tabular(TabularOptions(path=path, label="sick")) for _ in range(2))
    assert np.bincount(first.facts.y_train).tolist() == [24, 8]
    assert np.bincount(first.facts.y_test).tolist() == [6, 2]
    assert first.digest == second.digest


def test_another_option_or_content_is_read_anew(table: Path, tmp_path: Path) -> None:
    before = load_tabular(options(table)).digest

    assert load_tabular(options(table, missing=["NA"])).digest != before
    assert load_tabular(options(write(tmp_path, PATIENTS.replace("20", "25")))).digest != before
    assert load_tabular(options(write(tmp_path, PATIENTS))).digest == before


def test_a_table_is_read_once(table: Path, places: Path) -> None:
    load_tabular(options(table))
    [folder] = [path for path in (places / "cache" / "data").iterdir() if path.is_dir()]
    stamp = (folder / "x_train.npy").stat().st_mtime_ns

    load_tabular(options(table))
    facts_tabular(options(table))
    assert (folder / "x_train.npy").stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"label": "sik"}, ": there is no column 'sik'; did you mean 'sick'?"),
        ({"split": "city"}, " line 2: city 'Oslo' - expected train or test"),
        ({"label": "city"}, " line 5: city '' - expected the name of a class, for each row"),
        ({"ignore": ["age", "city"]}, ": no column is left beside 'sick'"),
        (
            {"categorical": ["age"]},
            " line 2: city 'Oslo' - expected a finite number, or a word listed in 'missing'",
        ),
        (
            {"statistics_of": ["never"]},
            ": statistics_of: there is no class 'never'; known: no, yes",
        ),
        (
            {"missing": ["Oslo", "Rome", "Bonn", "NA", ""], "categorical": []},
            ": column 'city' has no value in the rows that statistics come from - "
            "leave it out with 'ignore: [city]'",
        ),
    ],
)
def test_what_does_not_fit_the_table_is_told(
    table: Path, changes: dict[str, Any], complaint: str
) -> None:
    assert refusal(table, **changes) == f"table '{table}'{complaint}"


@pytest.mark.parametrize("number", ["inf", "1e39", "-1e400"])
def test_a_number_has_to_fit(tmp_path: Path, number: str) -> None:
    text = PATIENTS.replace("20,Oslo", f"{number},Oslo")

    assert refusal(write(tmp_path, text), categorical=["city"]) == (
        f"table '{tmp_path / 'table.csv'}' line 2: age '{number}' - expected a finite number, "
        "or a word listed in 'missing'"
    )


def test_numbers_with_commas_are_not_taken_for_categories(tmp_path: Path) -> None:
    rows = [f"{row},5;{'yes' if row % 2 else 'no'}" for row in range(8)]
    path = write(tmp_path, "\n".join(["dose;sick", "3;no", *rows]))

    assert refusal(path, split=None) == (
        f"table '{path}' line 3: dose '0,5' - expected a point in place of the comma"
    )
    choices = options(path, split=None, categorical=["dose"])
    assert about_table(choices)["columns"]["dose"]["categories"] > 1


def test_a_class_needs_rows_in_both_parts(tmp_path: Path) -> None:
    path = write(tmp_path, PATIENTS + "1,Oslo,maybe,train\n")

    assert refusal(path) == (
        f"table '{path}': class 'maybe' has no test row - expected at least one for training and "
        "one for testing"
    )


def test_a_column_of_names_is_no_category(tmp_path: Path) -> None:
    rows = "".join(f"name{row},{row % 2},{'train' if row else 'test'}\n" for row in range(1, 1003))
    path = write(tmp_path, f"name,sick,part\n{rows}x,0,test\ny,1,test\n")

    assert refusal(path) == (
        f"table '{path}': column 'name' has 1002 categories - expected at most 1000; "
        "leave it out with 'ignore: [name]'"
    )


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("none.csv", " cannot be read: No such file or directory"),
        (".", " is no regular file"),
    ],
)
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str, complaint: str) -> None:
    assert refusal(tmp_path / name) == f"table '{tmp_path / name}'{complaint}"


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.xlsx").write_bytes(b"PK")

    assert refusal(tmp_path / "table.xlsx") == (
        f"table '{tmp_path / 'table.xlsx'}': its name ends in '.xlsx' - "
        "expected .csv, .tsv or .parquet"
    )


def test_parquet_gives_what_csv_gives(table: Path, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {
        "age": [20, 40, None, 30, 30, None],
        "city": ["Oslo", "Rome", "Oslo", None, "Bonn", "Rome"],
        "sick": ["no", "no", "yes", "yes", "yes", "no"],
        "part": ["train"] * 4 + ["test"] * 2,
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "table.parquet")

    found = load_tabular(options(tmp_path / "table.parquet"))
    assert found.digest == load_tabular(options(table)).digest
    assert found.facts.class_names == ("no", "yes")


def test_a_wrong_cell_of_parquet_is_named_by_its_row(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "table.parquet"
    parquet.write_table(pyarrow.table({"a": [1.5, 2.5], "sick": ["no", None]}), path)

    assert refusal(path, split=None) == (
        f"table '{path}' row 2: sick '' - expected the name of a class, for each row"
    )


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "table.parquet"
    path.write_bytes(b"nothing of the kind")

    assert refusal(path) == f"table '{path}' is no Parquet file that can be read"


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    path = tmp_path / "table.parquet"
    path.write_bytes(b"")

    assert refusal(path) == (
        f"table '{path}': Parquet needs pyarrow - pip install 'cilsim[tabular]', or save it as CSV"
    )


@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
@pytest.mark.parametrize(("backbone", "least"), [("identity", 0.9), ("mlp", 0.85)])
def test_tables_of_scikit_learn_run_from_a_file(
    tmp_path: Path, name: str, backbone: str, least: float
) -> None:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    columns = [column.replace(" ", "_") for column in bunch.feature_names]
    lines = [",".join([*columns, "kind"])]
    for row, target in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True):
        lines.append(",".join([*map(str, row), str(bunch.target_names[target])]))
    path = write(tmp_path, "\n".join(lines))
    scenario = {
        "name": name,
        "stream": {
            "kind": "class_incremental",
            "dataset": {"name": "tabular", "path": str(path), "label": "kind"},
            "base_classes": 2 if name == "wine" else 1,
            "increment": 1,
        },
        "backbone": backbone,
        "base_training": {"epochs": 5},
        "strategy": "nmc",
    }

    (result,) = cilsim.run(scenario, out=tmp_path / "runs", device="cpu").results
    assert result.final["A_all"] >= least
