import pytest

from cilsim.report.comparison import compare
from cilsim.report.comparison_data import CSV_HEAD, comparison_document, comparison_rows
from cilsim.report.comparison_tables import comparison_table, comparison_text, p_text
from cilsim.report.latex import escape, latex_table
from cilsim.report.markdown import comparison_markdown

NAN = float("nan")
# differences teen - nmc: 0.05, 0.04, 0.06, so t = 0.05 / (0.01 / sqrt(3)) = 8.66 and p = 0.0131
FIELD = {
    "nmc": {0: 0.55, 1: 0.58, 2: 0.55},
    "teen": {0: 0.60, 1: 0.62, 2: 0.61},
    "finetune": {0: 0.20, 1: 0.25, 2: 0.22},
    "joint": {0: 0.80, 1: 0.81, 2: 0.82},
}


@pytest.fixture
def comparison(field):
    return compare(field(FIELD), "A_all")


def test_a_table_has_mean_difference_p_gap_and_costs(comparison):
    table = comparison_table(comparison)
    assert table.title == "A_all, in percent"
    assert table.heads == ("strategy", "n", "A_all", "minus teen", "p (Holm)", "gap closed", "kept",
                           "time per run")  # fmt: skip
    # three pairs compete; nmc - teen has the largest p and is not scaled up
    assert table.rows == (
        ("joint", "3", "81.0 ± 2.5", "-", "-", "100.0", "2.0 kB", "1:54"),
        ("teen", "3", "61.0 ± 2.5", "-", "-", "65.9", "2.0 kB", "1:54"),
        ("nmc", "3", "56.0 ± 4.3", "-5.0", "0.013", "57.4", "2.0 kB", "1:54"),
        ("finetune", "3", "22.3 ± 6.3", "-38.7", "0.001", "0.0", "2.0 kB", "1:54"),
    )
    assert table.strong == 1


def test_notes_say_what_was_tested(comparison):
    assert comparison_table(comparison).notes == (
        "± is the half width of the 95 % interval of the mean over seeds (Student's t).",
        "p: paired t-test against teen on equal seeds, two-sided, corrected for 3 pairs (Holm).",
        "teen is better than every other with p < 0.05.",
        "Gap closed: share of the way from finetune to joint, in percent; joint is a bound and "
        "competes with nobody.",
    )


def test_few_seeds_are_said(field):
    found = compare(field({"teen": {0: 0.6, 1: 0.62}, "nmc": {0: 0.5, 1: 0.57}}), "A_all")
    assert comparison_table(found).notes[-2:] == (
        "No strategy is better than every other with p < 0.05.",
        "n < 3, so the interval says little and no difference counts: teen, nmc.",
    )


def test_constant_differences_are_said(field):
    found = compare(field({"teen": {0: 0.6, 1: 0.7, 2: 0.8}, "nmc": {0: 0.5, 1: 0.6, 2: 0.7}}),
                    "A_all")  # fmt: skip
    table = comparison_table(found)
    assert table.rows[1][3:5] == ("-10.0", "-")
    assert table.notes[-1] == (
        "The difference to teen is the same for all seeds, so there is no test: nmc."
    )


def test_only_pairs_that_were_tested_are_counted(field):
    same = {"a": {0: 0.5, 1: 0.6, 2: 0.7}, "b": {0: 0.4, 1: 0.5, 2: 0.6}}
    two = compare(field({**same, "c": {0: 0.3, 1: 0.5, 2: 0.5}}), "A_all")
    assert comparison_table(two).notes[1] == (
        "p: paired t-test against a on equal seeds, two-sided, corrected for 2 pairs (Holm)."
    )
    assert comparison_table(compare(field(same), "A_all")).notes[1] == (
        "No test: it takes two seeds that both strategies have, with unequal differences."
    )


def test_differences_on_fewer_seeds_than_the_means_are_said(field):
    found = compare(
        field({
            "a": {0: 0.5, 1: 0.61, 2: 0.7, 3: 0.6},
            "b": {1: 0.5, 2: 0.55, 7: 0.6},
            "c": {8: 0.4, 9: 0.5},
            "d": {0: 0.1, 1: 0.1, 2: 0.1, 3: 0.1},
        }),
        "A_all",
    )  # fmt: skip
    assert comparison_table(found).notes[-1] == (
        "Seeds in common with a, on which differences and p rest: b 2, c 0; fewer than 3 do not "
        "count."
    )


def test_a_missing_gap_is_said(field):
    found = compare(field({"finetune": {0: 0.9}, "joint": {0: 0.5}}), "A_all")
    table = comparison_table(found)
    assert "gap closed" not in table.heads
    assert (
        "joint is no better than finetune, so there is no gap between them to close." in table.notes
    )


def test_missing_metrics_are_said(finals):
    from cilsim.report.entrants import Group, entrants

    runs = [*finals({"teen": {0: 0.5}}, "M_d"), *finals({"nmc": {0: 0.5}})]
    table = comparison_table(compare(entrants([Group("a", runs, {})]), "M_d"))
    assert table.notes[-1] == "Without M_d, so left out: nmc."


def test_a_strategy_alone_is_tested_against_nobody(field):
    table = comparison_table(compare(field({"teen": FIELD["teen"]}), "A_all"))
    assert table.heads == ("strategy", "n", "A_all", "kept", "time per run")
    assert len(table.notes) == 1


def test_a_strategy_beside_its_ceiling_is_tested_against_nobody(field):
    table = comparison_table(compare(field({k: FIELD[k] for k in ("finetune", "joint")}), "A_all"))
    assert table.heads == ("strategy", "n", "A_all", "gap closed", "kept", "time per run")
    assert table.notes == (
        "± is the half width of the 95 % interval of the mean over seeds (Student's t).",
        "Gap closed: share of the way from finetune to joint, in percent; joint is a bound and "
        "competes with nobody.",
    )


def test_counts_are_not_in_percent(field):
    found = compare(
        field({"a": {0: 12.0, 1: 14.0}, "b": {0: 9.0, 1: 10.0}}, "clusters"), "clusters"
    )
    table = comparison_table(found)
    assert table.title == "clusters"
    assert [row[2:4] for row in table.rows] == [("13 ± 12.7", "-"), ("9.5 ± 6.4", "-3.5")]


def test_text_marks_the_winner_with_a_star(comparison):
    lines = comparison_text(comparison_table(comparison)).splitlines()
    assert [line.split("  ")[0] for line in lines[2:6]] == ["joint", "teen *", "nmc", "finetune"]


def test_text_can_be_ascii(comparison):
    assert comparison_text(comparison_table(comparison), "ascii").isascii()


def test_markdown_sets_the_winner_in_bold(comparison):
    lines = comparison_markdown(comparison_table(comparison)).splitlines()
    assert lines[0] == "A_all, in percent:"
    assert lines[5] == "| teen | 3 | **61.0 ± 2.5** | - | - | 65.9 | 2.0 kB | 1:54 |"
    assert [line for line in lines if "**" in line] == [lines[5]]


def test_latex_is_a_booktabs_table(comparison):
    lines = latex_table(comparison_table(comparison)).splitlines()
    assert lines[:2] == [r"\begin{table}", r"\centering"]
    assert lines[2].startswith(r"\caption{A\_all, in percent. $\pm$ is the half width of the 95 \%")
    assert lines[3:8] == [
        r"\begin{tabular}{lrrrrrrr}",
        r"\toprule",
        r"strategy & n & A\_all & minus teen & p (Holm) & gap closed & kept & time per run \\",
        r"\midrule",
        r"joint & 3 & 81.0 $\pm$ 2.5 & - & - & 100.0 & 2.0 kB & 1:54 \\",
    ]
    assert lines[8].startswith(r"teen & 3 & \textbf{\boldmath 61.0 $\pm$ 2.5} & - & - &")
    assert r"& $-$5.0 & 0.013 &" in lines[9]
    assert lines[11:] == [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    assert {line.count(" & ") for line in lines[5:11] if line != r"\midrule"} == {7}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b & c", r"a\_b \& c"),
        ("100 % of $5 #1", r"100 \% of \$5 \#1"),
        (r"{x}\y", r"\{x\}\textbackslash{}y"),
        ("~^<>|", r"\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}\textbar{}"),
        ("a--b ''c'' ``d``", r"a-{}-b '{}'c'{}' `{}`d`{}`"),
        ("a\nb", "a?b"),
        ("方法", "方法"),
    ],
)
def test_latex_shows_any_name_as_it_is(text, shown):
    assert escape(text) == shown


def test_csv_has_fractions_and_empty_cells(comparison):
    rows = [dict(zip(CSV_HEAD, row, strict=True)) for row in comparison_rows([comparison])]
    assert [row["strategy"] for row in rows] == ["joint", "teen", "nmc", "finetune"]
    joint, teen, nmc, _ = rows
    assert (joint["difference"], joint["p"], joint["seeds_compared"]) == ("", "", "")
    assert (teen["significantly_best"], nmc["significantly_best"]) == (1, 0)
    assert nmc["difference"] == pytest.approx(-0.05)
    assert nmc["p"] == pytest.approx(0.01307, abs=1e-5)
    assert (nmc["metric"], nmc["n"], nmc["reference"]) == ("A_all", 3, "teen")


def test_json_has_all_pairs_with_and_without_correction(comparison):
    document = comparison_document(comparison)
    assert (document["significantly_best"], document["gap_between"]) == (
        "teen",
        ["finetune", "joint"],
    )
    pairs = {(pair["first"], pair["second"]): pair for pair in document["pairs"]}
    assert set(pairs) == {("teen", "nmc"), ("teen", "finetune"), ("nmc", "finetune")}
    raw, corrected = (pairs[("teen", "finetune")][key] for key in ("p_uncorrected", "p"))
    assert corrected > raw
    assert document["strategies"][0]["by_seed"] == {0: 0.8, 1: 0.81, 2: 0.82}


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0131, "0.013"), (0.0002, "< 0.001"), (NAN, "-"), (1.0, "1.000")]
)
def test_p_values_have_three_decimals(p, shown):
    assert p_text(p) == shown
