"""The tables in the documentation are what was measured, and measuring again gives the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from benchmarks.tables.catalogue import TABLES, Column, Table
from benchmarks.tables.comparing import differences
from benchmarks.tables.figures import Row, entries, read_rows, recipe_digest, write_rows
from benchmarks.tables.markdown import as_markdown, rewritten

MACHINE = {"cpu": "AMD EPYC", "threads": 1, "torch": "2.15.0"}

SCENARIO = """
name: example
stream: {kind: class_incremental, dataset: digits}
strategies: [nmc, {name: teen, as: teen-0.1, calibration_weight: 0.1}]
seeds: [0, 1]
"""


def row(*harmonic: float, kept: float = 0.0) -> Row:
    """Return a row whose metrics are all the same, one value per seed."""
    names = ("A_all", "A_avg_inc", "A_base", "A_novel", "A_hm", "forgetting")
    seeds = {seed: dict.fromkeys(names, value) for seed, value in enumerate(harmonic)}
    return Row("digest", "hash", MACHINE, kept, seeds)


def run(root: Path, *words: str, environment: Mapping[str, str] | None = None) -> Any:
    """Run the command as a reader would."""
    command = [sys.executable, "-m", "benchmarks.tables", *words]
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True)


def test_the_pages_and_the_scenarios_agree_with_the_figures(root: Path) -> None:
    found = run(root, "--check")
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_rows_on_a_frozen_backbone_measured_from_nothing_are_those_kept(
    root: Path, tmp_path: Path
) -> None:
    cache = {"CILSIM_CACHE": str(tmp_path / "cache")}
    found = run(root, "--compare", "--out", str(tmp_path / "runs"), environment=cache)
    assert found.returncode == 0, found.stderr


def test_a_table_that_does_not_exist_is_an_error_of_one_line(root: Path) -> None:
    found = run(root, "few_shots")
    assert (found.returncode, found.stderr) == (
        1,
        "there is no table 'few_shots'; did you mean 'few_shot'?\n",
    )


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_at_least_three_seeds(name: str) -> None:
    assert {label: len(row.seeds) >= 3 for label, row in read_rows(name).items()} == dict.fromkeys(
        read_rows(name), True
    )


def test_a_table_shows_intervals_paired_differences_bytes_and_what_is_missing() -> None:
    columns = (
        Column("all", "A_all"),
        Column("gain", "A_hm", "nmc"),
        Column("kept", "kept"),
    )
    table = Table("toy", "A toy", ("toy.yaml",), columns, frozenset())
    rows = {"nmc": row(0.5, 0.6, kept=1500), "teen": row(0.52, 0.62), "fecam": row(0.4, 0.5)}
    assert as_markdown(table, ["nmc", "teen", "fecam", "joint"], rows) == (
        "| after the last experience, % | all | gain | kept |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| `nmc` | 55.0 ± 63.5 |  | 1.5 kB |\n"
        "| `teen` | 57.0 ± 63.5 | +2.0 ± 0.0 | 0 B |\n"
        "| `fecam` | 45.0 ± 63.5 | -10.0 ± 0.0 | 0 B |\n"
        "| `joint` | not measured |  |  |\n"
        "\n"
        "A toy: mean ± 95 % interval over 2 seeds; AMD EPYC, 1 thread, torch 2.15.0; "
        "[toy.yaml](scenarios/toy.yaml).\n"
    )


def test_a_metric_that_a_row_does_not_have_leaves_its_cell_empty() -> None:
    table = Table(
        "toy", "A toy", ("toy.yaml",), (Column("all", "A_all"), Column("M_f", "M_f")), frozenset()
    )
    shown = as_markdown(table, ["joint"], {"joint": row(0.5, 0.6)})
    assert "| `joint` | 55.0 ± 63.5 |  |\n" in shown


def test_rows_of_discovery_are_compared_by_what_both_have() -> None:
    kept = Row("digest", "hash", MACHINE, 0.0, {0: {"transductive/A_all": 0.5}})
    again = Row("digest", "hash", MACHINE, 0.0, {0: {"transductive/A_all": 0.6}})
    assert differences("gcd", kept, kept) == []
    assert differences("gcd", kept, again) == ["gcd: transductive/A_all 60.0 %, kept 50.0 ± 2.0"]


def test_only_what_is_between_the_marks_is_rewritten() -> None:
    text = "before\n<!-- table: toy -->\nold\n<!-- end -->\nafter\n"
    assert (
        rewritten(text, lambda name, labels: f"{name} {labels}\n")
        == "before\n<!-- table: toy -->\ntoy []\n<!-- end -->\nafter\n"
    )


def test_a_mark_may_ask_for_some_rows() -> None:
    text = "<!-- table: toy nmc teen-0.1 -->\nold\n<!-- end -->\n"
    assert (
        rewritten(text, lambda name, labels: f"{name} {labels}\n")
        == "<!-- table: toy nmc teen-0.1 -->\ntoy ['nmc', 'teen-0.1']\n<!-- end -->\n"
    )


def test_links_lead_up_from_the_page() -> None:
    table = Table("toy", "A toy", ("toy.yaml",), (Column("all", "A_all"),), frozenset())
    shown = as_markdown(table, ["nmc"], {"nmc": row(0.5, 0.6)}, "../../")
    assert shown.endswith("[toy.yaml](../../scenarios/toy.yaml).\n")


def test_rows_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    rows = {"nmc": row(0.5, 0.6), "teen-0.1": row(0.7)}
    write_rows("toy", rows, tmp_path)
    assert read_rows("toy", tmp_path) == rows


def test_a_table_that_was_never_measured_has_no_rows(tmp_path: Path) -> None:
    assert read_rows("toy", tmp_path) == {}


def test_strategies_go_by_their_labels() -> None:
    assert entries({"strategies": ["nmc", {"name": "teen", "as": "t"}]}) == {
        "nmc": {"name": "nmc"},
        "t": {"name": "teen", "as": "t"},
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [("name: example", "name: other"), ("[0, 1]", "[0, 1, 2]"), ("\nstream", "\n# a note\nstream")],
)
def test_a_recipe_does_not_depend_on_names_seeds_and_comments(before: str, after: str) -> None:
    changed = recipe_digest(SCENARIO.replace(before, after), "nmc")
    assert changed == recipe_digest(SCENARIO, "nmc")


def test_an_option_of_one_strategy_changes_the_recipe_of_its_row_alone() -> None:
    changed = SCENARIO.replace("0.1}", "0.2}")
    assert recipe_digest(changed, "nmc") == recipe_digest(SCENARIO, "nmc")
    assert recipe_digest(changed, "teen-0.1") != recipe_digest(SCENARIO, "teen-0.1")


def test_the_stream_changes_the_recipe_of_every_row() -> None:
    changed = SCENARIO.replace("digits", "glyphs100")
    assert recipe_digest(changed, "nmc") != recipe_digest(SCENARIO, "nmc")


def test_two_points_are_let_pass_where_the_interval_is_narrow() -> None:
    assert differences("nmc", row(0.5, 0.5, 0.5), row(0.519, 0.519, 0.519)) == []


def test_a_mean_outside_its_interval_is_told_for_every_metric() -> None:
    kept, again = row(0.5, 0.5, 0.5), row(0.53, 0.53, 0.53)
    assert differences("nmc", kept, again) == [
        f"nmc: {metric} 53.0 %, kept 50.0 ± 2.0"
        for metric in ("A_all", "A_avg_inc", "A_base", "A_novel", "A_hm", "forgetting")
    ]


def test_a_mean_within_a_wide_interval_is_let_pass() -> None:
    assert differences("nmc", row(0.45, 0.5, 0.55), row(0.6, 0.6, 0.6)) == []
