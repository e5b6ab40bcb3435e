"""Which transactions are open while something happens outside of the database: the carrier is asked, a file written (RS46)."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FILE_EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.truncate")


@dataclass
class Watch:
    """What was done outside while it was on watch, and how often although a transaction was open."""

    outside: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    transactions: int = 0
    _open: Counter[int] = field(default_factory=Counter)

    def note(self, deed: str) -> None:
        """Something outside of the database happens now."""
        self.outside[deed] += 1
        if sum(self._open.values()):
            self.faults.append(f"{deed} while a transaction is open")

    def begun(self, connection: Connection) -> None:
        """A transaction was begun on some engine."""
        self.transactions += 1
        self._open[id(connection.engine)] += 1

    def ended(self, connection: Connection) -> None:
        """A transaction was committed or rolled back."""
        self._open[id(connection.engine)] -= 1

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open on any engine."""
        return sum(self._open.values()) != 0


class _OnWatch:
    watch: Watch | None = None


def _heard(name: str, arguments: tuple[Any, ...]) -> None:
    """Python's own audit event of everything that opens or moves a file, whoever asks for it."""
    if _OnWatch.watch is None:
        return
    if name in FILE_EVENTS or (name == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING):
        _OnWatch.watch.note("file")


sys.addaudithook(_heard)  # it can never be taken away again, so it asks who is on watch


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch every engine, every file and every wait for the length of the block; nobody really waits."""
    sleep = time.sleep

    watch = _OnWatch.watch = Watch()
    handlers = [("begin", watch.begun), ("commit", watch.ended), ("rollback", watch.ended)]
    for name, handler in handlers:
        event.listen(Engine, name, handler)
    time.sleep = lambda seconds: watch.note("sleep")
    try:
        yield watch
    finally:
        _OnWatch.watch, time.sleep = None, sleep
        for name, handler in handlers:
            event.remove(Engine, name, handler)
