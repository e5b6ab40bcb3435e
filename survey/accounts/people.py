"""Accounts as rows: how one is made, found, shut out; what a name, a unit and a telephone of the desk may be."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from survey import phone
from survey.accounts import throttle
from survey.accounts.roles import ROLES, UNIT
from survey.errors import BadInput, NotFound
from survey.phone import NumberPolicy, NumberRefused
from survey.store import passwords
from survey.store.models import HalfLogin, Unit, User, UserSession
from survey.store.sealing import KeyRing, place

NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
LONGEST_DISPLAY = 32
LONGEST_SHOWN = 40
LONGEST_TELEPHONE = 128
SIP = re.compile(r"sip:[^\s@:;?<>\"]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True)
class Hand:
    """Who acts on accounts (`by`, for the audit trail), when, and with the keys of the house."""

    by: str
    now: datetime
    keys: KeyRing
    audit_key: bytes
    numbers: NumberPolicy


@dataclass(frozen=True)
class NewAccount:
    """What an account is made of; `unit` is the code of a unit, for the role `unit` alone, as is its head; the rest as it was typed."""

    name: str
    role: str
    display_name: str = ""
    unit: str = ""
    telephone: str = ""
    email: str = ""
    is_head: bool = False


def add_user(session: Session, name: str, role: str, display_name: str, now: datetime, unit: str = "") -> str:
    """Create an account and return its random first password, which is shown once and never again.

    Raises BadInput for a name outside `[a-z][a-z0-9._-]{1,31}` or one that is taken, an unknown role, a unit that does not fit.
    """
    if not NAME.fullmatch(name):
        raise BadInput(
            f"“{shown(name)}”不能作用户名：须为 2–32 个小写字母、数字、点、连字符或下划线，以字母开头 / "
            "not a user name: 2 to 32 small letters, digits, dots, dashes or underscores, a letter first",
            "name",
        )
    known_role(role)
    unit_id = unit_for(session, role, unit)
    if found(session, name) is not None:
        raise BadInput(f"用户名“{name}”已被使用 / the user name “{name}” is taken", "name")
    password = passwords.invent()
    session.add(User(
        name=name, display_name=fit_display(display_name) or name, role=role, unit_id=unit_id, password_hash=passwords.digest(password),
        password_set_at=now, created_at=now,
    ))  # fmt: skip
    session.flush()
    return password


def renew_password(session: Session, name: str, now: datetime) -> str:
    """Give an account a new random password, end its sessions, lift its lock. Raises NotFound."""
    user = known(session, name)
    password = passwords.invent()
    user.password_hash, user.password_set_at = passwords.digest(password), now
    end_sessions(session, user, now)
    throttle.forgive(session, name)
    return password


def disable_user(session: Session, name: str, now: datetime) -> None:
    """Shut an account out from its next request on. Raises NotFound."""
    user = known(session, name)
    user.disabled_at = user.disabled_at or now
    end_sessions(session, user, now)


def end_sessions(session: Session, user: User, now: datetime, but: str = "") -> None:
    """End the user's log-ins, half-open ones too, but for the one with that token digest."""
    session.execute(delete(HalfLogin).where(HalfLogin.user_id == user.id))
    standing = (UserSession.user_id == user.id, UserSession.ended_at.is_(None), UserSession.token_digest != but)
    session.execute(update(UserSession).where(*standing).values(ended_at=now))


def found(session: Session, name: str, *, locked: bool = False) -> User | None:
    """The account of that name; `locked`: nobody else changes it before the transaction is over."""
    wanted = select(User).where(User.name == name)
    return session.scalars(wanted.with_for_update() if locked else wanted).one_or_none()


def known(session: Session, name: str) -> User:
    """The account of that name. Raises NotFound."""
    user = found(session, name)
    if user is None:
        raise NotFound(f"没有用户“{shown(name)}” / there is no user “{shown(name)}”")
    return user


def known_role(role: str) -> str:
    """The role, if there is such a one. Raises BadInput."""
    if role not in ROLES:
        raise BadInput(f"没有“{shown(role)}”这个角色，可用 {'、'.join(ROLES)} / no such role; the roles are {', '.join(ROLES)}", "role")
    return role


def unit_for(session: Session, role: str, code: str) -> int | None:
    """The id of the unit with that code: who has the role `unit` must have one, and nobody else may. Raises BadInput."""
    if role != UNIT:
        if code:
            raise BadInput("只有“责任单位”角色须指定单位 / only the role “unit” belongs to a unit", "unit")
        return None
    if not code:
        raise BadInput("“责任单位”角色须指定单位 / the role “unit” needs a unit", "unit")
    unit_id = session.scalar(select(Unit.id).where(Unit.code == code))
    if unit_id is None:
        raise BadInput(f"没有代码为“{shown(code)}”的单位 / there is no unit with the code “{shown(code)}”", "unit")
    return unit_id


def fit_head(role: str, is_head: bool) -> bool:
    """Whether the account is of the head of its unit, who alone asks for extensions (R52). Raises BadInput where it is of no unit."""
    if is_head and role != UNIT:
        raise BadInput("只有“责任单位”角色可以是单位负责人 / only the role “unit” can be the head of a unit", "head")
    return is_head


def unit_name(session: Session, user: User) -> str:
    """The name of the user's unit; empty where it belongs to none."""
    unit = session.get(Unit, user.unit_id) if user.unit_id is not None else None
    return unit.name if unit else ""


def fit_telephone(text: str, numbers: NumberPolicy) -> str | None:
    """A desk's telephone in E.164 or as a sip: address; None when nothing was typed. The message never holds the number.

    The bureau's own lines are welcome here, unlike among the numbers that are surveyed. Raises BadInput.
    """
    typed = text.strip()
    if not typed:
        return None
    if len(typed) <= LONGEST_TELEPHONE and SIP.fullmatch(typed):
        return typed
    plain = re.sub(r"[\s()-]", "", typed)
    if E164.fullmatch(plain):
        return plain
    try:
        return phone.parse(typed, replace(numbers, own_numbers=(), fictitious=True))
    except NumberRefused:
        raise BadInput(
            "须为手机、带区号的固定电话、国际格式号码（+86…），或 sip: 地址 / "
            "must be a mobile number, a landline with its area code, a number that begins with +, or a sip: address",
            "telephone",
        ) from None


def seal_telephone(keys: KeyRing, user: User, telephone: str | None) -> None:
    """Keep the telephone with the account."""
    user.telephone_sealed = keys.seal(telephone, place(User.__tablename__, "telephone_sealed", user.name))


def telephone_of(keys: KeyRing, name: str, sealed: bytes | None) -> str:
    """The telephone of an account; empty when there is none. Raises CannotUnseal."""
    return keys.open(sealed, place(User.__tablename__, "telephone_sealed", name)) or ""


def fit_display(text: str) -> str:
    """A name as shown on pages, on one line. Raises BadInput."""
    plain = text.strip()
    if not plain.isprintable() or len(plain) > LONGEST_DISPLAY:
        raise BadInput(
            f"姓名须为一行，不超过 {LONGEST_DISPLAY} 个字符 / the name must be one line of {LONGEST_DISPLAY} characters at most",
            "display_name",
        )
    return plain


def shown(given: str) -> str:
    """What somebody typed, fit for one line of a message."""
    return (given if given.isprintable() else ascii(given)[1:-1])[:LONGEST_SHOWN]
