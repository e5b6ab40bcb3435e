"""The seeded scheduler of the simulated world: every effect of every process is a point at which fate may strike.

A worker is a greenlet. At each effect (a transaction begins or is committed, the carrier is asked, a job is asked for, a file
is written) it may be put off, so that others come in between; it may sleep; it may die, which throws all its objects away.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from greenlet import GreenletExit, getcurrent, greenlet

SWITCHING = frozenset({"begin", "committed", "post", "posted", "carrier", "carried", "write", "written"})
"""Effects at which no transaction is open: here others may come in between."""


class Died(BaseException):
    """The process that was at this effect is gone; nothing in it runs any more."""


class Broken(Exception):
    """Stands in a plan for: this effect fails with the error that its own library would raise."""


@dataclass
class Worker:
    """One process that does one job at a time; asleep until a moment of the carrier's clock."""

    name: str
    job: greenlet | None = None
    what: str = ""
    asleep_until: float = 0.0


@dataclass
class Fates:
    """How often what happens, as shares of one effect each."""

    death: float = 0.0
    failure: float = 0.0
    pause: float = 0.0
    longest_pause: float = 90.0


@dataclass
class Hub:
    """Chooses who goes on, by the seed. `now` gives the carrier's epoch seconds."""

    chance: Random
    now: Callable[[], float]
    fates: Fates = field(default_factory=Fates)
    workers: list[Worker] = field(default_factory=list)
    plan: Callable[[int, str], type[BaseException] | None] | None = None
    effects: int = 0
    within_door: int = 0
    trace: list[str] = field(default_factory=list)
    seed: int = 0

    def note(self, what: str) -> None:
        """Write a line into the history of this run."""
        self.trace.append(f"{self.now():.3f} {what}")

    def at(self, kind: str) -> None:
        """An effect is about to happen, or just has. Raises Died or Broken as fate wants."""
        self.effects += 1
        worker, who = self.current(), self.machine()
        if self.plan is not None:
            fate = self.plan(self.effects, kind)
            if fate is not None:
                self.note(f"{who} {kind}: {fate.__name__} at effect {self.effects}")
                raise fate
        if self.chance.random() < self.fates.death:
            self.note(f"{who} dies at {kind}")
            raise Died
        if kind in ("commit", "enqueue", "write") and self.chance.random() < self.fates.failure:
            self.note(f"{who} fails at {kind}")
            raise Broken
        if worker is not None and kind in SWITCHING and not self.within_door:
            self._put_off(worker, kind)

    def _put_off(self, worker: Worker, kind: str) -> None:
        if kind == "committed" and self.chance.random() < self.fates.pause:
            self.sleep(self.chance.uniform(4, self.fates.longest_pause))
        elif self.chance.random() < 0.3:
            getcurrent().parent.switch()

    def sleep(self, seconds: float) -> None:
        """Let this worker stand still so long; anybody else just goes on."""
        worker = self.current()
        if worker is not None and not self.within_door:
            self.note(f"{worker.name} {worker.what} stands still for {seconds:.1f} s")
            worker.asleep_until = self.now() + seconds
            getcurrent().parent.switch()

    def current(self) -> Worker | None:
        """The worker that runs now, None in the main line (doors, sweep, people)."""
        here = getcurrent()
        return next((worker for worker in self.workers if worker.job is here), None)

    def machine(self) -> str:
        """Whose program runs now: the door's, a worker's, or that of everything else."""
        worker = None if self.within_door else self.current()
        return "door" if self.within_door else worker.name if worker else "main"

    def ready(self) -> list[Worker]:
        """The workers that have something to do and are awake."""
        return [worker for worker in self.workers if worker.job is not None and worker.asleep_until <= self.now()]

    def idle(self) -> list[Worker]:
        """The workers without a job."""
        return [worker for worker in self.workers if worker.job is None]

    def wakes_at(self) -> float | None:
        """When the next sleeper wakes."""
        return min((worker.asleep_until for worker in self.workers if worker.job is not None), default=None)

    def start(self, worker: Worker, what: str, run: Callable[[], object]) -> None:
        """Give an idle worker a job; it begins when it is next resumed."""
        worker.job, worker.what, worker.asleep_until = greenlet(run), what, 0.0

    def resume(self, worker: Worker) -> BaseException | None:
        """Let a worker go on until it is put off or done; the error that ended its job, if one did."""
        job = worker.job
        assert job is not None
        try:
            job.switch()
        except (Died, Exception) as problem:
            worker.job = None
            return problem
        if job.dead:
            worker.job = None
        return None

    def kill(self, worker: Worker) -> None:
        """End a worker where it stands: kill -9 between two effects."""
        if worker.job is not None and not worker.job.dead:
            self.note(f"{worker.name} {worker.what} is killed")
            worker.job.throw(GreenletExit)
        worker.job = None
