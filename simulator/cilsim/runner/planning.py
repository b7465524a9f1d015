"""From a scenario to the plan of its stream, without torch and without reading an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cilsim.data.dataset import DataFacts
from cilsim.errors import CilsimError, PluginError, in_one_line
from cilsim.plugins import Plugins, raised_by_stranger
from cilsim.records import StreamInfo
from cilsim.registry import Entry, load_target
from cilsim.scenario.class_order import class_ids_in_file
from cilsim.scenario.facts_complaint import facts_complaint
from cilsim.scenario.schema import NamedChoice, Scenario
from cilsim.streams.class_order import natural_order, seeded_order
from cilsim.streams.plan import StreamPlan
from cilsim.streams.plan_complaint import plan_complaint


def data_facts(scenario: Scenario, plugins: Plugins) -> DataFacts:
    """Return the facts about the scenario's data set.

    Raises:
        DataError: the data set is missing or damaged.
    """
    return told_facts(scenario.stream.dataset, plugins)


def told_facts(choice: NamedChoice, plugins: Plugins) -> DataFacts:
    """Return what a data set tells without reading a sample.

    Raises:
        DataError: the data set is missing or damaged.
    """
    entry = plugins.registries.datasets[choice.name]
    with entry_named(entry):
        facts: DataFacts = load_target(entry.facts["facts"], entry)(choice.options)
    expect(DataFacts, facts, entry)
    refuse_if(entry, facts_complaint, facts)
    return facts


def class_order(scenario: Scenario, facts: DataFacts) -> tuple[int, ...]:
    """Return the class ids in stream order."""
    choice = scenario.class_order
    if choice.ids is not None:
        return choice.ids
    if choice.file is not None:
        return class_ids_in_file(choice.file)
    if choice.seed is not None:
        return seeded_order(facts.class_ids, choice.seed)
    return natural_order(facts.class_ids)


def plan_stream(
    scenario: Scenario, plugins: Plugins, seed: int, facts: DataFacts | None = None
) -> tuple[StreamPlan, StreamInfo]:
    """Return the plan of the stream for a training seed, and the facts that anybody may know."""
    known = data_facts(scenario, plugins) if facts is None else facts
    entry = plugins.registries.streams[scenario.stream.kind]
    order = class_order(scenario, known)
    with entry_named(entry):
        plan: StreamPlan = entry.load()(scenario.stream.options, known, order, seed)
    expect(StreamPlan, plan, entry)
    refuse_if(entry, plan_complaint, plan, known)
    return plan, plan.info(scenario.stream.dataset.name, known)


@contextmanager
def entry_named(entry: Entry) -> Iterator[None]:
    """Name the plugin, its distribution and the entry when the entry's code fails.

    Raises:
        PluginError: in place of any error but Ctrl-C and what cilsim itself says.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except CilsimError as error:
        if isinstance(error, PluginError) or not raised_by_stranger(error, entry.owner):
            raise
        raise _failure(entry, " ".join(str(error).split())) from error
    except BaseException as error:  # a stranger's code may even call sys.exit
        raise _failure(entry, in_one_line(error)) from error


def expect(kind: type, found: object, entry: Entry) -> None:
    """Refuse what an entry returned unless it is of the kind that is needed.

    Raises:
        PluginError: it is of another kind.
    """
    if not isinstance(found, kind):
        raise _failure(
            entry,
            f"it returned a value of type '{type(found).__name__}', expected {kind.__name__}",
        )


def refuse_if(entry: Entry, complain: Callable[..., str], *found: object) -> None:
    """Refuse what an entry of a third party returned if there is a complaint about it.

    Raises:
        PluginError: there is one.
    """
    complaint = "" if entry.owner.comes_with_cilsim else complain(*found)
    if complaint:
        raise _failure(entry, complaint)


def _failure(entry: Entry, complaint: str) -> PluginError:
    owner = entry.owner
    return PluginError(
        owner.plugin,
        f"plugin '{owner.plugin}' of {owner}: {entry.kind} '{entry.name}': {complaint}",
    )
