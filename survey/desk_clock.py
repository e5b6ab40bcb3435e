"""How long an operator is offered a call, the person waits, and who took a call may sort it out (O10, O13, O26). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_EXTENSIONS = 2
"""How often the time to sort a call out may be prolonged."""

LONGEST_TALK = timedelta(hours=1)
"""The longest call in which an operator talks. The carrier counts each of the two calls from its own beginning, and ends it then."""

TOLD_BEFORE = timedelta(minutes=5)
"""So long before its end an operator is told."""


@dataclass(frozen=True)
class DeskTerms:
    """The bureau's times at the desk, in seconds.

    `offer`: a call is offered to the free operators for so long, then to everybody on duty; `wait`: the person waits no longer in all;
    `ring`: the operator's telephone rings no longer; `wrap`: time to sort the call out, prolonged by `extension`.
    After `misses` missed offers in a row an operator counts as away.
    """

    offer: int = 20
    wait: int = 60
    ring: int = 20
    wrap: int = 120
    extension: int = 60
    misses: int = 2


def is_wide(terms: DeskTerms, opened_at: datetime, now: datetime) -> bool:
    """Whether the call is offered to everybody on duty by now."""
    return now >= opened_at + timedelta(seconds=terms.offer)


def round_of(terms: DeskTerms, opened_at: datetime, now: datetime) -> int:
    """Which round of offers is on, from 1: each lasts `offer` seconds."""
    return int(max(0.0, (now - opened_at).total_seconds()) // terms.offer) + 1


def round_ends(terms: DeskTerms, opened_at: datetime, number: int) -> datetime:
    """When a round of offers is over; the last one with the wait itself."""
    return min(opened_at + timedelta(seconds=terms.offer * number), given_up_at(terms, opened_at))


def given_up_at(terms: DeskTerms, opened_at: datetime) -> datetime:
    """When the person has waited long enough."""
    return opened_at + timedelta(seconds=terms.wait)


def talk_left(began_at: datetime, now: datetime) -> timedelta | None:
    """How long a talk may still go on whose older call began then; None while that is no matter yet."""
    left = began_at + LONGEST_TALK - now
    return max(left, timedelta(0)) if left <= TOLD_BEFORE else None
