"""The section `published`: what it may say, what it does not change, and every complaint."""

from __future__ import annotations

import dataclasses

import pytest

from cilsim.scenario.plain import plain_scenario
from cilsim.scenario.published import Published, has_setting, setting_at
from cilsim.scenario.resolved import difference, resolved_yaml, scenario_hash

ENTRY = "{strategy: nmc, metric: A_all, value: 62, source: here}"
AT = "scen.yaml:3:13: published.0"


def with_entry(short: str, entry: str) -> str:
    return f"{short}published: [{entry}]\n"


def test_an_entry_needs_strategy_metric_value_and_source(load, short):
    [entry] = load(with_entry(short, ENTRY)).published
    assert entry == Published(strategy="nmc", metric="A_all", value=62.0, source="here")
    assert (entry.values, entry.tolerance, entry.when, entry.note) == (None, 1.0, {}, "")


def test_without_the_section_nothing_is_published(load, short):
    assert load(short).published == ()


def test_it_does_not_change_the_hash_and_is_no_difference(load, short):
    with_it, without = load(with_entry(short, ENTRY)), load(short)
    assert scenario_hash(with_it) == scenario_hash(without)
    assert difference(resolved_yaml(without), resolved_yaml(with_it)) == []


def test_the_resolved_form_holds_it(load, short):
    text = with_entry(
        short,
        "{strategy: nmc, metric: forgetting, values: [null, 5, 6, 7, 8.5], tolerance: 2, "
        "source: 'a: b', when: {stream.experiences: 5, head.kind: linear}, note: none}",
    )
    scenario = load(text)
    assert load(resolved_yaml(scenario)) == scenario


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (
            "{strategy: ncm, metric: A_all, value: 62, source: here}",
            "scen.yaml:3:24: published.0.strategy: no strategy is labelled 'ncm'; "
            "did you mean 'nmc'?",
        ),
        (
            "{strategy: nmc, metric: A_all, values: [1, 2, 3], source: here}",
            "scen.yaml:3:52: published.0.values: expected one value for each of the 5 experiences, "
            "found 3",
        ),
        (
            "{strategy: nmc, metric: A_all, value: 100.5, source: here}",
            "scen.yaml:3:51: published.0.value: must be at most 100, found 100.5",
        ),
        (
            "{strategy: nmc, metric: A_all, values: [1, -2, 3, 4, 5], source: here}",
            "scen.yaml:3:56: published.0.values.1: must be at least 0, found -2",
        ),
        (
            "{strategy: nmc, metric: A_all, source: here}",
            f"{AT}: give 'value', after the last experience, or 'values', one for each",
        ),
        (
            "{strategy: nmc, metric: A_all, value: 5, values: [5], source: here}",
            f"{AT}: give 'value', after the last experience, or 'values', one for each",
        ),
        (
            "{strategy: nmc, metric: A_all, values: [null], source: here}",
            f"{AT}: 'values' holds nothing but null",
        ),
        (
            "{strategy: nmc, metric: A_all, value: 5}",
            f"{AT}: 'source' is missing: Where it is published: paper with table, log file, or "
            "the command that measured it",
        ),
        (
            "{strategy: nmc, metric: A_all, value: 5, source: x, tolerence: 2}",
            "scen.yaml:3:65: published.0.tolerence: unknown key; did you mean 'tolerance'?",
        ),
        (
            "{strategy: nmc, metric: A_all, value: 5, source: x, when: {stream.experience: 5}}",
            "scen.yaml:3:91: published.0.when.stream.experience: the scenario has no "
            "'stream.experience'; did you mean 'stream.experiences'?",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(problems, short, entry, complaint):
    assert problems(with_entry(short, entry)) == [complaint]


def test_an_entry_for_a_variant_has_as_many_values_as_the_variant(load, short):
    entry = (
        "{strategy: nmc, metric: A_all, values: [1, 2], source: x, when: {stream.experiences: 2}}"
    )
    assert load(with_entry(short, entry)).published[0].values == (1.0, 2.0)


@pytest.mark.parametrize(
    ("stream", "experiences"),
    [
        ("{kind: cil, dataset: glyphs100, sizes: [50, 20, 10]}", 3),
        (
            "{kind: fscil, dataset: glyphs100, base_classes: 60, sessions: 8}",
            9,
        ),
    ],
)
def test_the_count_of_values_is_that_of_the_experiences(problems, stream, experiences):
    text = (
        f"stream: {stream}\nstrategy: nmc\n"
        "published: [{strategy: nmc, metric: A_all, values: [1, 2], source: x}]\n"
    )
    assert problems(text) == [
        "scen.yaml:3:52: published.0.values: expected one value for each of the "
        f"{experiences} experiences, found 2"
    ]


@pytest.mark.parametrize(
    "override", ["strategies=[{name: nmc, as: other}]", "stream.experiences=4"]
)
def test_an_override_that_takes_its_subject_away_leaves_an_entry_out(load, short, override):
    entry = "{strategy: nmc, metric: A_all, values: [1, 2, 3, 4, 5], source: here}"
    assert load(with_entry(short, entry), override).published == ()


def test_one_value_is_that_after_the_last_experience():
    entry = Published(strategy="nmc", metric="A_all", value=62.0, source="x")
    assert entry.by_experience(6) == {5: 62.0}


def test_values_are_by_experience_without_the_absent_ones():
    entry = Published(strategy="nmc", metric="A_all", values=(None, 70.0, None, 60.0), source="x")
    assert entry.by_experience(4) == {1: 70.0, 3: 60.0}


def test_an_entry_holds_for_the_settings_in_when(load, short):
    content = plain_scenario(load(short))
    entry = Published(strategy="nmc", metric="A_all", value=62.0, source="x")
    assert entry.holds_for(content)
    fitting = entry.model_copy(update={"when": {"stream.experiences": 5, "head.kind": "linear"}})
    assert fitting.holds_for(content)
    other = entry.model_copy(update={"when": {"stream.experiences": 5, "head.kind": "cosine"}})
    assert not other.holds_for(content)


def test_settings_are_found_in_mappings_and_lists():
    content = {"strategies": [{"as": "nmc"}], "threads": None}
    assert setting_at(content, "strategies.0.as") == "nmc"
    assert setting_at(content, "strategies.1.as") is None
    assert [has_setting(content, key) for key in ("threads", "strategies.1", "threads.x")] == [
        True,
        False,
        False,
    ]


def test_entries_are_part_of_the_scenario(load, short):
    with_it = load(with_entry(short, ENTRY))
    assert dataclasses.replace(with_it, published=()) == load(short)
