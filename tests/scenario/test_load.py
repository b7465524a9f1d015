from __future__ import annotations

from pathlib import Path

import pytest

from cilsim.errors import PluginError, ScenarioError
from cilsim.options import Options
from cilsim.registry import Entry, Owner, Registries
from cilsim.scenario.load import default_name, load_scenario, load_text
from cilsim.scenario.schema import NATURAL, NamedChoice, Recipe

SIX_MISTAKES = """\
stream:
  kind: few_shot_class_incremental
  dataset: glyphs100
  base_clases: 60
  way: five
strategy: {name: teen, calibration_weight: 7}
training:
  epochs: -4
  optimizer: sgdd
seeds: [0, one]
"""

SIX_COMPLAINTS = """\
scen.yaml:1:1: stream: 'base_classes' is missing: Number of classes of the base experience
     1 | stream:
       | ^
scen.yaml:4:3: stream.base_clases: unknown key; did you mean 'base_classes'?
     4 |   base_clases: 60
       |   ^
scen.yaml:5:8: stream.way: expected an integer, found 'five'
     5 |   way: five
       |        ^
scen.yaml:6:44: strategy.calibration_weight: must be at most 1, found 7
     6 | strategy: {name: teen, calibration_weight: 7}
       |                                            ^
scen.yaml:8:11: training.epochs: must be at least 0, found -4
     8 |   epochs: -4
       |           ^
scen.yaml:9:14: training.optimizer: expected one of 'sgd', 'adam', 'adamw', found 'sgdd'; did you mean 'sgd'?
     9 |   optimizer: sgdd
       |              ^
scen.yaml:10:12: seeds.1: expected an integer, found 'one'
    10 | seeds: [0, one]
       |            ^"""  # noqa: E501


def test_a_full_scenario_is_resolved(load, full):
    scenario = load(full)
    assert scenario.name == "glyphs100-fscil"
    assert scenario.stream.kind == "few_shot_class_incremental"
    assert scenario.stream.options.model_dump() == {
        "base_classes": 60,
        "way": 5,
        "shot": 5,
        "sessions": None,
        "shots": "published",
    }
    assert scenario.stream.dataset == NamedChoice("glyphs100", Options())
    assert scenario.backbone.name == "resnet20"
    assert [(one.name, one.label) for one in scenario.strategies] == [
        ("nmc", "nmc"),
        ("teen", "teen"),
        ("replay", "replay-200"),
    ]
    assert scenario.strategies[2].options.model_dump() == {
        "memory": 200,
        "per_class": "fixed",
        "weights": (1.0, 0.001),
    }
    assert scenario.seeds == (0, 1, 2)
    assert scenario.base_training == Recipe(
        epochs=20,
        schedule="step",
        milestones=(10, 15),
        augmentation={"crop_padding": 4, "flip": True},
    )
    assert scenario.threads == 2
    assert scenario.source.text == full


def test_a_short_scenario_gets_every_default(load, short):
    scenario = load(short)
    assert (scenario.name, scenario.description) == ("scen", "")
    assert scenario.class_order == NATURAL
    assert scenario.backbone.name == "small"
    assert scenario.seeds == (0,)
    assert scenario.base_training.epochs > scenario.training.epochs
    assert scenario.evaluate.model_dump() == {
        "selection": "last_epoch",
        "batch_size": 1024,
        "representation": False,
    }
    assert (scenario.deterministic, scenario.threads) == (True, None)
    assert scenario.checkpoints.model_dump() == {"keep": 2, "every": "1m"}


def test_the_head_is_cosine_for_few_shot_streams_and_linear_otherwise(load, full, short):
    assert load(full).head.kind == "cosine"
    assert load(short).head.kind == "linear"
    assert load(full, "head.kind=linear").head.kind == "linear"
    assert load(full, "head.temperature=4").head.model_dump() == {
        "kind": "cosine",
        "temperature": 4.0,
    }


def test_a_strategy_has_the_shared_calibrators_unless_it_lists_its_own(load, full):
    scenario = load(full)
    names = [[one.name for one in strategy.calibrators] for strategy in scenario.strategies]
    assert names == [["teen"], ["teen"], ["norm"]]
    none = load(full, "strategies.0.calibrators=[]")
    assert none.strategies[0].calibrators == ()


def test_one_seed_may_stand_alone(load, short):
    assert load(short + "seeds: 7\n").seeds == (7,)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(load):
    with pytest.raises(ScenarioError) as refused:
        load(SIX_MISTAKES)
    assert str(refused.value) == SIX_COMPLAINTS


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("schema: 2", "scen.yaml:3:9: schema: this cilsim reads schema 1, found 2"),
        ("schema: '1'", "scen.yaml:3:9: schema: expected an integer, found the text '1'"),
        (
            "name: a/b",
            "scen.yaml:3:7: name: a name of at most 100 letters, digits, '.', '_' or '-' that "
            "begins with a letter or digit is expected, found 'a/b'",
        ),
        ("name: 2024", "scen.yaml:3:7: name: expected text, found 2024; put it in quotes"),
        ("seed: 1", "scen.yaml:3:1: seed: unknown key; did you mean 'seeds'?"),
        (
            "wattage: 1",
            "scen.yaml:3:1: wattage: unknown key; known: backbone, base_training, calibrators, "
            "checkpoints, class_order, data_on_device, description, deterministic, evaluate, head, "
            "name, published, schema, seeds, strategies, strategy, stream, threads, training",
        ),
        ("seeds: []", "scen.yaml:3:8: seeds: expected at least 1 entry, found 0"),
        ("seeds: [1, 1]", "scen.yaml:3:8: seeds: 1 is given twice"),
        ("seeds: [-1]", "scen.yaml:3:9: seeds.0: must be at least 0, found -1"),
        ("seeds: true", "scen.yaml:3:8: seeds: expected an integer or a list, found true"),
        ("seeds: 1.5", "scen.yaml:3:8: seeds: expected an integer or a list, found 1.5"),
        (
            "class_order: naturl",
            "scen.yaml:3:14: class_order: expected 'natural' or a mapping, found 'naturl'; "
            "did you mean 'natural'?",
        ),
        (
            "class_order: {seed: 1, list: [1]}",
            "scen.yaml:3:1: class_order: give the class order as 'natural' or by one of seed, "
            "list, file",
        ),
        ("class_order: {list: [1, 1]}", "scen.yaml:3:21: class_order.list: 1 is given twice"),
        (
            "class_order: {sed: 1}",
            "scen.yaml:3:15: class_order.sed: unknown key; did you mean 'seed'?",
        ),
        ("head: cosine", "scen.yaml:3:7: head: expected a mapping, found 'cosine'"),
        (
            "head: {temperature: 0}",
            "scen.yaml:3:21: head.temperature: must be greater than 0, found 0",
        ),
        (
            "deterministic: off",
            "scen.yaml:3:16: deterministic: expected true or false, found the text 'off'",
        ),
        ("threads: 0", "scen.yaml:3:10: threads: must be at least 1, found 0"),
        (
            "training: {schedule: step}",
            "scen.yaml:3:1: training: schedule 'step' needs milestones, for example [60, 80]",
        ),
        ("calibrators: teen", "scen.yaml:3:14: calibrators: expected a list, found 'teen'"),
        (
            "calibrators: [tene]",
            "scen.yaml:3:15: calibrators.0: no calibrator is named 'tene'; did you mean 'teen'?",
        ),
        (
            "calibrators: [{name: norm, low: 3}]",
            "scen.yaml:3:15: calibrators.0: 'low' must not be above 'high'",
        ),
        ("backbone: 5", "scen.yaml:3:11: backbone: expected text or a mapping, found 5"),
        (
            "backbone: resnet2",
            "scen.yaml:3:11: backbone: no backbone is named 'resnet2'; did you mean 'resnet20'?",
        ),
        ("backbone: {width: 0}", "scen.yaml:3:19: backbone.width: must be at least 1, found 0"),
        (
            "strategies: [teen]",
            "scen.yaml:2:1: strategy: give either 'strategy' or 'strategies', not both",
        ),
    ],
)
def test_a_mistake_in_the_core_is_told(problems, short, line, message):
    assert problems(f"{short}{line}\n") == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "strategy: nmc",
            "scen.yaml:1:1: 'stream' is missing: The stream kind, the data set, and the options of "
            "that kind",
        ),
        (
            "stream: {kind: cil, dataset: glyphs100, experiences: 5}",
            "scen.yaml:1:1: 'strategy' is missing: the strategy to run; known: gcd, ncm, nmc, "
            "replay, teen",
        ),
        (
            "stream: {dataset: glyphs100}\nstrategy: nmc",
            "scen.yaml:1:1: stream: 'kind' is missing: the stream kind to use; known: cil, "
            "class_incremental, few_shot_class_incremental, fscil, ncd, novel_class_discovery",
        ),
        (
            "stream: {kind: cli, dataset: glyphs100}\nstrategy: nmc",
            "scen.yaml:1:16: stream.kind: no stream kind is named 'cli'; did you mean 'cil'?",
        ),
        (
            "stream: {kind: cil, experiences: 5}\nstrategy: nmc",
            "scen.yaml:1:1: stream: 'dataset' is missing: the data the stream is made of; known: "
            "broken, glyphs100, image_folder, silent",
        ),
        (
            "stream: {kind: cil, dataset: glyphs10, experiences: 5}\nstrategy: nmc",
            "scen.yaml:1:30: stream.dataset: no data set is named 'glyphs10'; did you mean "
            "'glyphs100'?",
        ),
        (
            "stream: {kind: cil, dataset: [glyphs100], experiences: 5}\nstrategy: nmc",
            "scen.yaml:1:30: stream.dataset: expected text or a mapping, found a list",
        ),
        ("stream: cil\nstrategy: nmc", "scen.yaml:1:9: stream: expected a mapping, found 'cil'"),
        (
            "stream: {kind: cil, dataset: {name: 5}, experiences: 5}\nstrategy: nmc",
            "scen.yaml:1:37: stream.dataset.name: expected text, found 5",
        ),
        (
            "stream: {kind: cil, dataset: {root: x}, experiences: 5}\nstrategy: nmc",
            "scen.yaml:1:21: stream.dataset: 'name' is missing: the data set to use; known: "
            "broken, glyphs100, image_folder, silent",
        ),
        (
            "stream: {kind: cil, dataset: image_folder, experiences: 5}\nstrategy: nmc",
            "scen.yaml:1:21: stream.dataset: 'root' is missing: Folder with one folder per class",
        ),
        (
            "99999999999999999999",
            "scen.yaml:1:1: expected an integer below 2^63, found 99999999999999999999",
        ),
        ("", "scen.yaml:1:1: the file is empty; a scenario needs at least 'stream' and 'strategy'"),
        (
            "- a\n",
            "scen.yaml:1:1: expected keys and values such as 'stream: ...', found a list",
        ),
        (
            "hello",
            "scen.yaml:1:1: expected keys and values such as 'stream: ...', found 'hello'",
        ),
    ],
)
def test_a_mistake_in_what_every_scenario_needs_is_told(problems, text, message):
    assert problems(text) == [message]


@pytest.mark.parametrize(
    ("strategies", "message"),
    [
        (
            "strategy: tean",
            "scen.yaml:2:11: strategy: no strategy is named 'tean'; did you mean 'teen'?",
        ),
        (
            "strategy: {name: tean, alpha: 1}",
            "scen.yaml:2:18: strategy.name: no strategy is named 'tean'; did you mean 'teen'?",
        ),
        (
            "strategy: {calibration_weight: 1}",
            "scen.yaml:2:1: strategy: 'name' is missing: the strategy to use; known: gcd, ncm, "
            "nmc, replay, teen",
        ),
        (
            "strategy: replay",
            "scen.yaml:2:1: strategy: 'memory' is missing: Exemplars kept in all",
        ),
        (
            "strategy: {name: replay, memory: 3, per_class: fixd}",
            "scen.yaml:2:48: strategy.per_class: expected 'fixed', 'shared' or an integer, found "
            "'fixd'; did you mean 'fixed'?",
        ),
        (
            "strategies: nmc",
            "scen.yaml:2:13: strategies: expected a list, found 'nmc'",
        ),
        ("strategies: []", "scen.yaml:2:13: strategies: expected at least 1 entry, found 0"),
        ("strategies: [5]", "scen.yaml:2:14: strategies.0: expected text or a mapping, found 5"),
        (
            "strategies: [nmc, teen, ncm]",
            "scen.yaml:2:25: strategies.2: another strategy is labelled 'nmc'; add a label of its "
            "own, such as 'as: nmc-2'",
        ),
        (
            "strategies: [nmc, {name: teen, as: NMC}]",
            "scen.yaml:2:36: strategies.1.as: another strategy is labelled 'NMC'; add a label of "
            "its own, such as 'as: NMC-2'",
        ),
        (
            "strategies: [nmc, {name: nmc, as: 50%}]",
            "scen.yaml:2:35: strategies.1.as: a name of at most 100 letters, digits, '.', '_' or "
            "'-' that begins with a letter or digit is expected, found '50%'",
        ),
        (
            "strategy: {name: nmc, as: ../x}",
            "scen.yaml:2:27: strategy.as: a name of at most 100 letters, digits, '.', '_' or '-' "
            "that begins with a letter or digit is expected, found '../x'",
        ),
        ("strategy: {name: nmc, as: 5}", "scen.yaml:2:27: strategy.as: expected text, found 5"),
        (
            "strategy: {name: nmc, calibrators: teen}",
            "scen.yaml:2:36: strategy.calibrators: expected a list, found 'teen'",
        ),
        (
            "strategy: {name: nmc, calibratrs: []}",
            "scen.yaml:2:23: strategy.calibratrs: unknown key; did you mean 'calibrators'?",
        ),
        (
            "strategy: gcd",
            "scen.yaml:2:11: strategy: strategy 'gcd' serves novel_class_discovery, not "
            "class_incremental; strategies that fit: nmc, replay, teen",
        ),
    ],
)
def test_a_mistake_in_the_strategies_is_told(problems, strategies, message):
    stream = "stream: {kind: class_incremental, dataset: glyphs100, experiences: 5}\n"
    assert problems(stream + strategies) == [message]


def test_strategies_without_a_list_do_not_serve_unlabelled_streams(problems):
    text = "stream: {kind: ncd, dataset: glyphs100, labelled_classes: 50}\nstrategy: ncm\n"
    assert problems(text) == [
        "scen.yaml:2:11: strategy: strategy 'nmc' serves labelled streams, not "
        "novel_class_discovery; strategies that fit: gcd"
    ]


def test_one_error_of_yaml_does_not_hide_the_others(problems, short):
    assert problems(short + "name: &a x\nseeds: [.inf, a]\nname: y\n") == [
        "scen.yaml:3:7: name: anchors ('&a') are not accepted",
        "scen.yaml:4:9: seeds.0: expected a finite number, found .inf",
        "scen.yaml:4:15: seeds.1: expected an integer, found 'a'",
        "scen.yaml:5:1: name: given twice, first on line 3",
    ]


def test_a_file_is_loaded_and_names_the_scenario(tmp_path, registries, short):
    path = tmp_path / "my first scenario.yaml"
    path.write_text(short, encoding="utf-8")
    scenario = load_scenario(path, registries)
    assert (scenario.name, scenario.source.path) == ("my-first-scenario", path)


@pytest.mark.parametrize(
    ("where", "name"),
    [("a/b.yaml", "b"), ("x.y.yaml", "x.y"), ("--é--.yaml", "scenario"), ("a" * 200, "a" * 100)],
)
def test_a_default_name_is_safe_for_a_folder(where, name):
    assert default_name(where) == name


def test_a_text_may_begin_with_a_byte_order_mark(load, short):
    assert load("\ufeff" + short) == load(short)


def test_a_text_beyond_the_limit_is_refused(problems):
    assert problems("#\n" * (128 * 1024) + "#") == [
        "scen.yaml:131073:1: larger than 256 KiB; a scenario is a small text"
    ]


def test_an_override_beyond_the_limit_is_refused(problems, short):
    value = "x" * (256 * 1024 + 1)
    assert problems(short, f"description={value}") == [
        f"--set description={'x' * 85}...: description: "
        "larger than 256 KiB; a scenario is a small text"
    ]


def test_the_error_of_a_plugin_names_it_and_keeps_its_traceback(load):
    with pytest.raises(ScenarioError) as refused:
        load("stream: {kind: cil, dataset: broken, experiences: 5}\nstrategy: nmc\n")
    assert str(refused.value).splitlines()[0] == (
        "scen.yaml:1:30: stream.dataset: plugin 'tests' of cilsim-tests 1.0: dataset 'broken' "
        "fails in its 'facts': KeyError: 'labels'"
    )
    assert isinstance(refused.value.__cause__, PluginError)
    assert isinstance(refused.value.__cause__.__cause__, KeyError)


def test_a_target_that_cannot_be_imported_is_told(registries):
    extended = Registries(streams=registries.streams, strategies=registries.strategies)
    facts = {"facts": "cilsim_nowhere:facts"}
    owner = Owner("x", "cilsim-x", "2.0")
    extended.datasets.add(Entry("dataset", "x", None, Options, "", owner, facts=facts))
    extended.backbones.add(registries.backbones["small"])
    text = "stream: {kind: cil, dataset: x, experiences: 5}\nstrategy: nmc\n"
    with pytest.raises(ScenarioError) as refused:
        load_text(text, "scen.yaml", extended)
    assert str(refused.value).splitlines()[0] == (
        "scen.yaml:1:30: stream.dataset: plugin 'x' of cilsim-x 2.0: dataset 'x' cannot be loaded "
        "from 'cilsim_nowhere:facts': ModuleNotFoundError: No module named 'cilsim_nowhere'"
    )
    assert load_text(text, "scen.yaml", extended, with_data=False).stream.dataset.name == "x"


def test_options_that_cannot_be_imported_are_told(registries):
    owner = Owner("x", "cilsim-x", "2.0")
    extended = Registries(
        streams=registries.streams, datasets=registries.datasets, backbones=registries.backbones
    )
    extended.strategies.add(Entry("strategy", "x", None, "cilsim_nowhere:Options", "", owner))
    text = "stream: {kind: cil, dataset: glyphs100, experiences: 5}\nstrategy: x\n"
    with pytest.raises(ScenarioError) as refused:
        load_text(text, "scen.yaml", extended)
    assert str(refused.value).splitlines()[0] == (
        "scen.yaml:2:11: strategy: plugin 'x' of cilsim-x 2.0: strategy 'x' cannot be loaded "
        "from 'cilsim_nowhere:Options': ModuleNotFoundError: No module named 'cilsim_nowhere'"
    )


def test_scenarios_from_other_places_are_equal(registries, short):
    here = load_text(short, "a.yaml", registries, folder=Path("/"))
    there = load_text(f"# elsewhere\n{short}", "b/a.yaml", registries)
    assert here == there
