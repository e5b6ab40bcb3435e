"""The second factor: a code that the user's telephone computes every 30 seconds from a key it shares with us (TOTP, RFC 6238).

The key is sealed at rest and shown once. A code is taken once: the step it belongs to is kept, and only a later one is taken after
it (RS52); pyotp alone would accept a code twice.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from survey.store.models import User
from survey.store.sealing import KeyRing, place

STEP_SECONDS = 30
DRIFT = 1
"""So many steps a telephone's clock may be ahead or behind."""
DIGITS = 6


@dataclass(frozen=True, repr=False)
class Key:
    """A key as it is shown once: to be typed (`groups` of four), or as the address that an authenticator opens."""

    groups: str
    address: str


def begin(keys: KeyRing, user: User, issuer: str) -> Key:
    """Give the account a fresh key, which asks for no code before `confirm` has proved that it arrived."""
    secret = pyotp.random_base32()
    user.totp_secret_sealed, user.totp_since, user.totp_step = keys.seal(secret, _place(user)), None, None
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return Key(groups, pyotp.TOTP(secret).provisioning_uri(name=user.name, issuer_name=issuer))


def is_set(user: User) -> bool:
    """Whether a log-in to this account asks for a code."""
    return user.totp_since is not None and user.totp_secret_sealed is not None


def is_begun(user: User) -> bool:
    """Whether a key was shown that no code has confirmed."""
    return user.totp_since is None and user.totp_secret_sealed is not None


def confirm(session: Session, keys: KeyRing, user: User, code: str, now: datetime) -> bool:
    """Ask for codes from now on, if this one is right."""
    if not is_begun(user) or not take(session, keys, user, code, now):
        return False
    user.totp_since = now
    return True


def take(session: Session, keys: KeyRing, user: User, code: str, now: datetime) -> bool:
    """Whether the code is right and newer than the last one taken; it is used up by this, however many ask at once."""
    secret = keys.open(user.totp_secret_sealed, _place(user))
    step = None if secret is None else _step_of(secret, code, now)
    if step is None:
        return False
    newer = or_(User.totp_step.is_(None), User.totp_step < step)
    taken = session.execute(update(User).where(User.id == user.id, newer).values(totp_step=step).returning(User.id)).all()
    return len(taken) == 1


def remove(user: User) -> None:
    """Ask for no code any more."""
    user.totp_secret_sealed = user.totp_since = user.totp_step = None


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step, among the present one and its neighbours, whose code this is."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdigit() and len(typed) == DIGITS):
        return None
    clock, present = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS), int(now.timestamp()) // STEP_SECONDS
    steps = range(present - DRIFT, present + DRIFT + 1)
    return next((step for step in steps if hmac.compare_digest(clock.generate_otp(step), typed)), None)


def _place(user: User) -> str:
    return place(User.__tablename__, "totp_secret_sealed", user.name)
