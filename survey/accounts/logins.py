"""Log-ins: password, code of the second factor, the session kept on the server, and what is noted of those refused (RS52, RS53)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from survey.accounts import people, second_factor, throttle
from survey.store import audit, passwords
from survey.store.models import HalfLogin, User, UserSession
from survey.store.sealing import KeyRing

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
CODE_AWAITED = timedelta(minutes=5)
NOTE_SEEN_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Visitor:
    """The person behind a valid log-in. `must_change`: another than the owner knows the password; `unit`: the id of the own unit,
    `is_head`: of that unit."""

    name: str
    display_name: str
    role: str
    language: str
    token_digest: str
    must_change: bool = False
    second_factor: bool = False
    unit: int | None = None
    is_head: bool = False


@dataclass(frozen=True)
class LoggedIn:
    """The log-in succeeded: `token` is for the cookie and is stored nowhere else."""

    token: str
    visitor: Visitor


@dataclass(frozen=True)
class HalfIn:
    """The password was right and a code is asked for: `token` is for the cookie and opens nothing else."""

    token: str


@dataclass(frozen=True)
class Refused:
    """The log-in failed, for a reason that is not told."""


@dataclass(frozen=True)
class Expired:
    """No password was given lately: the log-in begins anew."""


def log_in(
    sessions: sessionmaker[Session], name: str, password: str, address: str, language: str, now: datetime, audit_key: bytes
) -> LoggedIn | HalfIn | Refused:
    """Check a password and open a session on the server, or half a one where the account has a second factor.

    Five failures lock the account, and the address, for 15 minutes, and then even the right password is refused.
    A failure of the account is noted before the password is checked and struck out after it proved right, so that guesses made
    side by side count like guesses made in turn; one of the address only when it is one, because a whole office comes from there at
    the change of shift. The hash is computed while no transaction is open, and counts only if it is still the account's afterwards.
    """
    subject, origin = throttle.account(name), throttle.address(address)
    with sessions.begin() as session:
        locked = throttle.is_locked(session, (subject, origin), now)
        noted = [] if locked else throttle.note_failures(session, [subject], now)
        user = people.found(session, name)
        stored = user.password_hash if user is not None and user.disabled_at is None else None
    right = passwords.matches(stored, password)
    with sessions.begin() as session:
        user = people.found(session, name, locked=True)
        if not right or locked or user is None or user.password_hash != stored or user.disabled_at is not None:
            if not locked:
                throttle.note_failures(session, [origin], now)
            _note_refused_log_in(session, user, now, audit_key, locked)
            return Refused()
        throttle.strike_out(session, noted)
        if second_factor.is_set(user):
            return _open_half(session, user, now)
        return _let_in(session, user, language, now, audit_key)


def prove_code(
    sessions: sessionmaker[Session], token: str, code: str, address: str, language: str, now: datetime, keys: KeyRing, audit_key: bytes
) -> LoggedIn | Refused | Expired:
    """Check the code of the second factor within five minutes of the password; a wrong one counts like a wrong password."""
    with sessions.begin() as session:
        half = _half(session, token, now)
        if half is None:
            return Expired()
        subjects = (throttle.account(half.user.name), throttle.address(address))
        locked = throttle.is_locked(session, subjects, now)
        noted = [] if locked else throttle.note_failures(session, subjects, now)
    with sessions.begin() as session:
        half = _half(session, token, now)
        if half is None:
            return Expired()
        if locked or not second_factor.take(session, keys, half.user, code, now):
            _note_refused_log_in(session, half.user, now, audit_key, locked, asked="code")
            return Refused()
        throttle.strike_out(session, noted)
        session.delete(half)
        return _let_in(session, half.user, language, now, audit_key, second_factor=True)


def find_session(session: Session, token: str, now: datetime) -> Visitor | None:
    """The visitor whose log-in this is, unless it was ended, idle for 15 minutes, 12 hours old, or the user disabled."""
    found = session.execute(
        select(UserSession, User).join(User).where(UserSession.token_digest == _digest(token))
    ).one_or_none()  # fmt: skip
    if found is None:
        return None
    login, user = found
    if login.ended_at or user.disabled_at or now - login.seen_at >= IDLE or now - login.created_at >= LONGEST:
        return None
    return _visitor(user, login)


def stands(now: datetime, idle: timedelta = IDLE) -> ColumnElement[bool]:
    """The condition that a log-in is neither ended, nor 12 hours old, nor without a sign of life for `idle`."""
    return and_(UserSession.ended_at.is_(None), UserSession.seen_at > now - idle, UserSession.created_at > now - LONGEST)


def note_seen(session: Session, visitor: Visitor, now: datetime) -> None:
    """Note that the visitor is still there; writes at most every 30 seconds."""
    session.execute(
        update(UserSession)
        .where(UserSession.token_digest == visitor.token_digest, UserSession.seen_at <= now - NOTE_SEEN_EVERY)
        .values(seen_at=now)
    )


def is_note_due(session: Session, visitor: Visitor, now: datetime) -> bool:
    """Whether `note_seen` would write: asked by a reading session, so that most requests never wait for a writer."""
    seen_at = session.scalar(select(UserSession.seen_at).where(UserSession.token_digest == visitor.token_digest))
    return seen_at is not None and seen_at <= now - NOTE_SEEN_EVERY


def carry_over(session: Session, by: timedelta) -> None:
    """Move every standing log-in on by a leap of the virtual clock: nobody was idle meanwhile (demonstration only)."""
    for login in session.scalars(select(UserSession).where(UserSession.ended_at.is_(None))):
        login.created_at, login.seen_at = login.created_at + by, login.seen_at + by


def choose_language(session: Session, visitor: Visitor, language: str) -> None:
    """Keep the visitor's choice of language with the log-in."""
    session.execute(update(UserSession).where(UserSession.token_digest == visitor.token_digest).values(language=language))


def log_out(session: Session, visitor: Visitor, now: datetime, audit_key: bytes) -> None:
    """End the log-in on the server; its cookie is worth nothing from now on."""
    session.execute(update(UserSession).where(UserSession.token_digest == visitor.token_digest).values(ended_at=now))
    audit.append(session, audit_key, now, visitor.name, "logout", f"user:{visitor.name}")


def note_refused(session: Session, visitor: Visitor, endpoint: str, method: str, path: str, now: datetime, audit_key: bytes) -> None:
    """Write down that somebody asked for what the role does not open (R12): the page, and the address without its query."""
    told = {"role": visitor.role, "method": method, "path": path}
    audit.append(session, audit_key, now, visitor.name, "access.refused", f"page:{endpoint}"[:96], **told)


def _note_refused_log_in(
    session: Session, user: User | None, now: datetime, audit_key: bytes, locked: bool, asked: str = "password"
) -> None:
    subject = f"user:{user.name}" if user else "user:unknown"
    audit.append(session, audit_key, now, "console", "login.refused", subject, locked=locked, asked=asked)


def _let_in(session: Session, user: User, language: str, now: datetime, audit_key: bytes, **details: bool) -> LoggedIn:
    throttle.forgive(session, user.name)
    audit.append(session, audit_key, now, user.name, "login", f"user:{user.name}", **details)
    token = secrets.token_urlsafe(32)
    login = UserSession(token_digest=_digest(token), user_id=user.id, language=language, created_at=now, seen_at=now)
    session.add(login)
    return LoggedIn(token, _visitor(user, login))


def _open_half(session: Session, user: User, now: datetime) -> HalfIn:
    """The failures of the account stay: else whoever knows the password could guess at codes without end."""
    token = secrets.token_urlsafe(32)
    session.execute(delete(HalfLogin).where(HalfLogin.created_at <= now - CODE_AWAITED))
    session.add(HalfLogin(token_digest=_digest(token), user_id=user.id, created_at=now))
    return HalfIn(token)


def _half(session: Session, token: str, now: datetime) -> HalfLogin | None:
    half = session.get(HalfLogin, _digest(token))
    if half is None or now - half.created_at >= CODE_AWAITED or half.user.disabled_at or not second_factor.is_set(half.user):
        return None
    return half


def _visitor(user: User, login: UserSession) -> Visitor:
    return Visitor(
        user.name, user.display_name, user.role, login.language, login.token_digest, user.must_change, second_factor.is_set(user),
        user.unit_id, user.is_head,
    )  # fmt: skip


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
