"""Writers of one process wait their turn instead of sleeping and trying again (SQLite)."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from survey.store.database import SHARE_FOR_A_CONNECTION, open_engine, reading
from survey.store.models import Unit

IMPATIENT_SECONDS = 1.0


def test_many_threads_write_without_one_error_and_nothing_is_lost(file_engine: Engine) -> None:
    problems = []

    def write(number: int) -> None:
        try:
            for place in range(10):
                with Session(file_engine) as session, session.begin():
                    session.add(Unit(code=f"{number}-{place}", name="所"))
        except OperationalError as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    with Session(file_engine) as session:
        assert len(session.scalars(select(Unit)).all()) == 200


def test_a_second_writer_is_let_in_when_the_first_is_done_however_it_ended(file_engine: Engine) -> None:
    for end in ("commit", "rollback", "close"):
        first = Session(file_engine)
        first.add(Unit(code=end, name="所"))
        first.flush()
        getattr(first, end)()
        with Session(file_engine) as second, second.begin():
            second.add(Unit(code=f"after {end}", name="所"))
        first.close()

    with Session(file_engine) as session:
        codes = set(session.scalars(select(Unit.code)))
    assert codes == {"commit", "after commit", "after rollback", "after close"}


def test_a_failed_statement_does_not_block_the_next_writer(file_engine: Engine) -> None:
    with pytest.raises(OperationalError), Session(file_engine) as session:
        session.execute(text("INSERT INTO nowhere VALUES (1)"))

    with Session(file_engine) as session, session.begin():
        session.add(Unit(code="next", name="所"))


def test_a_connection_that_is_thrown_away_frees_its_turn(file_engine: Engine) -> None:
    session = Session(file_engine)
    session.add(Unit(code="lost", name="所"))
    session.flush()
    session.connection().invalidate()
    session.close()

    with Session(file_engine) as session, session.begin():
        session.add(Unit(code="next", name="所"))


@pytest.fixture
def impatient(file_engine: Engine) -> Iterator[Engine]:
    """The same database, for a house that waits a second at most."""
    engine = open_engine(f"sqlite:///{file_engine.url.database}", patience_seconds=IMPATIENT_SECONDS)
    yield engine
    engine.dispose()


def test_who_waits_too_long_is_told_that_the_database_is_locked(impatient: Engine) -> None:
    with Session(impatient) as first, first.begin():
        first.add(Unit(code="first", name="所"))
        first.flush()
        with pytest.raises(OperationalError, match="locked"), Session(impatient) as second:
            second.execute(select(Unit))


def test_waiting_for_a_stuck_process_takes_no_longer_than_the_patience_however_many_wait(
    impatient: Engine, record_property: Callable[[str, object], None]
) -> None:
    """Each thread would else wait its turn first and then the whole busy time of SQLite."""
    stuck = sqlite3.connect(str(impatient.url.database), isolation_level=None)
    stuck.execute("BEGIN IMMEDIATE")
    waited: list[float] = []

    def write() -> None:
        began = time.monotonic()
        with pytest.raises(OperationalError, match="locked"), Session(impatient) as session:
            session.execute(select(Unit))
        waited.append(time.monotonic() - began)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stuck.close()

    assert len(waited) == 8
    record_property("told", f"8 threads, each with a patience of {IMPATIENT_SECONDS} s, waited {max(waited):.1f} s at most")
    assert max(waited) < 8 * IMPATIENT_SECONDS * (1 - SHARE_FOR_A_CONNECTION)  # what they need at the least one after the other
    with Session(impatient) as session, session.begin():
        session.add(Unit(code="next", name="所"))


def test_a_reader_waits_for_no_writer(file_engine: Engine) -> None:
    with Session(file_engine) as writer, writer.begin():
        writer.add(Unit(code="new", name="所"))
        writer.flush()
        with Session(reading(file_engine)) as reader:
            assert reader.scalars(select(Unit)).all() == []
