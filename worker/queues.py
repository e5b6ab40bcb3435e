"""Queue names and the two job queues: RQ for work, an inline one for tests and for machines without workers.

A job is a name and two whole numbers: `worker.jobs.<name>(row id, epoch)`. The name decides the queue.
"""

import logging
import time
from collections import deque
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

log = logging.getLogger(__name__)

QUEUES = {
    "dial": "dial",
    "hang_up": "dial",
    "call_off": "dial",
    "settle": "settle",
    "reconcile": "settle",
    "look_up": "settle",
    "drop_recording": "settle",
    "ring_desk": "desk",
    "leave_desk": "desk",
    "let_go": "desk",
    "steer_room": "desk",
    "fetch_recording": "recordings",
    "transcribe": "transcripts",
    "send_notice": "notices",
}
"""Job name -> the one queue it waits in. A worker process listens to one queue only.

Who is at the telephone hears each second of waiting: the desk's jobs wait behind no look-up that takes the carrier's whole time-out.
"""

LONG_SECONDS = {"recordings": 180, "transcripts": 300}
JOB_SECONDS = {name: LONG_SECONDS.get(queue, 60) for name, queue in QUEUES.items()}
FAILURE_SECONDS = 30
DEAF_SECONDS = 0.5
QUEUED_SECONDS = 3600


class RqJobQueue:
    """`survey.ports.JobQueue` on RQ: JSON, ids only, one job for one (kind, row, epoch) at a time."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._deaf_until = 0.0
        self._queues = {name: Queue(name, connection=connection, serializer=JSONSerializer) for name in set(QUEUES.values())}

    def enqueue(self, job: str, row_id: int, epoch: int = 0) -> None:
        """Ask for the job; a repeat of one that waits or runs is dropped, a Redis that is down is logged: the sweep repairs both.

        One that did not answer is left alone for a moment, so that whoever has many jobs to wake waits once, not for each.
        """
        if time.monotonic() < self._deaf_until:
            return
        try:
            self._queues[QUEUES[job]].enqueue_call(
                f"worker.jobs.{job}", args=(row_id, epoch), timeout=JOB_SECONDS[job], ttl=QUEUED_SECONDS,
                result_ttl=0, failure_ttl=FAILURE_SECONDS, description=f"{job} {row_id}",
                job_id=f"{job}-{row_id}-{epoch}", unique=True,
            )  # fmt: skip
        except DuplicateJobError:
            log.debug("%s %d is already waiting or running", job, row_id, extra={"action": "wake_repeated", "job": job})
        except RedisError as error:
            self._deaf_until = time.monotonic() + DEAF_SECONDS
            log.warning("could not wake %s %d: %s", job, row_id, error, extra={"action": "wake_lost", "job": job})


class InlineQueue:
    """Collects jobs and runs them when told, in the order in which they came; a waiting job is not taken twice."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, int, int]] = deque()

    def enqueue(self, job: str, row_id: int, epoch: int = 0) -> None:
        """Remember the job. Raises KeyError for a name that is no job."""
        entry = (job, row_id, epoch)
        if QUEUES[job] and entry not in self._waiting:
            self._waiting.append(entry)

    @property
    def waiting(self) -> tuple[tuple[str, int, int], ...]:
        """The jobs not yet run: (name, row id, epoch)."""
        return tuple(self._waiting)

    def drain(self, run: Callable[[str, int, int], object]) -> int:
        """Run everything, also what the jobs themselves ask for; returns how many ran."""
        ran = 0
        while self._waiting:
            run(*self._waiting.popleft())
            ran += 1
        return ran
