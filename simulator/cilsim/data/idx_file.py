"""Reads IDX files, the format of MNIST: a magic number, the sizes, then unsigned bytes.

http://yann.lecun.com/exdb/mnist/: two zero bytes, a byte for the type (8 is unsigned bytes), a byte
for the number of dimensions, then each size as four bytes, the largest first.
"""

from __future__ import annotations

import zlib
from math import prod

import numpy as np
from numpy.typing import NDArray

from cilsim.errors import DataError

_UNSIGNED_BYTES = 8
_SIZE_BYTES = 4
MOST_BYTES = 1 << 30
"""Of an unpacked file; the largest, EMNIST's, has 547 MB."""


def read_idx(where: str, name: str, content: bytes, dimensions: int) -> NDArray[np.uint8]:
    """Return the array in an IDX file, which may be compressed by gzip.

    Args:
        where: what errors begin with.
        name: of the file, for messages.
        content: its bytes.
        dimensions: how many the array must have.

    Raises:
        DataError: it is something else, or truncated.
    """
    plain = _unzipped(where, name, content)
    head = 4 + dimensions * _SIZE_BYTES
    if plain[:4] != bytes((0, 0, _UNSIGNED_BYTES, dimensions)) or len(plain) < head:
        raise DataError(
            f"{where}: '{name}' is no IDX file of unsigned bytes in {dimensions} dimensions - "
            "fetch it again"
        )
    shape = tuple(np.frombuffer(plain[4:head], dtype=">u4").tolist())
    if len(plain) - head != prod(shape):
        raise DataError(
            f"{where}: '{name}' has {len(plain) - head} bytes of content - expected "
            f"{prod(shape)} for shape {shape}; fetch it again"
        )
    return np.frombuffer(plain, dtype=np.uint8, offset=head).reshape(shape)


def _unzipped(where: str, name: str, content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = unpacker.decompress(content, MOST_BYTES)
    except zlib.error as error:
        raise DataError(f"{where}: '{name}' is damaged ({error}) - fetch it again") from error
    if not unpacker.eof:
        reason = "larger than any such file" if len(plain) == MOST_BYTES else "truncated"
        raise DataError(f"{where}: '{name}' is {reason} - fetch it again")
    return plain
