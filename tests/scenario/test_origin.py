from __future__ import annotations

from pathlib import Path

from cilsim.scenario.origin import Mark, Origin, abbreviate, excerpt


def test_an_excerpt_puts_the_caret_under_the_column():
    assert excerpt("  image_sise: 32", 6, 3) == "     6 |   image_sise: 32\n       |   ^"


def test_a_caret_stands_right_after_wide_characters():
    assert excerpt("名前: x", 1, 5) == "     1 | 名前: x\n       |       ^"


def test_a_long_line_is_cut_around_the_column():
    line = "a" * 500 + "b" + "c" * 500
    head, caret = excerpt(line, 1, 501).splitlines()
    assert head == "     1 | " + "a" * 50 + "b" + "c" * 49
    assert head[caret.index("^")] == "b"


def test_an_empty_line_has_no_excerpt():
    assert excerpt("   ", 3, 1) == ""


def test_a_mark_in_a_file_names_line_and_column():
    mark = Mark(Origin("a.yaml", "x: 1\ny: 2", Path()), 2, 4)
    assert (mark.where, mark.excerpt) == ("a.yaml:2:4", "     2 | y: 2\n       |    ^")


def test_a_mark_in_an_override_names_the_override_alone():
    mark = Mark(Origin("--set x=1", "1", Path(), rank=1), 1, 1)
    assert (mark.where, mark.excerpt) == ("--set x=1", "")


def test_lines_are_counted_as_yaml_counts_them():
    assert Origin("a", "1\r\n2\r3\x854\u20285\u20296\n7\x0b", Path()).lines == [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7\x0b",
    ]


def test_abbreviated_text_is_one_short_printable_line():
    assert abbreviate("a\n\tb\x1b" + "c" * 100, 20) == "a  b?cccccccccccc..."
