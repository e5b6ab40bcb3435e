from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from survey.store import audit
from survey.store.models import AuditEntry, AuditHead

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
KEY = b"k" * 32


@pytest.fixture
def trail(session: Session) -> Session:
    """A trail of five entries."""
    for n in range(5):
        audit.append(session, KEY, NOW + timedelta(seconds=n), "cli", "draw", f"draw:{n}", size=n)
    session.flush()
    return session


def flaws(session: Session, key: bytes = KEY) -> list[int]:
    session.flush()
    session.expire_all()
    return [flaw.n for flaw in audit.verify(session, key)]


def test_a_whole_trail_has_no_flaw(trail: Session) -> None:
    assert flaws(trail) == []


def test_an_empty_trail_is_whole(session: Session) -> None:
    assert flaws(session) == []


@pytest.mark.parametrize(
    "change",
    [{"at": NOW}, {"actor": "wang"}, {"action": "look"}, {"subject": "draw:9"}, {"details": "{}"}, {"digest": "f" * 64}],
    ids=lambda change: next(iter(change)),
)
def test_an_altered_entry_is_found_at_its_place(trail: Session, change: dict[str, object]) -> None:
    trail.execute(update(AuditEntry).where(AuditEntry.n == 3).values(**change))

    assert 3 in flaws(trail)


def test_a_dropped_entry_is_found(trail: Session) -> None:
    trail.execute(delete(AuditEntry).where(AuditEntry.n == 3))

    assert 3 in flaws(trail)


def test_a_cut_tail_is_found(trail: Session) -> None:
    trail.execute(delete(AuditEntry).where(AuditEntry.n >= 4))

    assert flaws(trail) == [4]


def test_swapped_entries_are_found(trail: Session) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        trail.execute(update(AuditEntry).where(AuditEntry.n == old).values(n=new))

    assert 2 in flaws(trail)


def test_a_trail_that_was_rewritten_without_the_key_is_found(trail: Session) -> None:
    trail.execute(delete(AuditEntry))
    trail.execute(delete(AuditHead))
    audit.append(trail, b"x" * 32, NOW, "cli", "draw", "draw:1")

    assert flaws(trail) == [1]


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_one_value_has_one_text(value: dict[str, object]) -> None:
    assert audit.canonical(value) == audit.canonical(dict(reversed(value.items())))
