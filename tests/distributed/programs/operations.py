"""One of two processes: does every operation of a group once, and checks what it gives."""

from __future__ import annotations

import pytest
import torch

from cilsim.distributed.failing import told_apart
from cilsim.distributed.joining import join
from cilsim.distributed.placement import placement
from cilsim.errors import RunFailed

place = placement()
assert place is not None
group = join(place, torch.device("cpu"))
rank, count = group.rank, group.count
assert (rank, count, group.is_first) == (place.rank, place.count, place.rank == 0)

total = torch.full((3,), float(rank + 1))
group.add_up(total)
assert total.tolist() == [sum(range(1, count + 1))] * 3
assert group.gather(torch.tensor([rank, 7])).tolist() == [[one, 7] for one in range(count)]
mine = torch.tensor([float(rank)])
group.spread(mine, source=1)
assert mine.tolist() == [1.0]
assert group.greatest(rank, -rank) == [count - 1, 0]
assert group.of_first(b"from the first" if rank == 0 else b"ignored") == b"from the first"
assert group.of_first(b"") == b""

with pytest.raises(RunFailed, match=r"\Aalike\Z") as caught, told_apart(group, "all fail"):
    raise RunFailed("alike")
assert caught.type is RunFailed
group.leave()
