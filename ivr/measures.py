"""What the processes count while they work: web-hooks, jobs, requests to the carrier.

Each process counts for itself; `config.metrics` adds up what all have counted. A label takes its value from a short list in the
program, never from outside: no number, name, token or id. Names, units and formulas stand in `docs/metrics.md`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()
HOOK_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 15.0)
"""So narrow below a second that the 99th of a hundred is told (P5), and up to where the carrier gives up."""

WORK_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)
FOREIGN = "foreign"
"""The label of a job that is none of ours: its own name comes from outside."""


@dataclass(frozen=True)
class Measure:
    """What is told about a metric in the documents: its name as scraped, its kind, its unit, its meaning, and its labels."""

    name: str
    kind: str
    unit: str
    meaning: str
    labels: tuple[str, ...]


MEASURES: list[Measure] = []
"""Every metric that is made here."""


def _counter(name: str, unit: str, meaning: str, *labels: str) -> Counter:
    MEASURES.append(Measure(f"huifang_{name}_total", "counter", unit, meaning, labels))
    return Counter(f"huifang_{name}", meaning, labels, registry=REGISTRY)


def _histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    MEASURES.append(Measure(f"huifang_{name}", "histogram", "seconds", meaning, labels))
    return Histogram(f"huifang_{name}", meaning, labels, buckets=buckets, registry=REGISTRY)


_hook_seconds = _histogram("webhook_seconds", "from a web-hook's arrival to its answer; refused ones apart", HOOK_SECONDS, "route")
_hooks_refused = _counter("webhooks_refused", "requests", "requests that the guard refused; 403: signature failures", "status")
_hooks_failed = _counter("webhooks_failed", "requests", "web-hooks that ended in an excuse to the person or a 503 to the carrier", "route")
_turns = _counter(
    "turns", "turns", "round trips: new, repeat (served from the store), ahead (out of order), over (a call that has ended)", "kind"
)
_job_seconds = _histogram("job_seconds", "time that a job took", WORK_SECONDS, "job")
_jobs = _counter("jobs", "jobs", "jobs that ended: done, failed, over_time, refused (none of ours)", "job", "result")
_carrier_seconds = _histogram("carrier_seconds", "time that the carrier's API took to answer", WORK_SECONDS, "operation")
_carrier_requests = _counter("carrier_requests", "requests", "requests to the carrier's API by what came of them", "operation", "outcome")

_notices = _counter(
    "notices", "tries", "tries to hand a notice over, by channel: sent, failed (tried again), given_up", "channel", "outcome"
)
_heard = _counter("heard", "utterances", "utterances at questions by what became of them: accepted, doubted, unclear, late", "outcome")
_hearing_seconds = _histogram("hearing_seconds", "from the end of what was said to the decision", HOOK_SECONDS)
_announcements_lost = _counter("announcements_lost", "changes", "changes of which open pages were not told, because Redis did not answer")
_sockets_refused = _counter("sockets_refused", "sockets", "live sockets of pages refused: full, deaf (Redis away), origin", "reason")
_streams_refused = _counter("streams_refused", "streams", "media streams refused: handshake, token, message, full", "reason")


def _count(counter: Counter, *labels: str) -> None:
    """Count one. A disk without room must not break the work that is counted."""
    with suppress(OSError):
        counter.labels(*labels).inc()


def _time(histogram: Histogram, seconds: float, *labels: str) -> None:
    with suppress(OSError):
        histogram.labels(*labels).observe(seconds)


def hook_answered(route: str, seconds: float) -> None:
    """A web-hook was answered; `route` is the endpoint's name, or `refused`."""
    _time(_hook_seconds, seconds, route)


def hook_refused(status: int) -> None:
    """The guard refused a request."""
    _count(_hooks_refused, str(status))


def hook_failed(route: str) -> None:
    """A web-hook could not be served: the person heard an excuse, or the carrier was asked to come again."""
    _count(_hooks_failed, route)


def turn_taken(kind: str) -> None:
    """A round trip was answered: `new`, `repeat` (from the store), `ahead` (of where the call stands), `over`."""
    _count(_turns, kind)


def job_refused() -> None:
    """A job that is none of ours was found in the queue."""
    _count(_jobs, FOREIGN, "refused")


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
        _time(_job_seconds, time.perf_counter() - began, name)
        _count(_jobs, name, result)


def carrier_asked(operation: str, outcome: str, seconds: float) -> None:
    """The carrier's API was asked; `outcome` is one word of ours."""
    _time(_carrier_seconds, seconds, operation)
    _count(_carrier_requests, operation, outcome)


def heard(outcome: str, seconds: float) -> None:
    """Somebody has said something at a question, and it was decided `seconds` after the end of the words."""
    _count(_heard, outcome)
    with suppress(OSError):
        _hearing_seconds.observe(seconds)


def stream_refused(reason: str) -> None:
    """A media stream was refused."""
    _count(_streams_refused, reason)


def notice_handled(channel: str, outcome: str) -> None:
    """A notice was handed over by a channel (`sent`), or was not: `failed` is tried again, `given_up` is not."""
    _count(_notices, channel, outcome)


def announcement_lost() -> None:
    """A change was not announced to open pages: they see it when they look by themselves."""
    with suppress(OSError):
        _announcements_lost.inc()


def socket_refused(reason: str) -> None:
    """A page got no live socket: `full`, `deaf`, `origin`."""
    _count(_sockets_refused, reason)
