from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from cilsim import Options, hookimpl
from cilsim.errors import PluginError
from cilsim.plugins import Plugins, discover
from cilsim.registry import Register, Registries

Module = Callable[..., ModuleType]
Installed = Callable[..., Plugins]


def registers(name: str, hook: str = "cilsim_register_strategies", **facts: Any) -> Any:
    """Return a registration hook that registers one entry."""

    def implementation(register: Register) -> None:
        register(name, "nowhere:Nothing", **facts)

    implementation.__name__ = hook
    return hookimpl(implementation)


def test_the_built_ins_come_through_the_entry_point_group() -> None:
    plugins = discover()
    names = [plugin.name for plugin in plugins.loaded]
    assert names[0] == "cilsim"
    assert {"finetune", "joint", "kmeans_discovery", "nmc", "teen"} <= set(names)
    assert plugins.explain_broken() == ()


def test_a_loaded_plugin_tells_its_distribution_and_hooks(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    toy = module(cilsim_register_strategies=registers("toy"))
    plugin = installed(entry_point("toy", toy)).loaded[-1]
    assert (plugin.name, str(plugin.owner)) == ("toy", "cilsim-foo 0.2")
    assert plugin.hooks == ("cilsim_register_strategies",)


def test_what_a_plugin_registers_is_found_by_name_and_alias(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    toy = module(cilsim_register_strategies=registers("toy", aliases=("plaything",)))
    strategies = installed(entry_point("toy", toy)).registries.strategies
    assert strategies["plaything"] is strategies["toy"]
    assert str(strategies["toy"].owner) == "cilsim-foo 0.2"


def test_an_object_can_be_a_plugin(installed: Installed) -> None:
    class Toy:
        cilsim_api = 1
        cilsim_register_strategies = staticmethod(registers("toy"))

    plugins = installed(extra=(("toy", Toy()),))
    assert "toy" in plugins.registries.strategies
    assert str(plugins.loaded[-1].owner) == "this process"


def broken(plugins: Plugins) -> str:
    """Return the line about the only broken plugin."""
    (line,) = plugins.explain_broken()
    return line


def test_a_misspelt_hook_is_refused_with_the_nearest_name(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    toy = module(cilsim_after_evalution=hookimpl(lambda run: None))
    assert broken(installed(entry_point("toy", toy))) == (
        "plugin 'toy' of cilsim-foo 0.2 is not used: there is no hook 'cilsim_after_evalution'; "
        "did you mean 'cilsim_after_evaluation'?"
    )


def test_a_hook_without_its_mark_is_refused(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    toy = module(cilsim_before_run=lambda run: None)
    assert broken(installed(entry_point("toy", toy))) == (
        "plugin 'toy' of cilsim-foo 0.2 is not used: 'cilsim_before_run' is not marked as a hook; "
        "put `@hookimpl` above it"
    )


def test_a_wrong_argument_name_is_refused(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    @hookimpl
    def cilsim_scores(strategy: Any, feature: Any) -> None:
        """Misspells `features`."""

    toy = module(cilsim_scores=cilsim_scores)
    assert broken(installed(entry_point("toy", toy))) == (
        "plugin 'toy' of cilsim-foo 0.2 is not used: hook 'cilsim_scores' has no argument "
        "'feature'; did you mean 'features'?"
    )


def test_a_hook_may_take_no_argument(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    toy = module(cilsim_register_strategies=hookimpl(lambda: None))
    assert installed(entry_point("toy", toy)).explain_broken() == ()


def test_a_taken_name_names_both_distributions(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    plugins = installed(
        entry_point("first", module(cilsim_register_strategies=registers("fetril"))),
        entry_point(
            "second",
            module(cilsim_register_strategies=registers("mine", aliases=("fetril",))),
            ("cilsim-bar", "1.0"),
        ),
    )
    assert broken(plugins) == (
        "plugin 'second' of cilsim-bar 1.0 is not used: strategy 'fetril' of cilsim-bar 1.0 is "
        "refused: the name is taken by cilsim-foo 0.2"
    )
    assert "mine" not in plugins.registries.strategies


def test_one_refused_entry_leaves_none_of_the_plugin(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    half = module(
        cilsim_register_strategies=registers("fresh"),
        cilsim_register_datasets=registers("cifar10", "cilsim_register_datasets"),
    )
    plugins = installed(entry_point("half", half))
    assert "fresh" not in plugins.registries.strategies
    assert [plugin.name for plugin in plugins.loaded] == ["cilsim"]


def test_a_taken_plugin_name_names_the_distribution_that_has_it(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    first = module(cilsim_before_run=hookimpl(lambda: None))
    plugins = installed(
        entry_point("toy", first), entry_point("toy", module(), ("cilsim-bar", "1.0"))
    )
    assert broken(plugins) == (
        "plugin 'toy' of cilsim-bar 1.0 is not used: the plugin name is taken by cilsim-foo 0.2"
    )
    assert plugins.manager.get_plugin("toy") is first


def test_registering_a_name_twice_is_refused(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    @hookimpl
    def cilsim_register_strategies(register: Register) -> None:
        register("toy", "nowhere:Nothing")
        register("other", "nowhere:Nothing", aliases=("toy",))

    toy = module(cilsim_register_strategies=cilsim_register_strategies)
    assert broken(installed(entry_point("toy", toy))) == (
        "plugin 'toy' of cilsim-foo 0.2 is not used: strategy 'toy' is registered twice"
    )


def test_an_unknown_fact_is_refused_with_the_nearest_name(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    toy = module(cilsim_register_strategies=registers("toy", sumary="a toy"))
    assert broken(installed(entry_point("toy", toy))) == (
        "plugin 'toy' of cilsim-foo 0.2 is not used: strategy 'toy' is registered with the unknown "
        "argument 'sumary'; did you mean 'summary'?"
    )


def test_options_of_another_kind_are_refused(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    toy = module(cilsim_register_strategies=registers("toy", options=dict))
    assert broken(installed(entry_point("toy", toy))) == (
        "plugin 'toy' of cilsim-foo 0.2 is not used: strategy 'toy' is registered with options of "
        "another kind: <class 'dict'>; expected a subclass of cilsim.Options, or "
        "'package.module:name' of one"
    )


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            "nowhere:Options",
            "cannot be loaded from 'nowhere:Options': "
            "ModuleNotFoundError: No module named 'nowhere'",
        ),
        (
            "collections:OrderedDict",
            "is registered with options of another kind: 'collections:OrderedDict' is "
            "<class 'collections.OrderedDict'>; expected a subclass of cilsim.Options",
        ),
    ],
)
def test_options_given_as_text_are_imported_when_asked_for(
    installed: Installed, entry_point: Any, module: Module, target: str, line: str
) -> None:
    toy = module(cilsim_register_strategies=registers("toy", options=target))
    plugins = installed(entry_point("toy", toy))
    assert plugins.broken == ()
    with pytest.raises(PluginError) as raised:
        plugins.registries.strategies["toy"].option_model()
    assert raised.value.plugin == "toy"
    assert str(raised.value) == f"plugin 'toy' of cilsim-foo 0.2: strategy 'toy' {line}"


class Unknown:
    """Nothing that pydantic could check."""


class Unsettable(Options):
    """Options of which one has a type that no scenario can give."""

    thing: Unknown | None = None


class Undefined(Options):
    """Options of which one has a type that does not exist."""

    thing: Nowhere = 0  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            Unsettable,
            f"Unable to generate pydantic-core schema for <class '{__name__}.Unknown'>",
        ),
        (Undefined, "name 'Nowhere' is not defined"),
    ],
)
def test_options_of_types_that_cannot_be_checked_are_told(
    installed: Installed, entry_point: Any, module: Module, options: type[Options], line: str
) -> None:
    toy = module(cilsim_register_strategies=registers("toy", options=options))
    entry = installed(entry_point("toy", toy)).registries.strategies["toy"]
    with pytest.raises(PluginError) as raised:
        entry.option_model()
    assert str(raised.value) == (
        "plugin 'toy' of cilsim-foo 0.2: strategy 'toy' has options that nobody can set: " + line
    )


def test_options_that_are_not_registered_are_none(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    toy = module(cilsim_register_strategies=registers("toy"))
    entry = installed(entry_point("toy", toy)).registries.strategies["toy"]
    assert entry.option_model() is Options


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda register: register(7, "a:B"),
            "a strategy is registered as 7, expected a name without spaces",
        ),
        (
            lambda register: register("my toy", "a:B"),
            "a strategy is registered as 'my toy', expected a name without spaces",
        ),
        (
            lambda register: register("toy", 7),
            "strategy 'toy' is registered with 7, expected a class, a function or "
            "'package.module:name'",
        ),
        (
            lambda register: register("toy", "nowhere"),
            "strategy 'toy' is registered with 'nowhere', expected a class, a function or "
            "'package.module:name'",
        ),
        (
            lambda register: register("toy", "a:B", summary=7),
            "strategy 'toy' is registered with the summary 7, expected text",
        ),
        (
            lambda register: register("toy", "a:B", aliases=(7,)),
            "strategy 'toy' is registered with aliases=(7,), expected a tuple of names",
        ),
        (
            lambda register: register("toy", "a:B", serves="class_incremental"),
            "strategy 'toy' is registered with serves='class_incremental', expected a tuple of "
            "names",
        ),
        (
            lambda register: register("toy", "a:B", "does it my way"),
            "strategy 'toy' is registered with 'does it my way' in third place, expected "
            "options=, summary=, ...",
        ),
    ],
    ids=["name", "space", "load", "target", "summary", "alias", "serves", "third"],
)
def test_an_entry_that_nobody_could_use_is_refused(
    installed: Installed, entry_point: Any, module: Module, call: Any, line: str
) -> None:
    @hookimpl
    def cilsim_register_strategies(register: Register) -> None:
        call(register)

    toy = module(cilsim_register_strategies=cilsim_register_strategies)
    assert broken(installed(entry_point("toy", toy))) == (
        f"plugin 'toy' of cilsim-foo 0.2 is not used: {line}"
    )


@pytest.mark.parametrize(
    ("kind", "facts", "line"),
    [
        (
            "datasets",
            {},
            "data set 'toy' is registered without 'facts', expected facts=function: what is known "
            "of the data without reading a sample",
        ),
        (
            "backbones",
            {"accepts": "image"},
            "backbone 'toy' is registered with accepts='image', expected 'images', 'features' or "
            "None",
        ),
    ],
    ids=["facts", "accepts"],
)
def test_a_fact_that_is_missing_or_of_another_kind_is_refused(
    installed: Installed, entry_point: Any, module: Module, kind: str, facts: Any, line: str
) -> None:
    hook = f"cilsim_register_{kind}"

    @hookimpl(specname=hook)
    def registers(register: Register) -> None:
        register("toy", "a:B", **facts)

    assert broken(installed(entry_point("toy", module(**{hook: registers})))) == (
        f"plugin 'toy' of cilsim-foo 0.2 is not used: {line}"
    )


@pytest.mark.parametrize(
    "error",
    [GeneratorExit(), SystemExit(3), MemoryError("1 TB"), RecursionError("too deep")],
    ids=["generator exit", "exit", "memory", "recursion"],
)
@pytest.mark.parametrize("kind", list(vars(Registries())))
def test_whatever_a_registration_raises_is_reported(
    installed: Installed, entry_point: Any, module: Module, kind: str, error: BaseException
) -> None:
    hook = f"cilsim_register_{kind}"

    def implementation() -> None:
        raise error

    toy = module(**{hook: hookimpl(specname=hook)(implementation)})
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    assert broken(installed(entry_point("toy", toy))) == (
        f"plugin 'toy' of cilsim-foo 0.2 is not used: registering fails: {said}"
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ModuleNotFoundError("No module named 'jax'"),
            "ModuleNotFoundError: No module named 'jax'",
        ),
        (SystemExit(3), "SystemExit: 3"),
    ],
    ids=["missing module", "exit"],
)
def test_a_failing_import_is_reported_and_stops_nothing(
    installed: Installed, entry_point: Any, module: Module, error: BaseException, line: str
) -> None:
    good = module(cilsim_register_strategies=registers("good"))
    plugins = installed(entry_point("bad", error), entry_point("good", good))
    assert broken(plugins) == (
        f"plugin 'bad' of cilsim-foo 0.2 is not used: importing 'bad_module' fails: {line}"
    )
    assert "good" in plugins.registries.strategies


def test_a_registration_that_raises_is_reported(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    @hookimpl
    def cilsim_register_strategies(register: Register) -> None:
        raise KeyError("weights")

    toy = module(cilsim_register_strategies=cilsim_register_strategies)
    plugins = installed(entry_point("toy", toy))
    assert broken(plugins) == (
        "plugin 'toy' of cilsim-foo 0.2 is not used: registering fails: KeyError: 'weights'"
    )
    assert plugins.manager.get_plugin("toy") is None


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (
            None,
            "it does not declare the interface that it was written for; "
            "add `cilsim_api = 1` to 'toy_module'",
        ),
        (
            2,
            "it was written for interface 2, this cilsim has interface 1; upgrade cilsim",
        ),
        (
            0,
            "it was written for interface 0, this cilsim has interface 1; upgrade the plugin",
        ),
        ("1", "its cilsim_api is '1', expected the number 1"),
    ],
    ids=["missing", "newer", "older", "text"],
)
def test_the_declared_interface_is_checked(
    installed: Installed, entry_point: Any, module: Module, declared: int | None, reason: str
) -> None:
    plugins = installed(entry_point("toy", module(cilsim_api=declared)))
    assert broken(plugins) == f"plugin 'toy' of cilsim-foo 0.2 is not used: {reason}"


@pytest.fixture
def three(entry_point: Any, module: Module) -> list[Any]:
    return [entry_point(name, module(name)) for name in ("alpha", "beta", "gamma")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ["cilsim", "alpha", "beta", "gamma"]),
        ("none", ["cilsim"]),
        ("", ["cilsim"]),
        ("gamma", ["cilsim", "gamma"]),
        ("gamma, alpha", ["cilsim", "alpha", "gamma"]),
    ],
    ids=["unset", "none", "empty", "one", "two"],
)
def test_the_environment_limits_what_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
    installed: Installed,
    three: list[Any],
    value: str | None,
    expected: list[str],
) -> None:
    if value is not None:
        monkeypatch.setenv("CILSIM_PLUGINS", value)
    assert [plugin.name for plugin in installed(*three).loaded] == expected


def test_the_environment_may_not_name_an_unknown_plugin(
    monkeypatch: pytest.MonkeyPatch, installed: Installed, three: list[Any]
) -> None:
    monkeypatch.setenv("CILSIM_PLUGINS", "alhpa")
    with pytest.raises(PluginError) as raised:
        installed(*three)
    assert str(raised.value) == (
        "CILSIM_PLUGINS: no plugin is named 'alhpa'; did you mean 'alpha'?"
    )


def test_extra_plugins_are_loaded_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, installed: Installed, three: list[Any], module: Module
) -> None:
    monkeypatch.setenv("CILSIM_PLUGINS", "none")
    plugins = installed(*three, extra=(("mine", module()),))
    assert [plugin.name for plugin in plugins.loaded] == ["cilsim", "mine"]


def test_the_own_distribution_comes_first_so_that_a_stranger_cannot_take_its_names(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    plugins = installed(
        entry_point("aaa", module(cilsim_register_strategies=registers("teen"))),
        entry_point(
            "teen",
            module(cilsim_register_strategies=registers("teen")),
            ("cilsim", "0.1.0"),
        ),
    )
    assert broken(plugins) == (
        "plugin 'aaa' of cilsim-foo 0.2 is not used: strategy 'teen' of cilsim-foo 0.2 is refused: "
        "the name is taken by cilsim 0.1.0"
    )


def test_an_entry_that_cannot_be_imported_names_plugin_and_target(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    toy = module(cilsim_register_strategies=registers("toy", options=Options))
    entry = installed(entry_point("toy", toy)).registries.strategies["toy"]
    with pytest.raises(PluginError) as raised:
        entry.load()
    assert raised.value.plugin == "toy"
    assert str(raised.value) == (
        "plugin 'toy' of cilsim-foo 0.2: strategy 'toy' cannot be loaded from 'nowhere:Nothing': "
        "ModuleNotFoundError: No module named 'nowhere'"
    )


def test_the_innermost_plugin_on_the_trace_is_to_blame(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    def with_code(name: str, code: str) -> ModuleType:
        made = module(name)
        exec(code, vars(made))
        return made

    inner = with_code("inner_module", "def fail():\n    {}['x']\n")
    outer = with_code("outer_module", "def call(fail):\n    fail()\n")
    plugins = installed(entry_point("outer", outer), entry_point("inner", inner))
    with pytest.raises(KeyError) as raised:
        outer.call(inner.fail)
    guilty = plugins.owner_of(raised.value)
    assert guilty is not None
    assert guilty.name == "inner"


def test_code_registered_from_another_package_belongs_to_the_plugin(
    installed: Installed, entry_point: Any, module: Module
) -> None:
    @hookimpl
    def cilsim_register_strategies(register: Register) -> None:
        register("toy", "far_away.strategy:Toy")

    toy = module(cilsim_register_strategies=cilsim_register_strategies)
    plugins = installed(entry_point("toy", toy))
    far_away = ModuleType("far_away.strategy")
    exec("def fail():\n    {}['x']\n", vars(far_away))
    with pytest.raises(KeyError) as raised:
        far_away.fail()
    guilty = plugins.owner_of(raised.value)
    assert guilty is not None
    assert guilty.name == "toy"


def test_nobody_is_to_blame_for_errors_of_the_engine(installed: Installed) -> None:
    with pytest.raises(TypeError) as raised:
        discover(extra=5)  # type: ignore[arg-type]
    assert installed().owner_of(raised.value) is None
