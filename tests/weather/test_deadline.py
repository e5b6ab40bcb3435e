"""No wait for PostgreSQL is without end, whatever was asked; what works, however long, is let be."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from survey.store import database
from survey.store.database import open_engine
from tests.weather.proxy import FAIR, HALF_OPEN, MUTE, Road, road

LIMIT_SECONDS, GRACE_SECONDS = 1.0, 0.5
WIDE_LIMIT_SECONDS = 5.0
"""For what must be let be: a statement of less than half of it has seconds to spare."""

HANGING_SECONDS = 60.0
"""Whoever has not given up by now never will; what it took is told."""


@pytest.fixture
def way(postgres_server: str) -> Iterator[Road]:
    with road(f"{make_url(postgres_server).query['host']}/.s.PGSQL.5432") as way:
        yield way


@pytest.fixture
def engine(way: Road, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """What workers, clock process and console use, with shorter times."""
    with limited(way, LIMIT_SECONDS, monkeypatch) as engine:
        yield engine


@pytest.fixture
def lenient(way: Road, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The same with time to spare."""
    with limited(way, WIDE_LIMIT_SECONDS, monkeypatch) as engine:
        yield engine


@contextmanager
def limited(way: Road, seconds: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(database, "GRACE_SECONDS", GRACE_SECONDS)
    engine = open_engine(f"postgresql+psycopg://tester@127.0.0.1:{way.port}/postgres", statement_seconds=seconds)
    yield engine
    engine.dispose()


def answers(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT 1")) == 1


def ask(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))


def fetch_in_parts(connection: Connection) -> None:
    for _ in connection.execute(text("SELECT generate_series(1, 1000)").execution_options(yield_per=10)):
        pass


ENDS: dict[str, Callable[[Connection], None]] = {
    "a question": ask, "the parts of an answer": fetch_in_parts, "the commit": Connection.commit, "the rollback": Connection.rollback,
}  # fmt: skip


@pytest.mark.parametrize("weather", [HALF_OPEN, MUTE])
@pytest.mark.parametrize("what", ENDS)
def test_a_server_that_says_nothing_in_the_middle_of_a_transaction_is_given_up(
    way: Road, engine: Engine, what: str, weather: str, record_property: Callable[[str, object], None]
) -> None:
    with suppress(DBAPIError), engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        way.set(weather)
        began = time.monotonic()
        if what == "the rollback":
            ENDS[what](connection)  # it could not be said, and need not be: the connection is gone
        else:
            with pytest.raises(DBAPIError):
                ENDS[what](connection)
    seconds = time.monotonic() - began
    record_property("told", f"{weather}: {what} was given up after {seconds:.1f} s of {LIMIT_SECONDS + GRACE_SECONDS:.1f}")
    assert LIMIT_SECONDS / 2 < seconds < HANGING_SECONDS
    way.set(FAIR)

    assert answers(engine)


def test_a_connection_that_was_forgotten_while_it_lay_in_the_pool_costs_a_moment(way: Road, engine: Engine) -> None:
    assert answers(engine)
    way.forget()

    assert answers(engine)


def test_a_unit_of_work_of_many_short_questions_may_take_longer_than_each_of_them(lenient: Engine) -> None:
    began = time.monotonic()
    with lenient.begin() as connection:
        for _ in range(4):
            connection.execute(text("SELECT pg_sleep(1.5)"))
        assert connection.scalar(text("SELECT 1")) == 1
    assert time.monotonic() - began > WIDE_LIMIT_SECONDS + GRACE_SECONDS


def test_a_child_has_the_same_limits_as_its_parent(lenient: Engine, record_property: Callable[[str, object], None]) -> None:
    """RS D6: the worker that fetches recordings forks, at a moment in which its own connections are watched."""
    busy, done = threading.Event(), threading.Event()

    def work() -> None:
        with lenient.connect() as connection:
            ask(connection)
            busy.set()
            connection.execute(text("SELECT pg_sleep(2)"))
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert busy.wait(HANGING_SECONDS)
    child = os.fork()
    if child == 0:
        status = 1
        with suppress(BaseException):
            lenient.dispose(close=False)
            with lenient.connect() as connection:
                ask(connection)
                connection.connection.driver_connection.execute("SET statement_timeout = 0")
                try:
                    connection.execute(text(f"SELECT pg_sleep({10 * HANGING_SECONDS})"))
                except DBAPIError:
                    status = 0
        os._exit(status)
    began = time.monotonic()
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() - began < HANGING_SECONDS:
        time.sleep(0.05)
    if ended == (0, 0):
        os.kill(child, 9)
        ended = os.waitpid(child, 0)

    record_property("told", f"the child gave up after {time.monotonic() - began:.1f} s")
    assert os.waitstatus_to_exitcode(ended[1]) == 0
    assert done.wait(HANGING_SECONDS), "and the parent's own question was not disturbed"
