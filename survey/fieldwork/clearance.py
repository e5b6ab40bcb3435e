"""Whether one respondent may be dialled at this moment: asked at the claim, and again just before the request."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from survey import phone
from survey.contact_rules import Close, Rules, may_call, next_call, next_opening
from survey.disposition import Disposition
from survey.fieldwork import silence
from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.history import past_attempts, settled_attempts
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import change_disposition, close
from survey.fieldwork.suppressions import is_suppressed
from survey.store.models import Respondent
from survey.store.queries import dialling, fieldwork
from survey.store.sealing import place
from survey.working_days import calendar


def is_cleared(session: Session, office: Office, respondent: Respondent, now: datetime) -> bool:
    """Check every rule about one respondent; whoever must not be called is closed, whoever must not be called now is put off."""
    key = respondent.phone_key
    if key is None or is_suppressed(session, key):
        close(respondent, "opted_out" if key else "no_number", now)
    elif number_of(office, respondent) is None:
        close(respondent, "refused_number", now)
    elif fieldwork.called_elsewhere_since(session, key, respondent.campaign_id, now - timedelta(days=office.quarantine_days)):
        change_disposition(session, respondent, Disposition.DUPLICATE, now, None)
        close(respondent, "quarantine", now)
    else:
        return _is_time(session, respondent, key, now)
    return False


def number_of(office: Office, respondent: Respondent) -> str | None:
    """The number in E.164; None when it must not be dialled whatever the data say (R7). Raises CannotUnseal."""
    incident = respondent.incident
    e164 = office.keys.open(incident.phone_sealed, place("incidents", "phone_sealed", incident.public_id))
    return None if e164 is None or phone.check(e164, office.numbers) else e164


def _is_time(session: Session, respondent: Respondent, key: bytes, now: datetime) -> bool:
    earliest = _earliest(session, respondent, key, now)
    if isinstance(earliest, Close):
        close(respondent, earliest.reason, now)
    elif earliest > now:
        respondent.state, respondent.due_at = "waiting", earliest
    else:
        return True
    return False


def _earliest(session: Session, respondent: Respondent, key: bytes, now: datetime) -> datetime | Close:
    """The first moment from `now` on at which this respondent may be dialled, as far as is known now, or why never.

    The opening that was chosen at the last settlement may have run out while the respondent waited for a line; then another
    is chosen. A booked call-back keeps its time, whatever the daypart and the spacing, inside the windows.
    """
    rules, zone = rules_of(respondent.campaign), respondent.incident.zone
    days = calendar(rules.calendar)
    booked = respondent.booked_for
    free = max(now, booked or now, silence.left_alone_until(session, key, now) or now)
    if booked is None:
        free = max(free, _free_after_others(session, respondent, key, rules, now))
    if free > now or not may_call(rules, days, now, zone):
        return next_opening(rules, days, free, zone)
    if booked is not None or not respondent.tries:
        return now
    following = next_call(rules, days, past_attempts(settled_attempts(session, respondent.id)), now, zone)
    return following if isinstance(following, Close) else following.at


def _free_after_others(session: Session, respondent: Respondent, key: bytes, rules: Rules, now: datetime) -> datetime:
    """When the number may be dialled again after a call to somebody else who has it."""
    spacing = timedelta(minutes=rules.spacing_minutes)
    rung = dialling.rung_at(session, key, respondent.id, now - spacing)
    return rung + spacing if rung else now
