"""Notices that somebody knocks again and again without the carrier's signature.

A refused request touches no database. Only the one that is too many within a minute raises the alarm, once in that minute: whoever
floods the door writes one row a minute, and always the same.
"""

import logging
import threading
import time
from collections.abc import Callable

from ivr import measures
from survey.alarms import AlarmKind
from survey.fieldwork.alarms import raise_alarm
from survey.ports import Clock
from survey.store.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

MOST_A_MINUTE = 5
MINUTE_SECONDS = 60.0
SUBJECT = "voice"


class Forgeries:
    """Counts the refusals of one process, in minutes from the first one."""

    def __init__(self, unit_of_work: Callable[[], UnitOfWork], clock: Clock, ticks: Callable[[], float] = time.monotonic) -> None:
        self._unit_of_work, self._clock, self._ticks = unit_of_work, clock, ticks
        self._lock = threading.Lock()
        self._began, self._count = -MINUTE_SECONDS, 0

    def note(self, status: int) -> None:
        """A request was refused with `status`."""
        measures.hook_refused(status)
        if status == 403 and self._is_one_too_many():
            self._raise()

    def _is_one_too_many(self) -> bool:
        with self._lock:
            now = self._ticks()
            if now - self._began >= MINUTE_SECONDS:
                self._began, self._count = now, 0
            self._count += 1
            return self._count == MOST_A_MINUTE + 1

    def _raise(self) -> None:
        try:
            with self._unit_of_work() as work:
                raise_alarm(work.session, AlarmKind.FORGED_WEBHOOKS, SUBJECT, self._clock.now(), more_than_in_a_minute=MOST_A_MINUTE)
        except Exception:
            log.exception("the alarm about refused requests could not be stored", extra={"action": "voice.alarm_lost"})
