"""Our worker classes, on the embedded server, with real workers in processes of their own."""

import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from config import valkey
from tests import embedded
from worker import worker
from worker.queues import QUEUES, RqJobQueue

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90.0
"""Who has waited for so long waits for something that hangs."""

HARMLESS = '["worker.jobs.settle", null, [1, 0], {}]'


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("valkey")
    with embedded.running(folder):
        yield folder


@pytest.fixture
def redis(data: Path) -> Redis:
    redis = valkey.client("", data)
    redis.flushdb()
    return redis


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


class Outside:
    """A worker in a process of its own. Its jobs note their names and arguments in a file and then do as `body` says."""

    def __init__(self, data: Path, notes: Path, queue: str, body: str = "pass") -> None:
        self.notes = notes
        program = f"""
import logging, os, sys, time, types
import worker
from pathlib import Path
logging.basicConfig(level="CRITICAL")
def note(name):
    return lambda: open(Path({str(notes)!r} + "-" + name), "a").write(f"{{os.getpid()}}\\n")
def job(name):
    def run(row_id, epoch=0):
        with open({str(notes)!r}, "a") as file: file.write(f"{{name}} {{row_id}} {{epoch}} {{os.getpid()}}\\n")
        {body}
    return run
from worker.queues import QUEUES
jobs = types.ModuleType("worker.jobs")
for name in QUEUES: setattr(jobs, name, job(name))
jobs.callback = lambda *everything: note("callback")()
sys.modules["worker.jobs"] = worker.jobs = jobs
from config import valkey
from worker.worker import open_worker
data = Path({str(data)!r})
open_worker({queue!r}, valkey.client("", data, blocking=True), data, note("forked")).work(logging_level="CRITICAL")
"""
        self.process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)

    def noted(self) -> list[list[str]]:
        return [line.split() for line in self.notes.read_text().splitlines()] if self.notes.exists() else []

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE_SECONDS)


@pytest.fixture
def start(data: Path, tmp_path: Path) -> Iterator[Callable[..., Outside]]:
    started: list[Outside] = []

    def open_one(queue: str, body: str = "pass") -> Outside:
        started.append(Outside(data, tmp_path / f"notes-{len(started)}", queue, body))
        return started[-1]

    yield open_one
    for outside in started:
        if outside.process.poll() is None:
            outside.process.kill()
            outside.process.wait()


def plant(redis: Redis, queue: str, job_id: str, payload: bytes, **fields: str) -> None:
    """Put a job into a queue by hand, as somebody would who can write to our Redis."""
    moment = "2026-03-10T02:00:00.000000Z"
    common = {"created_at": moment, "enqueued_at": moment, "status": "queued", "origin": queue, "timeout": "60", "description": "x"}
    redis.hset(f"rq:job:{job_id}", mapping={**common, "data": payload, **fields})
    redis.sadd("rq:queues", f"rq:queue:{queue}")
    redis.rpush(f"rq:queue:{queue}", job_id)


@pytest.mark.parametrize("name", sorted(QUEUES))
def test_a_job_reaches_its_function_with_its_ids_and_leaves_nothing(redis: Redis, start: Callable[..., Outside], name: str) -> None:
    RqJobQueue(redis).enqueue(name, 17, 3)

    outside = start(QUEUES[name])

    wait_until(outside.noted)
    assert outside.noted()[0][:3] == [name, "17", "3"]
    wait_until(lambda: not redis.exists(f"rq:job:{name}-17-3"))


@pytest.mark.parametrize("name", ["with a blank", "数据 回访"])
def test_a_worker_works_from_a_folder_with_a_blank_in_its_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with embedded.running(folder) as redis:
        outside = Outside(folder, tmp_path / "notes", "settle")
        RqJobQueue(redis).enqueue("settle", 17, 3)
        wait_until(lambda: outside.noted() or outside.process.poll() is not None)
        assert [words[:3] for words in outside.noted()] == [["settle", "17", "3"]]
        assert outside.stop() == 0


def test_a_finished_job_can_be_asked_for_again_at_once(redis: Redis, start: Callable[..., Outside]) -> None:
    queue, outside = RqJobQueue(redis), start("settle")
    for count in (1, 2, 3):
        queue.enqueue("settle", 9)
        wait_until(lambda count=count: len(outside.noted()) == count)
        wait_until(lambda: not redis.exists("rq:job:settle-9-0"))


PLANTED = {
    "os.system": b'["os.system", null, ["touch %s"], {}]',
    "builtins.eval": b"[\"builtins.eval\", null, [\"open('%s', 'w')\"], {}]",
    "unknown function": b'["worker.jobs.sweep", null, [1, 0], {}]',
    "an attribute of a job module": b'["worker.jobs.os.system", null, ["touch %s"], {}]',
    "text for an id": b'["worker.jobs.settle", null, ["touch %s", 0], {}]',
    "keywords": b'["worker.jobs.settle", null, [1, 0], {"row_id": 2}]',
    "no JSON": b"\x80\x04cos\nsystem\n(S'touch %s'\ntR.",
    "ten megabytes": b'["worker.jobs.settle", null, [1, 0, "' + b"x" * 10_000_000 + b'"], {}]',
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_job_is_not_run_and_the_worker_lives(redis: Redis, start: Callable[..., Outside], tmp_path: Path, kind: str) -> None:
    harm = tmp_path / "harm"
    plant(redis, "settle", "planted", zlib.compress(PLANTED[kind].replace(b"%s", str(harm).encode())))
    RqJobQueue(redis).enqueue("settle", 5)

    outside = start("settle")

    wait_until(outside.noted)
    assert [note[:3] for note in outside.noted()] == [["settle", "5", "0"]]
    assert not harm.exists()
    assert outside.process.poll() is None


@pytest.mark.parametrize(("callback", "body"), [("success_callback_name", "pass"), ("failure_callback_name", "raise ValueError")])
def test_a_planted_callback_is_not_called(redis: Redis, start: Callable[..., Outside], callback: str, body: str) -> None:
    plant(redis, "settle", "planted", zlib.compress(HARMLESS.encode()), **{callback: "worker.jobs.callback"})
    RqJobQueue(redis).enqueue("settle", 5)

    outside = start("settle", body)

    wait_until(lambda: len(outside.noted()) == 2)
    assert not Path(f"{outside.notes}-callback").exists()
    assert outside.process.poll() is None


def test_a_job_that_fails_leaves_the_worker_alive(redis: Redis, start: Callable[..., Outside]) -> None:
    queue = RqJobQueue(redis)
    queue.enqueue("settle", 1)
    queue.enqueue("settle", 2)

    outside = start("settle", "raise ValueError('no')")

    wait_until(lambda: len(outside.noted()) == 2)
    assert outside.process.poll() is None
    assert 0 < redis.ttl("rq:job:settle-1-0") <= 60


def test_a_killed_worker_takes_its_child_along(
    redis: Redis, start: Callable[..., Outside], record_property: Callable[[str, object], None]
) -> None:
    RqJobQueue(redis).enqueue("fetch_recording", 1)
    outside = start("recordings", "time.sleep(600)")
    wait_until(outside.noted)
    child = int(outside.noted()[0][3])
    assert child != outside.process.pid

    killed = time.monotonic()
    outside.process.kill()
    outside.process.wait()

    wait_until(lambda: not is_running(child))
    record_property("told", f"RS38: the child of a killed worker is gone after {time.monotonic() - killed:.1f} s")


def test_each_child_drops_what_the_fork_has_copied_before_its_job(redis: Redis, start: Callable[..., Outside]) -> None:
    RqJobQueue(redis).enqueue("fetch_recording", 1)

    outside = start("recordings")

    wait_until(outside.noted)
    assert Path(f"{outside.notes}-forked").read_text().split() == [outside.noted()[0][3]]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_short_jobs_run_without_a_fork(redis: Redis, start: Callable[..., Outside]) -> None:
    RqJobQueue(redis).enqueue("dial", 1)

    outside = start("dial")

    wait_until(outside.noted)
    assert int(outside.noted()[0][3]) == outside.process.pid


def test_a_killed_child_fails_its_job_but_not_the_worker(redis: Redis, start: Callable[..., Outside]) -> None:
    queue = RqJobQueue(redis)
    queue.enqueue("fetch_recording", 1)
    outside = start("recordings", "os.kill(os.getpid(), 9)")
    wait_until(outside.noted)

    queue.enqueue("fetch_recording", 2)

    wait_until(lambda: len(outside.noted()) == 2)
    assert outside.process.poll() is None


def test_a_job_over_time_ends_and_the_worker_goes_on(redis: Redis, start: Callable[..., Outside]) -> None:
    plant(redis, "settle", "long", zlib.compress(HARMLESS.encode()), timeout="1")
    RqJobQueue(redis).enqueue("settle", 5)

    outside = start("settle", "if row_id == 1: time.sleep(600)")

    wait_until(lambda: len(outside.noted()) == 2)
    assert outside.process.poll() is None


@pytest.mark.parametrize("queue", ["settle", "recordings"])
def test_a_job_that_is_stuck_in_c_ends_its_process(redis: Redis, start: Callable[..., Outside], queue: str) -> None:
    name = {"settle": "settle", "recordings": "fetch_recording"}[queue]
    plant(redis, queue, "stuck", zlib.compress(f'["worker.jobs.{name}", null, [1, 0], {{}}]'.encode()), timeout="1")

    outside = start(queue, "import collections, itertools; collections.deque(itertools.repeat(0), maxlen=0)")  # deaf to signals

    wait_until(outside.noted)
    worked = int(outside.noted()[0][3])
    wait_until(lambda: not is_running(worked), seconds=worker.DEAF_SECONDS + PATIENCE_SECONDS)


def test_sigterm_lets_the_running_job_finish(redis: Redis, start: Callable[..., Outside], tmp_path: Path) -> None:
    RqJobQueue(redis).enqueue("settle", 1)
    done = tmp_path / "done"
    outside = start("settle", f"time.sleep(0.5); open({str(done)!r}, 'w')")
    wait_until(outside.noted)

    assert outside.stop() == 0

    assert done.exists()


def test_a_worker_is_back_at_work_after_its_server_was_away(tmp_path: Path, start: Callable[..., Outside]) -> None:
    folder = tmp_path / "own"
    first = embedded.start(folder)
    outside = Outside(folder, tmp_path / "notes", "settle")
    connection = valkey.client("", folder)
    wait_until(lambda: connection.smembers("rq:workers"))
    first.send_signal(signal.SIGKILL)
    first.wait()

    with embedded.running(folder) as redis:
        RqJobQueue(redis).enqueue("settle", 1)
        wait_until(outside.noted)
    outside.process.kill()
    outside.process.wait()


def test_workers_are_set_as_the_leases_in_the_database_expect(data: Path) -> None:
    connection = valkey.client("", data, blocking=True)
    opened = [worker.open_worker(queue, connection, data, lambda: None) for queue in sorted(set(QUEUES.values()))]

    assert {len(found.queues) for found in opened} == {1}
    assert {(found.worker_ttl, found.maintenance_interval, found.job_monitoring_interval) for found in opened} == {(30, 15, 5)}
    assert len({found.name for found in opened}) == len(opened)
    forking = {found.queues[0].name for found in opened if type(found).__name__ == "ForkingWorker"}
    assert forking == {"recordings", "transcripts"}


def test_a_queue_that_nobody_fills_gets_no_worker(data: Path) -> None:
    with pytest.raises(KeyError):
        worker.open_worker("dial,settle", valkey.client("", data), data, lambda: None)


def test_the_parent_that_is_already_gone_is_noticed() -> None:
    program = "import os\nfrom worker.parents import die_with\ndie_with(os.getppid() + 1)\nprint('still here')"

    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env={**os.environ}, capture_output=True, check=False)

    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, b"")
