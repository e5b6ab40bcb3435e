"""A job in the queue that is none of ours: somebody else can write to our Redis, and a person must know (RS41)."""

import logging
import time

from ivr import measures
from survey.alarms import AlarmKind
from survey.fieldwork.alarms import raise_alarm
from worker.runtime import current

log = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0
"""Between two writings: whoever floods the queue writes one row a minute, and always the same."""

SUBJECT = "queue"


class _Last:
    at = -PAUSE_SECONDS


def note_foreign_job(problem: Exception) -> None:
    """Count it and raise the alarm. Never fails: the job is refused whatever becomes of the alarm."""
    log.error("a job that is none of ours was refused: %s", type(problem).__name__, extra={"action": "worker.foreign_job"})
    measures.job_refused()
    if time.monotonic() - _Last.at < PAUSE_SECONDS:
        return
    _Last.at = time.monotonic()
    try:
        runtime = current()
        with runtime.unit_of_work() as work:
            raise_alarm(work.session, AlarmKind.FOREIGN_JOB, SUBJECT, runtime.clock.now(), problem=type(problem).__name__)
    except Exception:
        log.exception("the alarm about a foreign job could not be stored", extra={"action": "worker.alarm_lost"})
