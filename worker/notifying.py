"""Notices: what is to be said is found in the rows at each tick, written once, and handed over by jobs (R54, O31).

No transaction is open while a channel is at work. A try is counted before it begins, so a job may be killed at any moment: what it was
about is tried again later. Twice is sent only what the other side has accepted in the instant before the process died, and the repeat
bears the same Message-ID, or the same Idempotency-Key, or writes the same file anew.
"""

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path

from ivr import measures
from ivr.notices.base import Channel, DeliveryFailed, Message
from survey import casework
from survey.casework import Dispatch
from survey.errors import SurveyError
from survey.notice_letters import body, facts, subject
from survey.notice_problems import Problem
from survey.sheet import weekly
from survey.store.unit_of_work import UnitOfWork
from worker.runtime import Runtime, current
from worker.whole_file import write_whole

log = logging.getLogger(__name__)

PERIOD_SECONDS = 10.0
FOLDER = "lists"
ALL_UNITS = "all-units"


class Reminder:
    """Reminds when its time has come: every ten seconds, or at each tick of a clock that somebody else moves on."""

    def __init__(self, runtime: Runtime, ticks: Callable[[], float] = time.monotonic) -> None:
        self._runtime, self._ticks = runtime, ticks
        self._next = ticks()

    def look(self, still_may: Callable[[UnitOfWork], bool] = lambda work: True) -> bool:
        """Remind, if it is time; whether it was. Raises SQLAlchemyError when the database cannot be asked."""
        if self._runtime.time_passes() and self._ticks() < self._next:
            return False
        self._next = self._ticks() + PERIOD_SECONDS
        remind(self._runtime, still_may)
        return True


def remind(runtime: Runtime, still_may: Callable[[UnitOfWork], bool] = lambda work: True) -> None:
    """Write the notices that are due with their deliveries, wake jobs for all that wait, see to channels that fail.

    `still_may` asks in this transaction whether the sweep is still ours; two that tick at once write each notice once all the same.
    """
    with runtime.unit_of_work() as work:
        if not still_may(work):
            return
        session, now, terms = work.session, runtime.clock.now(), runtime.office.terms
        fresh = casework.reminders(session, runtime.office, terms, now)
        casework.address(session, [*fresh, *casework.unaddressed(session, now)], ways(runtime), now)
        casework.watch_channels(session, now)
        for delivery_id in casework.due_deliveries(session, terms, now):
            work.later("send_notice", delivery_id)


def ways(runtime: Runtime) -> frozenset[str]:
    """The channels by which notices leave the console: the file always, others where they are set up."""
    return frozenset({"file", *runtime.channels})


def send_notice(delivery_id: int, epoch: int = 0) -> None:
    """Hand a waiting delivery over, unless it is not due, was handed over, or its matter is over."""
    runtime = current()
    with runtime.unit_of_work() as work:
        dispatch = casework.prepare_delivery(work.session, runtime.office, delivery_id, ways(runtime), runtime.clock.now())
    if dispatch is None:
        return
    try:
        _hand_over(runtime, dispatch)
    except DeliveryFailed as failure:
        _note_problem(runtime, dispatch, failure)
        return
    with runtime.unit_of_work() as work:
        casework.note_delivered(work.session, delivery_id, runtime.clock.now())
    measures.notice_handled(dispatch.channel, "sent")


def _note_problem(runtime: Runtime, dispatch: Dispatch, failure: DeliveryFailed) -> None:
    with runtime.unit_of_work() as work:
        is_over = casework.note_delivery_problem(work.session, dispatch.delivery_id, failure.problem, final=failure.is_final)
    outcome = "given_up" if is_over else "failed"
    measures.notice_handled(dispatch.channel, outcome)
    told = {"action": "notice_failed", "channel": dispatch.channel, "outcome": outcome, "delivery": dispatch.delivery_id}
    log.warning("delivery %d by %s %s: %s", dispatch.delivery_id, dispatch.channel, outcome, failure.problem, extra=told)


def _hand_over(runtime: Runtime, dispatch: Dispatch) -> None:
    """Raises DeliveryFailed."""
    if dispatch.channel == "file":
        _keep_list(runtime, dispatch)
        return
    bureau = runtime.office.bureau
    told = dispatch.told
    text = body(told, (bureau.name, bureau.name_en))
    channel: Channel = runtime.channels[dispatch.channel]
    channel.send(Message(told.identity, dispatch.address, subject(told, bureau.name), text, facts(told, bureau.name)))


def _keep_list(runtime: Runtime, dispatch: Dispatch) -> None:
    """Write the week's list as workbook and CSV below the data folder; again: anew, as it stands then."""
    office, of = dispatch.told.office, dispatch.unit[0] if dispatch.unit else casework.ALL_UNITS
    try:
        with runtime.unit_of_work() as work:
            found = casework.weekly_list(work.session, runtime.office.terms, of, office, runtime.clock.now())
        name = f"unit-{_plain(dispatch.unit[1])}" if dispatch.unit else ALL_UNITS
        for kind in weekly.KINDS:
            write_whole(runtime.data / path_of(str(found.day), name, kind), weekly.render(found, runtime.office.bureau, kind))
    except (OSError, SurveyError) as fault:
        raise DeliveryFailed(Problem("file")) from fault


def path_of(day: str, name: str, kind: str) -> Path:
    """Where the list of a day lies below the data folder; `name` is ALL_UNITS or `unit-<code>`."""
    return Path(FOLDER) / day / f"{name}.{kind}"


def _plain(code: str) -> str:
    """A unit's code fit for a file's name: other characters than letters, digits, dashes and underscores as their number."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f"~{ord(found[0]):x}", code)
