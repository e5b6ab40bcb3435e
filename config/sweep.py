"""The clock process: every half second, whoever holds the lease derives from the rows what is due, and wakes workers."""

import logging
import os
import secrets
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from config.backup_age import newest
from config.clock import SystemClock
from config.wiring import House
from survey.errors import SurveyError
from survey.store.leases import hold, holds, release
from survey.store.unit_of_work import UnitOfWork
from worker.jobs import sweep
from worker.lookout import Lookout, NewestBackup
from worker.notifying import Reminder
from worker.runtime import Runtime

log = logging.getLogger(__name__)

PERIOD_SECONDS = 0.5
LEASE = timedelta(seconds=5)
LONGEST_PAUSE_SECONDS = 10.0


def backups(house: House) -> NewestBackup | None:
    """How the newest backup is found; None where nobody asks for backups: only production has something to lose."""
    return partial(newest, house.settings) if house.settings.environment == "production" else None


class Sweeper:
    """Sweeps while it may. A failed sweep is logged and tried again, ever more slowly; the rows wait."""

    def __init__(self, house: House, beside: Callable[[], None] = lambda: None) -> None:
        """`beside` is done after each sweep, in the same beat."""
        self._house = house
        self._runtime: Runtime = house.runtime()
        self._lookout = Lookout(self._runtime, os.uname().nodename, backups(house))
        self._reminder = Reminder(self._runtime)
        self._owner = f"{os.uname().nodename}:{os.getpid()}:{secrets.token_hex(4)}"
        self._beside = beside
        self._asked_to_stop = False

    def run(self) -> None:
        """Sweep until SIGTERM or SIGINT."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._stop)
        failures = 0
        while not self._asked_to_stop:
            began = time.monotonic()
            failures = 0 if self._beat() else failures + 1
            self._rest_until(began + min(PERIOD_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS))
        self._give_up()

    def _rest_until(self, moment: float) -> None:
        """Counted from the beginning of the sweep: what a sweep takes would else be missing from the calls a second."""
        while not self._asked_to_stop and (left := moment - time.monotonic()) > 0:
            time.sleep(min(left, PERIOD_SECONDS / 5))

    def _give_up(self) -> None:
        with suppress(SQLAlchemyError), self._house.unit_of_work() as work:
            release(work.session, "sweep", self._owner, SystemClock().now())

    def _stop(self, sign: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True

    def _may(self, work: UnitOfWork) -> bool:
        """In the transaction of the sweep: whoever has taken the lease keeps all others out until that is over."""
        return hold(work.session, "sweep", self._owner, SystemClock().now(), LEASE)

    def _still_may(self, work: UnitOfWork) -> bool:
        return holds(work.session, "sweep", self._owner)

    def _beat(self) -> bool:
        try:
            sweep(self._runtime, self._may, self._still_may)
            self._lookout.look()
            self._reminder.look(self._still_may)
            self._beside()
        except (SQLAlchemyError, SurveyError) as problem:
            log.error("the sweep failed and will be tried again: %s", problem, extra={"action": "sweep_failed"})
            return False
        return True
