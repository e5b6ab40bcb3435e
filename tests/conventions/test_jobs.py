"""Job names resolve, and no RQ feature carries a promise (RS40)."""

import inspect
from importlib import import_module

import pytest

from tests.conventions.sources import ROOT, sources
from worker.queues import JOB_SECONDS, QUEUES

FORBIDDEN = ("enqueue_in", "enqueue_at", "enqueue_many", "Retry(", "rq.cron", "worker-pool", "WorkerPool", "RQScheduler", "with_scheduler",
             "pickle", "RateLimit(")  # fmt: skip


@pytest.mark.parametrize("name", sorted(QUEUES))
def test_a_job_name_is_a_function_of_two_numbers(name: str) -> None:
    job = getattr(import_module("worker.jobs"), name)

    parameters = list(inspect.signature(job).parameters.values())
    assert len(parameters) == 2
    assert {parameter.annotation for parameter in parameters} == {int}


def test_every_job_that_is_asked_for_has_a_queue() -> None:
    asked = set()
    for source in sources():
        for line in (ROOT / source.path).read_text("utf-8").splitlines():
            asked |= {line.split('.later("', 1)[1].split('"')[0]} if '.later("' in line else set()

    assert asked
    assert asked <= set(QUEUES)


def test_every_job_has_its_time() -> None:
    assert JOB_SECONDS.keys() == QUEUES.keys()


def test_no_forbidden_feature_of_the_queue_is_used() -> None:
    found = [
        f"{source.path}: {word}"
        for source in sources()
        if source.package in ("worker", "config")
        for word in FORBIDDEN
        if word in (ROOT / source.path).read_text("utf-8") and "redis.retry" not in word
    ]

    assert [fault for fault in found if not fault.startswith("config/valkey.py: Retry(")] == []
