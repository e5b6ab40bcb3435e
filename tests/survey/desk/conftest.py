"""A desk with operators and calls that come to it, through the same doors as in operation."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from survey import desk
from survey.accounts.administration import add
from survey.accounts.people import Hand, NewAccount
from survey.casework.issuing import issue_due, may_issue
from survey.events import Event, NoInput
from survey.order_clock import Terms
from survey.order_moves import Actor
from survey.store.models import Campaign, Duty, Escalation, Offer, Order, Takeover, User
from tests.attendance import attend
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["Desk", "bench", "ground"]

BAD = "1" + "12146"  # confirmed, then five ratings of which one is dissatisfied
ACCEPT = "1"
NO_NEWS = NoInput()


@dataclass
class Desk:
    """The ground with a desk on it."""

    ground: Ground

    def operator(self, name: str, telephone: str = "+8610000009001", state: str = "free") -> User:
        """An operator on duty, with a telephone."""
        ground = self.ground
        with ground.work() as work:
            hand = Hand("tester", ground.now, ground.office.keys, ground.office.audit_key, ground.office.numbers)
            add(work.session, hand, NewAccount(name, "operator", name.title(), telephone=telephone))
            user = work.session.scalars(select(User).where(User.name == name)).one()
            login = attend(work.session, user, f"login of {name}", ground.now)
            desk.duty.begin(work.session, ground.office, user, login, ground.now)
            if state != "free":
                desk.duty.choose(work.session, ground.office, user, state, ground.now)
        return user

    def call(self, keys: str = BAD + ACCEPT) -> str:
        """A person who has pressed these keys; the token of the attempt."""
        with self.ground.sessions() as session:
            is_launched = session.scalar(select(Campaign.id)) is not None
        if not is_launched:
            self.ground.launch(20, lines=20)
        _, token = self.ground.dial_next()
        self.ground.clock.advance(seconds=2)
        self.ground.talk(token, keys)
        return token

    def again(self, token: str, event: Event = NO_NEWS) -> str:
        """The carrier asks for the next step, usually without anything new: a wait or a talk is over, or the call was redirected."""
        with self.ground.sessions() as session:
            step = session.scalars(select(Takeover).join(Takeover.attempt).order_by(Takeover.id.desc())).first().attempt.step  # type: ignore[union-attr]
        return self.ground.turn(token, step, event)

    def tend(self) -> None:
        for step in desk.STEPS:
            with self.ground.work() as work:
                step(work, self.ground.office, self.ground.now)

    def claim(self, user: User, public_id: str | None = None) -> Takeover:
        wanted = public_id or self.takeover().public_id
        with self.ground.work() as work:
            return desk.claim(work, self.ground.office, wanted, self._own(work.session, user), self.ground.now)

    def decline(self, user: User) -> None:
        wanted = self.takeover().public_id
        with self.ground.work() as work:
            desk.decline(work.session, self.ground.office, wanted, self._own(work.session, user), self.ground.now)

    def ring(self) -> desk.RingOrder:
        number = self.takeover().id
        with self.ground.work() as work:
            order = desk.ringing.prepare_ring(work, self.ground.office, number, self.ground.now)
        assert order is not None
        with self.ground.work() as work:
            desk.ringing.note_rung(work, order.token, "CAoperator")
        return order

    def accept(self, order: desk.RingOrder) -> str | None:
        with self.ground.work() as work:
            return desk.ringing.accept(work, order.token, self.ground.now)

    def leg_over(self, order: desk.RingOrder) -> None:
        with self.ground.work() as work:
            desk.ringing.note_leg_over(work, self.ground.office, order.token, self.ground.now)

    def bridge(self, token: str) -> None:
        with self.ground.work() as work:
            desk.ringing.note_bridged(work, token, self.ground.now)

    def talk(self, user: User, keys: str = BAD + ACCEPT) -> str:
        """A call that the operator has taken and talks; the token of the attempt."""
        token = self.call(keys)
        self.claim(user)
        self.accept(self.ring())
        self.again(token)
        self.bridge(token)
        return token

    def wish(self, user: User, what: str) -> None:
        wanted = self.takeover().public_id
        with self.ground.work() as work:
            desk.wish(work, self.ground.office, wanted, self._own(work.session, user), what, self.ground.now)

    def write(self, user: User, item: str, code: str) -> None:
        wanted = self.takeover().public_id
        with self.ground.work() as work:
            own = self._own(work.session, user)
            desk.write_answer(work.session, self.ground.office, wanted, own, item, code, self.ground.now)

    def wrap_up(self, user: User, verdict: str = "order", consent: str = "yes", remark: str = "", public_id: str = "") -> None:
        given, wanted = desk.WrapUp(verdict, consent, remark), public_id or self.takeover().public_id
        with self.ground.work() as work:
            own = self._own(work.session, user)
            desk.wrap_up(work.session, self.ground.office, wanted, own, given, self.ground.now)

    def issue(self) -> list[tuple[list[str], str, str]]:
        """What the sweep makes orders of now: items, consent and route of each."""
        with self.ground.work() as work:
            issue_due(work.session, self.ground.office, Terms(), self.ground.now)
        with self.ground.sessions() as session:
            orders = session.scalars(select(Order).order_by(Order.id)).all()
            return [(order.items, order.consent, order.route) for order in orders]

    def issue_by_hand(self) -> None:
        with self.ground.work() as work:
            case = work.session.scalars(select(Escalation)).one()
            may_issue(work.session, case, Actor("chen", "centre"), Terms(), self.ground.now)

    def takeover(self) -> Takeover:
        """The newest one."""
        with self.ground.sessions() as session:
            return session.scalars(select(Takeover).order_by(Takeover.id.desc()).limit(1)).one()

    def duty(self, user: User) -> Duty:
        with self.ground.sessions() as session:
            return session.get_one(Duty, user.id)

    def offers(self) -> list[tuple[str, int, str]]:
        """Who was offered what in which round, and what came of it."""
        with self.ground.sessions() as session:
            rows = session.execute(select(User.name, Offer.round, Offer.outcome).join(User, Offer.user_id == User.id).order_by(Offer.id))
            return [tuple(row) for row in rows]  # type: ignore[misc]

    def _own(self, session: object, user: User) -> User:
        return session.get_one(User, user.id)  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def bench(ground: Ground) -> Desk:
    return Desk(ground)
