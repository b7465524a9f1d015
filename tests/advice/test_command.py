"""`cilsim advise` as a user gives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from cilsim.advice.budget import Budget
from cilsim.cli.main import main

Command = Callable[..., tuple[int, str, str]]
QUICK = ("--device", "cpu", "--seeds", "0,1", "-q")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process and returns exit code, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def stripes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four classes of striped images, ten of each but the last, in the current folder."""
    generator = np.random.default_rng(0)
    for label, count in enumerate((26, 26, 26, 6)):
        folder = tmp_path / "stripes" / f"every {label + 1}"
        folder.mkdir(parents=True)
        for number in range(count):
            pixels = generator.integers(0, 60, (16, 16), dtype=np.uint8)
            pixels[:: label + 1] += 150
            Image.fromarray(pixels).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cilsim.advice.ladder.BASE_STEPS", 4)
    monkeypatch.setattr("cilsim.advice.ladder.FEWEST_EPOCHS", 2)
    return Path("stripes")


def test_a_folder_is_ranked_and_the_best_is_recommended(stripes: Path, cli: Command) -> None:
    code, out, _ = cli("advise", stripes, "--strategies", "ncm,icarl", "--json", *QUICK)
    found: dict[str, Any] = json.loads(out)
    assert code == 0
    assert found["data"]["train"] == [21, 21, 21, 5]
    assert found["stream"]["kind"] == "few_shot_class_incremental"
    assert {one["strategy"] for one in found["strategies"]} == {"nmc", "icarl"}
    assert {one["interval"]["n"] for one in found["strategies"]} == {2}
    assert (found["failures"], found["not_tried"]) == ([], [])
    text = Path(found["scenario"]).read_text()
    (best,) = [one["strategy"] for one in found["strategies"] if one["verdict"] == "best"]
    assert best == found["strategies"][0]["strategy"]
    assert text.startswith(f"# Recommended by `cilsim advise`: {best} has A_hm ")
    assert yaml.safe_load(text)["strategies"] == [best]
    assert cli("check", found["scenario"])[0] == 0


def test_the_same_command_reuses_what_was_run(stripes: Path, cli: Command) -> None:
    command = ("advise", stripes, "--strategies", "nmc", "--stream", "class-incremental", *QUICK)
    assert cli(*command)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("metrics.jsonl")}
    assert len(before) == 2
    assert cli(*command) == (0, "advise-stripes-recommended.yaml\n", "")
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("metrics.jsonl")} == before


def test_other_wishes_are_other_runs(stripes: Path, cli: Command) -> None:
    command = ("advise", stripes, "--strategies", "nmc", *QUICK)
    assert [cli(*command)[0], cli(*command, "--image-size", 32)[0]] == [0, 0]
    assert len(list(Path("runs").glob("advise-stripes-features-*"))) == 2


def test_a_budget_that_is_over_says_what_was_not_tried(
    stripes: Path, cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([60.0, 60.0, 0.0])
    monkeypatch.setattr(Budget, "left", property(lambda self: next(left)))
    code, _, err = cli(
        "advise", stripes, "--strategies", "nmc,slda,icarl,pass", "--seeds", "0", "--device", "cpu"
    )
    assert code == 0
    (best,) = yaml.safe_load(Path("advise-stripes-recommended.yaml").read_text())["strategies"]
    assert err.splitlines()[-3:] == [
        "too few seeds: not compared; more time or more seeds tell more",
        "not tried for lack of time: icarl, pass",
        f"recommended: {best}, cilsim run advise-stripes-recommended.yaml",
    ]


@contextmanager
def over_at_once(self: Budget, ask: Callable[[], None]) -> Iterator[None]:
    """Stand in for `Budget.stopping`: the time is up as soon as a run has begun."""
    self.spent = True
    ask()
    yield


def test_a_run_in_the_way_of_the_budget_stops_and_goes_on_later(
    stripes: Path, cli: Command
) -> None:
    command = ("advise", stripes, "--strategies", "nmc", *QUICK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Budget, "stopping", over_at_once)
        code, out, err = cli(*command)
    assert (code, out) == (1, "")
    (status,) = Path("runs").glob("*/status.json")
    assert json.loads(status.read_text())["state"] == "interrupted"
    assert err == (
        "error: --budget: it ended before a run was finished - give the same command again to go "
        "on, or a larger budget\n"
    )
    assert cli(*command)[0] == 0


def test_data_sets_have_names(cli: Command, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("advise", "digit") == (
        2,
        "",
        "error: 'digit' is no folder and no data set; did you mean 'digits'?\n",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--budget", "soon"],
            "--budget: found 'soon', expected a time such as '90s', '30m' or '1.5h'",
        ),
        (
            ["--strategies", "nmcc"],
            "--strategies: no strategy is named 'nmcc'; did you mean 'nmc'?",
        ),
        (
            ["--weights", "w.pt"],
            "--weights: expected --backbone NAME, the network that they are for",
        ),
        (
            ["--out", "mine.yaml"],
            "--out mine.yaml: exists and was not written by 'cilsim advise' - choose another name",
        ),
    ],
    ids=["budget", "strategy", "weights", "out"],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], message: str, stripes: Path, cli: Command
) -> None:
    Path("mine.yaml").write_text("schema: 1\n")
    assert cli("advise", stripes, *options) == (2, "", f"error: {message}\n")


def test_broken_images_are_refused_or_skipped(stripes: Path, cli: Command) -> None:
    (stripes / "every 1" / "broken.png").write_bytes(b"no image")
    command = ("advise", stripes, "--strategies", "nmc", *QUICK)
    assert cli(*command)[0] == 2
    code, out, _ = cli(*command, "--skip-bad-images", "--json")
    found = json.loads(out)["data"]
    sums = [sum(counts) for counts in zip(found["train"], found["test"], strict=True)]
    assert (code, sums) == (0, [26, 26, 26, 6])


def test_a_folder_without_images_is_refused(cli: Command, tmp_path: Path) -> None:
    assert cli("advise", tmp_path) == (
        2,
        "",
        f"error: {tmp_path}: there are no images in it - expected <class>/<image>, files ending "
        "in .bmp, .jpeg, .jpg, .png, .webp\n",
    )
