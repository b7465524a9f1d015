"""`cilsim report`: the same reports from stored results."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.results.sealed_folder import SealedFolder

Command = Callable[..., Any]
Finished = tuple[Path, Any]


@pytest.mark.parametrize("name", ["report.md", "summary.json"])
def test_a_report_is_rebuilt_as_the_run_wrote_it(cli: Command, copy: Path, name: str) -> None:
    before = (copy / name).read_text()
    (copy / name).unlink()

    outcome = cli("report", copy)

    assert (outcome.code, outcome.err) == (0, "")
    assert (copy / name).read_text() == before


def test_the_tables_go_to_stdout(cli: Command, copy: Path, finished: Finished) -> None:
    outcome = cli("report", copy / "nmc")

    first, *lines = outcome.out.splitlines()
    assert first == "tiny"
    said = finished[1].err.splitlines()
    at = said.index(lines[0])
    assert lines[:-1] == said[at : at + len(lines) - 1]


def test_markdown_is_that_of_the_file(cli: Command, copy: Path) -> None:
    assert cli("report", copy, "--format", "markdown").out == (copy / "report.md").read_text()


def test_the_csv_has_a_line_per_metric(cli: Command, copy: Path) -> None:
    rows = list(csv.DictReader(cli("report", copy, "--format", "csv").out.splitlines()))

    [row] = [
        row
        for row in rows
        if (row["strategy"], row["seed"], row["experience"], row["metric"])
        == ("far", "1", "2", "A_all")
    ]
    stored = json.loads((copy / "summary.json").read_text())
    assert row["scenario"] == "tiny"
    assert float(row["value"]) == stored["strategies"]["far"]["seeds"]["1"]["A_all"]


def test_the_json_holds_every_metric_that_is_stored(cli: Command, copy: Path) -> None:
    [document] = cli("report", copy, "--json").document()

    assert document["folder"] == "tiny"
    lines = (copy / "nmc" / "seed-0" / "metrics.jsonl").read_text().splitlines()
    stored = [json.loads(line) for line in lines]
    [run] = [run for run in document["runs"] if (run["strategy"], run["seed"]) == ("nmc", 0)]
    assert {
        (one["experience"], name, value)
        for one in run["experiences"]
        for name, value in one["metrics"].items()
    } == {(row["experience"], row["name"], row["value"]) for row in stored}


def test_a_metric_set_replaces_the_tables(cli: Command, copy: Path) -> None:
    outcome = cli("report", copy, "--metric-set", "pycil")

    title, head, *rows, _ = outcome.out.splitlines()[1:]
    assert title == "pycil: pooled accuracies; forgetting against the best of all rows; in percent"
    assert head.split() == ["strategy", "n", "A_last", "average_accuracy", "forgetting"]
    assert [row.split()[:2] for row in rows] == [["nmc", "2"], ["far", "2"]]


def test_a_metric_set_goes_into_csv_and_json(cli: Command, copy: Path) -> None:
    listed = cli("report", copy, "--metric-set", "pycil", "--format", "csv").out.splitlines()
    described = json.loads(cli("report", copy, "--metric-set", "pycil", "--json").out)

    rows = list(csv.DictReader(listed))
    names = ["pycil/A_last", "pycil/average_accuracy", "pycil/forgetting"]
    assert sorted({row["metric"] for row in rows}) == names
    [run] = [
        run
        for folder in described
        for run in folder["runs"]
        if (run["strategy"], run["seed"]) == ("far", 1)
    ]
    [last] = [
        row["value"]
        for row in rows
        if (row["strategy"], row["seed"], row["experience"], row["metric"])
        == ("far", "1", "2", "pycil/A_last")
    ]
    assert run["pycil"]["A_last"] == float(last)


def test_a_folder_without_finished_runs(cli: Command, copy: Path) -> None:
    for run in copy.glob("*/seed-*"):
        shutil.rmtree(run)

    outcome = cli("report", copy)

    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        "error: tiny: no run is finished; go on with: cilsim resume tiny\n",
    )


def test_predictions_that_are_damaged_are_named(cli: Command, copy: Path) -> None:
    damaged = copy / "nmc" / "seed-0" / "predictions" / "experience-01.npz"
    damaged.write_bytes(damaged.read_bytes()[:-9])

    outcome = cli("report", copy)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"error: {damaged}: is damaged: its checksum does not match the one in SHA256SUMS; "
        "rebuild it with: cilsim resume tiny\n"
    )


def test_a_report_needs_no_data(cli: Command, copy: Path) -> None:
    text = (copy / "resolved.yaml").read_text()
    assert ".npz" in text
    SealedFolder(copy).write("resolved.yaml", text.replace(".npz", ".gone").encode())

    outcome = cli("report", copy)

    assert (outcome.code, outcome.err) == (0, "")
    assert "nmc" in outcome.out
