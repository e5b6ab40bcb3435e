"""What the month's sheet asks about appeals: the answers of those about whom one was upheld, and how many wait. Reads only (R53)."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey.appeals import AppealedAnswer
from survey.order_moves import OPEN
from survey.scoring import ITEMS, SCALE, UNSURE
from survey.store.models import Answer, Order, OrderAppeal, Respondent
from survey.store.queries.reporting import INTERVIEWS


def answers_under_upheld_appeals(session: Session, campaigns: Sequence[int]) -> list[AppealedAnswer]:
    """All ratings of the persons interviewed about whom an appeal was upheld, person by person.

    Taken out are all of a person's where the unit was not its own, else those to the items named.
    """
    columns = (Respondent.id, Respondent.unit_id, Answer.item, Answer.code, Answer.score, OrderAppeal.ground, OrderAppeal.items)
    joined = select(*columns).join(Respondent, Answer.respondent_id == Respondent.id)
    joined = joined.join(Order, Order.respondent_id == Respondent.id).join(OrderAppeal, OrderAppeal.order_id == Order.id)
    rated = (Respondent.disposition.in_(INTERVIEWS), Answer.item.in_(ITEMS), Answer.code.in_((*SCALE, UNSURE)))
    upheld = joined.where(Respondent.campaign_id.in_(campaigns), OrderAppeal.decision == "upheld", *rated)
    return [
        AppealedAnswer(person, unit, item, code, score, ground == "not_own" or item in items)
        for person, unit, item, code, score, ground, items in session.execute(upheld.order_by(Respondent.id, Answer.id))
    ]


def appeals_waiting(session: Session, campaigns: Sequence[int]) -> int:
    """How many appeals about these campaigns' persons still wait for a decision."""
    counted = select(func.count(Order.id)).join(Respondent, Order.respondent_id == Respondent.id)
    mine = counted.where(Respondent.campaign_id.in_(campaigns), Order.appeal == "asked", Order.state.in_((*OPEN, "closed")))
    return session.scalar(mine) or 0
