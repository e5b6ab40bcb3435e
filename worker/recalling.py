"""What becomes of answered orders by the clock: their people are called again, and what came of it is noted (R51)."""

import logging
from collections.abc import Callable

from survey import casework
from survey.casework import Recalled
from survey.errors import SurveyError
from survey.store.unit_of_work import UnitOfWork
from worker.runtime import Runtime

log = logging.getLogger(__name__)


def recall_people(runtime: Runtime, still_may: Callable[[UnitOfWork], bool]) -> None:
    """Begin and conclude the second calls that are due; in a transaction of its own, so that no dial waits for it or falls with it.

    What the domain refuses is logged and left for the next sweep, which takes the rows as they are then.
    """
    try:
        done = _recall(runtime, still_may)
    except SurveyError as problem:
        log.error("second calls could not be seen to and will be tried again: %s", problem, extra={"action": "recalls_failed"})
        return
    for action, orders in (("recall_begun", done.begun), ("recall_noted", done.noted)):
        if orders:
            log.info("%s: %d", action, len(orders), extra={"action": action, "orders": len(orders)})


def _recall(runtime: Runtime, still_may: Callable[[UnitOfWork], bool]) -> Recalled:
    office = runtime.office
    with runtime.unit_of_work() as work:
        if not still_may(work):
            return Recalled()
        return casework.recall_due(work.session, office, office.terms, runtime.clock.now())
