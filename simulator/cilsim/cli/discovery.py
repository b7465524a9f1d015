"""Finding plugins and loading scenarios on behalf of a command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from cilsim.cli.settings import settings_of
from cilsim.cli.streams import stdout_reserved
from cilsim.errors import CilsimError, PluginError, Problem, ScenarioError, in_one_line
from cilsim.naming import nearest
from cilsim.plugins import Plugins, discover

if TYPE_CHECKING:
    from cilsim.scenario.schema import Scenario


def find_plugins(files: Sequence[Path] = ()) -> Plugins:
    """Return the installed plugins and those in `files`; broken ones are warned about later.

    Raises:
        PluginError: one of `files` cannot be used.
    """
    _refuse_repeated(files)
    with stdout_reserved():
        extra = [import_file(path) for path in files]
        plugins = discover([(module.__name__, module) for module in extra])
    for plugin in plugins.broken:
        if plugin.implementation is not None and plugin.implementation in extra:
            path = plugin.implementation.__file__
            raise PluginError(plugin.name, f"--plugin {path}: {plugin.error}")
    settings_of(click.get_current_context()).warnings.extend(plugins.explain_broken())
    return plugins


def _refuse_repeated(files: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for path in files:
        if path.resolve() in seen:
            raise PluginError(path.stem, f"--plugin {path}: this file is given twice")
        seen.add(path.resolve())


def import_file(path: Path) -> ModuleType:
    """Return the module in a file, named as the file and importable under that name.

    Raises:
        PluginError: there is no such file, its name is taken, or importing it fails.
    """
    name = path.stem
    if path.is_dir():
        raise PluginError(
            name,
            f"--plugin {path}: is a folder; expected a file such as 'my_strategy.py'; a package is "
            "used once it is installed",
        )
    if not path.is_file():
        match = nearest(path.name, (beside.name for beside in path.parent.glob("*.py")))
        hint = f"; did you mean '{path.with_name(match)}'?" if match else ""
        raise PluginError(name, f"--plugin {path}: no such file{hint}")
    if not name.isidentifier() or path.suffix != ".py":
        raise PluginError(name, f"--plugin {path}: expected a file such as 'my_strategy.py'")
    if _taken(name, path):
        raise PluginError(
            name, f"--plugin {path}: a module '{name}' is installed already; rename the file"
        )
    return _execute(name, path)


def _taken(name: str, path: Path) -> bool:
    """Return whether importing `name` would give another module than that in the file."""
    found = find_spec(name)
    return found is not None and (found.origin is None or not path.samefile(found.origin))


def _execute(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec is not None  # the suffix is .py
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may even call sys.exit
        sys.modules.pop(name, None)
        raise PluginError(
            name, f"--plugin {path}: importing it fails: {in_one_line(error)}"
        ) from error
    return module


def load_scenarios(
    files: Sequence[Path],
    plugins: Plugins,
    overrides: Sequence[str] = (),
    *,
    with_data: bool = True,
) -> list[Scenario]:
    """Return the scenarios of all files; `with_data` as for `load_scenario`.

    Raises:
        ScenarioError: the problems of all files together.
    """
    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    for path in files:
        found = load_or_explain(path, plugins, overrides, with_data=with_data)
        if isinstance(found, tuple):
            problems.extend(found)
        else:
            scenarios.append(found)
    if problems:
        raise ScenarioError(problems)
    return scenarios


def load_or_explain(
    path: Path, plugins: Plugins, overrides: Sequence[str] = (), *, with_data: bool = True
) -> Scenario | tuple[Problem, ...]:
    """Return the scenario of a file, or every problem that it has."""
    from cilsim.scenario.load import load_scenario  # `list` and `info` start without it

    try:
        with stdout_reserved():
            return load_scenario(path, plugins.registries, overrides, with_data=with_data)
    except ScenarioError as error:
        return error.problems
    except CilsimError as error:  # such as data that is not there
        return (Problem(str(path), "", str(error)),)
