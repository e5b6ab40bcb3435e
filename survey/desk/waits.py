"""What a person who waits for an operator is to hear next (O15)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.desk.offers import PATIENCE, give_up, rung_in_vain
from survey.desk.ringing import take_back
from survey.desk_clock import given_up_at
from survey.fieldwork.office import Office
from survey.store.models import CallAttempt, Takeover
from survey.store.queries import desk as queries
from survey.store.rows import read_again
from survey.store.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Wait:
    """Whether the wait is over, how many calls are served before this one, whole seconds waited, and the script's language.

    `left`: whole seconds until it is given up; 0 for a call that an operator has claimed.
    """

    is_over: bool
    ahead: int
    seconds: int
    language: str
    left: int = 0


def _is_to_come(takeover: Takeover, now: datetime) -> bool:
    """Whether the person is to come by themselves: the redirect that gives their call the time of a talk had its time to come first."""
    return takeover.state == "ready" and (takeover.ready_at is None or now - takeover.ready_at >= PATIENCE)


def language_of(session: Session, office: Office, token: str) -> str:
    """The language of the script of the call with this token; empty for no such call."""
    version = session.scalar(select(CallAttempt.script_version_id).where(CallAttempt.token == token))
    return "" if version is None else office.script(session, version).language


def wait_of(work: UnitOfWork, office: Office, token: str, now: datetime) -> Wait | None:
    """How the wait of the call with this token stands. None for no such call.

    Whoever has waited long enough is let go by the asking, and waits for others where the operator has not come to the telephone.
    """
    session = work.session
    attempt = session.scalars(select(CallAttempt).where(CallAttempt.token == token)).one_or_none()
    if attempt is None:
        return None
    language = office.script(session, attempt.script_version_id).language
    open_ = select(Takeover).where(Takeover.attempt_id == attempt.id, Takeover.ended_at.is_(None))
    takeover = session.scalars(open_).one_or_none()
    if takeover is None or takeover.result or takeover.state == "talking" or _is_to_come(takeover, now):
        return Wait(is_over=True, ahead=0, seconds=0, language=language)
    if takeover.state == "claimed" and takeover.id in rung_in_vain(session, office.desk, now):
        take_back(work, office, takeover.id, "rang_out", now)
    if takeover.state == "waiting" and now >= given_up_at(office.desk, takeover.opened_at):
        give_up(work, takeover.id)
        read_again(session, takeover, "result")
        return Wait(is_over=takeover.result != "", ahead=0, seconds=0, language=language)
    seconds = int((now - takeover.opened_at).total_seconds())
    if takeover.state != "waiting":
        return Wait(is_over=False, ahead=0, seconds=seconds, language=language)
    left = int((given_up_at(office.desk, takeover.opened_at) - now).total_seconds())
    return Wait(is_over=False, ahead=queries.ahead_of(session, takeover), seconds=seconds, language=language, left=left)
