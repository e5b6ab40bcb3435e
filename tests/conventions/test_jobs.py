"""Job names resolve, and no RQ feature carries a promise (RS40)."""

import ast
import inspect
from importlib import import_module

import pytest

from tests.conventions.sources import ROOT, sources
from worker.queues import JOB_SECONDS, QUEUES

FORBIDDEN = ("enqueue_in", "enqueue_at", "enqueue_many", "Retry(", "rq.cron", "worker-pool", "WorkerPool", "RQScheduler", "with_scheduler",
             "pickle", "RateLimit(")  # fmt: skip

IN_JOBS = (
    "worker/",
    "survey/fieldwork/",
    "survey/casework/",
    "survey/store/",
    "speech/",
    "ivr/carrier/base",
    "ivr/carrier/twilio",
    "ivr/notices/",
    "ivr/measures",
)
OUTSIDE_JOBS = ("worker/foreign.py",)
"""It is told of a job that has failed, when its time-out is no longer set."""


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


def test_nothing_that_runs_in_a_job_swallows_its_time_out() -> None:
    """RQ's JobTimeoutException is an Exception, raised once: whoever catches all exceptions must raise them again (RS42)."""
    own = [source for source in sources() if source.path.startswith(IN_JOBS) and source.path not in OUTSIDE_JOBS]

    assert [fault for source in own for fault in swallowing(source.path, source.tree)] == []


def test_the_check_finds_what_swallows() -> None:
    swallows = "try:\n    work()\nexcept Exception:\n    pass"

    assert swallowing("x.py", ast.parse(swallows)) == ["x.py:3"]
    assert swallowing("x.py", ast.parse(swallows.replace("except Exception", "except"))) == ["x.py:3"]
    assert swallowing("x.py", ast.parse(swallows.replace("pass", "raise"))) == []
    assert swallowing("x.py", ast.parse(swallows.replace("Exception", "ValueError"))) == []


def swallowing(path: str, tree: ast.Module) -> list[str]:
    """Handlers for all exceptions that do not end in a `raise` of their own."""
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    everything = [node for node in handlers if node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")]
    return [f"{path}:{node.lineno}" for node in everything if not any(isinstance(part, ast.Raise) for part in ast.walk(node))]
