"""Workers under torment, each job behind a probe: `python -m tests.worker.probed <queue> <workers> <folder>`.

Keeps so many workers of one queue at work: whoever dies is forked anew at once. A probe is a lock on a file for each job's id:
the kernel frees it with the process that held it, so whoever finds it taken runs beside another one. The carrier is a folder; as
long as there is a file `hold` in it, it does not answer, nor does the recogniser.
"""

import fcntl
import os
import random
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import configure_mappers

from config import valkey
from config.cli import open_house
from config.wiring import House
from ivr.carrier.base import Accepted, CallRequest, CarrierCall, CarrierGone, Placement
from speech.transcript import Transcript, Word
from tests.conftest import RING
from tests.survey.fieldwork.conftest import CALLER_ID
from worker import jobs, runtime, transcribing
from worker.parents import die_with
from worker.queues import QUEUES
from worker.worker import open_worker

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 0.12
"""How long a request to the carrier takes at most: long beside all else, so that most deaths come in the middle of one."""


def note(path: Path, words: str) -> None:
    """Add a line that is there whole or not at all."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{words}\n".encode())
    os.close(descriptor)


class FolderCarrier:
    """A carrier that writes down what it was asked, and whose recordings are files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place_call(self, request: CallRequest) -> Placement:
        """Take the call; what counts is that it was asked for."""
        time.sleep(random.uniform(0, LONGEST_SECONDS / 2))
        note(self._folder / "placed", request.answer_url)
        self._take_time()
        return Accepted("CA" + request.answer_url.rsplit("/", 3)[1])

    def fetch_recording(self, sid: str) -> bytes:
        """The sound, a piece at a time. Raises CarrierGone."""
        try:
            sound = (self._folder / f"{sid}.wav").read_bytes()
        except FileNotFoundError:
            raise CarrierGone(sid) from None
        self._take_time()
        return sound

    def delete_recording(self, sid: str) -> None:
        """Delete it, also again."""
        self._take_time()
        (self._folder / f"{sid}.wav").unlink(missing_ok=True)

    def hang_up(self, sid: str, *, ringing_only: bool = False) -> None:
        """Nobody asks."""

    def redirect(self, sid: str, url: str, limit_seconds: int | None = None) -> None:
        """Nobody asks."""

    def hold(self, room: str, call_sid: str, on: bool, url: str) -> None:
        """Nobody asks."""

    def mute(self, room: str, call_sid: str, on: bool) -> None:
        """Nobody asks."""

    def fetch_call(self, sid: str) -> CarrierCall:
        """Nobody asks."""
        raise CarrierGone(sid)

    def find_calls(self, to: str, since: datetime) -> list[CarrierCall]:
        """Nobody asks."""
        return []

    def _take_time(self) -> None:
        time.sleep(random.uniform(0, LONGEST_SECONDS / 2))
        while (self._folder / "hold").exists():
            time.sleep(0.02)


def probed(name: str, job: Callable[[int, int], object], folder: Path) -> Callable[[int, int], object]:
    """The job, noted when it begins, and noted as a fault when the same one runs elsewhere."""

    def run(row_id: int, epoch: int = 0) -> object:
        note(folder / "begun", f"{name}-{row_id}-{epoch}")
        with (folder / f"{name}-{row_id}-{epoch}.probe").open("w") as probe:
            try:
                fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                note(folder / "twice", f"{name}-{row_id}-{epoch}")
            return job(row_id, epoch)

    return run


def listen(folder: Path, wav: bytes, *rest: object) -> Transcript:
    """A recogniser that writes down that it was asked, and understands a word."""
    note(folder / "listened", f"{len(wav)} bytes")
    while (folder / "hold").exists():
        time.sleep(0.02)
    return Transcript((Word("建议", 0.0, 0.5, 0.9),))


def work(house: House, queue: str) -> None:
    """Be a worker of the house."""
    runtime.install(replace(house.runtime(), speech_models={"zh": house.data}))
    connection = valkey.client("", house.data, blocking=True)
    open_worker(queue, connection, house.data, lambda: house.engine.dispose(close=False)).work(logging_level="CRITICAL")


def main(queue: str, workers: int, folder: Path) -> None:
    """Keep the workers until a signal ends this process, and them with it."""
    configure_mappers()
    house = replace(open_house(), own_carrier=FolderCarrier(folder))
    transcribing.recognise = partial(listen, folder)
    for name in QUEUES:
        setattr(jobs, name, probed(name, getattr(jobs, name), folder))
    keeper, alive = os.getpid(), set[int]()
    while True:
        while len(alive) < workers:
            child = os.fork()
            if child == 0:
                die_with(keeper)
                os.setpgrp()
                try:
                    work(house, queue)
                except BaseException:
                    traceback.print_exc()
                    sys.stderr.flush()
                os._exit(1)
            alive.add(child)
        ended, _ = os.wait()
        alive.discard(ended)
        time.sleep(0.2)  # as long as our supervisor needs at least


@contextmanager
def kept(engine: Engine, folder: Path, queue: str, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """The keeper as a process, for the length of the block; database and clock (`<folder>/clock`) are the test's own."""
    given = {
        "ENVIRONMENT": "test", "DATA": str(folder), "CLOCK_FILE": str(folder / "clock"), "PII_KEYS": RING, "CALLER_ID": CALLER_ID,
        "DATABASE_URL": engine.url.render_as_string(hide_password=False), "CONCURRENT_CALLS": "10000", "CALLS_PER_SECOND": "1000",
    }  # fmt: skip
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.worker.probed", queue, str(workers), str(folder)], cwd=ROOT,
        env={**os.environ, **{f"HUIFANG_{name}": value for name, value in given.items()}}, preexec_fn=partial(die_with, os.getpid()),
    )  # fmt: skip
    try:
        yield keeper
    finally:
        keeper.terminate()
        keeper.wait(timeout=30)


def until(holds: Callable[[], object], keeper: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until it holds, with the keeper at work all the time."""
    end = time.monotonic() + seconds
    while not holds():
        assert keeper.poll() is None, "the workers' keeper has ended"
        assert time.monotonic() < end, "it did not come to an end"
        time.sleep(0.05)


def lines(folder: Path, name: str) -> Counter[str]:
    """The lines of a file of notes, counted."""
    path = folder / name
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
