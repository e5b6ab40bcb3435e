"""The two clocks: the machine's own, and the virtual one that demonstration and tests share between processes."""

import math
import mmap
import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

FACE = struct.Struct("<dd")


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)

    def passes(self) -> bool:
        """It goes on by itself."""
        return True


class SharedClock:
    """A virtual clock in a file of two float64 numbers, mapped by every process that asks for the time.

    The first number is the virtual moment (seconds since 1970), the second the machine's own moment at which it was
    set running, or NaN while it stands still. Only the carrier's simulator writes.
    """

    def __init__(self, path: Path) -> None:
        """Map the file. Raises FileNotFoundError when `create` has not been called yet."""
        with path.open("r+b") as file:
            self._face = mmap.mmap(file.fileno(), FACE.size)

    @classmethod
    def create(cls, path: Path, at: datetime) -> "SharedClock":
        """Put a standing clock at `path` (replacing an older one in place) and map it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, FACE.pack(at.timestamp(), math.nan), 0)
        finally:
            os.close(descriptor)
        return cls(path)

    def now(self) -> datetime:
        """The present virtual moment in UTC."""
        base, reference = FACE.unpack_from(self._face, 0)
        moment = base if math.isnan(reference) else base + (time.time() - reference)
        return datetime.fromtimestamp(moment, UTC)

    def passes(self) -> bool:
        """Whether it runs, so that a moment comes for which somebody waits."""
        return not math.isnan(FACE.unpack_from(self._face, 0)[1])

    def stand(self, at: datetime) -> None:
        """Set the clock to `at` and hold it there."""
        FACE.pack_into(self._face, 0, at.timestamp(), math.nan)

    def run(self, at: datetime) -> None:
        """Let the clock run in real time from `at`."""
        FACE.pack_into(self._face, 0, at.timestamp(), time.time())
