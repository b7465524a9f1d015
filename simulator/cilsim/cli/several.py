"""The processes that share a command: those of torchrun, those of `--processes`, or one alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cilsim.cli.busyness import prepare_environment
from cilsim.cli.companions import Companions
from cilsim.cli.last_words import tell_at_once
from cilsim.cli.settings import Settings
from cilsim.distributed.placement import Placement, placement
from cilsim.distributed.processes import ALONE, Processes
from cilsim.errors import CilsimError, OutOfStep
from cilsim.scenario.schema import Scenario
from cilsim.sweep.workers import threads_per_worker

if TYPE_CHECKING:
    from cilsim.distributed.group import ProcessGroup


@contextmanager
def several(settings: Settings, wanted: int | None, device: str) -> Iterator[tuple[Processes, str]]:
    """Give the processes that share the command, and the device of this one.

    Args:
        settings: of the command line; its arguments are those of processes that are started.
        wanted: what `--processes` says.
        device: what `--device` says.

    Raises:
        CilsimError: there cannot be so many.
        OutOfStep: one of them has ended.
    """
    place = placement()
    if place is not None:
        if wanted not in (None, place.count):
            raise CilsimError(
                f"--processes {wanted}: there are {place.count} already, as WORLD_SIZE says; "
                "leave the option out"
            )
        with _met(settings, place, device) as found:
            yield found
    elif wanted in (None, 1):
        yield ALONE, device
    else:
        assert wanted is not None
        companions = Companions(wanted, settings.arguments)
        try:
            companions.start()
            with (
                companions.watched(tell_at_once),
                _met(settings, companions.place, device, companions) as found,
            ):
                yield found
            companions.wait()
        finally:
            companions.end()


def shared_threads(scenario: Scenario, wanted: int | None) -> int | None:
    """Return the threads of each process: those of `--processes` share the cores."""
    if scenario.threads is not None or wanted is None or wanted == 1:
        return scenario.threads
    return threads_per_worker(wanted)


def refuse_several(command: str) -> None:
    """Refuse to be one of several processes, for a command that they cannot share.

    Raises:
        CilsimError: torchrun has started several.
    """
    place = placement()
    if place is not None:
        raise CilsimError(
            f"cilsim {command} is not shared by processes, torchrun has started {place.count}; "
            "start it without torchrun"
        )


@contextmanager
def _met(
    settings: Settings, place: Placement, wanted: str, companions: Companions | None = None
) -> Iterator[tuple[Processes, str]]:
    """Meet the others, and take leave of them at the end unless they are out of step."""
    prepare_environment()
    device, group = _join(place, wanted, companions)
    settings.processes_met = True
    try:
        yield group, device
    except OutOfStep:  # whoever waits for this process notices that it ends
        raise
    except BaseException:
        group.leave()
        raise
    group.leave()


def _join(place: Placement, wanted: str, companions: Companions | None) -> tuple[str, ProcessGroup]:
    import torch

    from cilsim.distributed.joining import device_of, join

    device = device_of(place, wanted)
    if companions is None:
        return device, join(place, torch.device(device))
    return device, join(
        place,
        torch.device(device),
        listening=companions.listening,
        why_lost=companions.why_lost,
    )
