"""The job queues, against the embedded server."""

import json
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from config import valkey
from tests import embedded
from worker.queues import FAILURE_SECONDS, QUEUES, InlineQueue, RqJobQueue


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with embedded.running(tmp_path_factory.mktemp("valkey")) as redis:
        yield redis


@pytest.fixture
def redis(server: Redis) -> Redis:
    server.flushdb()
    return server


def test_a_job_is_a_name_and_two_numbers_in_json(redis: Redis) -> None:
    RqJobQueue(redis).enqueue("dial", 17, 3)

    job = redis.hgetall("rq:job:dial-17-3")
    assert json.loads(zlib.decompress(job[b"data"])) == ["worker.jobs.dial", None, [17, 3], {}]
    assert job[b"description"] == b"dial 17"
    assert (int(job[b"result_ttl"]), int(job[b"failure_ttl"])) == (0, FAILURE_SECONDS)
    assert redis.lrange("rq:queue:dial", 0, -1) == [b"dial-17-3"]


def test_waking_twice_leaves_one_job(redis: Redis) -> None:
    queue = RqJobQueue(redis)

    queue.enqueue("settle", 5, 1)
    queue.enqueue("settle", 5, 1)
    queue.enqueue("settle", 5, 2)

    assert redis.llen("rq:queue:settle") == 2


def test_a_server_that_is_down_does_not_stop_the_caller(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    queue = RqJobQueue(valkey.client("", tmp_path))

    with caplog.at_level(logging.WARNING):
        queue.enqueue("dial", 1)

    assert caplog.records[0].action == "wake_lost"


def test_a_job_that_does_not_exist_is_refused(redis: Redis) -> None:
    with pytest.raises(KeyError):
        RqJobQueue(redis).enqueue("delete_everything", 1)
    with pytest.raises(KeyError):
        InlineQueue().enqueue("delete_everything", 1)


def test_the_inline_queue_runs_in_order_and_also_what_jobs_ask_for() -> None:
    queue, ran = InlineQueue(), []

    def run(job: str, row_id: int, epoch: int) -> None:
        ran.append((job, row_id))
        if job == "dial":
            queue.enqueue("settle", row_id)

    queue.enqueue("dial", 1)
    queue.enqueue("dial", 1)
    queue.enqueue("dial", 2)
    assert queue.waiting == (("dial", 1, 0), ("dial", 2, 0))

    assert queue.drain(run) == 4
    assert ran == [("dial", 1), ("dial", 2), ("settle", 1), ("settle", 2)]
    assert queue.waiting == ()


def test_every_job_waits_in_one_queue() -> None:
    assert set(QUEUES.values()) == {"dial", "settle", "desk", "recordings", "transcripts", "notices"}


def test_whoever_is_at_the_telephone_waits_behind_nothing_but_other_telephones() -> None:
    assert {name for name, queue in QUEUES.items() if queue == "desk"} == {"ring_desk", "leave_desk", "let_go", "steer_room"}
