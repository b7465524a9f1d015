"""Avalanche (Carta et al., JMLR 2023): its strategies on our streams, its benchmarks as streams."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `avalanche`."""
    register(
        "avalanche",
        "cilsim_avalanche.strategy:Avalanche",
        options="cilsim_avalanche.options:AvalancheOptions",
        summary="any strategy of avalanche-lib, with its plugins",
        repeated_classes=True,
    )


@hookimpl
def cilsim_register_datasets(register: Register) -> None:
    """Register `avalanche`."""
    register(
        "avalanche",
        "cilsim_avalanche.benchmark_data:load",
        facts="cilsim_avalanche.benchmark_data:facts",
        options="cilsim_avalanche.benchmark_options:BenchmarkOptions",
        summary="the samples of an Avalanche benchmark, experiences as domains",
    )


@hookimpl
def cilsim_register_streams(register: Register) -> None:
    """Register the experiences of a benchmark as they are, in two kinds."""
    register(
        "avalanche",
        "cilsim.streams.as_given:as_given",
        options="cilsim.scenario.stream_options:StreamOptions",
        summary="the experiences of an Avalanche benchmark, each of new classes only",
        check="cilsim.streams.as_given:only_new_classes",
    )
    register(
        "avalanche_repeated",
        "cilsim.streams.as_given:as_given",
        options="cilsim.scenario.stream_options:StreamOptions",
        summary="the experiences of an Avalanche benchmark, in which classes may come again",
        check="cilsim.streams.as_given:has_experiences",
        new_classes=False,
    )
