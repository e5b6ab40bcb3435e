"""What somebody may do with an order at this moment: the buttons of its page (O32). Pure.

`order_moves.actions` knows state, role and unit. Here it is also asked whether the deadline, the returns so far and who made a request
allow it: an action is offered where one that is filled in well would be accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from survey import orders
from survey.errors import NotAllowed
from survey.order_clock import Terms
from survey.order_moves import Actor, Standing, actions
from survey.working_days import CalendarMissing

REASON = "原因"


@dataclass(frozen=True)
class Requests:
    """Who asked for the extension and who made the appeal of an order; empty where nobody did."""

    extension_by: str = ""
    appeal_by: str = ""


def offers(standing: Standing, actor: Actor, at: datetime, terms: Terms, asked: Requests) -> tuple[str, ...]:
    """The actions that the actor may take now, in the order of an order's life."""
    tries: dict[str, Callable[[], object]] = {
        "ask_extension": lambda: orders.ask_extension(standing, actor, at, 1, REASON, terms),
        "decide_extension": lambda: orders.decide_extension(
            standing, actor, at, is_granted=False, days=1, asked_by=asked.extension_by, reason=REASON, terms=terms
        ),
        "decide_appeal": lambda: orders.decide_appeal(
            standing, actor, at, is_upheld=False, about_all=False, asked_by=asked.appeal_by, reason=REASON
        ),
        "return": lambda: orders.return_(standing, actor, at, REASON, terms),
        "supervise": lambda: orders.supervise(standing, actor, at, REASON, terms),
    }
    open_ = actions(standing, actor)
    return tuple(name for name in open_ if name not in tries or _is_accepted(tries[name]))


def outcomes(standing: Standing, actor: Actor, at: datetime) -> tuple[str, ...]:
    """The outcomes under which the actor may close the order by hand now."""
    return tuple(word for word in orders.BY_HAND if _is_accepted(lambda word=word: orders.close(standing, actor, at, word, REASON)))  # type: ignore[misc]


def _is_accepted(try_: Callable[[], object]) -> bool:
    """A year without a calendar stands in nobody's way here: whoever tries is told of it."""
    try:
        try_()
    except NotAllowed:
        return False
    except CalendarMissing:
        return True
    return True
