"""What is asked about notices: which are an office's own, which are on their way, which do not arrive."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session, aliased, joinedload

from survey.store.models import Notice, NoticeDelivery, NoticeReading, Unit, User

CENTRE = "route:centre"
LEADER = "leader"
NEWEST = 200
MOST_DUE = 200


@dataclass(frozen=True)
class Reader:
    """Somebody who reads the notices of an office: of a unit, of inspection, or of the centre; any other role has none.

    What is for the leader of a unit is read by its heads, or by everybody where it has none.
    """

    user_id: int
    role: str
    unit_id: int | None
    is_head: bool = False


@dataclass(frozen=True)
class NoticeRow:
    """A notice as its office sees it; `read_at` is when this person read it."""

    id: int
    kind: str
    subject: str
    text: str
    at: datetime
    read_at: datetime | None


@dataclass(frozen=True)
class DeliveryRow:
    """A notice on its way; `recipient` is unit:<id>, user:<id> or the channel's own name, `name` how people call it."""

    id: int
    kind: str
    text: str
    unit: str
    channel: str
    recipient: str
    name: str
    state: str
    tries: int
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    problem: str


def notices(session: Session, reader: Reader) -> list[NoticeRow]:
    """The newest notices of the reader's office, newest first, with whether this person has read them."""
    joined = and_(NoticeReading.notice_id == Notice.id, NoticeReading.user_id == reader.user_id)
    wanted = select(Notice, NoticeReading.at).outerjoin(NoticeReading, joined).where(_own(reader))
    found = session.execute(wanted.order_by(Notice.due_at.desc(), Notice.id.desc()).limit(NEWEST))
    return [NoticeRow(one.id, one.kind, one.subject, one.text, one.due_at, at) for one, at in found]


def told(session: Session, keys: Collection[str]) -> dict[str, int | None]:
    """Which of these notices there are, each with the unit that it was for; None: inspection or the centre."""
    return dict(session.execute(select(Notice.key, Notice.unit_id).where(Notice.key.in_(keys))).all())


def of_order(session: Session, order_id: str) -> list[NoticeRow]:
    """What was said about an order, in the order of time; nobody's reading stands in it."""
    wanted = select(Notice).where(Notice.subject == f"order:{order_id}").order_by(Notice.due_at, Notice.id)
    return [NoticeRow(one.id, one.kind, one.subject, one.text, one.due_at, None) for one in session.scalars(wanted)]


def unread(session: Session, reader: Reader) -> list[int]:
    """The ids of the office's notices that this person has not read."""
    seen = select(NoticeReading.notice_id).where(NoticeReading.user_id == reader.user_id, NoticeReading.notice_id == Notice.id)
    return list(session.scalars(select(Notice.id).where(_own(reader), ~seen.exists()).order_by(Notice.id)))


def _own(reader: Reader) -> ColumnElement[bool]:
    match reader.role:
        case "unit":
            is_for_all = or_(Notice.kind != LEADER, ~_has_head(reader.unit_id))
            return and_(Notice.unit_id == reader.unit_id, true() if reader.is_head else is_for_all)
        case "inspection":
            return and_(Notice.unit_id.is_(None), Notice.subject != CENTRE)
        case "centre":
            return Notice.subject == CENTRE
    return Notice.id.is_(None)


def _has_head(unit_id: int | None) -> ColumnElement[bool]:
    colleague = aliased(User)
    return select(colleague.id).where(colleague.unit_id == unit_id, colleague.is_head.is_(True), colleague.disabled_at.is_(None)).exists()


def due(session: Session, now: datetime, longest_pause: timedelta) -> list[int]:
    """The deliveries to be tried now, longest due first. One that is due later than any pause lasts was put off by a wrong clock."""
    is_time = or_(NoticeDelivery.due_at <= now, NoticeDelivery.due_at > now + longest_pause)
    waiting = select(NoticeDelivery.id).where(NoticeDelivery.state == "waiting", is_time)
    return list(session.scalars(waiting.order_by(NoticeDelivery.due_at, NoticeDelivery.id).limit(MOST_DUE)))


def troubled(session: Session, since: datetime, until: datetime) -> Sequence[NoticeDelivery]:
    """Deliveries made from `since` to `until` that were tried in vain, and whose recipient has got nothing by that channel since."""
    later = aliased(NoticeDelivery)
    arrived = select(later.id).where(
        later.channel == NoticeDelivery.channel, later.recipient == NoticeDelivery.recipient, later.sent_at > NoticeDelivery.created_at
    )
    tried = (NoticeDelivery.state.in_(("waiting", "failed")), NoticeDelivery.tries > 0)
    within = NoticeDelivery.created_at.between(since, until)
    return session.scalars(select(NoticeDelivery).where(*tried, within, ~arrived.exists()).order_by(NoticeDelivery.id)).all()


def waiting_by_channel(session: Session) -> dict[str, int]:
    """How many deliveries wait, by channel."""
    counted = select(NoticeDelivery.channel, func.count()).where(NoticeDelivery.state == "waiting").group_by(NoticeDelivery.channel)
    return dict(session.execute(counted).all())


def deliveries(session: Session) -> list[DeliveryRow]:
    """The newest deliveries, newest first; none of inspection's, of which nobody else may know (R35)."""
    known = or_(Notice.unit_id.is_not(None), Notice.subject == CENTRE)
    wanted = select(NoticeDelivery, Unit.name).select_from(NoticeDelivery).join(Notice).outerjoin(Unit, Notice.unit_id == Unit.id)
    wanted = wanted.where(known).options(joinedload(NoticeDelivery.notice)).order_by(NoticeDelivery.id.desc()).limit(NEWEST)
    found = [(one, unit or "") for one, unit in session.execute(wanted)]
    names = _user_names(session, [one.recipient for one, _ in found])
    return [_row(one, unit, names) for one, unit in found]


def _row(one: NoticeDelivery, unit: str, names: dict[str, str]) -> DeliveryRow:
    notice, name = one.notice, unit if one.recipient.startswith("unit:") else names.get(one.recipient, "")
    return DeliveryRow(
        one.id, notice.kind, notice.text, unit, one.channel, one.recipient, name, one.state, one.tries, one.created_at, one.due_at,
        one.sent_at, one.problem,
    )  # fmt: skip


def _user_names(session: Session, recipients: Sequence[str]) -> dict[str, str]:
    ids = {int(one.partition(":")[2]) for one in recipients if one.startswith("user:")}
    return {f"user:{number}": name for number, name in session.execute(select(User.id, User.name).where(User.id.in_(ids)))}


def offices(session: Session) -> tuple[int, int]:
    """How many units there are, and how many of them can be reached by e-mail: at their own address or at an account's."""
    reached = select(User.id).where(User.unit_id == Unit.id, User.disabled_at.is_(None), User.email_sealed.is_not(None)).exists()
    all_units = session.scalar(select(func.count(Unit.id))) or 0
    return all_units, session.scalar(select(func.count(Unit.id)).where(or_(Unit.email != "", reached))) or 0


def people_of(session: Session, notice: Notice) -> Sequence[User]:
    """The accounts of a notice's office that have an e-mail address; of what is for a unit's leader its heads, if it has any."""
    role = "unit" if notice.unit_id is not None else "centre" if notice.subject == CENTRE else "inspection"
    standing = (User.role == role, User.disabled_at.is_(None), User.email_sealed.is_not(None))
    mine: tuple[ColumnElement[bool], ...] = (User.unit_id == notice.unit_id,) if role == "unit" else ()
    if role == "unit" and notice.kind == LEADER:
        mine = (*mine, or_(User.is_head.is_(True), ~_has_head(notice.unit_id)))
    return session.scalars(select(User).where(*standing, *mine).order_by(User.id)).all()
