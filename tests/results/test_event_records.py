from __future__ import annotations

from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from cilsim.results.event_records import masked_crc32c, whole_records


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """What a SummaryWriter writes."""
    writer = SummaryWriter(str(tmp_path))
    for step in range(3):
        writer.add_scalar("train/loss", 1.0 / (step + 1), step)
    writer.close()
    [path] = tmp_path.iterdir()
    return path.read_bytes()


def test_the_checksum_is_that_of_the_castagnoli_polynomial():
    """The check value of CRC-32C (RFC 3720, B.4: 32 bytes of zeros), masked."""
    crc = 0x8A9136AA
    assert masked_crc32c(bytes(32)) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_a_whole_file_is_made_of_records(content):
    assert whole_records(content) == len(content)
    assert whole_records(b"") == 0


def test_no_flipped_byte_passes(content):
    for position in range(len(content)):
        harmed = content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        assert whole_records(harmed) is None


def test_a_last_record_without_its_end_is_not_counted(content):
    whole = whole_records(content[:-1])
    assert whole is not None
    assert 0 < whole < len(content) - 1
    assert whole_records(content[:whole]) == whole
