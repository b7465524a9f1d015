"""TensorBoard's event files checked record by record, as TensorBoard itself does when it reads.

A record is its length (8 bytes, little endian), a checksum of those, the data, and a checksum of
the data; the checksum is a masked CRC-32C (Castagnoli polynomial, TensorFlow's TFRecord format).
"""

from __future__ import annotations

import struct


def whole_records(content: bytes) -> int | None:
    """Return how many bytes of an event file are whole records, or None if one is damaged.

    A last record without its end, left by a process that was killed, is not counted.
    """
    at = 0
    while len(content) - at >= 12:
        length, check = struct.unpack_from("<QI", content, at)
        if masked_crc32c(content[at : at + 8]) != check:
            return None
        if len(content) - at < 16 + length:
            break
        data = content[at + 12 : at + 12 + length]
        if masked_crc32c(data) != struct.unpack_from("<I", content, at + 12 + length)[0]:
            return None
        at += 16 + length
    return at


def masked_crc32c(data: bytes) -> int:
    """Return the masked CRC-32C of some bytes, as event files store it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_TABLE = tuple(map(_remainder, range(256)))
