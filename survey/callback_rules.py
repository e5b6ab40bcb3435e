"""When an operator may call a person back: the contact rules as they hold for a call that the case itself asks for (R14–R16, O23). Pure.

Such a call is asked for, so that neither dayparts nor days are chosen for it; hours, the pause after a call that reached nobody, and the
number of such calls hold as for every other.
"""

from collections.abc import Sequence
from datetime import datetime

from survey.contact_rules import Close, PastAttempt, Rules, next_opening, pause
from survey.disposition import Disposition
from survey.working_days import Calendar

ORDINARY, CALLBACK = "survey", "callback"
"""What an attempt is made for: the machine's interview, or an operator's call about a case."""
REASONS = ("closed", "no_contact", "no_number", "refused", "no_such_number", "max_attempts", "no_calendar", "going_on")
"""Why a case may not be called back at all, at present: a word of these."""


def next_callback(rules: Rules, calendar: Calendar, history: Sequence[PastAttempt], now: datetime, zone: str) -> datetime | Close:
    """The first moment from `now` on, in UTC, at which the person may be called back, or why not.

    `history` are the calls back so far, oldest first: one that reached somebody may be followed at once, one that did not waits as the
    contact rules have it. Raises CalendarMissing, and BadInput when no window opens for two months.
    """
    if any(past.disposition is Disposition.NO_SUCH_NUMBER or past.barred for past in history):
        return Close("no_such_number")
    if tries(history) >= rules.max_attempts:
        return Close("max_attempts")
    rested = now
    if history and reached_nobody(history[-1]):
        rested = history[-1].at + pause(rules, history, zone)
    return next_opening(rules, calendar, max(now, rested), zone)


def tries(history: Sequence[PastAttempt]) -> int:
    """How many calls have reached nobody since somebody was reached last."""
    count = 0
    for past in reversed(history):
        if not reached_nobody(past):
            break
        count += 1
    return count


def reached_nobody(past: PastAttempt) -> bool:
    """Whether nobody picked the call up."""
    return past.disposition.outcome_class == "UH" or past.disposition is Disposition.NO_SUCH_NUMBER
