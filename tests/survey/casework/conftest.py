"""Cases of people who were dissatisfied, on a real database, and those who deal with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pytest
from sqlalchemy import select

from survey import casework
from survey.order_clock import Terms
from survey.order_moves import Actor
from survey.order_replies import Reply
from survey.store.models import Answer, CallAttempt, Campaign, Escalation, Order, Respondent, Unit
from survey.store.sealing import place
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]
CENTRE, INSPECTOR, LEADER = Actor("centre.li", "centre"), Actor("inspector.he", "inspection"), Actor("leader.wu", "commander")
NAME = "赵小满"
VISITED = Reply("substantiated", "officer", measure="批评教育", visited_on=date(2026, 3, 10), people="钱所长")
IMPROVED = Reply("partly", "objective", explanation="警力不足", improvement="增派警力")


@dataclass
class Bureau:
    """Everything a casework test touches."""

    ground: Ground
    terms: Terms = field(default_factory=Terms)

    @property
    def now(self) -> datetime:
        return self.ground.now

    def cases(
        self, people: int = 1, *, reasons: Sequence[str] = ("dissatisfied",), consent: str = "yes", route: str = "centre"
    ) -> list[int]:
        """So many people of one unit were called, rated speed and attitude badly, and became cases; the ids of those."""
        campaign_id = self.ground.launch(people)
        with self.ground.work() as work:
            wanted = select(Respondent).where(Respondent.campaign_id == campaign_id).order_by(Respondent.id)
            cases = [self._case(work.session, respondent, reasons, consent, route) for respondent in work.session.scalars(wanted).all()]
            work.session.flush()
            return [case.id for case in cases]

    def _case(self, session: object, respondent: Respondent, reasons: Sequence[str], consent: str, route: str) -> Escalation:
        incident = respondent.incident
        incident.reporter_sealed = self.ground.office.keys.seal(NAME, place("incidents", "reporter_sealed", incident.public_id))
        campaign: Campaign = respondent.campaign
        attempt = CallAttempt(
            campaign_id=campaign.id, respondent_id=respondent.id, number=1, token=f"{respondent.id:032x}",
            phone_key=respondent.phone_key or b"", status="completed", script_version_id=campaign.script_version_id, claimed_at=self.now,
            answered_at=self.now, ended_at=self.now, settled_at=self.now, disposition="complete",
        )  # fmt: skip
        case = Escalation(
            respondent_id=respondent.id, attempt=attempt, reasons=list(reasons), route=route, priority=3, consent=consent, state="open",
            opened_at=self.now,
        )  # fmt: skip
        scores = {"speed": ("dissatisfied", 25.0), "attitude": ("very_dissatisfied", 0.0), "outcome": ("satisfied", 75.0)}
        answers = [
            Answer(
                respondent_id=respondent.id, attempt=attempt, script_version_id=campaign.script_version_id, item=item, code=code,
                score=score, raw="4", mode="keys", answered_at=self.now,
            )
            for item, (code, score) in scores.items()
        ]  # fmt: skip
        session.add_all([attempt, case, *answers])  # type: ignore[attr-defined]
        respondent.disposition, respondent.state = "complete", "closed"
        return case

    def sweep(self, *, review: bool = False) -> casework.Issued:
        with self.ground.work() as work:
            return casework.issue_due(work.session, self.ground.office, self.terms, self.now, review=review)

    def issued(self, people: int = 1, **settings: object) -> list[str]:
        """The public ids of the orders of so many fresh cases."""
        self.cases(people, **settings)  # type: ignore[arg-type]
        return list(self.sweep().issued)

    def signed(self, people: int = 1, **settings: object) -> list[str]:
        """The public ids of the orders of so many fresh cases, which their offices have signed for at once."""
        found = self.issued(people, **settings)
        for order_id in found:
            by = INSPECTOR if self.order(order_id).route == "inspection" else self.unit(order_id)
            self.do("sign", order_id, by)
        return found

    def order(self, order_id: str) -> Order:
        with self.ground.sessions() as session:
            order = session.scalars(select(Order).where(Order.public_id == order_id)).one()
            assert order.escalation is not None
            return order

    def unit(self, order_id: str, *, head: bool = False) -> Actor:
        """Somebody of the order's unit."""
        return Actor("head.sun" if head else "officer.zhou", "unit", self.order(order_id).unit_id, is_head=head)

    def another_unit(self) -> int:
        """A unit that has no order yet."""
        with self.ground.work() as work:
            unit = Unit(code="other", name="城西派出所")
            work.session.add(unit)
            work.session.flush()
            return unit.id

    def do(self, use_case: str, order_id: str, actor: Actor, *arguments: object, version: int | None = None, **named: object) -> Order:
        """One use case on the order as it stands, in a transaction of its own."""
        version = self.order(order_id).version if version is None else version
        with self.ground.work() as work:
            call = getattr(casework, use_case)
            order: Order = call(work.session, self.ground.office, order_id, actor, version, *arguments, now=self.now, **named)
            return order

    def answered(self, order_id: str, reply: Reply = VISITED) -> Order:
        """The order signed for, taken in hand, and answered by its unit."""
        unit = self.unit(order_id)
        if self.order(order_id).state == "issued":
            self.do("sign", order_id, unit)
        self.do("take_in_hand", order_id, unit)
        return self.do("answer", order_id, unit, reply, self.terms)

    def recall(self, order_id: str, result: str) -> Order:
        """The person was called again with this result."""
        with self.ground.work() as work:
            casework.begin_recall(work.session, self.ground.office, order_id, self.now)
            return casework.note_recall(work.session, self.ground.office, order_id, result, self.terms, self.now)

    def view(self, order_id: str, reader: Actor) -> casework.OrderView:
        with self.ground.sessions() as session:
            return casework.order_view(session, self.ground.office, order_id, reader, self.terms, self.now)


@pytest.fixture
def bureau(ground: Ground) -> Bureau:
    return Bureau(ground)
