"""A job never runs in two processes at once, whatever is killed or stopped, and what it does is done once (RS39).

What is promised: for deaths by kill -9 of workers and their children at any moment, and for processes that stand still for seconds.
RQ believes that a worker which stands still for more than a minute is dead, and starts its job elsewhere; then, and when a job
runs again after its worker's death, the rows decide: nobody is dialled twice, a recording is stored once and whole.

`PROBE_SECONDS=600` torments them for ten minutes, `PROBE_SEED` otherwise.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import valkey
from config.clock import SharedClock
from survey.store.database import reading, session_factory
from survey.store.models import CallAttempt, Recording
from survey.store.queries.fieldwork import open_recordings
from survey.store.sealing import place
from tests import embedded
from tests.calls.foreign_carrier import silence
from tests.chaos.house import processes
from tests.survey.fieldwork.conftest import Ground, ground
from tests.worker.probed import kept, lines, probed, until
from worker import queues
from worker.queues import RqJobQueue

__all__ = ["ground"]

SECONDS, SEED = float(os.environ.get("PROBE_SECONDS", "6")), int(os.environ.get("PROBE_SEED", "1"))
WORKERS, FEWEST_DEEDS = 2, 3
PAUSE_SECONDS, LONGEST_STOP_SECONDS = (0.2, 1.2), 1.5
REST_SECONDS = 300.0
"""How long what is left may take once nobody is tormented any more; on an idle machine it is a second or two."""

JOBS_A_SECOND = {"dial": 20, "recordings": 5}
Told = Callable[[str, object], None]


@dataclass
class Torment:
    """Kills and stops workers and their children, by a seed; `done` counts it."""

    keeper: int
    chance: Random
    done: Counter[str] = field(default_factory=Counter)
    stopped: dict[int, float] = field(default_factory=dict)

    def strike(self) -> None:
        """One deed, to somebody who is there."""
        self.wake(time.monotonic())
        found = list(processes())
        workers = {each.pid for each in found if each.parent == self.keeper}
        children = {each.pid for each in found if each.parent in workers}
        if not workers:
            return  # the keeper is about to fork them anew
        chosen = self.chance.choice(sorted(workers | children))
        sign = self.chance.choice([signal.SIGKILL, signal.SIGSTOP])
        with suppress(ProcessLookupError):
            os.kill(chosen, sign)
            self.done[f"{'child' if chosen in children else 'worker'} {sign.name}"] += 1
            if sign == signal.SIGSTOP:
                self.stopped[chosen] = time.monotonic() + self.chance.uniform(0.2, LONGEST_STOP_SECONDS)

    def wake(self, now: float) -> None:
        """Let everybody go on whose time is over."""
        for pid in [pid for pid, end in self.stopped.items() if end <= now]:
            del self.stopped[pid]
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@dataclass
class Trial:
    """A database full of work, a queue, tormented workers."""

    ground: Ground
    folder: Path
    clock: SharedClock
    wake: Callable[[], int]
    """Asks for everything that is due, as the sweep does; returns how much is left."""

    def run(self, queue: str) -> Counter[str]:
        """Torment for some seconds, then wait until nothing is left; what was done."""
        self.wake()
        with kept(self.ground.engine, self.folder, queue, WORKERS) as keeper:
            torment = Torment(keeper.pid, Random(f"{queue}/{SEED}"))
            until((self.folder / "begun").exists, keeper, REST_SECONDS)
            end, following = time.monotonic() + SECONDS, 0.0
            while time.monotonic() < end or (torment.done.total() < FEWEST_DEEDS and time.monotonic() < end + REST_SECONDS):
                self.wake()
                torment.wake(time.monotonic())
                if time.monotonic() >= following:
                    torment.strike()
                    following = time.monotonic() + torment.chance.uniform(*PAUSE_SECONDS)
                time.sleep(0.05)
            torment.wake(float("inf"))
            until(lambda: self.wake() == 0, keeper, REST_SECONDS)
            return torment.done


def looking(ground: Ground) -> Session:
    """A session that waits for nobody, not even for a process that was stopped in the middle of its writing."""
    return session_factory(reading(ground.engine))()


@pytest.fixture
def trial(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    monkeypatch.setattr(queues, "FAILURE_SECONDS", 2)  # a child that was killed keeps its job's id for so long: thirty are dull
    clock = SharedClock.create(tmp_path / "clock", ground.now)
    with embedded.running(tmp_path):
        yield Trial(ground, tmp_path, clock, lambda: 0)


def test_nobody_is_dialled_twice(trial: Trial, record_property: Told) -> None:
    ground, people = trial.ground, min(9000, int(SECONDS * JOBS_A_SECOND["dial"]))
    queue = RqJobQueue(valkey.client("", trial.folder))
    ground.launch(people, lines=people, calls_per_second=people)
    attempts = ground.claim()
    assert len(attempts) == people

    def wake() -> int:
        with looking(ground) as session:
            claimed = session.execute(select(CallAttempt.id, CallAttempt.epoch).where(CallAttempt.status == "claimed")).all()
        for attempt_id, epoch in claimed:
            queue.enqueue("dial", attempt_id, epoch)
        return len(claimed)

    trial.wake = wake
    done = trial.run("dial")

    placed, begun = lines(trial.folder, "placed"), lines(trial.folder, "begun")
    with ground.sessions() as session:
        rows = session.execute(select(CallAttempt.token, CallAttempt.status)).all()
    asked = {url.rsplit("/", 3)[1]: count for url, count in placed.items()}
    told = [f"{count} x {deed}" for deed, count in sorted(done.items())]
    again = sum(count - 1 for count in begun.values())
    record_property("told", f"probe lock, dial on {ground.engine.dialect.name}: {people} jobs, {again} begun again; {', '.join(told)}")
    assert lines(trial.folder, "twice") == {}
    assert max(asked.values()) == 1
    assert {token for token, status in rows if status == "placed"} <= asked.keys()
    assert {status for _, status in rows} <= {"placed", "requested"}
    assert done.total() >= FEWEST_DEEDS


def test_a_recording_is_stored_once_and_whole(trial: Trial, record_property: Told) -> None:
    ground, count = trial.ground, int(SECONDS * JOBS_A_SECOND["recordings"])
    queue = RqJobQueue(valkey.client("", trial.folder))
    sounds = announce(ground, trial.folder, count)

    def wake() -> int:
        trial.clock.stand(ground.clock.advance(seconds=1))  # a fetch that was cut off is due again after fifteen
        with looking(ground) as session:
            for recording_id in open_recordings(session, ground.now):
                queue.enqueue("fetch_recording", recording_id)
            return session.scalar(select(func.count()).select_from(Recording).where(Recording.due_at.is_not(None))) or 0

    trial.wake = wake
    done = trial.run("recordings")

    with ground.sessions() as session:
        kept = session.scalars(select(Recording)).all()
    told = [f"{number} x {deed}" for deed, number in sorted(done.items())]
    again = sum(number - 1 for number in lines(trial.folder, "begun").values())
    record_property("told", f"probe lock, recordings on {ground.engine.dialect.name}: {count} jobs, {again} begun again; {', '.join(told)}")
    assert lines(trial.folder, "twice") == {}
    assert [recording.state for recording in kept] == ["kept"] * count
    for recording in kept:
        sealed = (trial.folder / str(recording.path)).read_bytes()
        assert ground.office.keys.open_bytes(sealed, place("recordings", "path", recording.public_id)) == sounds[recording.carrier_sid]
    assert not list(trial.folder.glob("*.wav")), "the carrier's copies are deleted"
    assert not list(trial.folder.rglob("*.part"))
    assert done.total() >= FEWEST_DEEDS


def announce(ground: Ground, folder: Path, count: int) -> dict[str, bytes]:
    """So many recordings at the carrier, by their sids, in rows that are due."""
    ground.launch(1)
    attempt = ground.attempt(ground.claim()[0])
    sounds = {f"RE{number:032x}": silence(1) + bytes([number % 256]) * (number % 7) for number in range(count)}
    for sid, sound in sounds.items():
        (folder / f"{sid}.wav").write_bytes(sound)
    with ground.work() as work:
        work.session.add_all(
            Recording(
                respondent_id=attempt.respondent_id, attempt_id=attempt.id, item=f"remark-{number}", carrier_sid=sid,
                announced_at=ground.now, due_at=ground.now,
            )
            for number, sid in enumerate(sounds)
        )  # fmt: skip
    return sounds


def test_the_probe_finds_a_job_that_runs_twice(tmp_path: Path) -> None:
    inner = probed("dial", lambda row_id, epoch: None, tmp_path)
    probed("dial", lambda row_id, epoch: inner(row_id, epoch), tmp_path)(7, 1)

    assert (tmp_path / "twice").read_text() == "dial-7-1\n"
