"""What becomes of answered orders by the clock: their people are called again, and what came of it is noted (R51)."""

import logging
from collections.abc import Callable

from survey import casework
from survey.store.unit_of_work import UnitOfWork
from worker.runtime import Runtime

log = logging.getLogger(__name__)


def recall_people(runtime: Runtime, may: Callable[[UnitOfWork], bool]) -> None:
    """Begin and conclude the second calls that are due; in a transaction of its own, so that no dial waits for it or falls with it."""
    office = runtime.office
    with runtime.unit_of_work() as work:
        if not may(work):
            return
        done = casework.recall_due(work.session, office, office.terms, runtime.clock.now())
    for action, orders in (("recall_begun", done.begun), ("recall_noted", done.noted)):
        if orders:
            log.info("%s: %d", action, len(orders), extra={"action": action, "orders": len(orders)})
