"""The second stage of the check: what a section names, and whether its options fit."""

from __future__ import annotations

from dataclasses import dataclass

from cilsim.errors import PluginError, in_one_line
from cilsim.naming import did_you_mean
from cilsim.options import Options
from cilsim.registry import Entry, Registry
from cilsim.scenario.explain import validate
from cilsim.scenario.findings import Findings
from cilsim.scenario.nodes import Node
from cilsim.scenario.origin import abbreviate
from cilsim.scenario.paths import resolve_paths
from cilsim.scenario.schema import NamedChoice


@dataclass(frozen=True)
class Lookup:
    """Looks up what sections name; every complaint goes to `findings`."""

    findings: Findings

    def choice(self, registry: Registry, node: Node) -> NamedChoice | None:
        """Return the named thing with its options, or None if something is wrong."""
        entry = self.entry(registry, node)
        options = None if entry is None else self.options(entry, node, ("name",))
        return None if entry is None or options is None else NamedChoice(entry.name, options)

    def entry(self, registry: Registry, node: Node, key: str = "name") -> Entry | None:
        """Return the entry that a section names under `key`, or None after complaining."""
        if not node.is_mapping:
            self.at_value(node, f"expected text or a mapping, found {node.found()}")
            return None
        name = node.child(key)
        if name is None:
            known = did_you_mean("", registry.names())
            self.at_section(node, f"'{key}' is missing: the {registry.kind} to use{known}")
            return None
        if not isinstance(name.value, str):
            self.at_value(name, f"expected text, found {name.found()}")
            return None
        if name.value not in registry:
            self.at_value(name, registry.unknown(abbreviate(name.value)))
            return None
        return registry[name.value]

    def options(self, entry: Entry, node: Node, reserved: tuple[str, ...]) -> Options | None:
        """Return the validated options of a section, or None after complaining.

        Args:
            entry: what the section names.
            node: the section.
            reserved: keys of the section that are no options.
        """
        rest = node.without(reserved)
        try:
            options = _validate(entry, entry.option_model(), rest, self.findings, reserved)
        except PluginError as error:
            self.blame(node, error)
            return None
        return None if options is None else resolve_paths(options, rest)

    def blame(self, node: Node, error: PluginError) -> None:
        """Complain about the plugin behind a section, keeping its error for the traceback."""
        self.findings.cause = error
        self.at_value(node, str(error))

    def at_value(self, node: Node, message: str) -> None:
        """Complain about a value."""
        self.findings.add(node.mark, node.dotted, message)

    def at_section(self, node: Node, message: str) -> None:
        """Complain about a section as a whole."""
        self.findings.add(node.section_mark, node.dotted, message)


def _validate(
    entry: Entry,
    model: type[Options],
    node: Node,
    findings: Findings,
    reserved: tuple[str, ...],
) -> Options | None:
    try:
        return validate(model, node, findings, reserved)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a validator of the plugin's model raised what it must not
        owner = entry.owner
        raise PluginError(
            owner.plugin,
            f"plugin '{owner.plugin}' of {owner}: the options of {entry.kind} '{entry.name}' "
            f"cannot be checked: {in_one_line(error)}",
        ) from error
