"""A real distribution that does everything wrong: what is said, and what goes on regardless."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

NAME = "cilsim-misbehaving"
WHO = "plugin 'misbehaving' of cilsim-misbehaving 6.6.6: "
Run = Callable[..., "subprocess.CompletedProcess[str]"]

SCENARIO = """\
schema: 1
name: tiny
stream: {kind: class_incremental, dataset: {name: arrays, path: tiny.npz}, increment: 2}
backbone: identity
strategies: [raises, exits, talks, writes, nmc]
"""


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the distribution, without a network, into a folder of its own."""
    target = tmp_path_factory.mktemp("site")
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--no-compile"]
    source = root / "tests" / "external" / NAME
    subprocess.run([*command, "--target", str(target), str(source)], check=True)
    module = target / "cilsim_misbehaving" / "does_not_compile"
    module.with_suffix(".txt").rename(module.with_suffix(".py"))
    return target


@pytest.fixture(scope="module")
def cilsim(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a function that runs the command line in a folder with a scenario."""
    folder = tmp_path_factory.mktemp("work")
    generator = np.random.default_rng(0)
    labels_N = np.repeat(np.arange(4), 10)
    x_ND = (labels_N[:, None] * 3 + generator.normal(size=(40, 8))).astype(np.float32)
    np.savez(folder / "tiny.npz", x_train=x_ND, y_train=labels_N, x_test=x_ND, y_test=labels_N)
    (folder / "tiny.yaml").write_text(SCENARIO)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.run(
            [sys.executable, "-m", "cilsim", *arguments],
            env={**os.environ, "PYTHONPATH": path},
            cwd=folder,
            text=True,
            capture_output=True,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def done(cilsim: Run) -> subprocess.CompletedProcess[str]:
    return cilsim("run", "tiny.yaml", "--device", "cpu", "--no-tensorboard", "--json", "-q")


BROKEN = {
    "does_not_compile": "importing 'cilsim_misbehaving.does_not_compile' fails: SyntaxError: "
    "invalid syntax (does_not_compile.py, line 1)",
    "leaves": "importing 'cilsim_misbehaving.leaves' fails: SystemExit: 5",
    "needs_more": "importing 'cilsim_misbehaving.needs_more' fails: ModuleNotFoundError: "
    "No module named 'no_such_module'",
    "never_ends": "importing 'cilsim_misbehaving.never_ends' fails: RecursionError: "
    "maximum recursion depth exceeded",
    "too_new": "it was written for interface 2, this cilsim has interface 1; upgrade cilsim",
}


def test_every_entry_point_that_cannot_be_loaded_is_one_line(cilsim: Run) -> None:
    done = cilsim("list", "strategies", "--json")

    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if line.startswith("warning: ")] == [
        f"warning: plugin '{name}' of cilsim-misbehaving 6.6.6 is not used: {reason}"
        for name, reason in BROKEN.items()
    ]


def test_what_plugins_print_while_they_are_loaded_stays_out_of_the_results(cilsim: Run) -> None:
    done = cilsim("list", "strategies", "--json")

    assert "talks" in {row["name"] for row in json.loads(done.stdout)}
    assert done.stderr.splitlines()[:2] == ["hello from an import", "hello from a registration"]


def test_what_a_run_prints_stays_out_of_the_results(
    done: subprocess.CompletedProcess[str],
) -> None:
    document = json.loads(done.stdout)

    assert [run["strategy"] for run in document["runs"]] == ["talks", "nmc"]
    for source in ("strategy", "program"):
        assert done.stderr.count(f"hello from a {source}\n") == 2
    assert "UserWarning: hello from a warning" in done.stderr


FAILURES = {
    "raises": "learn() of strategy 'raises', experience 1: LookupError: no such mean",
    "exits": "scores() of strategy 'exits', experience 0: it called sys.exit('enough')",
    "writes": "learn() of strategy 'writes', experience 0: it changed 'experience.train.x' in "
    "place, expected changes to a copy",
}


def test_each_failed_run_is_one_line_that_says_where_its_traceback_lies(
    done: subprocess.CompletedProcess[str],
) -> None:
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]

    assert done.returncode == 1
    assert said == [
        *(
            f"error: {name}/seed-0 failed: {WHO}{line}; "
            f"traceback in runs/tiny/{name}/seed-0/error.txt"
            for name, line in FAILURES.items()
        ),
        "error: 3 of 5 runs failed: raises/seed-0, exits/seed-0, writes/seed-0; "
        "try again with: cilsim resume runs/tiny",
    ]


def test_the_results_so_far_can_be_reported(
    done: subprocess.CompletedProcess[str], cilsim: Run
) -> None:
    report = cilsim("report", "runs/tiny", "--json")

    assert report.returncode == 0
    [folder] = json.loads(report.stdout)
    assert [run["strategy"] for run in folder["runs"]] == ["talks", "nmc"]


def test_a_scenario_that_needs_a_broken_plugin_is_the_user_s_to_mend(cilsim: Run) -> None:
    done = cilsim("run", "tiny.yaml", "--set", "strategies=[too_new]")

    assert done.returncode == 2
    assert done.stdout == ""
    assert (
        "warning: plugin 'too_new' of cilsim-misbehaving 6.6.6 is not used: "
        f"{BROKEN['too_new']}" in done.stderr.splitlines()
    )
