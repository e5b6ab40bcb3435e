"""What the domain asks of the outside, as protocols."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time. The demonstration and the tests put a virtual one in place."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""
        ...


class JobQueue(Protocol):
    """Wakes a worker. A lost wake-up loses nothing: the sweep finds the row again."""

    def enqueue(self, job: str, row_id: int, epoch: int = 0) -> None:
        """Ask for `job` (a name from `worker.jobs`) to be run for the row; ids only, never personal data."""
        ...


class Announcer(Protocol):
    """Tells open pages what has changed. A lost announcement loses nothing: the page looks again by itself within seconds."""

    def announce(self, topics: Collection[str]) -> None:
        """Say that these topics (`survey.store.topics`) show something new. It never raises, and never makes the caller wait long."""
        ...
