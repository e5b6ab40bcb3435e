"""Engines for both databases, set up the way `reliability` demands, and the session factory."""

import sqlite3
import threading
import time
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from survey.errors import BadInput
from survey.store import deadline
from survey.store.topics import FollowedSession

SQLITE_PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON")
PATIENCE_SECONDS = 10.0
NOTABLE_SECONDS = 0.1
LOOK_AGAIN_SECONDS = 0.003
"""How long a writer sleeps who finds another process writing. SQLite itself sleeps up to a tenth of a second, which a caller hears."""

GRACE_SECONDS = 2.0
"""How long after its time a statement may take to tell that it was ended, before its connection is cut."""

SIGNS_OF_LIFE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
"""For every connection over TCP, however long its statements: a machine that is gone is noticed by the kernel after 25 s."""

SHARE_FOR_A_CONNECTION = 0.25
"""Of the patience, what may be spent waiting for a free connection; the rest is for the turn to write."""


def open_engine(
    url: str,
    *,
    pool_size: int = 16,
    patience_seconds: float = PATIENCE_SECONDS,
    statement_seconds: float | None = None,
    whole_seconds: float | None = None,
) -> Engine:
    """An engine for SQLite or PostgreSQL.

    SQLite: WAL, foreign keys, and `BEGIN IMMEDIATE` for every transaction that may write (a read-then-write
    transaction under plain BEGIN fails at once with "database is locked", whatever the busy timeout);
    use `reading(engine)` for transactions that only read. PostgreSQL: READ COMMITTED with time-outs. Errors name no
    parameters on either, because they end in logs.

    Who has waited `patience_seconds` in all, for a free connection and for its turn, is told that the database is locked.
    On PostgreSQL `statement_seconds` ends a statement that takes longer, and a little later cuts the connection to a server that
    still says nothing; `whole_seconds` cuts the connection that a unit of work has had for so long. SQLite's work in this process
    cannot be ended.
    Nothing is tried again here: a unit of work has effects outside of its session, so only its caller may repeat it
    (the carrier repeats a web-hook, the sweep wakes a job again).
    A SQLite URL may end in `?synchronous=NORMAL`: some hundred times
    more commits a second, of which a power cut may take the last ones; for data that can be made again.
    """
    if url.startswith("sqlite"):
        return _open_sqlite(url, pool_size, patience_seconds)
    limits = {
        "lock_timeout": milliseconds(patience_seconds * (1 - SHARE_FOR_A_CONNECTION)),
        "idle_in_transaction_session_timeout": milliseconds(30),
        "statement_timeout": milliseconds(statement_seconds or 0),
        "timezone": "UTC",
    }
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=statement_seconds is None, hide_parameters=True,
        pool_timeout=patience_seconds * SHARE_FOR_A_CONNECTION,
        connect_args={"options": options, "connect_timeout": 3 if statement_seconds is None else 2, **SIGNS_OF_LIFE},
    )  # fmt: skip
    if statement_seconds is not None:
        deadline.cut_silent(engine, statement_seconds + GRACE_SECONDS)
    if whole_seconds is not None:
        deadline.cut_after(engine, whole_seconds)
    return engine


def milliseconds(seconds: float) -> int:
    """As both databases want their time-outs."""
    return round(seconds * 1000)


class _Writer(sqlite3.Connection):
    """A connection that passes a turnstile before it writes and frees it when its transaction is over.

    SQLite lets one writer in and makes the others sleep and try again, each time longer: of many threads a few then wait
    for seconds. Threads of one process queue here instead; the one at the head looks for other processes every few milliseconds.
    """

    turnstile: "threading.Lock | None" = None
    is_inside = False
    is_hurried = False
    patience_seconds = PATIENCE_SECONDS
    waits_until = 0.0

    def enter(self) -> None:
        """Wait for the turn to write; other processes are then waited for no longer than what is left of the patience.

        Raises OperationalError after that time, as a busy database does.
        """
        if self.turnstile is None or self.is_inside:
            return
        began = time.monotonic()
        if not self.turnstile.acquire(timeout=self.patience_seconds):
            busy = sqlite3.OperationalError("database is locked by another thread of this process")
            raise OperationalError("BEGIN IMMEDIATE", None, busy)
        self.is_inside = True
        self.waits_until = began + self.patience_seconds
        waited = time.monotonic() - began
        self.is_hurried = waited > NOTABLE_SECONDS
        if self.is_hurried:
            self.wait_for_others(max(0.0, self.patience_seconds - waited))

    def wait_for_others(self, seconds: float) -> None:
        """How long each statement from now on waits for other processes."""
        self.execute(f"PRAGMA busy_timeout={milliseconds(seconds)}")

    def _leave(self) -> None:
        if self.is_inside and not self.in_transaction and self.turnstile is not None:
            self.is_inside = False
            if self.is_hurried:
                self.is_hurried = False
                self.wait_for_others(self.patience_seconds)
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


def _open_sqlite(url: str, pool_size: int, patience_seconds: float) -> Engine:
    in_memory = url in ("sqlite://", "sqlite:///:memory:")
    waiting = patience_seconds * SHARE_FOR_A_CONNECTION
    sizes: dict[str, Any] = {} if in_memory else {"pool_size": pool_size, "max_overflow": pool_size, "pool_timeout": waiting}
    place, synchronous = _durability(url)
    engine = create_engine(place, hide_parameters=True, connect_args={"check_same_thread": False, "factory": _Writer}, **sizes)
    turnstile = None if in_memory else threading.Lock()

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        connection.turnstile = turnstile
        connection.patience_seconds = patience_seconds - waiting
        connection.wait_for_others(connection.patience_seconds)
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
            _begin_to_write(connection, writer)
        except BaseException:
            writer.rollback()
            raise

    return engine


def _begin_to_write(connection: Any, writer: _Writer) -> None:
    """Begin as soon as no other process writes, or raise OperationalError when the patience is at its end."""
    if writer.turnstile is None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    patience = writer.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    writer.wait_for_others(0)
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as problem:
                if "locked" not in str(problem.orig) or time.monotonic() >= writer.waits_until:
                    raise
                time.sleep(LOOK_AGAIN_SECONDS)
            else:
                return
    finally:
        writer.wait_for_others(patience)


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
    return sessionmaker(engine, class_=FollowedSession, expire_on_commit=False)
