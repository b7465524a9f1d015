"""What plugins register: named entries with typed options, an owner, and code loaded late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cilsim.errors import PluginError, in_one_line
from cilsim.naming import did_you_mean

if TYPE_CHECKING:  # options need pydantic, a third of the time of a command that lists names
    from cilsim.options import Options


@dataclass(frozen=True)
class Owner:
    """Where an entry comes from: a plugin and the distribution that installed it."""

    plugin: str
    distribution: str
    version: str

    @property
    def comes_with_cilsim(self) -> bool:
        """Whether cilsim's own distribution has it; all others are third parties."""
        return self.distribution == "cilsim"

    @property
    def described(self) -> str:
        """The distribution; of a plugin that no distribution has, the plugin too."""
        return str(self) if self.version else f"plugin '{self.plugin}' of {self}"

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".rstrip()


@dataclass(frozen=True)
class Entry:
    """One registered thing.

    Attributes:
        kind: `strategy`, `calibrator`, `stream`, `dataset`, `backbone` or `metric`.
        name: how a scenario names it.
        target: the object, or `package.module:attribute`, imported when first used.
        options: the model that validates its options, or `package.module:attribute` of it.
        summary: one line for `cilsim list`.
        owner: who registered it.
        aliases: other names under which a scenario may ask for it.
        serves: stream kinds that a strategy can serve; empty means all labelled ones, those
            without new classes only if it is registered with `repeated_classes=True`.
        facts: further facts by name, documented beside the hook that registers the kind.
    """

    kind: str
    name: str
    target: Any
    options: type[Options] | str
    summary: str
    owner: Owner
    aliases: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Any:
        """Return the target, importing it if it was given as text.

        Raises:
            PluginError: the module or the attribute does not exist, or importing it fails.
        """
        return load_target(self.target, self)

    def option_model(self) -> type[Options]:
        """Return the model of its options, importing it if it was given as text.

        Raises:
            PluginError: it cannot be imported, is no subclass of `Options`, or has a field whose
                type pydantic does not know.
        """
        from cilsim.options import Options

        model = load_target(self.options, self)
        if not (isinstance(model, type) and issubclass(model, Options)):
            raise self.blamed(
                f"is registered with options of another kind: '{self.options}' is {model!r}; "
                "expected a subclass of cilsim.Options"
            )
        try:
            model.model_rebuild()
        except Exception as error:  # pydantic's own, and whatever a stranger's types raise
            said = str(error).partition("\n")[0].partition(". ")[0]  # pydantic goes on with advice
            raise self.blamed(f"has options that nobody can set: {said}") from error
        return model

    def blamed(self, what: str) -> PluginError:
        """Return the error of whoever registered the entry."""
        owner = self.owner
        return PluginError(
            owner.plugin, f"plugin '{owner.plugin}' of {owner}: {self.kind} '{self.name}' {what}"
        )


def load_target(target: Any, entry: Entry) -> Any:
    """Return `target`, importing `module:attribute` on behalf of `entry`."""
    if not isinstance(target, str):
        return target
    module_name, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module_name), attribute)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a stranger's module may even call sys.exit
        raise entry.blamed(f"cannot be loaded from '{target}': {in_one_line(error)}") from error


class Registry:
    """Entries of one kind by name."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}
        self._aliases: dict[str, str] = {}

    def add(self, entry: Entry) -> None:
        """Add an entry.

        Raises:
            PluginError: its name or an alias is taken; both distributions are named.
        """
        self.refuse_taken(entry)
        self._entries[entry.name] = entry
        self._aliases.update(dict.fromkeys(entry.aliases, entry.name))

    def refuse_taken(self, entry: Entry) -> None:
        """Raise the `PluginError` that `add` would raise, without adding."""
        for name in (entry.name, *entry.aliases):
            if name in self:
                taken_by = self[name].owner.described
                raise PluginError(
                    entry.owner.plugin,
                    f"{self.kind} '{name}' of {entry.owner} is refused: "
                    f"the name is taken by {taken_by}",
                )

    def __contains__(self, name: str) -> bool:
        return name in self._entries or name in self._aliases

    def __getitem__(self, name: str) -> Entry:
        return self._entries[self._aliases.get(name, name)]

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def __len__(self) -> int:
        return len(self._entries)

    def names(self) -> tuple[str, ...]:
        """Return all names, aliases included, sorted."""
        return tuple(sorted((*self._entries, *self._aliases)))

    def unknown(self, name: str) -> str:
        """Return the complaint about a name that is not registered."""
        return f"no {self.kind} is named '{name}'{did_you_mean(name, self.names())}"


@dataclass(frozen=True)
class Registries:
    """All that plugins registered, by kind."""

    strategies: Registry = field(default_factory=lambda: Registry("strategy"))
    calibrators: Registry = field(default_factory=lambda: Registry("calibrator"))
    streams: Registry = field(default_factory=lambda: Registry("stream kind"))
    datasets: Registry = field(default_factory=lambda: Registry("data set"))
    backbones: Registry = field(default_factory=lambda: Registry("backbone"))
    metrics: Registry = field(default_factory=lambda: Registry("metric"))


Register = Callable[..., None]
