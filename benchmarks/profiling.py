"""Where the time of one training epoch and of one k-means goes, and how far from the peak they are.

`python -m benchmarks --profile [--gpu]`. The peak is the speed of one large float32 matrix product
on the same device in the same process, so that it needs no data sheet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from cilsim.backbones.options import CifarResNetOptions
from cilsim.backbones.residual import resnet20
from cilsim.bench import kmeans
from cilsim.bench.training import AUGMENTATION, Workload, engine, random_images
from cilsim.scenario.recipe import Recipe

IMAGES, ROWS, SIDE, SHOWN = 1024, 5_000, 1024, 12


def lines(device: torch.device) -> Iterator[str]:
    """Yield the peak and, for each piece of work, its share of it and its costliest operations."""
    peak = _peak(device)
    yield f"peak: {peak / 1e9:.0f} GFLOP/s, a float32 matrix product of side {SIDE}"
    for name, work in (("one training epoch", _epoch(device)), ("one k-means", _kmeans(device))):
        work()  # allocations, and whatever is chosen at first use
        yield ""
        yield from _profiled(name, work, peak, device)


def _profiled(
    name: str, work: Callable[[], None], peak: float, device: torch.device
) -> Iterator[str]:
    with FlopCounterMode(display=False) as counter:
        work()
    flops = counter.get_total_flops()
    seconds = _seconds(work, device)
    yield (
        f"{name}: {seconds:.3f} s, {flops / 1e9:.1f} GFLOP in products and convolutions, "
        f"{flops / seconds / peak:.0%} of the peak"
    )
    activities = [ProfilerActivity.CPU]
    sort = "self_cpu_time_total"
    if device.type == "cuda":
        activities, sort = [*activities, ProfilerActivity.CUDA], "self_device_time_total"
    with profile(activities=activities) as recorded:
        work()
    yield from _table(recorded.key_averages(), sort)


def _table(events: Any, sort: str) -> Iterator[str]:
    ordered = sorted(events, key=lambda event: getattr(event, sort), reverse=True)
    total = sum(getattr(event, sort) for event in ordered)
    yield f"  {'operation':44}{'share':>8}{'calls':>8}"
    for event in ordered[:SHOWN]:
        yield f"  {event.key[:44]:44}{getattr(event, sort) / total:>8.1%}{event.count:>8}"


def _peak(device: torch.device) -> float:
    """Return floating-point operations per second of a large product, the best of many."""
    left = torch.randn(SIDE, SIDE, device=device)
    return 2 * SIDE**3 / min(_seconds(lambda: torch.mm(left, left), device) for _ in range(40))


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return seconds by the device's events on CUDA, and of one thread's CPU time elsewhere."""
    if device.type != "cuda":
        began = time.process_time()
        work()
        return time.process_time() - began
    start, end = _event(), _event()
    start.record()
    work()
    end.record()
    torch.cuda.synchronize(device)
    return float(start.elapsed_time(end)) / 1000


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


def _epoch(device: torch.device) -> Callable[[], None]:
    def net(generator: torch.Generator) -> nn.Module:
        return resnet20(CifarResNetOptions(), (3, 32, 32), generator)

    recipe = Recipe(epochs=1, batch_size=64, lr=0.05, augmentation=AUGMENTATION)
    return engine(Workload(net, random_images(IMAGES, 32, device), recipe))


def _kmeans(device: torch.device) -> Callable[[], None]:
    work = kmeans.workload(ROWS, device)
    return lambda: kmeans.batched(work, 10)
