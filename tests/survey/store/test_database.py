"""Engines are set up as promised on every connection, and transactions that may write never fail for having read first."""

import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, event, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from survey.store.database import open_engine, reading, session_factory
from survey.store.models import Lease, Unit, UserSession

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def test_every_pooled_connection_of_sqlite_is_set_up(file_engine: Engine) -> None:
    pragmas = ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
    with ExitStack() as opened:
        connections = [opened.enter_context(reading(file_engine).connect()) for _ in range(8)]
        found = {tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas) for connection in connections}

    assert found == {("wal", 7500, 1, 2)}


def test_every_connection_of_postgresql_has_its_time_limits(postgres_server: str) -> None:
    engine = open_engine(postgres_server, patience_seconds=4, statement_seconds=3)
    with engine.connect() as connection:
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("lock_timeout", "statement_timeout", "timezone")]
        with pytest.raises(OperationalError, match="statement timeout"):
            connection.exec_driver_sql("SET statement_timeout = 20; SELECT pg_sleep(5)")
    engine.dispose()

    assert found == ["3s", "3s", "UTC"]


def test_a_writing_transaction_takes_the_lock_at_its_start_and_a_reading_one_does_not(file_engine: Engine) -> None:
    begun: list[str] = []

    @event.listens_for(file_engine, "connect")
    def trace(connection: object, record: object) -> None:
        connection.set_trace_callback(lambda statement: begun.append(statement) if statement.startswith("BEGIN") else None)  # type: ignore[attr-defined]

    file_engine.dispose()
    with file_engine.begin() as connection:
        connection.execute(text("SELECT 1"))
    with reading(file_engine).begin() as connection:
        connection.execute(text("SELECT 1"))

    assert begun == ["BEGIN IMMEDIATE", "BEGIN"]


def test_readers_do_not_wait_for_a_writer(file_engine: Engine) -> None:
    with file_engine.begin() as writer:
        writer.execute(text("INSERT INTO units (code, name) VALUES ('a', 'A')"))
        with reading(file_engine).begin() as reader:
            assert reader.execute(text("SELECT count(*) FROM units")).scalar() == 0


def test_many_threads_that_read_and_then_write_lose_nothing(engine: Engine) -> None:
    sessions = session_factory(engine)
    with sessions.begin() as session:
        session.add(Lease(name="count", owner="0", expires_at=NOW))

    def add_twenty() -> None:
        for _ in range(20):
            with sessions.begin() as session:
                lease = session.get_one(Lease, "count", with_for_update=True)
                lease.owner = str(int(lease.owner) + 1)

    threads = [threading.Thread(target=add_twenty) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with sessions() as session:
        assert session.get_one(Lease, "count").owner == "80"


def test_a_guarded_update_is_won_once(engine: Engine) -> None:
    sessions = session_factory(engine)
    with sessions.begin() as session:
        session.add(Lease(name="claim", owner="", expires_at=NOW))
    won: list[int] = []

    def claim(number: int) -> None:
        with sessions.begin() as session:
            mine = session.execute(update(Lease).where(Lease.name == "claim", Lease.owner == "").values(owner=str(number)))
            won.append(mine.rowcount)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=claim, args=[number]) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(won) == [0] * 7 + [1]


def test_moments_come_back_as_they_went_in_whatever_zone_they_were_given_in(engine: Engine) -> None:
    sessions = session_factory(engine)
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    with sessions.begin() as session:
        session.add(Lease(name="moment", owner="x", expires_at=shanghai))

    with sessions() as session:
        found = session.scalars(select(Lease.expires_at).where(Lease.expires_at == NOW)).one()
    assert (found, found.tzinfo) == (NOW, UTC)


def test_a_moment_without_a_zone_is_refused(engine: Engine) -> None:
    with session_factory(engine)() as session:
        session.add(Lease(name="naive", owner="x", expires_at=NOW.replace(tzinfo=None)))
        with pytest.raises(StatementError, match="naive datetime"):
            session.flush()


def test_a_reference_to_nothing_is_refused(engine: Engine) -> None:
    with session_factory(engine)() as session:
        session.add(UserSession(token_digest="d", user_id=99, created_at=NOW, seen_at=NOW))
        with pytest.raises(IntegrityError):
            session.flush()


def test_two_units_cannot_share_a_code(engine: Engine) -> None:
    with session_factory(engine)() as session:
        session.add_all([Unit(code="a", name="A"), Unit(code="a", name="B")])
        with pytest.raises(IntegrityError):
            session.flush()
