"""What the processes count while they work: web-hooks, jobs, requests to the carrier.

Each process counts for itself; `config.metrics` adds up what all have counted. A label takes its value from a short list in the
program, never from outside: no number, name, token or id. Names, units and formulas stand in `docs/metrics.md`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()
HOOK_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 15.0)
"""So narrow below a second that the 99th of a hundred is told (P5), and up to where the carrier gives up."""

WORK_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)
FOREIGN = "foreign"
"""The label of a job that is none of ours: its own name comes from outside."""

_hook_seconds = Histogram(
    "huifang_webhook_seconds", "Time from a web-hook's arrival to its answer", ["route"], buckets=HOOK_SECONDS, registry=REGISTRY
)
_hooks_refused = Counter("huifang_webhooks_refused", "Web-hooks that the guard refused", ["status"], registry=REGISTRY)
_hooks_failed = Counter("huifang_webhooks_failed", "Web-hooks that ended in an excuse or a 503", ["route"], registry=REGISTRY)
_turns = Counter("huifang_turns", "Round trips of conversations", ["kind"], registry=REGISTRY)
_job_seconds = Histogram("huifang_job_seconds", "Time that a job took", ["job"], buckets=WORK_SECONDS, registry=REGISTRY)
_jobs = Counter("huifang_jobs", "Jobs that ended", ["job", "result"], registry=REGISTRY)
_carrier_seconds = Histogram(
    "huifang_carrier_seconds", "Time that the carrier's API took to answer", ["operation"], buckets=WORK_SECONDS, registry=REGISTRY
)
_carrier_requests = Counter("huifang_carrier_requests", "Requests to the carrier's API", ["operation", "outcome"], registry=REGISTRY)


def hook_answered(route: str, seconds: float) -> None:
    """A web-hook was answered; `route` is the endpoint's name, or `refused`."""
    _hook_seconds.labels(route).observe(seconds)


def hook_refused(status: int) -> None:
    """The guard refused a request."""
    _hooks_refused.labels(str(status)).inc()


def hook_failed(route: str) -> None:
    """A web-hook could not be served: the person heard an excuse, or the carrier was asked to come again."""
    _hooks_failed.labels(route).inc()


def turn_taken(kind: str) -> None:
    """A round trip was answered: `new`, `repeat` (from the store), `ahead` (of where the call stands), `over`."""
    _turns.labels(kind).inc()


def job_refused() -> None:
    """A job that is none of ours was found in the queue."""
    _jobs.labels(FOREIGN, "refused").inc()


@contextmanager
def job(name: str) -> Iterator[None]:
    """Time a job and count how it ends: `done`, `over_time`, `failed`."""
    began, result = time.perf_counter(), "failed"
    try:
        yield
        result = "done"
    except BaseException as problem:
        result = "over_time" if type(problem).__name__ == "JobTimeoutException" else "failed"
        raise
    finally:
        _job_seconds.labels(name).observe(time.perf_counter() - began)
        _jobs.labels(name, result).inc()


def carrier_asked(operation: str, outcome: str, seconds: float) -> None:
    """The carrier's API was asked; `outcome` is one word of ours."""
    _carrier_seconds.labels(operation).observe(seconds)
    _carrier_requests.labels(operation, outcome).inc()
