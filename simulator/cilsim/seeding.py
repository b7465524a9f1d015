"""Counter-style randomness: a position in the run is the random state, nothing has to be saved.

Every random draw comes from a fresh generator whose seed is a hash of where and for what it is
drawn. Adding a consumer never shifts another, and evaluation can disturb nothing.
"""

from __future__ import annotations

from hashlib import blake2b


def derive_seed(*position: int | str) -> int:
    """Return a 63-bit seed from a position such as `(run_seed, experience, epoch, "shuffle")`."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in position)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
