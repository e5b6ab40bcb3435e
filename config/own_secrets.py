"""Secrets that a demonstration or a test makes for itself, once, and keeps in its data folder."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from survey.store.sealing import KeyRing

FILE = "secrets.env"


def kept(folder: Path) -> Mapping[str, str]:
    """The folder's secrets by setting name; made on first use, readable by the owner alone.

    Two processes that come first at once agree: a finished file is linked into place, and the first link wins.
    """
    path = folder / FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _link(path, "".join(f"{name}={value}\n" for name, value in _fresh().items()))
    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}


def _fresh() -> dict[str, str]:
    return {
        "HUIFANG_SECRET_KEY": secrets.token_urlsafe(48),
        "HUIFANG_PII_KEYS": KeyRing.generate(),
        "HUIFANG_TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
        "HUIFANG_TWILIO_AUTH_TOKEN": secrets.token_hex(16),
    }


def _link(path: Path, content: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
