"""The throttle against guessing: five failures lock an account, and an address, for fifteen minutes (RS52)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey.store.models import LoginFailure

TRIES = 5
LOCK = timedelta(minutes=15)
LONGEST_SUBJECT = 96


def account(name: str) -> str:
    """What failures of an account are noted under."""
    return f"user:{name}"[:LONGEST_SUBJECT]


def address(of: str) -> str:
    """What failures from an address are noted under."""
    return f"address:{of}"[:LONGEST_SUBJECT]


def is_locked(session: Session, subjects: Sequence[str], now: datetime) -> bool:
    """Whether one of the subjects is locked: five failures within 15 minutes of one another lock for 15 minutes after the last."""
    return any(_is_locked(session, subject, now) for subject in subjects)


def note_failures(session: Session, subjects: Sequence[str], now: datetime) -> list[int]:
    """Note a failure of each subject; its number, by which `strike_out` takes it back."""
    failures = [LoginFailure(subject=subject, at=now) for subject in subjects]
    session.add_all(failures)
    session.flush()
    return [failure.id for failure in failures]


def strike_out(session: Session, noted: Sequence[int]) -> None:
    """Take back failures that were none."""
    session.execute(delete(LoginFailure).where(LoginFailure.id.in_(noted)))


def forgive(session: Session, name: str) -> None:
    """Forget all failures of an account: it is unlocked."""
    session.execute(delete(LoginFailure).where(LoginFailure.subject == account(name)))


def _is_locked(session: Session, subject: str, now: datetime) -> bool:
    latest = list(
        session.scalars(select(LoginFailure.at).where(LoginFailure.subject == subject).order_by(LoginFailure.at.desc()).limit(TRIES))
    )
    return len(latest) == TRIES and latest[0] - latest[-1] <= LOCK and now - latest[0] < LOCK
