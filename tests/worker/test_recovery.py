"""What becomes of a job in whose middle its worker is killed (RS38), or at whose end Redis is away (E5d): it is done once."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from config import valkey
from config.clock import SharedClock
from survey.store.models import Recording
from survey.store.queries.fieldwork import open_recordings
from survey.store.sealing import place
from tests import embedded
from tests.chaos.house import processes
from tests.conftest import ON_SQLITE_ALONE
from tests.survey.fieldwork.conftest import Ground, ground
from tests.worker.probed import kept, lines, until
from tests.worker.test_probe_lock import announce
from worker.queues import RqJobQueue

__all__ = ["ground"]

PATIENCE_SECONDS = 90.0
RECOVERY_SECONDS = 60.0
AWAY_SECONDS = 2.0
Told = Callable[[str, object], None]


@pytest.fixture
def folder(ground: Ground, tmp_path: Path) -> Path:
    """A data folder with the survey's clock, and a carrier that does not answer yet."""
    SharedClock.create(tmp_path / "clock", ground.now)
    (tmp_path / "hold").touch()
    return tmp_path


@pytest.fixture
def redis(folder: Path) -> Iterator[None]:
    with embedded.running(folder):
        yield


def family(keeper: int) -> set[int]:
    """The keeper's worker and the worker's child."""
    found = list(processes())
    workers = {each.pid for each in found if each.parent == keeper}
    return workers | {each.pid for each in found if each.parent in workers}


def kept_sound(ground: Ground, folder: Path) -> bytes | None:
    """What lies in the only recording's file, opened; None as long as it is not kept."""
    with ground.sessions() as session:
        recording = session.scalars(select(Recording)).one()
    if recording.state != "kept" or recording.carrier_copy_deleted_at is None:
        return None
    return ground.office.keys.open_bytes((folder / str(recording.path)).read_bytes(), place("recordings", "path", recording.public_id))


@pytest.mark.usefixtures("redis")
@ON_SQLITE_ALONE
def test_a_recordings_worker_killed_in_a_long_fetch_costs_less_than_a_minute(ground: Ground, folder: Path, record_property: Told) -> None:
    ((sid, sound),) = announce(ground, folder, 1).items()
    queue = RqJobQueue(valkey.client("", folder))
    clock = SharedClock(folder / "clock")
    clock.run(ground.now)

    def sweep() -> None:
        with ground.sessions() as session:
            for recording_id in open_recordings(session, clock.now()):
                queue.enqueue("fetch_recording", recording_id)

    sweep()
    with kept(ground.engine, folder, "recordings", 1) as keeper:
        until(lambda: lines(folder, "begun"), keeper, PATIENCE_SECONDS)
        until(lambda: len(family(keeper.pid)) == 2, keeper, PATIENCE_SECONDS)
        (worker,) = (each.pid for each in processes() if each.parent == keeper.pid)
        (child,) = family(keeper.pid) - {worker}
        killed = time.monotonic()
        os.kill(worker, signal.SIGKILL)
        (folder / "hold").unlink()
        until(lambda: child not in {each.pid for each in processes()}, keeper, PATIENCE_SECONDS)
        gone = time.monotonic() - killed

        until(lambda: sweep() or kept_sound(ground, folder), keeper, PATIENCE_SECONDS)
        seconds = time.monotonic() - killed

    record_property("told", f"a recordings worker was killed: its child gone {gone:.1f} s, the sound stored {seconds:.0f} s later")
    assert kept_sound(ground, folder) == sound
    assert not (folder / f"{sid}.wav").exists()
    assert seconds < RECOVERY_SECONDS


@ON_SQLITE_ALONE
def test_a_call_whose_job_ends_while_redis_is_away_is_not_placed_again(ground: Ground, folder: Path) -> None:
    server = embedded.start(folder)
    ground.launch(1)
    (attempt_id,) = ground.claim()
    RqJobQueue(valkey.client("", folder)).enqueue("dial", attempt_id)
    with kept(ground.engine, folder, "dial", 1) as keeper:
        until(lambda: lines(folder, "placed"), keeper, PATIENCE_SECONDS)
        before = family(keeper.pid)

        _be_away(server, folder)
        until(lambda: ground.attempt(attempt_id).status == "placed", keeper, PATIENCE_SECONDS)
        until(lambda: not before & family(keeper.pid), keeper, PATIENCE_SECONDS)
        time.sleep(AWAY_SECONDS)
        with embedded.running(folder) as redis:
            until(lambda: lines(folder, "begun").total() == 2, keeper, PATIENCE_SECONDS)
            until(lambda: not redis.keys("rq:job:*"), keeper, PATIENCE_SECONDS)

    assert lines(folder, "placed").total() == 1
    assert not lines(folder, "twice")


@ON_SQLITE_ALONE
def test_a_sound_whose_job_ends_while_redis_is_away_is_there_once(ground: Ground, folder: Path) -> None:
    server = embedded.start(folder)
    ((_, sound),) = announce(ground, folder, 1).items()
    RqJobQueue(valkey.client("", folder)).enqueue("fetch_recording", 1)
    with kept(ground.engine, folder, "recordings", 1) as keeper:
        until(lambda: len(family(keeper.pid)) == 2 and lines(folder, "begun"), keeper, PATIENCE_SECONDS)
        before = family(keeper.pid)

        _be_away(server, folder)
        until(lambda: kept_sound(ground, folder), keeper, PATIENCE_SECONDS)
        until(lambda: not before & family(keeper.pid), keeper, PATIENCE_SECONDS)
        with embedded.running(folder) as redis:
            until(lambda: not redis.keys("rq:job:*"), keeper, PATIENCE_SECONDS)

    assert kept_sound(ground, folder) == sound
    assert not lines(folder, "twice")


def _be_away(server: subprocess.Popen[bytes], folder: Path) -> None:
    """End the server, then let the job end."""
    server.terminate()
    server.wait(timeout=20)
    (folder / "hold").unlink()
