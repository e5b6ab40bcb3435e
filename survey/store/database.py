"""Engines for both databases, set up the way `reliability` demands, and the session factory."""

import sqlite3
import threading
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from survey.errors import BadInput

SQLITE_PRAGMAS = ("journal_mode=WAL", "busy_timeout=10000", "foreign_keys=ON")
TURNSTILE_SECONDS = 10.0


def open_engine(url: str, *, pool_size: int = 16) -> Engine:
    """An engine for SQLite or PostgreSQL.

    SQLite: WAL, foreign keys, and `BEGIN IMMEDIATE` for every transaction that may write (a read-then-write
    transaction under plain BEGIN fails at once with "database is locked", whatever the busy timeout);
    use `reading(engine)` for transactions that only read. PostgreSQL: READ COMMITTED with time-outs. Errors name no
    parameters on either, because they end in logs. A SQLite URL may end in `?synchronous=NORMAL`: some hundred times
    more commits a second, of which a power cut may take the last ones; for data that can be made again.
    """
    if url.startswith("sqlite"):
        return _open_sqlite(url, pool_size)
    options = "-c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
    return create_engine(
        url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, hide_parameters=True,
        connect_args={"options": options, "connect_timeout": 3},
    )  # fmt: skip


class _Writer(sqlite3.Connection):
    """A connection that passes a turnstile before it writes and frees it when its transaction is over.

    SQLite lets one writer in and makes the others sleep and try again, each time longer: of many threads a few then wait
    for seconds. Threads of one process queue here instead; between processes SQLite's own way remains.
    """

    turnstile: "threading.Lock | None" = None
    is_inside = False

    def enter(self) -> None:
        """Wait for the turn to write. Raises OperationalError after ten seconds, as a busy database does."""
        if self.turnstile is None or self.is_inside:
            return
        if not self.turnstile.acquire(timeout=TURNSTILE_SECONDS):
            busy = sqlite3.OperationalError("database is locked by another thread of this process")
            raise OperationalError("BEGIN IMMEDIATE", None, busy)
        self.is_inside = True

    def _leave(self) -> None:
        if self.is_inside and not self.in_transaction and self.turnstile is not None:
            self.is_inside = False
            self.turnstile.release()

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self._leave()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._leave()

    def close(self) -> None:
        if self.is_inside:
            self.rollback()
        super().close()


def _open_sqlite(url: str, pool_size: int) -> Engine:
    in_memory = url in ("sqlite://", "sqlite:///:memory:")
    sizes: dict[str, Any] = {} if in_memory else {"pool_size": pool_size, "max_overflow": pool_size}
    place, synchronous = _durability(url)
    engine = create_engine(place, hide_parameters=True, connect_args={"check_same_thread": False, "factory": _Writer}, **sizes)
    turnstile = None if in_memory else threading.Lock()

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        connection.turnstile = turnstile
        for pragma in (*SQLITE_PRAGMAS, f"synchronous={synchronous}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if connection.get_execution_options().get("read_only", False):
            connection.exec_driver_sql("BEGIN")
            return
        writer: _Writer = connection.connection.driver_connection
        writer.enter()
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            writer.rollback()
            raise

    return engine


def _durability(url: str) -> tuple[URL, str]:
    place = make_url(url)
    wanted = str(place.query.get("synchronous", "FULL")).upper()
    if wanted not in ("FULL", "NORMAL"):
        raise BadInput(f"synchronous={wanted}: FULL or NORMAL")
    return place.difference_update_query(["synchronous"]), wanted


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read: on SQLite they neither wait for writers nor hold them up."""
    return engine.execution_options(read_only=True)


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions that keep loaded values after commit (callers copy them out of the transaction)."""
    return sessionmaker(engine, expire_on_commit=False)
