"""The records of an event file: a length, its checksum, the data, its checksum.

The format is that of TensorFlow's ``TFRecord``: lengths and checksums are little-endian; a checksum
is a masked CRC-32C.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tensorboardX.crc32c import crc32c

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_LENGTH = struct.Struct("<Q")


def record(data: bytes) -> bytes:
    """Return the record of some data."""
    length = _LENGTH.pack(len(data))
    return length + _FOOTER.pack(_masked(length)) + data + _FOOTER.pack(_masked(data))


def records(buffer: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the data of each complete record, and where the record ends.

    Raises:
        ValueError: If the checksum of a length is wrong: it is no event file, or it is damaged.
    """
    position = 0
    while position + _HEADER.size <= len(buffer):
        length, checksum = _HEADER.unpack_from(buffer, position)
        if _masked(buffer[position : position + _LENGTH.size]) != checksum:
            raise ValueError("is no event file of TensorBoard, or is damaged")
        start = position + _HEADER.size
        end = start + length + _FOOTER.size
        if end > len(buffer):
            return
        yield buffer[start : start + length], end
        position = end


def _masked(data: bytes) -> int:
    checksum: int = crc32c(data)
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF
