"""`cilsim info`: one page about something that a scenario can name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Command = Callable[..., Any]


def test_the_page_of_a_strategy(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")

    outcome = cli("info", "strategy", "ncm")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.partition("\n\noptions\n")[0] == (
        "strategy nmc\n"
        "nearest class mean on a frozen backbone\n"
        "\n"
        "also    ncm\n"
        "from    cilsim 0.1.0\n"
        "serves  avalanche, avalanche_repeated, class_incremental, domain_incremental,\n"
        "        few_shot_class_incremental\n"
        "code    cilsim_nmc.strategy:Nmc\n"
        "about   NMC, the nearest class mean on a frozen backbone (Janson et al. 2022; "
        "Zhou et al. 2023)."
    )
    assert outcome.out.partition("\n\noptions\n")[2].splitlines()[0] == (
        "  preset: 'simplecil' or 'janson' or 'task_free' or 'ranpac_ncm'; default 'simplecil'"
    )


def test_the_json_of_an_option(cli: Command) -> None:
    document = cli("info", "stream", "fscil", "--json").document()

    assert (document["kind"], document["name"]) == ("stream", "few_shot_class_incremental")
    options = {option["name"]: option for option in document["options"]}
    assert options["way"] == {
        "name": "way",
        "type": "integer from 1 to 1000000",
        "required": False,
        "default": 5,
        "description": "New classes of each later session.",
    }
    assert options["base_classes"]["required"] is True


def test_a_metric_of_the_engine_has_a_page(cli: Command) -> None:
    assert cli("info", "metric", "A_hm").out == (
        "metric A_hm\n"
        "2 b n / (b + n) of A_base and A_novel; Wang et al. 2023 (TEEN)\n"
        "\n"
        "from    cilsim 0.1.0\n"
    )


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("strategy", "tean", "no strategy is named 'tean'; did you mean 'teen'?"),
        ("metrics", "A_al", "no metric is named 'A_al'; did you mean 'A_all'?"),
        ("calibrator", "tene", "no calibrator is named 'tene'; did you mean 'teen'?"),
        ("scenario", "a", "'scenario' is no kind of thing; known: backbones, calibrators, "
         "datasets, metrics, strategies, streams"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_one_line(cli: Command, kind: str, name: str, message: str) -> None:
    outcome = cli("info", kind, name)

    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {message}\n")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("teen", "'teen' is a strategy; try 'cilsim info strategy teen'"),
        ("digits", "'digits' is a data set; try 'cilsim info dataset digits'"),
        ("fscil", "'fscil' is a stream kind; try 'cilsim info stream fscil'"),
        ("A_all", "'A_all' is a metric; try 'cilsim info metric A_all'"),
        ("strategies", "no name is given; 'cilsim list strategies' lists them"),
        ("tean", "'tean' is no kind of thing; known: backbones, calibrators, datasets, metrics, "
         "strategies, streams"),
    ],
)  # fmt: skip
def test_one_word_says_what_is_missing(cli: Command, given: str, message: str) -> None:
    outcome = cli("info", given)

    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {message}\n")
