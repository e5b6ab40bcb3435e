"""The nemesis: it kills, stops or empties something of the house, by a seed, each time when the campaign has come on a little.

Its pace is the campaign's, not the clock's: a process that was killed needs most of a second of a processor to start again, and on
a machine that is slow or busy a nemesis that went by the clock would leave the house no time to come to work.
"""

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random

from redis.exceptions import RedisError

from tests.chaos.house import Premises

STEPS = (20, 60)
"""Between two deeds so many steps are made at least and at most; a step is a call that was asked for, or one that is settled."""

SHORTEST_PAUSE_SECONDS, FIRST_QUIET_SECONDS = 0.3, 5.0
"""Where nothing moves on, a deed is done nevertheless; the next one after twice the time, so that what has fallen can rise."""

BEAT_SECONDS = 0.05

STOP_SECONDS = 4.0
"""Shorter than the age at which a claim is no longer dialled; a longer one is a test of its own."""

KILLS = (
    ("worker:dial", 4), ("worker:settle", 2), ("worker:recordings", 1), ("clock", 2), ("voice", 1), ("voice server", 2), ("valkey", 2),
)  # fmt: skip
STOPS = (("worker:dial", 2), ("worker:settle", 1), ("voice server", 1), ("clock", 1))
FLUSH_WEIGHT, RESTART_WEIGHT = 3, 2

Deed = Callable[[], bool]


@dataclass
class Nemesis:
    """Does its deeds in a thread until told to stop; `done` counts them by name, `history` keeps them with their seconds and steps.

    `restart_database` restarts the database server the hard way, where there is one. `stopped_dialler` is set while a
    process that may dial is stopped: then nobody can say how soon a claim will be dialled. `steps` is how far the campaign is.
    """

    premises: Premises
    seed: int
    restart_database: Callable[[], None] | None = None
    done: Counter[str] = field(default_factory=Counter)
    history: list[tuple[float, int, str]] = field(default_factory=list)
    steps: int = 0
    stopped_dialler: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _continuations: list[threading.Timer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = Random(f"nemesis/{self.seed}")
        self._began, self._quiet_seconds = time.monotonic(), FIRST_QUIET_SECONDS
        self._thread = threading.Thread(target=self._rage, name="nemesis", daemon=True)
        self._deeds = self._repertoire()

    def note(self, steps: int) -> None:
        """Hear how far the campaign has come."""
        self.steps = steps

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and let everything that stands still go on."""
        self._over.set()
        self._thread.join()
        for timer in self._continuations:
            timer.join()

    def _repertoire(self) -> dict[str, tuple[Deed, int]]:
        deeds: dict[str, tuple[Deed, int]] = {f"kill {name}": (partial(self._kill, name), weight) for name, weight in KILLS}
        deeds |= {f"stop {name}": (partial(self._halt, name), weight) for name, weight in STOPS}
        deeds["flush valkey"] = self._flush, FLUSH_WEIGHT
        if self.restart_database:
            deeds["restart database"] = self._restart, RESTART_WEIGHT
        return deeds

    def _rage(self) -> None:
        """Deal the deeds like cards, each as often as it weighs, so that a short campaign too meets every kind."""
        cards: list[str] = []
        while self._bides_its_time():
            if not cards:
                cards = [name for name, (_, weight) in self._deeds.items() for _ in range(weight)]
                self._chance.shuffle(cards)
            name = cards.pop()
            if self._deeds[name][0]():
                self.done[name] += 1
                self.history.append((round(time.monotonic() - self._began, 1), self.steps, name))

    def _bides_its_time(self) -> bool:
        """Wait until the next deed is due; False when it is all over."""
        began = moved_at = time.monotonic()
        seen, aim = self.steps, self.steps + self._chance.randint(*STEPS)
        while not self._over.wait(BEAT_SECONDS):
            now = time.monotonic()
            if self.steps != seen:
                seen, moved_at, self._quiet_seconds = self.steps, now, FIRST_QUIET_SECONDS
            if seen >= aim and now - began >= SHORTEST_PAUSE_SECONDS:
                return True
            if now - moved_at >= self._quiet_seconds:
                self._quiet_seconds *= 2
                return True
        return False

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
        try:
            self.restart_database()
        except subprocess.CalledProcessError:  # it was not up again within a minute: it still comes, or the run says that it is stuck
            return False
        return True
