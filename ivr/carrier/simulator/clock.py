"""The exchange's clock: it stands still until it is moved, or runs with the wall's; other processes read it from a file."""

import math
import mmap
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

LAYOUT = struct.Struct("<dd")  # virtual epoch seconds; real epoch seconds when it was set running, NaN while frozen


def moment(seconds: float) -> datetime:
    """Epoch seconds as an aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


class ExchangeClock:
    """Virtual while frozen (moved by `advance`), real while running; never goes back.

    `wall` gives real epoch seconds; `file`, if named, is written so that other processes see the same time.
    """

    def __init__(self, start: datetime, wall: Callable[[], float], file: Path | None = None) -> None:
        self._wall = wall
        self._base = start.timestamp()
        self._since = math.nan
        self._file = _open(file) if file else None
        self._write()

    @property
    def running(self) -> bool:
        """Whether time passes by itself."""
        return not math.isnan(self._since)

    def now(self) -> float:
        """The present moment, epoch seconds."""
        return self._base + (self._wall() - self._since if self.running else 0.0)

    def advance(self, seconds: float) -> None:
        """Move a frozen clock forward to `seconds`; an earlier moment leaves it where it is."""
        if not self.running and seconds > self._base:
            self._base = seconds
            self._write()

    def run(self) -> None:
        """Let time pass with the wall's clock from here."""
        self._base, self._since = self.now(), self._wall()
        self._write()

    def freeze(self) -> None:
        """Stop time here."""
        self._base, self._since = self.now(), math.nan
        self._write()

    def _write(self) -> None:
        if self._file is not None:
            self._file[: LAYOUT.size] = LAYOUT.pack(self._base, self._since)


def _open(path: Path) -> mmap.mmap:
    with path.open("a+b") as file:
        file.truncate(LAYOUT.size)
        return mmap.mmap(file.fileno(), LAYOUT.size)
