from __future__ import annotations

from pathlib import Path

import pytest

from cilsim.errors import ScenarioError
from cilsim.scenario.findings import Findings
from cilsim.scenario.nodes import Node
from cilsim.scenario.origin import Origin
from cilsim.scenario.yaml_source import parse


def read(text: str) -> Node:
    findings = Findings()
    node = parse(Origin("f.yaml", text, Path()), findings)
    findings.raise_if_any()
    assert node is not None
    return node


def refusal(text: str) -> str:
    with pytest.raises(ScenarioError) as refused:
        read(text)
    return str(refused.value)


def test_plain_data_is_read():
    text = "a: {b: [1, 2.5, no, 'true', null]}\nc: |\n  two\n  lines\nd:\n- e\n"
    assert read(text).plain() == {
        "a": {"b": [1, 2.5, "no", "true", None]},
        "c": "two\nlines\n",
        "d": ["e"],
    }


def test_every_key_and_value_knows_its_place():
    node = read("a:\n  b: [x, y]\n").child("a").child("b")
    assert node.dotted == "a.b"
    assert (node.key_mark.where, node.mark.where) == ("f.yaml:2:3", "f.yaml:2:6")
    assert [item.mark.where for item in node.items] == ["f.yaml:2:7", "f.yaml:2:10"]
    assert node.items[1].dotted == "a.b.1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "a: 1\nb: 2\na: 3\n",
            "f.yaml:3:1: a: given twice, first on line 1\n     3 | a: 3\n       | ^",
            id="duplicate key",
        ),
        pytest.param(
            "x:\n  a: 1\n  a: 3\n",
            "f.yaml:3:3: x.a: given twice, first on line 2\n     3 |   a: 3\n       |   ^",
            id="duplicate inner key",
        ),
        pytest.param(
            "a: !!python/object:os.system x\n",
            "f.yaml:1:4: a: tags ('!!python/object:os.system') are not accepted\n"
            "     1 | a: !!python/object:os.system x\n       |    ^",
            id="tag",
        ),
        pytest.param(
            "a: &x 1\n",
            "f.yaml:1:4: a: anchors ('&x') are not accepted\n     1 | a: &x 1\n       |    ^",
            id="anchor",
        ),
        pytest.param(
            "a: *x\n",
            "f.yaml:1:4: a: aliases ('*x') are not accepted\n     1 | a: *x\n       |    ^",
            id="alias",
        ),
        pytest.param(
            "<<: {a: 1}\n",
            "f.yaml:1:1: merge keys ('<<') are not accepted\n     1 | <<: {a: 1}\n       | ^",
            id="merge key",
        ),
        pytest.param(
            "5: x\n",
            "f.yaml:1:1: keys must be text, found 5\n     1 | 5: x\n       | ^",
            id="key that is a number",
        ),
        pytest.param(
            "? [a]\n: x\n",
            "f.yaml:1:3: keys must be text, found a list\n     1 | ? [a]\n       |   ^",
            id="key that is a list",
        ),
        pytest.param(
            "a: 1\n---\nb: 1\n",
            "f.yaml:2:1: a second document begins; a scenario is one document\n"
            "     2 | ---\n       | ^",
            id="two documents",
        ),
        pytest.param(
            "a:\n\tb: 1\n",
            "f.yaml:2:1: not valid YAML: a tab cannot indent; use spaces\n"
            "     2 |  b: 1\n       | ^",
            id="tab",
        ),
        pytest.param(
            "a: b: c\n",
            "f.yaml:1:5: not valid YAML: a second ': ' on this line, or a key that is indented too "
            "far; put text that holds ': ' in quotes\n     1 | a: b: c\n       |     ^",
            id="two colons",
        ),
        pytest.param(
            "a: 1\nb: [1,\n  2\n",
            "f.yaml:2:4: not valid YAML: this bracket is not closed\n"
            "     2 | b: [1,\n       |    ^",
            id="open bracket",
        ),
        pytest.param(
            'a: "x\n',
            'f.yaml:1:4: not valid YAML: this quote is not closed\n     1 | a: "x\n       |    ^',
            id="open quote",
        ),
        pytest.param(
            "a: [1 2\nb: 3]\n",
            "f.yaml:2:2: not valid YAML: expected ',' or ']', but got ':' while parsing a flow "
            "sequence that begins on line 1\n     2 | b: 3]\n       |  ^",
            id="missing bracket",
        ),
        pytest.param(
            "a: 1\nb: x\x00\n",
            "f.yaml:2:5: the character U+0000 is not allowed in YAML\n"
            "     2 | b: x?\n       |     ^",
            id="NUL",
        ),
        pytest.param(
            'b: "\\0"\n',
            'f.yaml:1:4: b: the character U+0000 is not accepted\n     1 | b: "\\0"\n       |    ^',
            id="escaped NUL",
        ),
        pytest.param(
            'b: "\\uDC80"\n',
            "f.yaml:1:4: b: the character U+DC80 is not accepted\n"
            '     1 | b: "\\uDC80"\n       |    ^',
            id="escaped surrogate",
        ),
        pytest.param(
            'b: "\\UFFFFFFFF"\n',
            "f.yaml:1:7: not valid YAML: a number here is too large\n"
            '     1 | b: "\\UFFFFFFFF"\n       |       ^',
            id="escape beyond Unicode",
        ),
        pytest.param(
            "a: [.inf, 99999999999999999999]\n",
            "f.yaml:1:5: a.0: expected a finite number, found .inf\n"
            "     1 | a: [.inf, 99999999999999999999]\n       |     ^\n"
            "f.yaml:1:11: a.1: expected an integer below 2^63, found 99999999999999999999\n"
            "     1 | a: [.inf, 99999999999999999999]\n       |           ^",
            id="numbers out of range",
        ),
    ],
)
def test_what_is_refused_is_told_with_its_place(text, message):
    assert refusal(text) == message


@pytest.mark.parametrize(
    "text",
    ["[" * 60, "{a: " * 60, "".join(f"{' ' * i}a:\n" for i in range(60)), "- " * 60, "? " * 60],
    ids=["lists", "mappings", "blocks", "dashes", "keys"],
)
def test_nesting_has_a_limit(text):
    assert (
        refusal(text)
        .partition(": ")[2]
        .partition("\n")[0]
        .endswith("nested more than 50 levels deep")
    )


def test_enormous_nesting_is_refused_as_fast():
    assert "nested more than 50 levels deep" in refusal("[" * 250_000)


def test_more_values_than_anybody_needs_are_refused(monkeypatch):
    monkeypatch.setattr("cilsim.scenario.yaml_source.MOST_VALUES", 1000)
    assert refusal(f"[{'1,' * 1000}]").splitlines()[0] == "f.yaml:1:2000: more than 1,000 values"


def test_an_empty_text_holds_nothing():
    assert read("").value is None
    assert read("# only a comment\n").value is None
