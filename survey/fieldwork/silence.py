"""Silent calls (R18): a person answered and did not hear us within two seconds. Such calls are counted, and stop dialling."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.fieldwork.alarms import raise_alarm
from survey.fieldwork.holds import open_hold, scope_of
from survey.holds import HoldReason
from survey.store.models import CallAttempt, Campaign, Hold
from survey.store.queries import dialling as queries

VOICE_WITHIN = timedelta(seconds=2)
COUNTED_OVER = timedelta(hours=24)
HIGHEST_RATE, FEWEST_CALLS = 0.03, 3
LEFT_ALONE = timedelta(hours=72)
"""How long a number that heard silence is not dialled automatically, in any campaign."""


@dataclass(frozen=True)
class Silence:
    """Of the settled calls that people answered in some time: how many heard us too late, and how many there are."""

    abandoned: int
    answered: int

    @property
    def rate(self) -> float | None:
        """Share of the answered calls, 0 to 1; None when nobody answered."""
        return self.abandoned / self.answered if self.answered else None

    @property
    def is_above(self) -> bool:
        """Whether the share is above the limit, be it of however few calls."""
        return self.abandoned > HIGHEST_RATE * self.answered

    @property
    def is_too_much(self) -> bool:
        """Whether dialling must stop: above the limit, and not by one or two calls."""
        return self.is_above and self.abandoned >= FEWEST_CALLS


def judge(attempt: CallAttempt) -> None:
    """Find out whether a person answered our ended call and heard nothing from us, or too late.

    Of a call that the carrier completed without ever asking us what to say, the carrier's word is all there is.
    """
    if attempt.status == "completed" and attempt.answered_at is None and attempt.ended_at is not None:
        attempt.answered_at = attempt.ended_at - timedelta(seconds=attempt.seconds or 0)
    attempt.abandoned = _is_abandoned(attempt)


def _is_abandoned(attempt: CallAttempt) -> bool:
    if attempt.direction != "out" or attempt.answered_at is None or attempt.answered_by in queries.MACHINES:
        return False
    return attempt.voice_at is None or attempt.voice_at - attempt.answered_at > VOICE_WITHIN


def heard(session: Session, campaign: Campaign, since: datetime) -> Silence:
    """What those who answered the campaign's calls after `since` heard."""
    return Silence(*queries.silence_since(session, campaign.id, since))


def counted_since(session: Session, campaign: Campaign, now: datetime) -> datetime:
    """From when the guard counts: 24 hours ago, or when a person last lifted its hold; what that was for is not counted twice."""
    lifts = Hold.scope == scope_of(campaign), Hold.reason == HoldReason.ABANDONED.word
    return max(now - COUNTED_OVER, session.scalar(select(func.max(Hold.lifted_at)).where(*lifts)) or now - COUNTED_OVER)


def check(session: Session, campaign: Campaign, now: datetime) -> None:
    """Stop dialling the campaign when too many of those who answered heard silence."""
    found, scope = heard(session, campaign, counted_since(session, campaign, now)), scope_of(campaign)
    if not found.is_too_much:
        return
    if open_hold(session, scope, HoldReason.ABANDONED, now, detail=f"{found.abandoned}/{found.answered}"):
        raise_alarm(session, AlarmKind.ABANDONED_CALLS, scope, now, abandoned=found.abandoned, answered=found.answered)


def left_alone_until(session: Session, phone_key: bytes, now: datetime) -> datetime | None:
    """Until when the number must be left alone because it heard silence; None: it need not be."""
    at = queries.abandoned_at(session, [phone_key], now - LEFT_ALONE).get(phone_key)
    return at + LEFT_ALONE if at else None
