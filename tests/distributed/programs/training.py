"""One of several processes: trains and extracts every toy, and writes what came of it."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from toy import KINDS, extracted, trained

from cilsim.distributed.joining import join
from cilsim.distributed.placement import placement

torch.set_num_threads(1)
place = placement()
assert place is not None
processes = join(place, torch.device("cpu"))
found = {
    "trained": {name: trained(kind, processes) for name, kind in KINDS.items()},
    "extracted": extracted(processes),
}
torch.save(found, Path(sys.argv[1]) / f"{processes.rank}.pt")
processes.leave()
