import pytest

from cilsim.report.markdown import escape, fenced, report_markdown, run_markdown, table

REPORT = """\
# rings

| protocol |  |
| --- | ---: |
| stream | few_shot_class_incremental |
| data set | ring |
| protocol | 2 + 2x1-way 5-shot, 3 experiences (1 base + 2) |
| class order and split | 0123456789abcdef |
| selection | last_epoch |

## After the last experience

Accuracies and forgetting in percent.

| strategy | n | all | base | novel | harmonic | forgetting | kept | time per run |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| teen | 1 | 56.0 | 50.0 | 62.5 | 55.5 | 25.0 | 2.0 kB | 1:54 |

## teen

1 seed (0), so no interval.

| experience | classes | all | base | novel | harmonic | forgetting | kept | time |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| 0 base | 2 | 90.0 | 90.0 | - | - | - | 1.5 kB | 1:02 |
| 1 session 1 | 3 | 77.0 | 80.0 | 70.0 | 74.6 | 10.0 | 1.8 kB | 31.5 s |
| 2 session 2 | 4 | 56.0 | 50.0 | 62.5 | 55.5 | 25.0 | 2.0 kB | 21.5 s |

## Definitions
"""


def test_a_report_has_protocol_comparison_strategies_and_definitions(make_result):
    report = report_markdown([make_result()], "rings", {"selection": "last_epoch"})
    assert report[: len(REPORT)] == REPORT


def test_every_column_is_defined_with_its_source(make_result):
    defined = report_markdown([make_result()], "rings").split("## Definitions\n\n")[1]
    assert [line.split(":")[0] for line in defined.splitlines() if line.startswith("- ")] == [
        "- all (A_all)",
        "- base (A_base)",
        "- novel (A_novel)",
        "- harmonic (A_hm)",
        "- forgetting (forgetting)",
    ]
    assert "Chaudhry et al. 2018" in defined
    assert defined.endswith(
        "± is the half width of the 95 % interval of the mean over seeds (Student's t). "
        "With n = 1 there is none; below n = 3 it says little.\n"
    )


def test_a_report_without_a_finished_run_says_so():
    assert report_markdown([], "rings") == "# rings\n\nNo finished run.\n"


def test_one_run_is_one_table(make_result):
    lines = run_markdown(make_result()).splitlines()
    assert (len(lines), lines[2]) == (5, "| 0 base | 2 | 90.0 | 90.0 | - | - | - | 1.5 kB | 1:02 |")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("*x* `y` [z](u) # ~", r"\*x\* \`y\` \[z\](u) \# \~"),
        ("few_shot _x_", r"few_shot \_x\_"),
        ("a\nb\x07", "a?b?"),
        ("\\", "\\\\"),
    ],
    ids=["pipe", "html", "marks", "underscores", "control", "backslash"],
)
def test_hostile_text_is_shown_as_it_is(text, shown):
    assert escape(text) == shown


def test_hostile_names_cannot_break_the_report(make_result):
    report = report_markdown([make_result("<b>|\n# x")], "<i>", {"a|b": "`c`"})
    assert report.startswith("# &lt;i&gt;\n")
    assert r"| a\|b | \`c\` |" in report
    assert "\n## &lt;b&gt;\\|?\\# x\n" in report


def test_a_table_escapes_heads_too():
    assert table(("a|b", "n"), [("c", "1")]) == "| a\\|b | n |\n| --- | ---: |\n| c | 1 |"


def test_a_block_is_fenced_longer_than_its_text():
    assert fenced("x: '````'\n") == "`````yaml\nx: '````'\n`````\n"
