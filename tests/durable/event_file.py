# SPDX-License-Identifier: MIT
"""TensorBoard event files, written by hand: TFRecord framing around a few protobuf fields."""

import struct
from typing import List, NamedTuple, Optional, Tuple


def _crc_table() -> List[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE = _crc_table()


def masked_crc32c(data: bytes) -> int:
    """The checksum of a record, as TFRecord writes it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """One frame."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        (
            length,
            struct.pack("<I", masked_crc32c(length)),
            data,
            struct.pack("<I", masked_crc32c(data)),
        )
    )


def varint(value: int) -> bytes:
    """A whole number, seven bits a byte."""
    out = bytearray()
    value &= (1 << 64) - 1
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(number: int, data: bytes) -> bytes:
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


class Scalar(NamedTuple):
    """A number under a tag; `tensor` writes it as TensorBoard 2 does."""

    tag: str
    value: float
    tensor: bool = False

    def encode(self) -> bytes:
        tag = message(1, self.tag.encode())
        if not self.tensor:
            return message(1, tag + varint(2 << 3 | 5) + struct.pack("<f", self.value))
        tensor = varint(1 << 3) + varint(1) + message(4, struct.pack("<f", self.value))
        return message(1, tag + message(8, tensor))


def event(
    wall_s: float, step: int, scalars: Tuple[Scalar, ...] = (), version: Optional[str] = None
) -> bytes:
    """One event of one or more numbers."""
    data = varint(1 << 3 | 1) + struct.pack("<d", wall_s) + varint(2 << 3) + varint(step)
    if version:
        data += message(3, version.encode())
    if scalars:
        data += message(5, b"".join(scalar.encode() for scalar in scalars))
    return record(data)
