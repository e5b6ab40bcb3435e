"""Passwords at rest: argon2id by argon2-cffi, few at a time, because each hash takes 64 MiB and a core."""

import secrets
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read as something else
GROUPS, GROUP_LENGTH = 4, 4  # 31^16: about 79 bits
LONGEST = 128
AT_ONCE = 2

_hasher = PasswordHasher()
_turnstile = BoundedSemaphore(AT_ONCE)
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$4g+4zskDZKxHHKUncgak7A$dS0GL0/NVwlzhhs+AEwRU+92ovWc9oP1PHElZFIpomk"
"""What an unknown name is compared with: it must cost what a real hash costs. Written down, since making it costs each process a hash."""


def invent() -> str:
    """A random password in four groups, fit to be read out once."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def digest(password: str) -> str:
    """The argon2id hash of a password with its parameters and salt."""
    with _turnstile:
        return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the stored hash. None (no such user) costs the same time and is never right."""
    with _turnstile:
        try:
            return _hasher.verify(stored or _NOBODY, password[:LONGEST]) and stored is not None
        except (VerificationError, InvalidHashError):
            return False
