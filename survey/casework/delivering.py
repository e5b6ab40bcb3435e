"""Notices on their way out of the console, by file, e-mail and web-hook (R54, O31).

    reminders ─▶ address ─▶ waiting ─┬─ handed over ──▶ sent
                              ▲      ├─ failed ───────▶ waiting, later; after TRIES: failed
                              │      └─ the matter is over, or nobody is there any more ──▶ dropped
                              └──────────── send_again (a person)

A delivery is written with its notice, in one transaction; each try is counted before it begins. So nothing is lost, and something is
sent twice only when the process dies between the other side's acceptance and `note_delivered`: the repeat bears the same identity.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.accounts.emails import email_of
from survey.alarms import AlarmKind
from survey.casework.reminding import SIGNED_WITHIN, URGE, audience_of, note_sent
from survey.errors import CannotUnseal, NotFound
from survey.fieldwork.alarms import clear_alarm, is_standing, raise_alarm
from survey.fieldwork.office import Office
from survey.notice_letters import Notification
from survey.notice_problems import Problem
from survey.order_clock import Terms, is_office_open, last_day, week_of
from survey.order_moves import RUNNING
from survey.store.models import Notice, NoticeDelivery, Order, Unit, User
from survey.store.queries import notices as queries
from survey.working_days import CalendarMissing

CHANNELS = ("file", "mail", "webhook")
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480, 960))
TRIES, LONGEST_PAUSE = len(PAUSES), max(PAUSES)
FAILING_FOR, LOOKED_BACK, ONE_DAY = timedelta(hours=1), timedelta(days=7), timedelta(days=1)


@dataclass(frozen=True)
class Dispatch:
    """What the sending job is to hand over: by which channel, for e-mail to which address, and what is told."""

    delivery_id: int
    channel: str
    address: str
    unit: tuple[int, str] | None  # id and code; None for the centre and for inspection
    told: Notification


def address(session: Session, keys: Sequence[str], channels: Collection[str], now: datetime) -> int:
    """Write down for each of these new notices by which of the channels it goes to whom; the number of deliveries.

    Files are made of the weekly list alone. What is for inspection goes by e-mail to its own people and nowhere else (R35).
    """
    fresh = session.scalars(select(Notice).where(Notice.key.in_(keys)).order_by(Notice.id)).all()
    written = [
        NoticeDelivery(notice_id=notice.id, channel=channel, recipient=recipient, created_at=now, due_at=now)
        for notice in fresh
        for channel, recipient in _ways(session, notice, channels)
    ]
    session.add_all(written)
    session.flush()
    return len(written)


def unaddressed(session: Session, now: datetime) -> list[str]:
    """The keys of the last day's notices by hand of which nobody has yet decided how they leave the console."""
    addressed = select(NoticeDelivery.id).where(NoticeDelivery.notice_id == Notice.id).exists()
    return list(
        session.scalars(select(Notice.key).where(Notice.kind == URGE, Notice.due_at > now - ONE_DAY, ~addressed).order_by(Notice.id))
    )


def _ways(session: Session, notice: Notice, channels: Collection[str]) -> Iterator[tuple[str, str]]:
    is_open = notice.unit_id is not None or notice.subject == queries.CENTRE
    if "file" in channels and notice.kind == "weekly" and is_open:
        yield "file", "file"
    if "webhook" in channels and is_open:
        yield "webhook", "webhook"
    if "mail" in channels:
        people = queries.people_of(session, notice)
        # without an account of a head, the office's own address is better than nobody's
        is_personal = notice.kind == queries.LEADER and any(user.is_head for user in people)
        if notice.unit_id is not None and not is_personal and session.get_one(Unit, notice.unit_id).email:
            yield "mail", f"unit:{notice.unit_id}"
        yield from (("mail", f"user:{user.id}") for user in people)


def due_deliveries(session: Session, terms: Terms, now: datetime) -> list[int]:
    """The deliveries that are to be tried now; none outside of office hours (O31), or where no calendar tells them."""
    return queries.due(session, now, LONGEST_PAUSE) if _may_send(terms, now) else []


def _may_send(terms: Terms, now: datetime) -> bool:
    try:
        return is_office_open(terms, now)
    except CalendarMissing:  # `reminders` raises the alarm
        return False


def prepare_delivery(session: Session, office: Office, delivery_id: int, channels: Collection[str], now: datetime) -> Dispatch | None:
    """What the job must hand over, or None when there is nothing to do, or not yet, or no office is open (O31); counts the try."""
    delivery = session.get(NoticeDelivery, delivery_id, with_for_update=True)
    if delivery is None or delivery.state != "waiting" or now < delivery.due_at <= now + LONGEST_PAUSE:
        return None
    if not _may_send(office.terms, now):
        return None
    dispatch = _dispatch(session, office, delivery)
    end = _end(session, office.terms, delivery, dispatch, channels, now)
    if end is not None:
        delivery.state, delivery.problem = end
        return None
    delivery.due_at = now + PAUSES[delivery.tries]
    delivery.tries += 1
    delivery.problem = "no_answer"  # unless the job lives to tell more
    return dispatch


def _end(
    session: Session, terms: Terms, delivery: NoticeDelivery, dispatch: Dispatch | None, channels: Collection[str], now: datetime
) -> tuple[str, str] | None:
    """State and problem with which a delivery ends untried, or None when it is to be tried."""
    if delivery.channel not in channels:
        return "dropped", "off"
    if _is_over(session, terms, delivery.notice, now):
        return "dropped", "over"
    if dispatch is None:
        return "dropped", "no_address"
    return ("failed", delivery.problem) if delivery.tries >= TRIES else None


def _is_over(session: Session, terms: Terms, notice: Notice, now: datetime) -> bool:
    """Whether there is no sense any more in saying it.

    The order was answered, is another office's by now, or has another deadline than the one told; or the day has passed (a new notice
    says how it stands).
    """
    today = terms.local(now).date()
    if notice.kind == "weekly":
        return week_of(terms, now) > week_of(terms, notice.due_at)
    order = session.scalars(select(Order).where(Order.public_id == notice.subject.partition(":")[2])).one_or_none()
    if order is None or audience_of(order) != notice.unit_id:
        return True
    if notice.kind in SIGNED_WITHIN:
        return order.state != "issued"
    if order.state not in RUNNING or _is_due_later(terms, notice, order, now):
        return True
    last = notice.details["due_on"] if notice.kind == "eve" else str(terms.local(notice.due_at).date())
    return str(today) > last


def _is_due_later(terms: Terms, notice: Notice, order: Order, now: datetime) -> bool:
    """Whether the order was given another deadline since the notice was written, by an extension, the calendar or a step of the desk."""
    if notice.kind == "overdue":
        return order.due_at > now
    last = str(last_day(terms, order.due_at))
    return str(notice.details.get("due_on", last)) != last  # one by hand that is older than this rule holds no day


def _dispatch(session: Session, office: Office, delivery: NoticeDelivery) -> Dispatch | None:
    notice = delivery.notice
    unit = session.get_one(Unit, notice.unit_id) if notice.unit_id is not None else None
    to = _address_of(session, office, delivery, unit) if delivery.channel == "mail" else ""
    if to is None:
        return None
    told = Notification(delivery.public_id, notice.kind, unit.name if unit else "", notice.text, notice.due_at, notice.details)
    return Dispatch(delivery.id, delivery.channel, to, (unit.id, unit.code) if unit else None, told)


def _address_of(session: Session, office: Office, delivery: NoticeDelivery, unit: Unit | None) -> str | None:
    """Where the mail goes as things stand now; None when the address, or the account, is gone or has another office."""
    if unit is not None and delivery.recipient == f"unit:{unit.id}":
        return unit.email or None
    user = session.get(User, int(delivery.recipient.partition(":")[2]))
    if user is None or user not in queries.people_of(session, delivery.notice):
        return None
    try:
        return email_of(office.keys, user.name, user.email_sealed) or None
    except CannotUnseal:
        return None


def note_delivered(session: Session, delivery_id: int, now: datetime) -> None:
    """The other side has accepted it."""
    delivery = session.get_one(NoticeDelivery, delivery_id, with_for_update=True)
    delivery.state, delivery.sent_at, delivery.problem = "sent", now, ""
    if delivery.channel != "file":  # a file that nobody has opened has reached nobody
        note_sent(session, delivery.notice.key, now)


def note_delivery_problem(session: Session, delivery_id: int, problem: Problem, *, final: bool = False) -> bool:
    """It was not accepted; whether it was given up, which a `final` problem is at once."""
    delivery = session.get_one(NoticeDelivery, delivery_id, with_for_update=True)
    if delivery.state != "waiting":
        return False
    delivery.problem = str(problem)
    if final or delivery.tries >= TRIES:
        delivery.state = "failed"
    return delivery.state == "failed"


def send_again(session: Session, office: Office, delivery_id: int, by: str, now: datetime) -> None:
    """Let a delivery that was given up be tried anew. Raises NotFound for any other."""
    delivery = session.get(NoticeDelivery, delivery_id, with_for_update=True)
    if delivery is None or delivery.state != "failed":
        raise NotFound
    delivery.state, delivery.tries, delivery.due_at = "waiting", 0, now
    office.record(session, now, by, "notice.send_again", f"notice:{delivery.notice_id}", channel=delivery.channel, to=delivery.recipient)


def watch_channels(session: Session, now: datetime) -> None:
    """Raise an alarm for a channel by which somebody has got nothing for an hour, clear it when all is well."""
    found = queries.troubled(session, now - LOOKED_BACK, now - FAILING_FOR)
    for channel in CHANNELS:
        mine = [delivery for delivery in found if delivery.channel == channel]
        if mine and not is_standing(session, AlarmKind.NOTICES_FAIL, channel):
            details = {"problem": mine[-1].problem, "recipients": len({delivery.recipient for delivery in mine})}
            raise_alarm(session, AlarmKind.NOTICES_FAIL, channel, now, **details)
        elif not mine:
            clear_alarm(session, AlarmKind.NOTICES_FAIL, channel, now)
