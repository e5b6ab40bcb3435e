"""Where notices are sent by e-mail: the address of an account, which is sealed, and that of a unit's office."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.accounts.people import Hand, shown
from survey.errors import BadInput, NotFound
from survey.store import audit
from survey.store.models import Unit, User
from survey.store.sealing import KeyRing, place

LONGEST_EMAIL = 254
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+)*@{LABEL}(?:\.{LABEL})*")
"""The addresses that every mail server takes: ASCII, no quotes, no comments, and nothing that could end a header's line."""

LONGEST_LOCAL = 64


def is_email(text: str) -> bool:
    """Whether a mail can be sent to it."""
    return len(text) <= LONGEST_EMAIL and len(text.partition("@")[0]) <= LONGEST_LOCAL and EMAIL.fullmatch(text) is not None


def fit_email(text: str) -> str:
    """An address as typed, without blanks around it; empty when nothing was typed. Raises BadInput, whose message never holds it."""
    typed = text.strip()
    if typed and not is_email(typed):
        raise BadInput("须为邮箱地址，如 chengdong@example.org / must be an e-mail address such as chengdong@example.org", "email")
    return typed


def seal_email(keys: KeyRing, user: User, email: str) -> None:
    """Keep the address with the account; empty takes it away."""
    user.email_sealed = keys.seal(email or None, _place(user.name))


def email_of(keys: KeyRing, name: str, sealed: bytes | None) -> str:
    """The address of an account; empty when there is none. Raises CannotUnseal."""
    return keys.open(sealed, _place(name)) or ""


def change_unit_email(session: Session, hand: Hand, code: str, email: str) -> bool:
    """Set the address of a unit's office, empty for none; whether it is another one. Raises BadInput, NotFound."""
    unit = session.scalars(select(Unit).where(Unit.code == code).with_for_update()).one_or_none()
    if unit is None:
        raise NotFound(f"没有代码为“{shown(code)}”的单位 / there is no unit with the code “{shown(code)}”")
    wanted = fit_email(email)
    if wanted == unit.email:
        return False
    unit.email = wanted
    audit.append(session, hand.audit_key, hand.now, hand.by, "unit.change_email", f"unit:{unit.id}", given=bool(wanted))
    return True


def mask_email(email: str) -> str:
    """The address as lists show it: its first letter and its domain."""
    local, at, domain = email.partition("@")
    return f"{local[:1]}…{at}{domain}" if at else ""


def _place(name: str) -> str:
    return place(User.__tablename__, "email_sealed", name)
