from __future__ import annotations

import json
from dataclasses import replace

from cilsim.results.atomic import json_bytes
from cilsim.results.ledger import Ledger


def test_a_ledger_that_grew_is_the_json_of_all_that_it_says(evaluations) -> None:
    ledger = Ledger()
    ledger.content(evaluations[:1], {"backbone": 10})
    grown = ledger.content(evaluations, {"backbone": 10})
    assert grown == json_bytes(json.loads(grown))
    assert grown == Ledger().content(evaluations, {"backbone": 10})


def test_a_ledger_puts_each_experience_into_json_once(evaluations, monkeypatch) -> None:
    ledger, written = Ledger(), []
    ledger.content(evaluations[:1], {})
    dumps = json.dumps
    monkeypatch.setattr(
        json, "dumps", lambda value, **how: written.append(value) or dumps(value, **how)
    )
    ledger.content(evaluations, {})
    assert [value["experience"] for value in written if "experience" in value] == [1]


def test_a_ledger_keeps_names_with_line_breaks(evaluations) -> None:
    kept = {"a\nb\u2028c": 3}
    content = Ledger().content([replace(evaluations[0], kept=kept)], {})
    assert json.loads(content)["experiences"][0]["bytes_kept"] == kept
