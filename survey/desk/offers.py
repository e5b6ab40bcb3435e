"""What happens at the desk by the clock: calls are offered in rounds, missed offers counted, waits ended (O7, O10, O11, O26).

Whoever changes the desk's rows takes them in one order: call, operator, offers; offers and operators among themselves by number. A
database ends one of two that wait for each other, and that one may be the operator who has just answered.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from survey.desk.duty import WORKING, free_after, lapse
from survey.desk.ringing import take_back
from survey.desk_clock import DeskTerms, given_up_at, is_wide, round_ends, round_of
from survey.fieldwork import transfers
from survey.fieldwork.callbacks import case_of
from survey.fieldwork.office import Office
from survey.fieldwork.ticket_notes import note_step
from survey.store.models import Duty, Offer, Takeover
from survey.store.queries import desk as queries
from survey.store.unit_of_work import UnitOfWork

REFUSED = {"declined", "rang_out"}
"""Outcomes after which the same call is not offered to the same operator again."""

RING_GRACE = timedelta(seconds=15)
"""The carrier rings up to five seconds longer, and its report may be late."""

KEY_GRACE = timedelta(seconds=30)
"""From the pick-up on: what is whispered, the wait for the key, and a report that may be late."""

CALLING = timedelta(minutes=4)
"""So long an operator waits for a person who is called back, whatever has become of the call at the carrier."""

PATIENCE = timedelta(seconds=2)
"""How long the jobs that were asked for at once may take before the sweep asks for them again."""


def _send_off(work: UnitOfWork, office: Office, now: datetime) -> None:
    lapse(work.session, office, now)


def _offer_calls(work: UnitOfWork, office: Office, now: datetime) -> None:
    session, terms = work.session, office.desk
    for takeover in queries.waiting(session):
        if now >= given_up_at(terms, takeover.opened_at) or _is_left_to_nobody(session, takeover):
            give_up(work, takeover.id)
        else:
            _offer(session, terms, takeover, now)


def _end_late(work: UnitOfWork, office: Office, now: datetime) -> None:
    session = work.session
    for takeover_id in rung_in_vain(session, office.desk, now):
        take_back(work, office, takeover_id, "rang_out", now)
    for takeover_id in queries.stuck_callbacks(session, now - CALLING):
        takeover = queries.locked(session, takeover_id)
        if takeover is not None and takeover.state == "ready":
            transfers.close(work, office, takeover, "unreachable", now)
    for takeover_id in queries.unsorted(session, now):
        takeover = queries.locked(session, takeover_id)
        if takeover is not None and takeover.state == "wrap" and takeover.wrap_until is not None and takeover.wrap_until <= now:
            close_unsorted(session, office, takeover, now)


def rung_in_vain(session: Session, terms: DeskTerms, now: datetime) -> Sequence[int]:
    """The claimed calls whose operator has had long enough to come to the telephone."""
    return queries.rung_in_vain(session, now - timedelta(seconds=terms.ring) - RING_GRACE, now - KEY_GRACE)


def give_up(work: UnitOfWork, takeover_id: int) -> None:
    """Let a person go who has waited long enough, unless somebody has claimed the call."""
    waits = (Takeover.id == takeover_id, Takeover.state == "waiting", Takeover.result == "")
    change = update(Takeover).where(*waits).values(result="nobody", version=Takeover.version + 1)
    if work.session.execute(change.execution_options(synchronize_session=False)).rowcount:  # type: ignore[attr-defined]
        work.later("leave_desk", takeover_id)


def _offer(session: Session, terms: DeskTerms, takeover: Takeover, now: datetime) -> None:
    number = round_of(terms, takeover.opened_at, now)
    states = WORKING if is_wide(terms, takeover.opened_at, now) else ("free",)
    before = queries.offered_users(session, takeover.id)
    shown = set(session.scalars(select(Offer.user_id).where(Offer.takeover_id == takeover.id, Offer.round == number)))
    asked = select(Duty.user_id).where(Duty.state.in_(states), queries.has_log_in(now, queries.ATTENDED)).order_by(Duty.since, Duty.user_id)
    for user_id in session.scalars(asked).all():
        if user_id in shown or before.get(user_id, set()) & REFUSED:
            continue
        until = round_ends(terms, takeover.opened_at, number)
        queries.put_offer(session, takeover.id, user_id, number, now, until)


def _is_left_to_nobody(session: Session, takeover: Takeover) -> bool:
    """Whether everybody at the desk has refused the call, who talk and could take it later included."""
    refused = [user_id for user_id, outcomes in queries.offered_users(session, takeover.id).items() if outcomes & REFUSED]
    others = exists().where(Duty.state.in_((*WORKING, "talking")), Duty.user_id.not_in(refused))
    return bool(refused) and not session.scalar(select(others))


def _expire(work: UnitOfWork, office: Office, now: datetime) -> None:
    """An offer that ran out was missed by whoever could have taken it; who misses several in a row counts as away, and is told so."""
    session, over = work.session, (Offer.outcome == "open", Offer.until <= now)
    asked = select(Duty).where(Duty.user_id.in_(select(Offer.user_id).where(*over))).order_by(Duty.user_id)
    duties = {duty.user_id: duty for duty in session.scalars(asked.with_for_update())}
    for offer in session.scalars(select(Offer).where(*over, Offer.user_id.in_(duties)).order_by(Offer.id).with_for_update()).all():
        duty = duties[offer.user_id]
        offer.outcome = "missed" if _is_missed(office.desk, offer, duty) else "gone"
        if offer.outcome == "missed":
            duty.misses += 1
            if duty.misses >= office.desk.misses:
                duty.state, duty.since, duty.note = "away", now, "missed"
    session.flush()


def _is_missed(terms: DeskTerms, offer: Offer, duty: Duty) -> bool:
    """Whether an operator was free with the offer before them for half a round at least; whoever comes near its end cannot be blamed."""
    shown_since = max(offer.offered_at, duty.since)
    return duty.state == "free" and offer.until - shown_since >= timedelta(seconds=terms.offer) / 2


def close_unsorted(session: Session, office: Office, takeover: Takeover, now: datetime) -> None:
    """The time to sort a call out is over: the operator is free again, the case stays in the human queue."""
    takeover.state = "done"
    takeover.version += 1
    free_after(session, takeover, now)
    session.flush()
    office.record(session, now, "system", "takeover.unsorted", f"takeover:{takeover.public_id}")
    case = case_of(session, takeover.attempt)
    if case is not None:
        note_step(session, office, case, "system", "call_unsorted", "", now)


def _wake(work: UnitOfWork, office: Office, now: datetime) -> None:
    """Whatever was to be done at the carrier and was not: its job is woken again."""
    for job, rows in (
        ("ring_desk", queries.unrung(work.session)),
        ("leave_desk", queries.kept_waiting(work.session, now, PATIENCE)),
        ("steer_room", queries.unsteered(work.session)),
        ("let_go", queries.unreleased(work.session, now - PATIENCE)),
    ):
        for takeover_id in rows:
            work.later(job, takeover_id)


STEPS: tuple[Callable[[UnitOfWork, Office, datetime], None], ...] = (_send_off, _offer_calls, _expire, _end_late, _wake)
"""What brings the desk up to the moment, any number of times, from the rows alone. Each wants a unit of work of its own: together they
would hold operators while they wait for calls, which others take the other way round."""
