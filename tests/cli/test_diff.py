"""`cilsim diff`: what differs between two runs; the exit code says whether results are equal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.results.manifest import read_manifest
from cilsim.results.sealed_folder import SealedFolder

Command = Callable[..., Any]
Finished = tuple[Path, Any]


@pytest.fixture
def copies(finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two copies of the finished run folder, `one` and `two`."""
    for name in ("one", "two"):
        shutil.copytree(finished[0] / "runs" / "tiny", tmp_path / name)
    monkeypatch.chdir(tmp_path)


pytestmark = pytest.mark.usefixtures("copies")


def change_metric(path: Path, value: float) -> None:
    """Change A_all of the last experience in a seed folder, with its checksum."""
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        if (line["experience"], line["name"]) == (2, "A_all"):
            line["value"] = value
    text = "".join(json.dumps(line) + "\n" for line in lines)
    SealedFolder(path).write("metrics.jsonl", text.encode())


def test_equal_folders_are_equal(cli: Command) -> None:
    outcome = cli("diff", "one", "two")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert [line for line in lines if not line.startswith("  ")] == [
        "far/seed-0: equal results", "far/seed-1: equal results", "nmc/seed-0: equal results",
        "nmc/seed-1: equal results", "4 of 4 runs with equal results",
    ]  # fmt: skip


def test_a_metric_that_differs_is_told_and_the_exit_code_is_1(cli: Command) -> None:
    change_metric(Path("two/nmc/seed-1"), 0.25)
    outcome = cli("diff", "one", "two")
    before = json.loads(Path("one/summary.json").read_text())
    value = before["strategies"]["nmc"]["seeds"]["1"]["A_all"]
    assert outcome.code == 1
    assert "nmc/seed-1: results differ" in outcome.out.splitlines()
    assert f"  experience 2: A_all: {value:.6g} -> 0.25 ({0.25 - value:+.6g})" in (
        outcome.out.splitlines()
    )
    assert outcome.out.splitlines()[-1] == "3 of 4 runs with equal results"


def test_other_versions_and_data_are_told_but_do_not_count(cli: Command) -> None:
    changed = read_manifest(Path("two"))
    assert changed is not None
    versions = {**changed["packages"], "torch": "9.9"}
    text = json.dumps({**changed, "data_digest": "abc", "packages": versions})
    SealedFolder(Path("two")).write("manifest.json", text.encode())

    outcome = cli("diff", "one", "two")

    before = read_manifest(Path("one"))
    assert before is not None
    assert outcome.code == 0
    assert outcome.out.splitlines()[:3] == [
        "data, versions and machine",
        f"  data_digest: {before['data_digest']} -> abc",
        f"  packages.torch: {before['packages']['torch']} -> 9.9",
    ]


def test_values_of_the_scenario_that_differ_are_told(cli: Command) -> None:
    text = Path("two/resolved.yaml").read_text().replace("increment: 2", "increment: 3")
    SealedFolder(Path("two")).write("resolved.yaml", text.encode())
    assert cli("diff", "one", "two").out.splitlines()[:2] == [
        "scenario", "  stream.increment: 2 -> 3"
    ]  # fmt: skip


def test_two_seed_folders_of_any_name_are_compared(cli: Command) -> None:
    outcome = cli("diff", "one/nmc/seed-0", "one/nmc/seed-0", "--json")
    other = cli("diff", "one/nmc/seed-0", "two/far/seed-1", "--json")
    assert (outcome.code, outcome.document()["equal"]) == (0, True)
    [run] = other.document()["runs"]
    assert (run["first"], run["second"]) == ("nmc/seed-0", "far/seed-1")


def test_two_strategies_are_compared_seed_by_seed(cli: Command) -> None:
    document = cli("diff", "one/nmc", "one/far", "--json").document()
    assert [(run["first"], run["second"]) for run in document["runs"]] == [
        ("nmc/seed-0", "far/seed-0"), ("nmc/seed-1", "far/seed-1")
    ]  # fmt: skip


def test_a_run_that_only_one_has_counts_as_different(cli: Command) -> None:
    shutil.rmtree("two/far/seed-1")
    outcome = cli("diff", "one", "two")
    assert outcome.code == 1
    assert outcome.out.splitlines()[-3:] == [
        "only in the first", "  far/seed-1", "3 of 3 runs with equal results"
    ]  # fmt: skip


def test_folders_of_two_kinds_are_refused(cli: Command) -> None:
    outcome = cli("diff", "one", "two/nmc/seed-0")
    assert (outcome.code, outcome.err) == (
        2,
        "error: one is a run folder and two/nmc/seed-0 a seed folder; expected two of the same "
        "kind\n",
    )


def test_folders_without_a_common_run_are_refused(cli: Command) -> None:
    shutil.rmtree("one/far")
    shutil.rmtree("two/nmc")
    outcome = cli("diff", "one", "two")
    assert (outcome.code, outcome.err) == (2, "error: one and two have no run in common\n")


def test_damage_is_named_and_refused(cli: Command) -> None:
    damaged = Path("two/nmc/seed-0/ledger.json")
    damaged.write_bytes(damaged.read_bytes()[:-3])
    outcome = cli("diff", "one", "two")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"error: {damaged}: is damaged: its checksum does not match the one in SHA256SUMS\n"
    )


def test_no_plugin_is_needed(fresh: Command) -> None:
    assert fresh("diff", "one", "two", CILSIM_PLUGINS="none").code == 0
