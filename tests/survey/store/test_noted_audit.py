"""What a unit of work notes for the audit trail is written as its last act, and only with it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from survey.store import audit
from survey.store.database import session_factory
from survey.store.models import AuditEntry, Base, Unit
from survey.store.unit_of_work import UnitOfWork
from worker.queues import InlineQueue

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
KEY = b"audit key of the tests, 32 bytes"


def work_on(sessions: sessionmaker[Session]) -> UnitOfWork:
    return UnitOfWork(sessions, InlineQueue())


def note(work: UnitOfWork, subject: str) -> None:
    audit.note(work.session, KEY, NOW, "system", "answer", subject)


def subjects(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        assert list(audit.verify(session, KEY)) == []
        return list(session.scalars(select(AuditEntry.subject).order_by(AuditEntry.n)))


def test_entries_stand_in_the_order_in_which_they_were_noted(sessions: sessionmaker[Session]) -> None:
    with work_on(sessions) as work:
        for number in range(3):
            note(work, f"attempt:{number}")

    assert subjects(sessions) == ["attempt:0", "attempt:1", "attempt:2"]


def fail_after_noting(sessions: sessionmaker[Session], units: list[Unit]) -> None:
    with work_on(sessions) as work:
        work.session.add_all(units)
        note(work, "attempt:0")
        if not units:
            raise ZeroDivisionError


def test_a_unit_of_work_that_fails_leaves_no_entry(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_after_noting(sessions, [])

    assert subjects(sessions) == []


def test_what_the_database_refuses_takes_its_entry_with_it(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(IntegrityError):
        fail_after_noting(sessions, [Unit(code="U1", name="城东派出所"), Unit(code="U1", name="城西派出所")])

    assert subjects(sessions) == []


def test_outside_of_a_unit_of_work_the_entry_is_written_at_once(session: Session) -> None:
    audit.note(session, KEY, NOW, "system", "answer", "attempt:0")

    assert session.scalars(select(AuditEntry.subject)).all() == ["attempt:0"]


def test_who_has_noted_something_holds_nobody_up(postgres_engine: Engine) -> None:
    Base.metadata.create_all(postgres_engine)
    sessions = session_factory(postgres_engine)
    with work_on(sessions) as slow:
        note(slow, "attempt:slow")
        with work_on(sessions) as quick:
            note(quick, "attempt:quick")

    assert subjects(sessions) == ["attempt:quick", "attempt:slow"]
