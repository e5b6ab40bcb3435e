"""Our RQ workers and our Job class, set as reliability §2.4 demands: one queue, JSON, short leases, an allow-list.

Two kinds. `SteadyWorker` runs the job in its own process: dial, settle and desk are many, short, and wait for the database or the
carrier, so a fork for each would cost more than the job. `ForkingWorker` runs it in a child: fetching a recording or transcribing it
may take long and much memory, and must be killable without losing the worker.
"""

import faulthandler
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker, SimpleWorker, Worker

from ivr import measures
from worker.foreign import note_foreign_job
from worker.orphans import SurveyQueue, take_back
from worker.parents import die_with
from worker.presence import Presence
from worker.queues import QUEUES

WORKER_SECONDS = 30
MAINTENANCE_SECONDS = 15
MONITORING_SECONDS = 5
DEAF_SECONDS = 5
"""A process that has not heeded a job's time-out after so long is ended, and started again by the supervisor."""

LARGEST_PAYLOAD_BYTES = 1000
PLACE = "worker.jobs."
ALLOWED = frozenset(PLACE + name for name in QUEUES)
FORKING_QUEUES = frozenset({"recordings", "transcripts"})


class JobRefused(Exception):
    """A job in the queue is none of ours: somebody else can write to our Redis."""


class SurveyJob(Job):
    """A job that runs nothing but `worker.jobs.<name>(row id, epoch)`, and calls nothing back."""

    success_callback = failure_callback = stopped_callback = None

    def perform(self) -> Any:
        """Run the job. Raises JobRefused for any other function, for other arguments, and for callbacks."""
        self._refuse_strangers()
        if self.timeout:  # the signal of RQ's own time-out waits for a call into C to end, maybe for ever
            faulthandler.dump_traceback_later(self.timeout + DEAF_SECONDS, exit=True)
        try:
            with measures.job(str(self.func_name).removeprefix(PLACE)):
                return super().perform()
        finally:
            faulthandler.cancel_dump_traceback_later()

    def send_webhooks(self, *args: Any, **kwargs: Any) -> None:
        """Send nothing: a planted job must not make us call another machine."""

    def _refuse_strangers(self) -> None:
        size = len(self.data or b"")
        if size > LARGEST_PAYLOAD_BYTES:
            raise JobRefused(f"a payload of {size} bytes was planted in the queue")
        if self.func_name not in ALLOWED or self.instance is not None or self.kwargs:
            raise JobRefused("a function that is no job of ours was planted in the queue")
        if not (1 <= len(self.args) <= 2 and all(type(argument) is int for argument in self.args)):
            raise JobRefused(f"arguments of {self.func_name} that are not ids were planted in the queue")


def tell_foreign(job: Job, kind: type[BaseException], problem: BaseException, *trace: Any) -> bool:
    """Told by a worker of every job that failed: one that was refused, or that cannot even be read, is none of ours."""
    if isinstance(problem, (JobRefused, DeserializationError)):
        note_foreign_job(problem)
    return True


class _Heir(BaseWorker):
    """Shows that it is alive, and at its start and every quarter of a minute brings back the jobs of workers that died."""

    presence: Presence

    def register_birth(self) -> None:
        self.presence.enter(self.name)
        super().register_birth()  # type: ignore[no-untyped-call]

    def clean_registries(self) -> None:
        for queue in self.queues:
            take_back(queue, self.presence)
        super().clean_registries()  # type: ignore[no-untyped-call]

    def teardown(self) -> None:
        super().teardown()  # type: ignore[no-untyped-call]
        if not self.executions:  # else the job whose end could not be told is left for the next worker
            self.presence.leave()


class SteadyWorker(_Heir, SimpleWorker):
    """Runs its jobs in its own process, one after the other."""


class ForkingWorker(_Heir, Worker):
    """Runs each job in a child that dies with the worker and starts without the worker's database connections."""

    forked: Callable[[], None]

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Begin life as the child: bind it to the worker, drop what the fork has copied, run the job."""
        die_with(self.pid or os.getppid())
        self.forked()
        super().main_work_horse(job, queue)


def open_worker(queue: str, connection: Redis, data: Path, forked: Callable[[], None]) -> SteadyWorker | ForkingWorker:
    """The worker of one queue, with a random name; `forked` disposes of inherited connections in each child.

    `data` is the data folder: in it the workers of this machine see which of them are alive.
    Raises KeyError for a queue that nobody fills.
    """
    if queue not in QUEUES.values():
        raise KeyError(queue)
    kind = ForkingWorker if queue in FORKING_QUEUES else SteadyWorker
    worker = kind([queue], connection=connection, job_class=SurveyJob, queue_class=SurveyQueue, **_options())
    worker.presence = Presence(data, queue)
    if isinstance(worker, ForkingWorker):
        worker.forked = forked
    return worker


def _options() -> Mapping[str, Any]:
    return {
        "serializer": JSONSerializer, "worker_ttl": WORKER_SECONDS, "maintenance_interval": MAINTENANCE_SECONDS,
        "job_monitoring_interval": MONITORING_SECONDS, "default_result_ttl": 0, "log_job_description": False,
        "exception_handlers": [tell_foreign],
    }  # fmt: skip
