"""`cilsim reproduce` on a tiny data set: every verdict, exit code and refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.cli import recipes
from cilsim.cli.recipes import variant_name

Command = Callable[..., Any]

RULE = (
    "PASS: within what is allowed, the tolerance or half the 95 % interval if that is more, or "
    "better (marked above or below); NEAR: within twice that; MISS: beyond"
)
SEEDS = "n < 3 seeds: the interval says little, so the tolerance alone decides"
SELECTION = "selection: last epoch; papers that watch the test samples may report their best epoch"


def state(scenario: Path, *entries: str) -> None:
    """Append published numbers to a scenario; nmc reaches 98.3, far 100."""
    lines = "".join(f"  - {{source: by hand, {entry}}}\n" for entry in entries)
    with scenario.open("a", encoding="utf-8") as file:
        file.write(f"published:\n{lines}")


def test_numbers_that_agree_pass_with_exit_code_0(tiny: Path, cli: Command) -> None:
    state(
        tiny,
        "strategy: nmc, metric: A_all, value: 98.3",
        "strategy: far, metric: A_all, value: 95, note: with another seed",
        "strategy: nmc, metric: A_all, values: [100, null, 99.5]",
    )

    outcome = cli("reproduce", tiny, "--device", "cpu", "--no-tensorboard", "-q")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "strategy  metric  after  published     measured  n  difference  allowed      verdict",
        "nmc        A_all      2       98.3   98.3 ± 0.0  2        +0.0      1.0         PASS",
        "far        A_all      2         95  100.0 ± 0.0  2        +5.0      1.0  PASS, above",
        "nmc        A_all      0        100  100.0 ± 0.0  2        +0.0      1.0         PASS",
        "nmc        A_all      2       99.5   98.3 ± 0.0  2        -1.2      1.0         NEAR",
        "",
        "3 PASS, 1 NEAR, 0 MISS; numbers in percent",
        RULE,
        SEEDS,
        SELECTION,
        "source: by hand (nmc, far)",
        "note: with another seed (far)",
    ]
    assert Path("runs/tiny/report.md").is_file()


def test_a_missed_number_ends_with_exit_code_3(tiny: Path, cli: Command) -> None:
    state(tiny, "strategy: nmc, metric: A_novel, value: 100")

    outcome = cli("reproduce", tiny, "--device", "cpu", "--no-tensorboard", "-q", "--json")

    assert outcome.code == 3
    document = outcome.document()
    assert (document["name"], document["folder"]) == ("tiny", "runs/tiny")
    assert document["verdicts"] == "0 PASS, 0 NEAR, 1 MISS"
    [comparison] = document["comparisons"]
    assert (comparison["measured"], comparison["n"]) == (pytest.approx(97.5), 2)
    assert (comparison["verdict"], comparison["mark"]) == ("MISS", "")


def test_a_number_of_which_there_is_no_measurement_is_missed(tiny: Path, cli: Command) -> None:
    state(tiny, "strategy: nmc, metric: A_novel, values: [50, null, 97.5]")

    outcome = cli("reproduce", tiny, "--device", "cpu", "--no-tensorboard", "-q")

    assert outcome.code == 3
    assert outcome.out.splitlines()[1].split() == (
        ["nmc", "A_novel", "0", "50", "-", "0", "-", "1.0", "MISS,", "absent"]
    )


def test_a_second_call_takes_what_is_stored(tiny: Path, cli: Command) -> None:
    state(tiny, "strategy: nmc, metric: A_all, value: 98.3")
    arguments = ("reproduce", tiny, "--device", "cpu", "--no-tensorboard")
    first = cli(*arguments)
    changed = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*.npz")}

    second = cli(*arguments)

    assert (first.code, second.out) == (0, first.out)
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*.npz")} == changed


def test_only_the_numbers_of_chosen_strategies_are_compared(tiny: Path, cli: Command) -> None:
    state(
        tiny,
        "strategy: nmc, metric: A_all, value: 10",
        "strategy: far, metric: A_all, value: 100",
    )

    outcome = cli(
        "reproduce", tiny, "--strategies", "far", "--seeds", "0", "--device", "cpu",
        "--no-tensorboard", "-q",
    )  # fmt: skip

    assert outcome.code == 0
    assert outcome.out.splitlines()[1].split()[:2] == ["far", "A_all"]
    assert "n < 3 seeds: there is no interval, so the tolerance alone decides" in outcome.out


def test_a_variant_has_its_own_numbers_and_folder(tiny: Path, cli: Command) -> None:
    state(
        tiny,
        "strategy: far, metric: A_all, value: 10, when: {stream.increment: 2}",
        "strategy: far, metric: A_all, value: 100, when: {stream.increment: 3}",
    )

    outcome = cli(
        "reproduce", tiny, "--set", "stream.increment=3", "--device", "cpu", "--no-tensorboard",
        "-q",
    )  # fmt: skip

    assert outcome.code == 0
    assert outcome.out.splitlines()[1].split()[:4] == ["far", "A_all", "1", "100"]
    assert [path.name for path in Path("runs").iterdir()] == ["tiny-increment-3"]


def test_settings_that_nothing_is_published_for_are_refused(tiny: Path, cli: Command) -> None:
    state(
        tiny,
        "strategy: far, metric: A_all, value: 10, when: {stream.increment: 2}",
        "strategy: nmc, metric: A_all, value: 10, when: {stream.increment: 2}",
        "strategy: far, metric: A_all, value: 10, when: {stream.increment: 3, head.kind: linear}",
    )

    outcome = cli("reproduce", tiny, "--set", "stream.increment=1")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "error: tiny.yaml: nothing is published for these settings; there are numbers for "
        "stream.increment=2; stream.increment=3 head.kind=linear\n"
    )


def test_a_scenario_without_published_numbers_is_refused(tiny: Path, cli: Command) -> None:
    outcome = cli("reproduce", tiny)

    assert (outcome.code, outcome.err) == (
        2,
        "error: tiny.yaml: has no section 'published' to compare with\n",
    )
    assert not Path("runs").exists()


def test_data_that_are_not_here_are_named_and_nothing_is_run(tiny: Path, cli: Command) -> None:
    state(tiny, "strategy: nmc, metric: A_all, value: 98.3")
    Path("tiny.npz").unlink()

    outcome = cli("reproduce", tiny)

    assert (outcome.code, outcome.out) == (2, "")
    [line] = outcome.err.splitlines()
    assert line.startswith("error: ")
    assert "tiny.npz" in line
    assert line.endswith("; 'cilsim reproduce tiny.yaml --show' shows what is published")


def test_what_is_published_can_be_shown_without_the_data(tiny: Path, cli: Command) -> None:
    state(tiny, "strategy: nmc, metric: A_all, value: 98.3")
    Path("tiny.npz").unlink()

    outcome = cli("reproduce", tiny, "--show")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "strategy  metric  when  published  tolerance",
        "nmc        A_all             98.3          1",
        "",
        "source: by hand (nmc)",
    ]


def test_what_is_published_can_be_shown_as_json(tiny: Path, cli: Command) -> None:
    state(tiny, "strategy: nmc, metric: A_all, value: 98.3")

    [shown] = json.loads(cli("reproduce", tiny, "--show", "--json").out)

    assert shown == {
        "strategy": "nmc",
        "metric": "A_all",
        "value": 98.3,
        "values": None,
        "source": "by hand",
        "tolerance": 1.0,
        "when": {},
        "note": "",
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "strategy: nmc, metric: A_al, value: 98.3",
            "error: published: nmc, A_al: no metric has that name; did you mean 'A_all'?\n",
        ),
        (
            "strategy: nmc, metric: A_all, values: [1, 2]",
            "error: published: nmc, A_all: expected one value for each of the 3 experiences, "
            "found 2\n",
        ),
    ],
)
def test_numbers_that_cannot_be_compared_are_refused_before_a_run(
    tiny: Path, cli: Command, entry: str, message: str
) -> None:
    state(tiny, entry)

    outcome = cli("reproduce", tiny)

    assert (outcome.code, outcome.err) == (2, message)
    assert not Path("runs").exists()


def test_an_unknown_recipe_is_refused_with_the_nearest_name(cli: Command) -> None:
    outcome = cli("reproduce", "quickstrat")

    assert (outcome.code, outcome.err) == (
        2,
        "error: no recipe is named 'quickstrat'; did you mean 'quickstart'?; "
        "'cilsim reproduce --list' lists them\n",
    )


def test_without_a_name_the_list_is_pointed_at(cli: Command) -> None:
    outcome = cli("reproduce")

    assert (outcome.code, outcome.err) == (
        2,
        "error: name a recipe or a scenario file; --list lists the recipes\n",
    )


@pytest.fixture
def shipped(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of recipes: one whose data are here, one whose are not, one that is broken."""
    state(tiny, "strategy: nmc, metric: A_all, value: 98.3, when: {stream.increment: 2}")
    text = tiny.read_text()
    Path("absent.yaml").write_text(text.replace("tiny.npz", "gone.npz"))
    Path("broken.yaml").write_text(text.replace("arrays", "no_such_data"))
    Path("plain.yaml").write_text("stream: {kind: cil, dataset: digits, increment: 2}\n")
    monkeypatch.setattr(recipes, "recipes_folder", lambda: Path().resolve())
    return Path().resolve()


def test_the_list_says_which_data_are_here(shipped: Path, cli: Command) -> None:
    outcome = cli("reproduce", "--list")

    head, absent, broken, tiny = outcome.out.splitlines()
    assert head.split() == ["name", "data", "set", "data", "protocol", "numbers", "strategies"]
    assert absent.split() == ["absent", "arrays", "missing", "B0-Inc2", "1", "nmc,", "far"]
    assert broken.split()[:4] == ["broken", "cannot", "be", "used:"]
    assert tiny.split() == ["tiny", "arrays", "here", "B0-Inc2", "1", "nmc,", "far"]


def test_the_list_as_json_says_what_is_missing(shipped: Path, cli: Command) -> None:
    absent, broken, tiny = json.loads(cli("reproduce", "--list", "--json").out)

    assert (absent["data_here"], tiny["data_here"]) == (False, True)
    assert "gone.npz" in absent["missing"]
    assert set(broken) == {"name", "file", "problem"}
    assert tiny["variants"] == ["stream.increment=2"]
    assert [entry["value"] for entry in tiny["published"]] == [98.3]


def test_a_recipe_is_run_by_its_name(shipped: Path, cli: Command) -> None:
    outcome = cli("reproduce", "tiny", "--device", "cpu", "--no-tensorboard", "-q")

    assert outcome.code == 0
    assert Path("runs/tiny").is_dir()


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ((), "tiny"),
        (("stream.increment=5",), "tiny-increment-5"),
        (("stream.base_classes=40", "stream.increment=3"), "tiny-base_classes-40-increment-3"),
        (("name=mine", "stream.increment=3"), "tiny"),
        (("strategies=[nmc, teen]",), "tiny-strategies-nmc-teen"),
    ],
)
def test_a_variant_is_named_after_what_is_set(overrides: tuple[str, ...], name: str) -> None:
    assert variant_name("tiny", overrides) == name


def test_a_long_variant_is_named_by_a_hash() -> None:
    name = variant_name("tiny", ("description=" + "x" * 200,))
    assert len(name) == len("tiny-") + 12
