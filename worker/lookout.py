"""What only this side of the house can see: no callbacks come, the disk fills, the backup grows old, a stranger has fallen silent.

Looked at by the clock process every ten seconds of real time; each alarm is raised once and cleared when its cause is gone.
`survey.fieldwork.watch` sees to those that lie in the rows alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from survey.alarms import AlarmKind
from survey.fieldwork.alarms import clear_alarm, raise_alarm, standing_alarms
from survey.store.models import Alarm
from survey.store.queries import operations
from survey.store.unit_of_work import UnitOfWork
from survey.working_days import calendar, year_to_load
from worker.disk_room import has_room
from worker.runtime import Runtime

PERIOD_SECONDS = 10.0
LONGEST_SILENCE = timedelta(minutes=2)
OLDEST_BACKUP = timedelta(hours=26)
QUIET = {AlarmKind.FORGED_WEBHOOKS: timedelta(minutes=10), AlarmKind.FOREIGN_JOB: timedelta(hours=1)}
"""So long nothing more must have come before the alarm ends by itself."""

SEEN_TO = frozenset({AlarmKind.FOREIGN_JOB})
"""These stand until a person has taken them in hand, however quiet it is: somebody was inside."""

NewestBackup = Callable[[], datetime | None]


@dataclass(frozen=True)
class _View:
    """One look: the unit of work, the survey's time, and the alarms that stand."""

    work: UnitOfWork
    now: datetime
    standing: dict[tuple[str, str], Alarm]

    def set(self, kind: AlarmKind, subject: str, is_so: bool, **details: object) -> None:
        """Raise the alarm where its cause is there and it does not stand, clear it where its cause is gone."""
        stands = (kind.word, subject) in self.standing
        if is_so and not stands:
            raise_alarm(self.work.session, kind, subject, self.now, **details)
        elif stands and not is_so:
            clear_alarm(self.work.session, kind, subject, self.now)


class Lookout:
    """Looks when its time has come. `machine` names the disk's alarm; `newest_backup` is None where nobody asks for backups."""

    def __init__(
        self, runtime: Runtime, machine: str, newest_backup: NewestBackup | None, ticks: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self._runtime, self._machine, self._newest_backup, self._ticks = runtime, machine, newest_backup, ticks
        self._next = ticks()

    def look(self) -> bool:
        """Look at everything, if ten seconds are over; whether it did. Raises SQLAlchemyError when the database cannot be asked."""
        if self._ticks() < self._next:
            return False
        self._next = self._ticks() + PERIOD_SECONDS
        with self._runtime.unit_of_work() as work:
            standing = {(alarm.kind, alarm.subject): alarm for alarm in standing_alarms(work.session)}
            view = _View(work, self._runtime.clock.now(), standing)
            _look_at_callbacks(view)
            _look_at_strangers(view)
            missing = year_to_load(calendar("cn"), view.now.astimezone(self._runtime.office.bureau.tzinfo).date())
            view.set(AlarmKind.CALENDAR_DUE, "calendar", missing is not None, year=missing)
            view.set(AlarmKind.DISK_FULL, f"disk:{self._machine}", not has_room(self._runtime.data))
            if self._newest_backup is not None:
                _look_at_backup(view, self._newest_backup())
        return True


def _look_at_callbacks(view: _View) -> None:
    """Calls are placed and nothing is heard of any: the way from the carrier to us is broken. It is whole when something comes."""
    last = operations.last_callback_at(view.work.session)
    raised = view.standing.get((AlarmKind.NO_CALLBACKS.word, "carrier"))
    if raised is not None:
        view.set(AlarmKind.NO_CALLBACKS, "carrier", last is None or last <= raised.raised_at)
        return
    since = view.now - LONGEST_SILENCE
    waiting = operations.placed_before(view.work.session, since) if last is None or last <= since else 0
    view.set(AlarmKind.NO_CALLBACKS, "carrier", waiting > 0, calls=waiting)


def _look_at_strangers(view: _View) -> None:
    """Forged requests and foreign jobs are raised where they come; only here it is seen that no more come."""
    for kind, quiet in QUIET.items():
        for word, subject in [key for key in view.standing if key[0] == kind.word]:
            alarm = view.standing[word, subject]
            is_over = alarm.seen_at <= view.now - quiet and (kind not in SEEN_TO or alarm.acknowledged_at is not None)
            view.set(kind, subject, not is_over)


def _look_at_backup(view: _View, newest: datetime | None) -> None:
    is_old = newest is None or view.now - newest > OLDEST_BACKUP
    view.set(AlarmKind.BACKUP_OLD, "backup", is_old, newest=newest.isoformat(timespec="minutes") if newest else None)
