"""The refusal list: an express refusal ends all present and future dialling of a number (R16) until a person lifts it with a reason.

`Suppression.reason` says how the refusal reached us: a word of SOURCES, and after a colon who wrote it down, where a person did.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from survey import disposition as dispositions
from survey import phone
from survey.contact_rules import FINAL
from survey.disposition import Disposition
from survey.errors import BadInput, NotAllowed, NotFound
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import change_disposition, close
from survey.phone import NumberRefused
from survey.store.models import CallAttempt, Campaign, Respondent, Suppression
from survey.store.queries.fieldwork import put_suppression

BY_HAND = {
    "hotline": ("来电要求", "By telephone"),
    "letter": ("来信要求", "By letter"),
    "visit": ("当面要求", "In person"),
}
"""How a refusal reaches a person at the desk."""
SOURCES = {
    "refused in the call": ("回访通话中按 0", "Key 0 in our call"),
    "refused by calling us": ("回拨时按 0", "Key 0 in a call to us"),
    **BY_HAND,
}
"""Sources with their names; another one stands for itself."""
UNDER_WAY = ("ready", "running", "paused")
LONGEST_REASON = 64
_LIKE_A_NUMBER = re.compile(r"\+?\d[\d\s-]{5,}\d")


def is_suppressed(session: Session, phone_key: bytes) -> bool:
    """Whether the number is on the refusal list."""
    return bool(session.scalar(select(exists().where(Suppression.phone_key == phone_key, Suppression.lifted_at.is_(None)))))


def source_of(reason: str) -> tuple[str, str]:
    """The source in an entry's reason, and who wrote it down; nobody where the person pressed the key."""
    source, _colon, by = reason.partition(":")
    return source, by


def opt_out(session: Session, office: Office, phone_key: bytes, reason: str, now: datetime, attempt_id: int | None = None) -> None:
    """Put a number on the refusal list, and end for everybody with it, in every campaign, what has not come to its end."""
    number = _put(session, phone_key, reason, now, attempt_id)
    if number is not None:
        office.record(session, now, "system", "contact.opt_out", f"suppression:{number}", reason=reason, attempt=attempt_id)


def register(session: Session, office: Office, typed: str, by: str, now: datetime, source: str = "hotline") -> int:
    """A named person writes down that the owner of a number asked not to be called: it holds at once, like key 0; the entry's id.

    Raises BadInput for a number that cannot be one, or another source; NotAllowed when the number stands on the list.
    """
    if source not in BY_HAND:
        raise BadInput(f"来源须为 {'、'.join(BY_HAND)} / the source must be one of {', '.join(BY_HAND)}", "source")
    number = _put(session, office.keys.phone_key(checked(office, typed)), f"{source}:{by}"[:LONGEST_REASON], now)
    if number is None:
        raise NotAllowed("此号码已在拒访登记中，无须再登记 / this number is on the refusal list already")
    office.record(session, now, by, "suppression.register", f"suppression:{number}", source=source)
    return number


def lift(session: Session, office: Office, suppression_id: int, by: str, reason: str, now: datetime) -> None:
    """A named person takes a number off the list and says why: later draws may choose it again, nobody who was closed is called.

    Raises NotFound; BadInput without a reason, or with the number itself in it; NotAllowed when the entry was lifted before.
    """
    if not reason.strip():
        raise BadInput("请写明原因 / a reason is needed", "reason")
    entry = session.get(Suppression, suppression_id, with_for_update=True)
    if entry is None:
        raise NotFound(f"没有编号为 {suppression_id} 的拒访登记 / there is no entry {suppression_id} on the refusal list")
    if entry.lifted_at is not None:
        raise NotAllowed(f"拒访登记 {suppression_id} 已经解除 / entry {suppression_id} of the refusal list was lifted before")
    if _names(office, reason, entry.phone_key):
        raise BadInput("原因会记入审计，请勿写出号码 / the reason goes into the audit trail: leave the number out", "reason")
    entry.lifted_at, entry.lifted_by, entry.lift_reason = now, by[:64], reason
    office.record(session, now, by, "suppression.lift", f"suppression:{entry.id}", reason=reason)


def checked(office: Office, typed: str) -> str:
    """A number as people type it, in E.164. Raises BadInput, which says what is wrong and what to do."""
    try:
        return phone.parse(typed, office.numbers)
    except NumberRefused as refused:
        why = refused.problem
        raise BadInput(f"{why.zh}，{why.remedy_zh} / {why.en}: {why.remedy_en}", "number") from None


def _names(office: Office, reason: str, phone_key: bytes) -> bool:
    """Whether the text holds the number in clear."""
    for found in _LIKE_A_NUMBER.findall(reason):
        with suppress(NumberRefused):
            if office.keys.phone_key(phone.parse(found, office.numbers)) == phone_key:
                return True
    return False


def _put(session: Session, phone_key: bytes, reason: str, now: datetime, attempt_id: int | None = None) -> int | None:
    for respondent in _unfinished(session, phone_key, attempt_id):
        _refuse(session, respondent, now)
    return put_suppression(session, {"phone_key": phone_key, "reason": reason, "attempt_id": attempt_id, "at": now})


def _refuse(session: Session, respondent: Respondent, now: datetime) -> None:
    """The refusal was said in no call to this respondent, before anybody was confirmed (2.111); an interview already given stays."""
    code = dispositions.final([Disposition.from_word(respondent.disposition), Disposition.REFUSAL_BEFORE])
    change_disposition(session, respondent, code, now, None)
    if respondent.state == "waiting":
        close(respondent, "opted_out", now)


def _unfinished(session: Session, phone_key: bytes, attempt_id: int | None) -> Sequence[Respondent]:
    """Everybody with the number whose code the refusal may change, locked; not who said it in this call: the call gives its own."""
    session.flush()  # the rows are read anew
    theirs = select(Respondent).join(Campaign).where(Respondent.phone_key == phone_key, Campaign.state.in_(UNDER_WAY))
    is_open = (Respondent.state != "closed") | Respondent.disposition.not_in([code.word for code in FINAL])
    if attempt_id is not None:
        theirs = theirs.where(Respondent.id != session.get_one(CallAttempt, attempt_id).respondent_id)
    locked = theirs.where(is_open).order_by(Respondent.id).with_for_update(of=Respondent)
    return session.scalars(locked.execution_options(populate_existing=True)).all()
