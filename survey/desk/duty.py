"""Who is at the desk, and in which state (O1, O2, O4, O11)."""

from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from survey.accounts.people import telephone_of
from survey.errors import BadInput, NotAllowed
from survey.fieldwork.office import Office
from survey.store.models import Duty, Takeover, User
from survey.store.queries import desk as queries

STATES = ("free", "busy", "talking", "wrapping", "away", "off")
"""空闲, 忙, 通话, 整理, 离席, 下岗. Talking and wrapping are set by what happens, the others also by the operator."""
CHOSEN = ("free", "busy", "away")
WORKING = ("free", "busy", "wrapping")
"""States in which an operator may be asked to take a call: the free at once, the others when nobody has taken it."""

AT_WORK = (*WORKING, "talking")
"""States of an operator who is to be at the desk."""

FROM = (*WORKING, "away")
"""States that an operator may leave by a choice; who talks, talks."""


def begin(session: Session, office: Office, user: User, login: str, now: datetime) -> Duty:
    """Go on duty with the browser of this log-in, which takes over from an older one (O1, O4).

    Raises BadInput where the account bears no telephone to ring.
    """
    if not telephone_of(office.keys, user.name, user.telephone_sealed):
        zh = "您的账号没有登记值班电话，无法上岗：请在“我的账号”中填写，或请管理员填写"
        raise BadInput(f"{zh} / your account has no desk telephone to ring: enter one on the page of your account")
    duty = session.get(Duty, user.id, with_for_update=True)
    if duty is None:
        duty = Duty(user_id=user.id, state="free", since=now, login=login, misses=0, note="")
        session.add(duty)
    elif duty.state in ("off", "away"):
        duty.state, duty.since = "free", now
    duty.login, duty.misses, duty.note = login, 0, ""
    session.flush()
    office.record(session, now, user.name, "duty.begin", f"user:{user.name}")
    return duty


def choose(session: Session, office: Office, user: User, state: str, now: datetime) -> None:
    """Be free, busy or away. Raises BadInput for another state, NotAllowed for who is not on duty or is in a call."""
    if state not in CHOSEN:
        raise BadInput(f"没有这个状态：{state} / there is no such state", "state")
    change = update(Duty).where(Duty.user_id == user.id, Duty.state.in_(FROM))
    if not session.execute(change.values(state=state, since=now, misses=0, note="")).rowcount:  # type: ignore[attr-defined]
        raise NotAllowed("您不在岗，或正在通话 / you are not on duty, or in a call")
    office.record(session, now, user.name, "duty.change", f"user:{user.name}", state=state)


def end(session: Session, office: Office, user: User, now: datetime) -> None:
    """Go off duty. Raises NotAllowed in a call."""
    change = update(Duty).where(Duty.user_id == user.id, Duty.state != "talking")
    if not session.execute(change.values(state="off", since=now, misses=0, note="", login="")).rowcount:  # type: ignore[attr-defined]
        raise NotAllowed("通话中不能下岗 / you are in a call")
    office.record(session, now, user.name, "duty.end", f"user:{user.name}")


def leave(session: Session, office: Office, user: User, login: str, now: datetime) -> None:
    """This log-in ends: so does the duty whose desk it is, but for who talks, whose telephone goes on."""
    _send_off(session, office, user, login, user.name, "", now)


def lapse(session: Session, office: Office, now: datetime) -> None:
    """Send off duty whoever has no log-in for it any more: they would see no call. Who talks is sent off when the call is over."""
    gone = select(User, Duty.login).join(Duty, Duty.user_id == User.id).where(Duty.state.in_(FROM), ~queries.has_log_in(now))
    for user, login in session.execute(gone).all():
        _send_off(session, office, user, login, "system", "gone", now)


def resume(session: Session, user: User, login: str, now: datetime) -> None:
    """A new log-in has the desk of one that ended in the middle of a call; one that stands keeps it until `begin` (O4)."""
    orphaned = (Duty.user_id == user.id, Duty.state.in_(AT_WORK), ~queries.has_log_in(now))
    session.execute(update(Duty).where(*orphaned).values(login=login).execution_options(synchronize_session=False))


def _send_off(session: Session, office: Office, user: User, login: str, by: str, note: str, now: datetime) -> None:
    change = update(Duty).where(Duty.user_id == user.id, Duty.login == login, Duty.state.in_(FROM))
    if session.execute(change.values(state="off", since=now, misses=0, note=note, login="")).rowcount:  # type: ignore[attr-defined]
        office.record(session, now, by, "duty.end", f"user:{user.name}")


def is_on(session: Session, login: str) -> bool:
    """Whether this log-in's browser is the desk of somebody who is to be there."""
    return bool(session.scalar(select(exists().where(Duty.login == login, Duty.state.in_(AT_WORK)))))


def free_after(session: Session, takeover: Takeover, now: datetime) -> None:
    """The operator is done with sorting this call out, and free unless another one is still to be sorted out."""
    if not queries.is_sorting_another(session, takeover):
        wrapping = update(Duty).where(Duty.user_id == takeover.operator_id, Duty.state == "wrapping")
        session.execute(wrapping.values(state="free", since=now).execution_options(synchronize_session="fetch"))
