"""`cilsim bench`."""

from __future__ import annotations

import json

import pytest

from cilsim.bench import catalogue
from cilsim.bench.rounds import Arm, Goal
from cilsim.cli.main import main


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put one arm that takes no time in the place of all others."""

    def work() -> None:
        sum(range(20_000))

    arm = Arm("nothing", "bare", lambda _: {"bare": work, "cilsim": work}, 1, "call",
              (Goal("cilsim", 0.01, 0.01),))  # fmt: skip
    monkeypatch.setattr(catalogue, "ARMS", {"instant": arm})
    monkeypatch.setattr(catalogue, "QUICK", ("instant",))


@pytest.mark.usefixtures("instant")
def test_bench_tells_each_contestant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--rounds", "3"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "instant: nothing"
    assert [line.split()[0] for line in lines[3:5]] == ["bare", "cilsim"]


@pytest.mark.usefixtures("instant")
def test_bench_writes_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--rounds", "2", "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["rounds"] == 2
    assert document["machine"]["device"] == "cpu"
    assert [len(s) for s in document["arms"]["instant"]["cpu_seconds"].values()] == [2, 2]


@pytest.mark.usefixtures("instant")
def test_bench_lists_its_arms(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list", "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == [{"arm": "instant", "summary": "nothing"}]


@pytest.mark.usefixtures("instant")
def test_an_unknown_arm_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--arm", "instan"]) == 2

    assert capsys.readouterr().err == (
        "error: --arm instan: no such arm; did you mean 'instant'?\n"
    )


def test_a_gpu_that_is_not_there_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)

    assert main(["bench", "--gpu"]) == 2

    assert capsys.readouterr().err == (
        "error: --gpu: torch finds no CUDA device; see `cilsim doctor`, or leave it out\n"
    )


def test_what_is_quick_or_on_request_exists() -> None:
    assert {*catalogue.QUICK, *catalogue.ON_REQUEST} <= set(catalogue.ARMS)
