"""Who may use the console: accounts, log-ins kept on the server, and the throttle against guessing (RS52, RS53)."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from survey.errors import BadInput, NotFound
from survey.store import audit, passwords
from survey.store.models import LoginFailure, User, UserSession

ROLES = ("administrator", "operator", "commander", "auditor")
NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
TRIES = 5
LOCK = timedelta(minutes=15)
LONGEST_SHOWN = 40
NOTE_SEEN_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Visitor:
    """The person behind a valid log-in."""

    name: str
    display_name: str
    role: str
    language: str
    token_digest: str


@dataclass(frozen=True)
class LoggedIn:
    """The log-in succeeded: `token` is for the cookie and is stored nowhere else."""

    token: str
    visitor: Visitor


@dataclass(frozen=True)
class Refused:
    """The log-in failed, for a reason that is not told."""


def add_user(session: Session, name: str, role: str, display_name: str, now: datetime) -> str:
    """Create an account and return its random first password, which is shown once and never again.

    Raises BadInput for a name outside `[a-z][a-z0-9._-]{1,31}`, an unknown role, or a name that is taken.
    """
    if not NAME.fullmatch(name):
        raise BadInput(
            f"“{_shown(name)}”不能作用户名：须为 2–32 个小写字母、数字、点、连字符或下划线，以字母开头 / "
            "not a user name: 2 to 32 small letters, digits, dots, dashes or underscores, a letter first"
        )
    if role not in ROLES:
        raise BadInput(f"没有“{_shown(role)}”这个角色，可用 {'、'.join(ROLES)} / no such role; the roles are {', '.join(ROLES)}")
    if _user(session, name) is not None:
        raise BadInput(f"用户名“{name}”已被使用 / the user name “{name}” is taken")
    password = passwords.invent()
    session.add(User(name=name, display_name=display_name or name, role=role, password_hash=passwords.digest(password), created_at=now))
    return password


def renew_password(session: Session, name: str, now: datetime) -> str:
    """Give an account a new random password, end its sessions, lift its lock. Raises NotFound."""
    user = _known(session, name)
    password = passwords.invent()
    user.password_hash = passwords.digest(password)
    _end_sessions(session, user, now)
    session.execute(delete(LoginFailure).where(LoginFailure.subject == _account(name)))
    return password


def disable_user(session: Session, name: str, now: datetime) -> None:
    """Shut an account out from its next request on. Raises NotFound."""
    user = _known(session, name)
    user.disabled_at = user.disabled_at or now
    _end_sessions(session, user, now)


def log_in(
    sessions: sessionmaker[Session], name: str, password: str, address: str, language: str, now: datetime, audit_key: bytes
) -> LoggedIn | Refused:
    """Check a password and open a session on the server.

    Five failures lock the account, and the address, for 15 minutes, and then even the right password is refused.
    A failure is noted before the password is checked and struck out after it proved right, so that guesses made
    side by side count like guesses made in turn; the hash is computed while no transaction is open.
    """
    subjects = (_account(name), f"address:{address}"[:96])
    with sessions.begin() as session:
        locked = any(_is_locked(session, subject, now) for subject in subjects)
        noted = [] if locked else _note_failures(session, subjects, now)
        user = _user(session, name)
        stored = user.password_hash if user is not None and user.disabled_at is None else None
    right = passwords.matches(stored, password)
    with sessions.begin() as session:
        if not right or locked or user is None:
            subject = f"user:{user.name}" if user else "user:unknown"
            audit.append(session, audit_key, now, "console", "login.refused", subject, locked=locked)
            return Refused()
        session.execute(delete(LoginFailure).where((LoginFailure.id.in_(noted)) | (LoginFailure.subject == _account(name))))
        audit.append(session, audit_key, now, user.name, "login", f"user:{user.name}")
        return _open_session(session, user, language, now)


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


def choose_language(session: Session, visitor: Visitor, language: str) -> None:
    """Keep the visitor's choice of language with the log-in."""
    session.execute(update(UserSession).where(UserSession.token_digest == visitor.token_digest).values(language=language))


def log_out(session: Session, visitor: Visitor, now: datetime, audit_key: bytes) -> None:
    """End the log-in on the server; its cookie is worth nothing from now on."""
    session.execute(update(UserSession).where(UserSession.token_digest == visitor.token_digest).values(ended_at=now))
    audit.append(session, audit_key, now, visitor.name, "logout", f"user:{visitor.name}")


def _is_locked(session: Session, subject: str, now: datetime) -> bool:
    """Five failures within 15 minutes of one another lock for 15 minutes after the last."""
    latest = list(
        session.scalars(select(LoginFailure.at).where(LoginFailure.subject == subject).order_by(LoginFailure.at.desc()).limit(TRIES))
    )
    return len(latest) == TRIES and latest[0] - latest[-1] <= LOCK and now - latest[0] < LOCK


def _note_failures(session: Session, subjects: tuple[str, ...], now: datetime) -> list[int]:
    failures = [LoginFailure(subject=subject, at=now) for subject in subjects]
    session.add_all(failures)
    session.flush()
    return [failure.id for failure in failures]


def _open_session(session: Session, user: User, language: str, now: datetime) -> LoggedIn:
    token = secrets.token_urlsafe(32)
    login = UserSession(token_digest=_digest(token), user_id=user.id, language=language, created_at=now, seen_at=now)
    session.add(login)
    return LoggedIn(token, _visitor(user, login))


def _visitor(user: User, login: UserSession) -> Visitor:
    return Visitor(user.name, user.display_name, user.role, login.language, login.token_digest)


def _user(session: Session, name: str) -> User | None:
    return session.scalars(select(User).where(User.name == name)).one_or_none()


def _known(session: Session, name: str) -> User:
    user = _user(session, name)
    if user is None:
        raise NotFound(f"没有用户“{_shown(name)}” / there is no user “{_shown(name)}”")
    return user


def _shown(given: str) -> str:
    """What somebody typed, fit for one line of a message."""
    return (given if given.isprintable() else ascii(given)[1:-1])[:LONGEST_SHOWN]


def _end_sessions(session: Session, user: User, now: datetime) -> None:
    session.execute(update(UserSession).where(UserSession.user_id == user.id, UserSession.ended_at.is_(None)).values(ended_at=now))


def _account(name: str) -> str:
    return f"user:{name}"[:96]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
