"""What was fitted to a table makes the same features of further rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data.csv_table import Table
from cilsim.data.row_encoder import RowEncoder, row_encoder
from cilsim.data.tabular import TabularOptions, load_tabular
from cilsim.data.tabular_columns import CategoryColumn, NumberColumn
from cilsim.data.tabular_file import read_table
from cilsim.errors import DataError

AGE = NumberColumn("age", mean=30.0, deviation=10.0, missing_feature=True)
DOSE = NumberColumn("dose", mean=0.5, deviation=0.1, missing_feature=False)
CITY = CategoryColumn("city", ("Oslo", "Rome"), missing_feature=False)
ENCODER = RowEncoder((AGE, DOSE, CITY), "sick", ("part", "number"), ("", "NA"))


def table(text: str) -> Table:
    header, *rows = [line.split(",") for line in text.splitlines()]
    return Table("table 'new.csv'", tuple(header), rows, [*range(2, len(rows) + 2)])


def refusal(text: str, encoder: RowEncoder = ENCODER) -> str:
    with pytest.raises(DataError) as caught:
        encoder.encode(table(text))
    return str(caught.value)


def test_rows_become_features_as_training_had_it() -> None:
    found = ENCODER.encode(table("age,dose,city\n40,0.5,Rome\nna,0.6,Oslo\n20,NA,Bonn"))

    assert ENCODER.features == (
        "age", "age missing", "dose", "city = Oslo", "city = Rome", "city other",
    )  # fmt: skip
    assert found.dtype == np.float32
    np.testing.assert_array_equal(
        found,
        np.array(
            [
                [1, 0, 0, 0, 1, 0],
                [0, 1, (0.6 - 0.5) / 0.1, 1, 0, 0],
                [-1, 0, 0, 0, 0, 1],
            ],
            dtype=np.float32,
        ),
    )


def test_a_category_is_other_if_it_or_its_absence_was_in_no_training_row() -> None:
    rows = table("age,dose,city\n40,0.5,Bonn\n40,0.5,NA\n40,0.5,Oslo\n40,0.5,oslo")

    assert ENCODER.encode(rows)[:, -1].tolist() == [1, 1, 0, 1]
    assert ENCODER.unknown_categories(rows) == [(CITY, [0, 3])]


def test_columns_may_have_any_order_and_those_without_features_may_be_there() -> None:
    found = ENCODER.encode(table("number,city,sick,dose,part,age\n7,Rome,yes,0.5,test,40"))

    assert found.tolist() == [[1, 0, 0, 0, 1, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age,city\n40,Rome", ": there is no column 'dose'; known: age, city"),
        ("ages,dose,city\nx,1,Rome", ": there is no column 'age'; did you mean 'ages'?"),
        (
            "age,dose,city,ctiy\nx,1,Rome,Rome",
            ": column 'ctiy' was not there in training; did you mean 'city'? - leave it out",
        ),
        (
            "age,dose,city,weight\n1,1,Rome,1",
            ": column 'weight' was not there in training; known: age, city, dose - leave it out",
        ),
        (
            "age,dose,city\n40,1,Rome\nforty,1,Rome",
            " line 3: age 'forty' - expected a finite number, or a word listed in 'missing'",
        ),
    ],
    ids=["missing", "misspelt", "twice", "extra", "no number"],
)
def test_other_columns_and_cells_are_told(text: str, message: str) -> None:
    assert refusal(text) == f"table 'new.csv'{message}"


def test_a_number_too_far_from_the_others_is_told() -> None:
    encoder = RowEncoder((NumberColumn("a", 1.0, 1e-9, False),), "sick", (), ())

    assert refusal("a\n2\n-1e38", encoder) == (
        "table 'new.csv' line 3: a '-1e38' - expected a number nearer to those of the training "
        "(mean 1, deviation 1e-09)"
    )


def test_numbers_whose_deviation_underflows_are_not_divided_by_it(tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text("a,sick,part\n0,no,train\n1e-200,yes,train\n1,no,test\n0,yes,test\n")

    dataset = load_tabular(TabularOptions(path=path, label="sick", split="part"))
    assert dataset.x_train.tolist() == [[0.0], [0.0]]
    assert dataset.x_test.tolist() == [[1.0], [0.0]]


def test_the_encoder_of_a_data_set_survives_json_to_the_bit(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    lines = ["age,city,id,sick,part"]
    for row in range(60):
        age = "" if row % 7 == 3 else repr(float(generator.normal() * 1e-3))
        city = ("Oslo", "Köln", "", "a,b", "NA")[row % 5]
        part = "test" if row % 3 == 2 else "train"
        lines.append(f'{age},"{city}",{row},{"no" if row < 30 else "yes"},{part}')
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    options = TabularOptions(path=path, label="sick", split="part", ignore=("id",))
    dataset = load_tabular(options)
    assert dataset.row_encoder is not None

    told: dict[str, Any] = json.loads(json.dumps(dataset.row_encoder.described()))
    x_ND = row_encoder(told).encode(read_table("table", path))
    test_N = np.arange(60) % 3 == 2
    assert x_ND[~test_N].tobytes() == dataset.x_train.tobytes()
    assert x_ND[test_N].tobytes() == dataset.x_test.tobytes()
    assert row_encoder(told) == dataset.row_encoder


def test_a_column_of_another_kind_is_refused() -> None:
    told = ENCODER.described()
    told["columns"][0]["kind"] = "dates"
    with pytest.raises(ValueError, match=r"^a column of kind 'dates'$"):
        row_encoder(told)
