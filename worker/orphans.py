"""Jobs whose worker died: back into their queue within seconds, instead of the two minutes after which RQ gives them up as failed.

Until then nobody can ask for them again, because their id is taken. Two kinds are left behind: jobs that had begun, which stand
in the queue's list of started ones under their worker's name, and jobs that a worker had just taken out of the queue. A job
that comes back may have done its work already: it asks its row first, as every job does.
"""

from rq import Queue
from rq.executions import Execution, ExecutionRegistry
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.utils import as_text, now, utcformat
from rq.worker import BaseWorker
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

from worker.presence import Presence
from worker.queues import QUEUED_SECONDS

MOST_DEATHS = 3
"""A job whose worker has died so often is left to RQ's own slow way: perhaps it is what kills them."""

LOST_SECONDS = 10
"""So long a job may be on its way from its queue to a worker; a worker that stands still for longer there loses it to another one."""

REMEMBERED_SECONDS = 600
CLEANING_LOCK_SECONDS = 10
"""A worker that dies while it cleans up keeps others from it no longer than this: RQ's own quarter of an hour would break promise P6.
Two that clean up at once do no harm."""

_TAKE_BACK = """
local started, execution, executions, job, queue, underway = unpack(KEYS)
local entry, execution_id, job_id, most, seconds, moment = unpack(ARGV)
if not redis.call('ZSCORE', started, entry) then return 0 end
local status = redis.call('HGET', job, 'status')
if status == 'started' or status == 'queued' then
    if redis.call('HINCRBY', job, 'deaths', 1) > tonumber(most) then return 0 end
    redis.call('LREM', underway, 0, job_id)
    redis.call('HSET', job, 'status', 'queued', 'started_at', '', 'worker_name', '', 'enqueued_at', moment)
    redis.call('EXPIRE', job, seconds)
    redis.call('RPUSH', queue, job_id)
end
redis.call('ZREM', started, entry)
redis.call('ZREM', executions, execution_id)
redis.call('DEL', execution)
return 1
"""
_PUT_BACK = """
local job, queue, underway = unpack(KEYS)
local job_id, moment = unpack(ARGV)
if redis.call('LREM', underway, 0, job_id) == 0 then return 0 end
redis.call('HSET', job, 'enqueued_at', moment)
redis.call('RPUSH', queue, job_id)
return 1
"""


class SurveyQueue(Queue):
    """A queue in which nothing that a worker has just taken stays lost, and whose cleaning never stops for long."""

    @property
    def intermediate_queue(self) -> IntermediateQueue:
        """The list of jobs that a worker has taken and not yet begun."""
        return Underway(self.key, connection=self.connection)

    def acquire_maintenance_lock(self) -> bool:
        """Whether this worker may clean up now."""
        return bool(self.connection.set(self.registry_cleaning_key, 1, nx=True, ex=CLEANING_LOCK_SECONDS))


class Underway(IntermediateQueue):
    """Jobs between their queue and a worker; who took them is not written anywhere."""

    def cleanup(self, worker: BaseWorker, queue: Queue) -> None:
        """Put back what was seen here ten seconds ago as well; RQ would wait for a minute and then call the job failed."""
        put_back = self.connection.register_script(_PUT_BACK)
        for job_id in self.get_job_ids():
            job = queue.fetch_job(job_id)
            if job is None:
                self.remove(job_id)
            elif job_id not in queue.started_job_registry and self._is_lost(job):
                put_back(keys=[job.key, queue.key, self.key], args=[job_id, utcformat(now())])

    def _is_lost(self, job: Job) -> bool:
        seen = f"{self.get_first_seen_key(job.id)}:{job.enqueued_at}"  # an id comes again, at another moment
        if self.connection.set(seen, 1, nx=True, ex=REMEMBERED_SECONDS):
            return False
        return bool(REMEMBERED_SECONDS - self.connection.ttl(seen) >= LOST_SECONDS)


def take_back(queue: Queue, presence: Presence) -> int:
    """Bring back the jobs of every worker of this machine that has died; returns how many."""
    count = 0
    for name in presence.departed():
        for job_id, execution_id in queue.started_job_registry.get_job_and_execution_ids(cleanup=False):
            execution = Execution(execution_id, job_id, queue.connection)
            if as_text(queue.connection.hget(execution.key, "worker_name") or b"") == name:
                count += _take_back(queue, execution)
        _strike_off(queue, name)
    return count


def _strike_off(queue: Queue, name: str) -> None:
    key = BaseWorker.redis_worker_namespace_prefix + name
    with queue.connection.pipeline() as pipeline:
        pipeline.srem(REDIS_WORKER_KEYS, key)
        pipeline.srem(WORKERS_BY_QUEUE_KEY % queue.name, key)
        pipeline.delete(key, f"{key}:executions")
        pipeline.execute()


def _take_back(queue: Queue, execution: Execution) -> int:
    executions, job = ExecutionRegistry(execution.job_id, connection=queue.connection), Job.key_for(execution.job_id)
    keys = [queue.started_job_registry.key, execution.key, executions.key, job, queue.key, queue.intermediate_queue.key]
    arguments = [execution.composite_key, execution.id, execution.job_id, MOST_DEATHS, QUEUED_SECONDS, utcformat(now())]
    return int(queue.connection.register_script(_TAKE_BACK)(keys=keys, args=arguments))
