"""Which workers of this machine are alive: each holds a lock on a file of its own, which the kernel frees when it dies.

A process id may be given to somebody else, and a worker's child may outlive it by a moment. A lock does not err: the child
inherits it, and it is free only when both are gone, however they died.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

FOLDER = Path("run") / "workers"


class Presence:
    """The workers of one queue, on this machine and this data folder; of others it knows nothing."""

    def __init__(self, data: Path, queue: str) -> None:
        self._folder, self._queue = data / FOLDER / os.uname().nodename, queue
        self._own: tuple[Path, int] | None = None

    def enter(self, name: str) -> None:
        """Be known as alive from now on. Where no file can be locked, this worker's death will be noticed later than it could."""
        path = self._folder / f"{self._queue}.{name}"
        arriving = path.with_name(f".{path.name}")  # nobody may find it before it is locked
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(arriving, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            arriving.rename(path)
        except OSError as problem:
            log.warning("this worker cannot show that it is alive: %s", problem, extra={"action": "worker.no_presence"})
            return
        self._own = path, descriptor

    def leave(self) -> None:
        """End in good order: there is nothing to be looked for."""
        if self._own is not None:
            path, descriptor = self._own
            self._own = None
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def departed(self) -> Iterator[str]:
        """The names of the workers that died. Each is told to one process only, and no more once the loop has gone on from it."""
        for path in sorted(self._folder.glob(f"{self._queue}.*")):
            with suppress(OSError):  # locked by one that lives, or by another one that looks; or gone meanwhile
                descriptor = os.open(path, os.O_RDWR)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    yield path.name.rpartition(".")[2]
                    path.unlink(missing_ok=True)
                finally:
                    os.close(descriptor)
