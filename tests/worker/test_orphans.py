"""A worker's death costs its jobs seconds, not the minutes that RQ takes: they are in their queue again, whatever went on (RS38, P6)."""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from config import valkey
from tests import embedded
from tests.worker.test_worker import PATIENCE_SECONDS, Outside, is_running, wait_until
from worker import orphans
from worker.orphans import MOST_DEATHS, SurveyQueue, take_back
from worker.presence import FOLDER, Presence
from worker.queues import QUEUES, RqJobQueue

FOR_EVER = "time.sleep(600)"
KINDS = [("settle", "settle"), ("fetch_recording", "recordings")]
"""A job for each kind of worker."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("orphans")
    with embedded.running(folder):
        yield folder


@pytest.fixture
def redis(data: Path) -> Redis:
    redis = valkey.client("", data)
    redis.flushdb()
    for path in (data / FOLDER).rglob("*.*"):
        path.unlink()
    return redis


@pytest.fixture
def start(data: Path, tmp_path: Path) -> Iterator[Callable[..., Outside]]:
    """Starts workers that write into one file, and ends what a test leaves of them."""
    started: list[Outside] = []

    def open_one(queue: str, body: str = "pass") -> Outside:
        started.append(Outside(data, tmp_path / "notes", queue, body))
        return started[-1]

    yield open_one
    for outside in started:
        if outside.process.poll() is None:
            outside.process.kill()
            outside.process.wait()


def kill(outside: Outside) -> None:
    outside.process.kill()
    outside.process.wait()


def is_idle(redis: Redis, queue: str) -> bool:
    """Nothing waits, nothing is under way, nothing has begun, no id is taken."""
    lists = redis.llen(f"rq:queue:{queue}"), redis.llen(f"rq:queue:{queue}:intermediate"), redis.zcard(f"rq:wip:{queue}")
    return lists == (0, 0, 0) and not redis.keys("rq:job:*")


@pytest.mark.parametrize(("name", "queue"), KINDS)
def test_a_killed_workers_job_runs_again_with_the_next_worker(
    redis: Redis, start: Callable[..., Outside], name: str, queue: str, record_property: Callable[[str, object], None]
) -> None:
    RqJobQueue(redis).enqueue(name, 7, 2)
    first = start(queue, FOR_EVER)
    wait_until(first.noted)
    kill(first)
    began = time.monotonic()

    second = start(queue)

    wait_until(lambda: len(second.noted()) == 2)
    record_property("told", f"{name}: runs again {time.monotonic() - began:.1f} s after the start of the next worker")
    assert [words[:3] for words in second.noted()] == [[name, "7", "2"]] * 2
    wait_until(lambda: is_idle(redis, queue))


def test_a_forking_workers_child_is_gone_before_its_job_is_brought_back(
    redis: Redis, start: Callable[..., Outside], record_property: Callable[[str, object], None]
) -> None:
    RqJobQueue(redis).enqueue("fetch_recording", 1)
    first = start("recordings", FOR_EVER)
    wait_until(first.noted)
    child = int(first.noted()[0][3])
    killed = time.monotonic()
    kill(first)
    wait_until(lambda: not is_running(child))
    record_property("told", f"RS38: the child is gone {time.monotonic() - killed:.1f} s after its worker")

    second = start("recordings")

    wait_until(lambda: len(second.noted()) == 2)


def test_as_long_as_a_child_outlives_its_worker_the_job_is_nobody_elses(data: Path, redis: Redis, start: Callable[..., Outside]) -> None:
    RqJobQueue(redis).enqueue("fetch_recording", 1)
    first = start("recordings", "import worker.parents; worker.parents._libc.prctl(1, 0, 0, 0, 0); " + FOR_EVER)  # lives on
    wait_until(first.noted)
    child = int(first.noted()[0][3])
    kill(first)
    queue = SurveyQueue("recordings", connection=redis)

    assert is_running(child)
    assert take_back(queue, Presence(data, "recordings")) == 0

    os.kill(child, signal.SIGKILL)
    wait_until(lambda: not is_running(child))
    wait_until(lambda: take_back(queue, Presence(data, "recordings")) == 1)
    assert redis.lrange("rq:queue:recordings", 0, -1) == [b"fetch_recording-1-0"]


def test_a_worker_that_only_stands_still_keeps_its_job(redis: Redis, data: Path, start: Callable[..., Outside]) -> None:
    RqJobQueue(redis).enqueue("settle", 1)
    first = start("settle", FOR_EVER)
    wait_until(first.noted)
    os.kill(first.process.pid, signal.SIGSTOP)

    assert take_back(SurveyQueue("settle", connection=redis), Presence(data, "settle")) == 0

    assert redis.llen("rq:queue:settle") == 0
    assert redis.zcard("rq:wip:settle") == 1


def test_workers_of_another_machine_and_another_house_are_left_alone(
    redis: Redis, data: Path, tmp_path: Path, start: Callable[..., Outside], monkeypatch: pytest.MonkeyPatch
) -> None:
    RqJobQueue(redis).enqueue("settle", 1)
    first = start("settle", FOR_EVER)
    wait_until(first.noted)
    kill(first)  # what its own machine sees; another one cannot know
    queue = SurveyQueue("settle", connection=redis)

    assert take_back(queue, Presence(tmp_path / "another house", "settle")) == 0
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "uname", lambda: os.uname_result(("Linux", "elsewhere", "", "", "")))
        assert take_back(queue, Presence(data, "settle")) == 0
    assert redis.zcard("rq:wip:settle") == 1

    assert take_back(queue, Presence(data, "settle")) == 1


def test_each_death_is_seen_to_once(redis: Redis, data: Path, start: Callable[..., Outside]) -> None:
    RqJobQueue(redis).enqueue("settle", 1)
    first = start("settle", FOR_EVER)
    wait_until(first.noted)
    kill(first)
    queue, presence = SurveyQueue("settle", connection=redis), Presence(data, "settle")
    (path,) = (data / FOLDER).rglob("settle.*")
    with path.open("r+b") as looked_at:  # another worker is looking at this very moment
        fcntl.flock(looked_at, fcntl.LOCK_EX)
        assert take_back(queue, presence) == 0

    assert [take_back(queue, presence), take_back(queue, presence)] == [1, 0]
    assert redis.lrange("rq:queue:settle", 0, -1) == [b"settle-1-0"]
    assert not redis.smembers("rq:workers")
    assert not path.exists()


def test_a_job_that_rq_has_given_up_meanwhile_is_not_brought_back(redis: Redis, data: Path, start: Callable[..., Outside]) -> None:
    RqJobQueue(redis).enqueue("settle", 1)
    first = start("settle", FOR_EVER)
    wait_until(first.noted)
    kill(first)
    queue = SurveyQueue("settle", connection=redis)
    queue.started_job_registry.cleanup(timestamp=time.time() + 3600)

    assert take_back(queue, Presence(data, "settle")) == 0

    assert redis.llen("rq:queue:settle") == 0


def test_a_job_that_kills_every_worker_is_left_alone_after_some_deaths(redis: Redis, start: Callable[..., Outside]) -> None:
    RqJobQueue(redis).enqueue("settle", 1)
    for count in range(1, MOST_DEATHS + 2):
        deadly = start("settle", "if row_id == 1: os.kill(os.getpid(), 9)")
        deadly.process.wait(timeout=PATIENCE_SECONDS)
        assert len(deadly.noted()) == count

    last = start("settle", "if row_id == 1: os.kill(os.getpid(), 9)")
    RqJobQueue(redis).enqueue("settle", 2)

    wait_until(lambda: last.noted()[-1][:2] == ["settle", "2"])
    assert [words[1] for words in last.noted()].count("1") == MOST_DEATHS + 1


def test_a_worker_that_ends_well_leaves_no_file_behind(redis: Redis, data: Path, start: Callable[..., Outside]) -> None:
    outside = start("settle")
    wait_until(lambda: list((data / FOLDER).rglob("settle.*")))
    wait_until(lambda: any(redis.hget(worker, "state") in (b"idle", "idle") for worker in redis.smembers("rq:workers")))  # it hears signals

    assert outside.stop() == 0

    assert list((data / FOLDER).rglob("settle.*")) == []


def test_a_data_folder_that_cannot_be_written_does_not_keep_a_worker_from_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "run").write_text("not a folder")
    presence = Presence(tmp_path, "settle")

    presence.enter("somebody")

    assert [record.action for record in caplog.records] == ["worker.no_presence"]
    assert list(presence.departed()) == []
    presence.leave()


class Passing:
    """A job between its queue and a worker that died before it could say so."""

    def __init__(self, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        self.redis, self.queue = redis, SurveyQueue("settle", connection=redis)
        monkeypatch.setattr(orphans, "LOST_SECONDS", 1)
        self.take()

    def take(self) -> None:
        RqJobQueue(self.redis).enqueue("settle", 5)
        assert SurveyQueue.lmove(self.redis, self.queue.key, None) == (self.queue.key, b"settle-5-0")

    def look(self) -> list[bytes]:
        """Look after it, as every worker does from time to time; what waits in the queue then."""
        self.queue.intermediate_queue.cleanup(None, self.queue)
        return list(self.redis.lrange(self.queue.key, 0, -1))


@pytest.fixture
def passing(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Passing:
    return Passing(redis, monkeypatch)


def test_a_job_lost_between_queue_and_worker_is_put_back_once(passing: Passing) -> None:
    assert passing.look() == []

    wait_until(lambda: passing.look() == [b"settle-5-0"])

    assert passing.look() == [b"settle-5-0"]
    assert passing.redis.llen(f"{passing.queue.key}:intermediate") == 0


def test_the_same_id_on_its_way_another_time_is_not_lost(passing: Passing) -> None:
    passing.look()
    time.sleep(1.1)
    passing.redis.delete("rq:job:settle-5-0", f"{passing.queue.key}:intermediate")  # it was done after all
    passing.take()

    assert passing.look() == []


def test_what_has_no_job_any_more_is_struck_off(passing: Passing) -> None:
    passing.redis.delete("rq:job:settle-5-0")

    assert passing.look() == []
    assert passing.redis.llen(f"{passing.queue.key}:intermediate") == 0


def test_a_worker_that_dies_while_it_cleans_up_keeps_no_one_from_it_for_long(redis: Redis) -> None:
    for queue in sorted(set(QUEUES.values())):
        found = SurveyQueue(queue, connection=redis)
        assert found.acquire_maintenance_lock()
        assert not found.acquire_maintenance_lock()
        assert 0 < redis.ttl(found.registry_cleaning_key) <= 10
