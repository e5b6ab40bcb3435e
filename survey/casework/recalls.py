"""The second call by itself: an answered order brings its person into fieldwork, and what came of that decides the order (R51).

Everything is derived from the rows at each tick, so that nothing is lost with the queue or while nobody works, and nothing is done twice:
an order's round is entered once (`recalls` is unique), a result is noted while the order still waits for it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.casework.changes import ABUSE, route_of
from survey.casework.supervision import begin_recall, note_recall
from survey.disposition import Disposition
from survey.fieldwork import followups
from survey.fieldwork.alarms import clear_alarm, raise_alarm
from survey.fieldwork.beginnings import answered
from survey.fieldwork.campaigns import finish_if_done
from survey.fieldwork.escalations import escalate
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import close
from survey.order_clock import Terms
from survey.recall_results import result_of
from survey.store.models import Order, Recall
from survey.store.queries import recalls as queries
from survey.store.queries.desk import is_in_hand, last_verdict
from survey.store.rows import read_again
from survey.working_days import CalendarMissing

AT_ONCE = 100


@dataclass(frozen=True)
class Recalled:
    """What one tick has done: the public ids of the orders whose person is to be called, and of those with a result."""

    begun: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()


def recall_due(session: Session, office: Office, terms: Terms, now: datetime) -> Recalled:
    """Begin the second calls that are due, and note what came of those that are over.

    A result that gives a new deadline in a year without a calendar waits for that calendar; an alarm stands meanwhile.
    """
    for order in queries.orders_alleged_against(session):
        escalate(session, office, order.escalation.attempt, ABUSE, now)  # its case is inspection's from here on (R35)
    missing: set[int] = set()
    recalls = queries.open_recalls(session)
    noted = [_conclude(session, office, recall, terms, now, missing) for recall in recalls]
    if missing:
        raise_alarm(session, AlarmKind.CALENDAR_MISSING, "recalls", now, year=min(missing))
    else:
        clear_alarm(session, AlarmKind.CALENDAR_MISSING, "recalls", now)
    begun = [_begin(session, office, order, now) for order in queries.orders_to_recall(session, AT_ONCE)]  # last: it locks campaigns
    for campaign in {recall.respondent.campaign for recall in recalls if recall.noted_at is not None and not recall.result}:
        finish_if_done(session, office, campaign, now)
    return Recalled(tuple(filter(None, begun)), tuple(filter(None, noted)))


def _begin(session: Session, office: Office, order: Order, now: datetime) -> str | None:
    person = followups.enter(session, office, order.respondent, order.replies, now)
    if person is None:
        return None
    session.add(Recall(order_id=order.id, round=order.replies, respondent_id=person.id, entered_at=now))
    session.flush()
    if order.state == "answered":
        begin_recall(session, office, order.public_id, now)
    return order.public_id


def _conclude(session: Session, office: Office, recall: Recall, terms: Terms, now: datetime, missing: set[int]) -> str | None:
    if not _is_waited_for(recall.order, recall):
        _let_be(session, recall, now)
        return None
    if recall.respondent.state != "closed" or is_in_hand(session, recall.respondent_id):
        return None  # an operator who has the call may still write down what decides it
    order = queries.lock_order(session, recall.order_id)
    result = _result(session, order, recall)
    if result is None or not _is_waited_for(order, recall):
        return None
    try:
        note_recall(session, office, order.public_id, result, terms, now)
    except CalendarMissing as problem:  # said before anything is written
        missing.add(problem.year)
        return None
    recall.result, recall.noted_at = result, now
    session.flush()
    return order.public_id


def _is_waited_for(order: Order, recall: Recall) -> bool:
    """Whether the order still waits for what comes of this call: nobody has returned, closed or voided it meanwhile."""
    return order.state == "recalling" and order.replies == recall.round


def _result(session: Session, order: Order, recall: Recall) -> str | None:
    """What came of it; nothing where inspection is about to take the order from its unit because of what was said."""
    person = recall.respondent
    if order.route != route_of(order) or (order.route == "centre" and ABUSE in queries.reasons_of(session, person.id)):
        return None
    verdict = last_verdict(session, person.id)
    return result_of(answered(session, person.id), person.close_reason, Disposition.from_word(person.disposition), verdict)


def _let_be(session: Session, recall: Recall, now: datetime) -> None:
    """The order went on without the call: nobody is called about it any more; who is on the line may finish."""
    person = recall.respondent
    read_again(session, person, "state")
    if person.state == "calling":
        return
    if person.state != "closed":
        close(person, "order_went_on", now)
    recall.noted_at = now
    session.flush()
