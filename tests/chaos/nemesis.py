"""The nemesis: every 0.8 to 2.4 s it kills, stops or empties something of the house, by a seed."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from redis.exceptions import RedisError

from tests.chaos.house import Premises

PAUSE_SECONDS = (0.8, 2.4)
"""A process that was killed takes half a second of a processor to start again: the house must also come to work."""

STOP_SECONDS = 4.0
"""Shorter than the age at which a claim is no longer dialled; a longer one is a test of its own."""

KILLS = (
    ("worker:dial", 4), ("worker:settle", 2), ("worker:recordings", 1), ("clock", 2), ("voice", 1), ("voice server", 2), ("valkey", 2),
)  # fmt: skip
STOPS = (("worker:dial", 2), ("worker:settle", 1), ("voice server", 1), ("clock", 1))
FLUSH_WEIGHT, RESTART_WEIGHT = 4, 2

Deed = Callable[[], bool]


@dataclass
class Nemesis:
    """Does its deeds in a thread until told to stop; `done` counts them by name, `history` keeps them with their moments.

    `restart_database` restarts the database server the hard way, where there is one. `stopped_dialler` is set while a
    process that may dial is stopped: then nobody can say how soon a claim will be dialled.
    """

    premises: Premises
    seed: int
    restart_database: Callable[[], None] | None = None
    done: Counter[str] = field(default_factory=Counter)
    history: list[tuple[float, str]] = field(default_factory=list)
    stopped_dialler: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _continuations: list[threading.Timer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = Random(f"nemesis/{self.seed}")
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._rage, name="nemesis", daemon=True)
        self._deeds = self._repertoire()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and let everything that stands still go on."""
        self._over.set()
        self._thread.join()
        for timer in self._continuations:
            timer.join()

    def _repertoire(self) -> list[tuple[str, Deed, int]]:
        deeds: list[tuple[str, Deed, int]] = []
        deeds += [(f"kill {name}", lambda name=name: self._kill(name), weight) for name, weight in KILLS]  # type: ignore[misc]
        deeds += [(f"stop {name}", lambda name=name: self._halt(name), weight) for name, weight in STOPS]  # type: ignore[misc]
        deeds.append(("flush valkey", self._flush, FLUSH_WEIGHT))
        if self.restart_database:
            deeds.append(("restart database", self._restart, RESTART_WEIGHT))
        return deeds

    def _rage(self) -> None:
        names, weights = [deed[0] for deed in self._deeds], [deed[2] for deed in self._deeds]
        by_name = {name: deed for name, deed, _ in self._deeds}
        while not self._over.wait(self._chance.uniform(*PAUSE_SECONDS)):
            (name,) = self._chance.choices(names, weights)
            if by_name[name]():
                self.done[name] += 1
                self.history.append((round(time.monotonic() - self._began, 1), name))

    def _kill(self, name: str) -> bool:
        found = self.premises.named(name)
        if not found:
            return False  # it has not come back yet from the last time
        with suppress(ProcessLookupError):
            os.kill(self._chance.choice(found).pid, signal.SIGKILL)
        return True

    def _halt(self, name: str) -> bool:
        found = self.premises.named(name)
        self._continuations = [timer for timer in self._continuations if timer.is_alive()]
        if not found or self._continuations:
            return False
        pid = self._chance.choice(found).pid
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        if name == "worker:dial":
            self.stopped_dialler.set()
        timer = threading.Timer(STOP_SECONDS, self._go_on, (pid,))
        self._continuations.append(timer)
        timer.start()
        return True

    def _go_on(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        self.stopped_dialler.clear()

    def _flush(self) -> bool:
        try:
            return bool(self.premises.house.redis.flushall())
        except RedisError:
            return False

    def _restart(self) -> bool:
        assert self.restart_database is not None
        self.restart_database()
        return True
