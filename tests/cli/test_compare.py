"""`cilsim compare`: strategies with statistics, from stored results."""

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


def stored(copy: Path, strategy: str, seed: int, metric: str = "A_all") -> float:
    summary = json.loads((copy / "summary.json").read_text())
    return float(summary["strategies"][strategy]["seeds"][str(seed)][metric])


def test_strategies_of_a_folder_are_compared(cli: Command, copy: Path) -> None:
    outcome = cli("compare", copy)

    title, head, *rows = outcome.out.splitlines()
    assert (outcome.code, outcome.err, title) == (0, "", "A_all, in percent")
    assert head.split()[:3] == ["strategy", "n", "A_all"]
    assert {row.split()[0] for row in rows[:2]} == {"nmc", "far"}


def test_the_json_holds_the_stored_values(cli: Command, copy: Path) -> None:
    [document] = cli("compare", copy, "--json").document()

    values = {row["strategy"]: row["by_seed"] for row in document["strategies"]}
    assert values == {
        label: {str(seed): stored(copy, label, seed) for seed in (0, 1)} for label in ("nmc", "far")
    }


def test_format_json_is_the_same(cli: Command, copy: Path) -> None:
    assert cli("compare", copy, "--format", "json").out == cli("compare", copy, "--json").out


def test_metrics_may_be_several(cli: Command, copy: Path) -> None:
    both = ["--metric", "A_avg_inc", "--metric", "forgetting"]
    documents = cli("compare", copy, *both, "--json").document()
    assert [document["metric"] for document in documents] == ["A_avg_inc", "forgetting"]


def test_csv_has_a_row_per_strategy(cli: Command, copy: Path) -> None:
    rows = list(csv.DictReader(cli("compare", copy, "--format", "csv").out.splitlines()))
    means = {row["strategy"]: float(row["mean"]) for row in rows}
    assert means == {
        label: pytest.approx((stored(copy, label, 0) + stored(copy, label, 1)) / 2)
        for label in ("nmc", "far")
    }


@pytest.mark.parametrize(
    ("form", "first"), [("markdown", "A_all, in percent:"), ("latex", r"\begin{table}")]
)
def test_other_formats_begin_as_they_should(
    cli: Command, copy: Path, form: str, first: str
) -> None:
    outcome = cli("compare", copy, "--format", form)
    assert (outcome.code, outcome.out.splitlines()[0]) == (0, first)


def test_the_baseline_is_the_reference(cli: Command, copy: Path) -> None:
    [document] = cli("compare", copy, "--baseline", "nmc", "--json").document()
    assert document["reference"] == "nmc"


def test_two_folders_on_the_same_stream_are_compared(cli: Command, copy: Path) -> None:
    shutil.copytree(copy, "again")
    [document] = cli("compare", copy / "nmc", "again", "--json").document()
    labels = {row["strategy"] for row in document["strategies"]}
    assert labels == {"tiny/nmc", "again/nmc", "far"}


def test_a_run_that_is_named_twice_counts_once(cli: Command, copy: Path) -> None:
    twice = cli("compare", copy, copy / "nmc", copy / "nmc" / "seed-0", "--json")
    assert twice.out == cli("compare", copy, "--json").out


def test_a_seed_folder_is_that_seed(cli: Command, copy: Path) -> None:
    [document] = cli("compare", copy / "nmc" / "seed-1", "--json").document()
    assert [row["by_seed"] for row in document["strategies"]] == [{"1": stored(copy, "nmc", 1)}]


def test_another_stream_is_refused_with_what_differs(
    cli: Command, copy: Path, finished: Finished
) -> None:
    text = (finished[0] / "tiny.yaml").read_text().replace("increment: 2", "increment: 3")
    Path("other.yaml").write_text(text.replace("name: tiny", "name: other", 1))
    shutil.copy(finished[0] / "tiny.npz", "tiny.npz")
    assert cli("run", "other.yaml", "--device", "cpu", "-q").code == 0

    outcome = cli("compare", copy, "runs/other")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "error: runs/other: cannot be compared with tiny: protocol: 'B0-Inc3' against 'B0-Inc2'; "
        "only runs on the same stream can\n"
    )


def test_an_unknown_metric_is_one_line(cli: Command, copy: Path) -> None:
    outcome = cli("compare", copy, "--metric", "A_al")
    assert (outcome.code, outcome.err) == (
        2, "error: --metric A_al: no run has such a metric; did you mean 'A_all'?\n"
    )  # fmt: skip


def test_an_unknown_folder_within_a_run_is_one_line(cli: Command, copy: Path) -> None:
    outcome = cli("compare", copy / "nmc" / "seed-0" / "predictions")
    assert (outcome.code, outcome.err) == (
        2,
        "error: tiny/nmc/seed-0/predictions: is no folder of a strategy or of a seed in tiny\n",
    )


def test_nothing_finished_is_one_line(cli: Command, copy: Path) -> None:
    for run in copy.glob("*/seed-*"):
        shutil.rmtree(run)
    outcome = cli("compare", copy)
    assert (outcome.code, outcome.err) == (
        2, "error: tiny: no run is finished; go on with: cilsim resume tiny\n"
    )  # fmt: skip


def test_a_run_that_is_not_finished_is_left_out_with_a_warning(cli: Command, copy: Path) -> None:
    folder = SealedFolder(copy / "far" / "seed-1")
    lines = (copy / "far" / "seed-1" / "metrics.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["experience"] < 2]
    folder.write("metrics.jsonl", "".join(kept).encode())

    outcome = cli("compare", copy, "--json")

    assert outcome.err == "warning: tiny: not finished, so left out: far/seed-1\n"
    seeds = {row["strategy"]: list(row["by_seed"]) for row in outcome.document()[0]["strategies"]}
    assert seeds == {"nmc": ["0", "1"], "far": ["0"]}


def test_damage_is_named_and_refused(cli: Command, copy: Path) -> None:
    damaged = copy / "nmc" / "seed-0" / "metrics.jsonl"
    damaged.write_text(damaged.read_text().replace("0.9", "0.8", 1))
    outcome = cli("compare", copy)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"error: {damaged}: is damaged: its checksum does not match the one in SHA256SUMS; "
        "rebuild it with: cilsim resume tiny\n"
    )


def test_a_report_as_latex_has_a_table_per_metric(cli: Command, copy: Path) -> None:
    outcome = cli("report", copy, "--format", "latex")
    captions = [line for line in outcome.out.splitlines() if line.startswith(r"\caption{")]
    assert [caption.partition(",")[0] for caption in captions] == [
        r"\caption{A\_all", r"\caption{A\_avg\_inc", r"\caption{forgetting"
    ]  # fmt: skip
