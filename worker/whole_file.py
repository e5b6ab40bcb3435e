"""Files that are there whole or not at all."""

import fcntl
import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a private file so that it is there whole or not at all. Raises OSError, also while another process writes it.

    Two processes may have the same job when one has stood still for so long that RQ believed it dead.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(".part")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(file.fileno()), temporary.stat()):
            raise BlockingIOError(f"{temporary.name} has just been finished by another process")
        file.truncate()
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        temporary.replace(path)
