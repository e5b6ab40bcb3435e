"""What becomes of the human queue by the clock: orders are issued, and allegations of abuse taken from the units (R35, R47)."""

import logging
from collections.abc import Callable

from survey import casework
from survey.casework import Issued
from survey.errors import SurveyError
from survey.store.unit_of_work import UnitOfWork
from worker.runtime import Runtime

log = logging.getLogger(__name__)


def issue_orders(runtime: Runtime, still_may: Callable[[UnitOfWork], bool]) -> None:
    """Issue what is ripe, a bounded portion at a time; in a transaction of its own, so that no dial waits for it or falls with it.

    What the domain refuses is logged and left for the next sweep, which takes the rows as they are then.
    """
    try:
        done = _issue(runtime, still_may)
    except SurveyError as problem:
        log.error("orders could not be issued and will be tried again: %s", problem, extra={"action": "orders_failed"})
        return
    for action, orders in (("order_issued", done.issued), ("order_rerouted", done.rerouted)):
        if orders:
            log.info("%s: %d", action, len(orders), extra={"action": action, "orders": len(orders)})


def _issue(runtime: Runtime, still_may: Callable[[UnitOfWork], bool]) -> Issued:
    office = runtime.office
    with runtime.unit_of_work() as work:
        if not still_may(work):
            return Issued()
        return casework.issue_due(work.session, office, office.terms, runtime.clock.now(), review=office.terms.review)
