"""Whether a respondent may be dialled at this moment: asked at the claim, and again just before the request.

What the database must be asked is asked for all candidates of a claim at once (`look_up`), because nobody else may claim
meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from survey import disposition as dispositions
from survey import phone
from survey.alarms import AlarmKind
from survey.contact_rules import Close, may_call, next_call, next_opening
from survey.disposition import Disposition
from survey.errors import CannotUnseal
from survey.fieldwork import silence
from survey.fieldwork.alarms import raise_alarm
from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.history import past_attempts, settled_attempts
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import change_disposition, close
from survey.fieldwork.reviews import ask_review
from survey.script import FOLLOWUP, SURVEY
from survey.store.models import Respondent
from survey.store.queries import dialling
from survey.store.sealing import place
from survey.working_days import CalendarMissing, calendar

ASK_AGAIN = timedelta(minutes=10)
"""Whoever cannot be called for want of a calendar of the year is looked at again so much later: by then it may be loaded."""


@dataclass(frozen=True)
class Rung:
    """A number was dialled for this respondent of this campaign, last at `at`."""

    phone_key: bytes
    campaign_id: int
    respondent_id: int
    kind: str
    at: datetime


@dataclass(frozen=True)
class Known:
    """What the database says about the numbers of some respondents."""

    suppressed: set[bytes]
    abandoned: dict[bytes, datetime]
    rung: dict[bytes, list[Rung]]

    def elsewhere(self, respondent: Respondent, since: datetime) -> bool:
        """Whether the number was dialled for another survey after `since` (quarantine, R6).

        A second call follows from a survey: it is kept off by none, and keeps off none (R51).
        """
        if respondent.campaign.kind == FOLLOWUP:
            return False
        rung = self.rung.get(respondent.phone_key or b"", ())
        return any(each.campaign_id != respondent.campaign_id and each.kind == SURVEY and each.at > since for each in rung)

    def for_the_other_kind(self, respondent: Respondent) -> datetime | None:
        """When the number was last dialled for another respondent, where that call or this one is a second call."""
        rung = self.rung.get(respondent.phone_key or b"", ())
        others = (each for each in rung if each.respondent_id != respondent.id)
        return max((each.at for each in others if FOLLOWUP in (each.kind, respondent.campaign.kind)), default=None)

    def for_others(self, respondent: Respondent) -> datetime | None:
        """When the number was last dialled for another respondent."""
        rung = self.rung.get(respondent.phone_key or b"", ())
        return max((each.at for each in rung if each.respondent_id != respondent.id), default=None)


def renew_number(respondent: Respondent) -> None:
    """Take over the number that an import has corrected since the draw: every rule is about the number that would be dialled."""
    if respondent.phone_key != respondent.incident.phone_key:
        respondent.phone_key = respondent.incident.phone_key


def look_up(session: Session, office: Office, respondents: Sequence[Respondent], now: datetime) -> Known:
    """Read what `is_cleared` will need to know about these respondents."""
    keys = {respondent.phone_key for respondent in respondents if respondent.phone_key}
    spacing = max((rules_of(respondent.campaign).spacing_minutes for respondent in respondents), default=0)
    back = max(timedelta(days=max(office.quarantine_days, 1)), timedelta(minutes=spacing))
    rung: dict[bytes, list[Rung]] = {}
    for row in dialling.rung_at(session, keys, now - back):
        rung.setdefault(row[0], []).append(Rung(*row))
    return Known(dialling.suppressed(session, keys), dialling.abandoned_at(session, keys, now - silence.LEFT_ALONE), rung)


def is_cleared(session: Session, office: Office, known: Known, respondent: Respondent, now: datetime) -> bool:
    """Check every rule about one respondent; whoever must not be called is closed, whoever must not be called now is put off.

    One whose number cannot be read waits for a person, so that the others are called.
    """
    key = respondent.phone_key
    try:
        number = number_of(office, respondent)
    except CannotUnseal:
        ask_review(session, respondent, "unreadable", now)
        return False
    if key is None or key in known.suppressed:
        close(respondent, "opted_out" if key else "no_number", now)
    elif number is None:
        close(respondent, "refused_number", now)
    elif respondent.incident.exclusion is not None:
        found_excluded = dispositions.final([Disposition.from_word(respondent.disposition), Disposition.WRONG_PERSON])
        change_disposition(session, respondent, found_excluded, now, None)
        close(respondent, "excluded", now)
    elif known.elsewhere(respondent, now - timedelta(days=office.quarantine_days)):
        change_disposition(session, respondent, Disposition.DUPLICATE, now, None)
        close(respondent, "quarantine", now)
    else:
        return _is_time(session, known, respondent, now)
    return False


def number_of(office: Office, respondent: Respondent) -> str | None:
    """The number in E.164; None when it must not be dialled whatever the data say (R7). Raises CannotUnseal."""
    incident = respondent.incident
    e164 = office.keys.open(incident.phone_sealed, place("incidents", "phone_sealed", incident.public_id))
    return None if e164 is None or phone.check(e164, office.numbers) else e164


def _is_time(session: Session, known: Known, respondent: Respondent, now: datetime) -> bool:
    try:
        earliest = _earliest(session, known, respondent, now)
    except CalendarMissing as missing:
        earliest = now + ASK_AGAIN
        raise_alarm(session, AlarmKind.CALENDAR_MISSING, str(missing.year), now, year=missing.year)
    if isinstance(earliest, Close):
        close(respondent, earliest.reason, now)
    elif earliest > now:
        respondent.state, respondent.due_at = "waiting", earliest
    else:
        return True
    return False


def _earliest(session: Session, known: Known, respondent: Respondent, now: datetime) -> datetime | Close:
    """The first moment from `now` on at which this respondent may be dialled, as far as is known now, or why never.

    The opening that was chosen at the last settlement may have run out while the respondent waited for a line; then another
    is chosen. A booked call-back keeps its time, whatever the daypart and the spacing, inside the windows. A survey and a second
    call, or two second calls, do not reach one number on the same day.
    """
    rules, zone = rules_of(respondent.campaign), respondent.incident.zone
    days = calendar(rules.calendar)
    booked = respondent.booked_for
    silent, others = known.abandoned.get(respondent.phone_key or b""), known.for_others(respondent)
    free = max(now, booked or now, silent + silence.LEFT_ALONE if silent else now)
    if booked is None and others is not None:
        free = max(free, others + timedelta(minutes=rules.spacing_minutes), _next_day(known.for_the_other_kind(respondent), zone) or now)
    if free > now or not may_call(rules, days, now, zone):
        return next_opening(rules, days, free, zone)
    if booked is not None or not respondent.tries:
        return now
    following = next_call(rules, days, past_attempts(settled_attempts(session, respondent.id)), now, zone)
    return following if isinstance(following, Close) else following.at


def _next_day(at: datetime | None, zone: str) -> datetime | None:
    """The beginning of the day after `at`, where the called party is."""
    if at is None:
        return None
    tz = ZoneInfo(zone)
    return datetime.combine(at.astimezone(tz).date() + timedelta(days=1), time.min, tz)
