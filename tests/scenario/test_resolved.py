from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.errors import ScenarioError
from cilsim.options import Options
from cilsim.scenario.findings import Findings
from cilsim.scenario.load import load_text
from cilsim.scenario.origin import Origin
from cilsim.scenario.plain import plain
from cilsim.scenario.resolved import difference, hash_in, resolved_yaml, scenario_hash
from cilsim.scenario.yaml_source import parse

SHORT_RESOLVED = """\
name: scen
description: ''
stream:
  kind: class_incremental
  dataset:
    name: glyphs100
  base_classes: null
  increment: null
  uneven: false
  sizes: null
  experiences: 5
class_order: natural
backbone:
  name: small
  width: 32
head:
  kind: linear
  temperature: 16.0
strategies:
- name: nmc
  as: nmc
  calibrators: []
seeds: [0]
"""


def test_the_resolved_form_holds_every_default_in_a_fixed_order(load, short):
    text = resolved_yaml(load(short))
    assert text.startswith("# every value of this scenario, defaults included\n# hash: ")
    assert "\nschema: 1\n" + SHORT_RESOLVED + "base_training:\n  epochs: 100\n" in text
    end = "threads: null\ncheckpoints:\n  keep: 2\n  every: 1m\npublished: []\n"
    assert text.endswith(end)


@pytest.mark.parametrize(
    "line",
    [
        "class_order: {seed: 1993}",
        "class_order: {list: [2, 0, 1]}",
        "class_order: {file: order.txt}",
        "description: '1e-3'",
        "description: 'no'",
        "threads: 3",
        "training: {lr: 1e-7, clip_gradient_norm: 1e20, milestones: [3, 5], schedule: step}",
    ],
)
def test_the_resolved_form_loads_to_the_same_scenario(load, short, line):
    scenario = load(f"{short}{line}\n", with_data=False)
    assert load(resolved_yaml(scenario), with_data=False) == scenario


def test_the_resolved_form_of_a_full_scenario_loads_to_the_same(load, full, registries):
    scenario = load(full)
    again = load_text(resolved_yaml(scenario), "elsewhere.yaml", registries)
    assert again == scenario
    assert resolved_yaml(again) == resolved_yaml(scenario)


def test_paths_are_absolute_so_that_the_resolved_form_means_the_same_elsewhere(load, tmp_path):
    dataset = "{name: image_folder, root: r, lists: [a]}"
    text = f"stream: {{kind: cil, dataset: {dataset}, experiences: 5}}\nstrategy: nmc\n"
    scenario = load(text, folder=tmp_path, with_data=False)
    again = load(resolved_yaml(scenario), folder=Path("/"), with_data=False)
    assert again == scenario
    assert scenario_hash(again) == scenario_hash(scenario)


@settings(max_examples=100, deadline=None, database=None)
@given(text=st.text())
def test_any_text_survives_the_way_to_yaml_and_back(registries, short, text):
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return
    scenario = dataclasses.replace(load_text(short, "s.yaml", registries), description=text)
    assert load_text(resolved_yaml(scenario), "s.yaml", registries).description == text


def test_the_hash_is_over_the_resolved_values_in_canonical_json(load, full):
    scenario = load(full)
    root = parse(Origin("", resolved_yaml(scenario), Path()), Findings())
    without = ["name", "description", "data_on_device", "checkpoints", "published"]
    content = root.without(without).plain()
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert scenario_hash(scenario) == hashlib.sha256(text.encode()).hexdigest()


def test_the_hash_is_the_same_in_every_process(load, full):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from conftest import FULL, make_registries\n"
        "from cilsim.scenario.load import load_text\n"
        "from cilsim.scenario.resolved import scenario_hash\n"
        "print(scenario_hash(load_text(FULL, 'f.yaml', make_registries())))"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == scenario_hash(load(full))


def test_the_hash_is_noted_in_the_resolved_form(load, short):
    scenario = load(short)
    assert hash_in(resolved_yaml(scenario)) == scenario_hash(scenario)
    assert hash_in("schema: 1\n") is None


@pytest.mark.parametrize(
    "override",
    ["name=other", "description=other", "checkpoints.keep=9", "strategy=ncm", "training.lr=1e-1"],
)
def test_the_hash_ignores_what_changes_no_result(load, short, override):
    assert scenario_hash(load(short, override)) == scenario_hash(load(short))


@pytest.mark.parametrize(
    "override",
    [
        "seeds=[1]",
        "threads=1",
        "training.lr=0.05",
        "class_order.seed=0",
        "strategy.as=x",
        "backbone.width=8",
        "stream.experiences=10",
        "calibrators=[teen]",
        "evaluate.batch_size=7",
        "evaluate.representation=true",
        "deterministic=false",
    ],
)
def test_the_hash_tells_apart_what_changes_results(load, short, override):
    assert scenario_hash(load(short, override)) != scenario_hash(load(short))


def test_a_difference_names_every_value_that_matters(load, short):
    old = resolved_yaml(load(short))
    new = resolved_yaml(
        load(
            short,
            "name=other",
            "training.lr=0.05",
            "seeds=[0, 1]",
            "strategy={name: teen, as: nmc}",
            "class_order.seed=3",
            "threads=2",
        )
    )
    assert difference(old, new) == [
        "class_order: natural -> (absent)",
        "strategies.nmc.name: nmc -> teen",
        "seeds: [0] -> [0, 1]",
        "training.lr: 0.1 -> 0.05",
        "threads: null -> 2",
        "class_order.seed: (absent) -> 3",
        "strategies.nmc.calibration_weight: (absent) -> 0.5",
        "strategies.nmc.similarity_scale: (absent) -> 16.0",
    ]
    assert difference(old, old) == []


def test_strategies_are_compared_by_label_and_others_only_named(load, short):
    old = resolved_yaml(load(short, "strategy={name: teen, as: t, calibration_weight: 0.5}"))
    two = "[nmc, {name: teen, as: t, calibration_weight: 0.25}]"
    new = resolved_yaml(load(short.replace("strategy: nmc", f"strategies: {two}")))
    assert difference(old, new) == [
        "strategies: t -> nmc, t",
        "strategies.t.calibration_weight: 0.5 -> 0.25",
    ]


def test_a_damaged_resolved_form_is_refused_by_name():
    with pytest.raises(ScenarioError) as refused:
        difference("a: [", "a: 1")
    assert str(refused.value) == (
        "old resolved scenario:1:5: not valid YAML: the text ends within an open bracket\n"
        "     1 | a: [\n       |     ^"
    )


def test_sets_are_plain_in_a_fixed_order():
    class Chosen(Options):
        names: frozenset[str] = frozenset({"c", "a", "b"})

    assert plain(Chosen()) == {"names": ["a", "b", "c"]}
