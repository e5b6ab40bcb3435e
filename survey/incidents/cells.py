"""What stands in a cell -> a clean value: text, code, moment, age. Raises ValueError where it is none."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from survey.incidents.readers import Cell

_UNSEEN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff\\ud800-\\udfff]")
_SERIAL = re.compile(r"\d{5}(\.\d+)?")
_EXCEL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_EXCEL_LEAST, _EXCEL_MOST = 32_874, 73_415  # 1990 to 2100
_AGE = re.compile(r"(\d{1,3})(\.0)?\s*(岁|周岁)?")


def clean(cell: Cell, most: int = 255) -> str:
    """A text without control and direction marks, in NFC, of at most `most` characters."""
    text = cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell
    text = _UNSEEN.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text.strip()[:most].strip()


def code(cell: Cell) -> str:
    """A code or word from a table: width makes no difference, case does."""
    text = clean(cell, 64)
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def moment(cell: Cell, formats: tuple[str, ...], zone: ZoneInfo) -> datetime:
    """A point in time in UTC; what names no zone is taken as local time of `zone`. Raises ValueError."""
    found = _to_the_second(cell) if isinstance(cell, datetime) else _read_moment(code(cell), formats)
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    if not 1990 <= found.year <= 2100:
        raise ValueError("year")
    return found.astimezone(UTC)


def _to_the_second(at: datetime) -> datetime:
    """Sheets keep times as fractions of a day, which come back some microseconds off."""
    return (at + timedelta(milliseconds=500)).replace(microsecond=0)


def _read_moment(text: str, formats: tuple[str, ...]) -> datetime:
    for each in formats:
        try:
            if each == "iso":
                return datetime.fromisoformat(text)
            if each == "excel":
                return _from_serial(text)
            return datetime.strptime(text, each)  # noqa: DTZ007 -- the caller adds the mapping's zone
        except ValueError:
            continue
    raise ValueError("no format fits")


def _from_serial(text: str) -> datetime:
    """A spreadsheet's day number with its fraction (45123.5 is 2023-07-16 12:00), to the second."""
    if not _SERIAL.fullmatch(text) or not _EXCEL_LEAST <= float(text) <= _EXCEL_MOST:
        raise ValueError("not a day number")
    return (_EXCEL_EPOCH + timedelta(seconds=round(float(text) * 86400))).replace(tzinfo=None)


def age(cell: Cell) -> int | None:
    """Years of age, None for an empty cell. Raises ValueError."""
    text = code(cell)
    if not text:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        raise ValueError("not an age")
    return int(match[1])
