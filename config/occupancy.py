"""One running copy per data folder: a lock that ends with its process, and a note of who holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from survey.errors import SurveyError


class Occupied(SurveyError):
    """Another copy runs on this data folder."""


@contextmanager
def occupied(data: Path, note: str) -> Iterator[None]:
    """Hold the data folder for the length of the block; `note` (a URL) tells the next one who is there.

    Raises Occupied with the holder's note. The lock is the kernel's: it ends with the process, however that ends.
    """
    path = data / "run" / "occupied"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, data)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {note}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(data: Path) -> int | None:
    """The process that runs on this data folder, or None where nobody holds the lock."""
    try:
        descriptor = os.open(data / "run" / "occupied", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        noted = os.pread(descriptor, 1000, 0).decode(errors="replace").partition(" ")[0]
        return int(noted) if noted.isdigit() else None
    finally:
        os.close(descriptor)
    return None


def _lock(descriptor: int, data: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid, _, note = os.pread(descriptor, 1000, 0).decode(errors="replace").partition(" ")
        raise Occupied(
            f"已有一份回访在此数据文件夹运行（进程 {pid}，{note}）；先停止它，或另设 HUIFANG_DATA / "
            f"another copy runs on {data} (process {pid}, {note}): stop it, or set another HUIFANG_DATA"
        ) from None
