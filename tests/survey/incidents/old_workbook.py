"""Writes the smallest .xls that Excel 97 would have written: no library does so any more, and offices still send them."""

import struct
from collections.abc import Sequence
from datetime import datetime

FREE, END, FAT_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
GENERAL, DATE_TIME = 0, 22  # built-in number formats
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 -- a workbook's dates know no zone


def workbook(rows: Sequence[Sequence[str | float | datetime]]) -> bytes:
    """The rows as the first sheet of a BIFF8 workbook in an OLE container."""
    return _container(_globals() + _sheet(rows))


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 0x0600))


def _globals() -> bytes:
    formats = b"".join(_record(0x00E0, struct.pack("<HH16x", 0, number_format)) for number_format in (GENERAL, DATE_TIME))
    head, end = _begin(0x0005) + formats, _record(0x000A)
    name = struct.pack("<BB", 6, 0) + b"Sheet1"
    offset = len(head) + 4 + 6 + len(name) + len(end)
    return head + _record(0x0085, struct.pack("<IBB", offset, 0, 0) + name) + end


def _sheet(rows: Sequence[Sequence[str | float | datetime]]) -> bytes:
    cells = b"".join(_cell(r, c, value) for r, row in enumerate(rows) for c, value in enumerate(row))
    return _begin(0x0010) + cells + _record(0x000A)


def _cell(row: int, column: int, value: str | float | datetime) -> bytes:
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text) // 2, 1) + text)
    if isinstance(value, datetime):
        days = (value - EPOCH).total_seconds() / 86400
        return _record(0x0203, struct.pack("<HHHd", row, column, 1, days))
    return _record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def _container(stream: bytes) -> bytes:
    stream = stream.ljust(4096, b"\0")
    stream += b"\0" * (-len(stream) % 512)
    sectors = len(stream) // 512
    chain = [FAT_SECTOR, END, *range(3, sectors + 2), END]
    fat = struct.pack("<128I", *chain, *[FREE] * (128 - len(chain)))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, END, 0, END, 0, 0
    )
    directory = _entry("Root Entry", 5, 1, END, 0) + _entry("Workbook", 2, FREE, 2, len(stream)) + _entry("", 0, FREE, 0, 0) * 2
    return header + struct.pack("<108I", *[FREE] * 108) + fat + directory + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0" if name else b""
    return struct.pack("<64sHBBIII16x4x16xII4x", text, len(text), kind, 1, FREE, FREE, child, start, size)
