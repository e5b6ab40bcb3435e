"""An end to waiting for a database server that says nothing more: its connection is cut from our side.

PostgreSQL's own time-outs work where the server works. A server that hangs, or a network that has swallowed the other side,
leaves the client in a read without end: whoever is on the telephone would hear nothing at all, a page would never come, a
worker would never work again.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

LOOK_SECONDS = 0.1
PROBE_SECONDS = 1.0
"""How long a connection out of the pool may take to show that it lives."""


class _Watch:
    """Cuts the connections whose time is over; its thread lives as long as there is something to watch."""

    def __init__(self) -> None:
        self.forget()
        _watches.add(self)

    def forget(self) -> None:
        """Watch nothing, as in the beginning: a child has its parent's memory, but neither its threads nor its connections."""
        self._ends: dict[Any, float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self, connection: Any, seconds: float) -> None:
        """Give the connection so many seconds from now."""
        with self._lock:
            self._ends[connection] = time.monotonic() + seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="database-deadlines", daemon=True)
                self._thread.start()

    def end(self, connection: Any) -> None:
        """The connection need not be watched for now."""
        with self._lock:
            self._ends.pop(connection, None)

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            with self._lock:
                if not self._ends:
                    self._thread = None
                    return
                now = time.monotonic()
                for connection in [each for each, end in self._ends.items() if end < now]:
                    del self._ends[connection]
                    _cut(connection)


_watches: WeakSet[_Watch] = WeakSet()


def _forget_all() -> None:
    for watch in _watches:
        watch.forget()


os.register_at_fork(after_in_child=_forget_all)


def _cut(connection: Any) -> None:
    """Shut the socket down, which wakes the thread that reads from it; the driver then finds the connection broken."""
    with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def cut_after(engine: Engine, seconds: float) -> None:
    """Cut a PostgreSQL connection of the engine that a unit of work has had for so long."""
    watch = _Watch()

    @event.listens_for(engine, "checkout")
    def _take(connection: Any, record: Any, proxy: Any) -> None:
        watch.begin(connection, seconds)

    @event.listens_for(engine, "checkin")
    def _give_back(connection: Any, record: Any) -> None:
        watch.end(connection)


def cut_silent(engine: Engine, seconds: float) -> None:
    """Cut a PostgreSQL connection of the engine on which one question, whatever it is, has been without its answer for so long.

    One out of the pool must show at once that it lives; else another is opened.
    """
    watch, driver = _Watch(), engine.dialect.loaded_dbapi

    class Watched(driver.Connection):  # type: ignore[name-defined,misc]
        """A connection with an end to every wait. `patience_seconds` is how long each may take."""

        patience_seconds = seconds

        def wait(self, *given: Any, **named: Any) -> Any:
            """Wait for the server, as the driver does at every exchange."""
            watch.begin(self, self.patience_seconds)
            try:
                return super().wait(*given, **named)
            finally:
                watch.end(self)

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, record: Any, given: Any, named: Any) -> Any:
        return Watched.connect(*given, **named)

    @event.listens_for(engine, "checkout")
    def _probe(connection: Any, record: Any, proxy: Any) -> None:
        connection.patience_seconds = min(PROBE_SECONDS, seconds)
        try:
            connection.autocommit = True  # one trip to the server in place of three: this is asked before every turn
            connection.execute("SELECT 1")
            connection.autocommit = False
        except driver.Error as problem:
            raise DisconnectionError from problem  # the pool opens another one
        connection.patience_seconds = seconds
