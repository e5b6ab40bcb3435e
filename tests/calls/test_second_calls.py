"""The second call, from the dissatisfied person to the closed order: over real HTTP, by the same dialling as the survey (R51)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from ivr.carrier.simulator.persona import Traits
from survey import casework
from survey.order_moves import Actor
from survey.order_replies import Reply
from survey.store.models import Alarm, CallAttempt, Campaign, Escalation, Order, Recall, Respondent
from tests.calls.small_house import SmallHouse, opened
from tests.conftest import ON_SQLITE_ALONE
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]
pytestmark = ON_SQLITE_ALONE

SHANGHAI = ZoneInfo("Asia/Shanghai")
UNHAPPY = Traits(ratings={"speed": "4", "attitude": "5", "outcome": "4", "equipment": "2", "appearance": "2"})
APPEASED, UNAPPEASED = replace(UNHAPPY, put_right=True, satisfied_now=True), replace(UNHAPPY, put_right=False, satisfied_now=False)
IMPROVED = Reply("substantiated", "officer", measure="批评教育", visited_on=date(2026, 3, 3), people="钱所长")
MOST_ROUNDS = 600


@dataclass
class Bureau:
    """A small house in which one person was dissatisfied, and the unit that handles the order."""

    house: SmallHouse
    survey_id: int

    @property
    def ground(self) -> Ground:
        return self.house.ground

    @property
    def now(self):  # type: ignore[no-untyped-def]
        return self.house.runtime.clock.now()

    def order(self) -> Order:
        with self.ground.sessions() as session:
            order = session.scalars(select(Order).order_by(Order.id)).first()
            assert order is not None
            assert order.escalation is not None
            return order

    def issue(self) -> None:
        """Issue what is ripe, and bring to inspection what is its."""
        with self.ground.work() as work:
            casework.issue_due(work.session, self.ground.office, self.ground.office.terms, self.now)

    def answer(self) -> None:
        """The unit signs for the order if it must, takes it in hand, and replies."""
        order, terms = self.order(), self.ground.office.terms
        unit = Actor("officer.zhou", "unit", order.unit_id)
        if order.state == "issued":
            self._do("sign", unit)
        self._do("take_in_hand", unit)
        self._do("answer", unit, replace(IMPROVED, visited_on=self.now.astimezone(SHANGHAI).date()), terms)

    def _do(self, use_case: str, actor: Actor, *arguments: object) -> None:
        with self.ground.work() as work:
            order = self.order()
            getattr(casework, use_case)(work.session, self.ground.office, order.public_id, actor, order.version, *arguments, now=self.now)

    def until(self, happened: Callable[[], bool]) -> None:
        """Let virtual time pass until something has happened."""
        for _ in range(MOST_ROUNDS):
            if happened():
                return
            self.house.round()
            self.house.pass_time()
        raise AssertionError(f"it does not happen; the order is {self.order().state}, {self.calls()}")

    def run_recall(self) -> Order:
        """Let the second call happen, until the order goes on."""
        self.until(lambda: self.order().state == "recalling")
        self.until(lambda: self.order().state != "recalling")
        return self.order()

    def calls(self) -> list[casework.RecallView]:
        with self.ground.sessions() as session:
            return casework.recalls_of(session, self.order())

    def people(self, kind: str) -> list[Respondent]:
        with self.ground.sessions() as session:
            return list(session.scalars(select(Respondent).join(Campaign).where(Campaign.kind == kind).order_by(Respondent.id)))

    def counted(self, model: type) -> int:
        with self.ground.sessions() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def bureau(ground: Ground, tmp_path: Path) -> Iterator[Bureau]:
    """One person was called, was dissatisfied, and the unit has an order about it."""
    with opened(ground, tmp_path, patience_seconds=5) as house:
        yield dissatisfied(house)


def dissatisfied(house: SmallHouse, language: str = "zh") -> Bureau:
    made = Bureau(house, house.ground.launch(1, language=language))
    house.everybody_is(UNHAPPY)
    house.run(made.survey_id)
    made.issue()
    assert made.counted(Order) == 1
    return made


def test_who_is_satisfied_now_closes_the_order_and_no_two_calls_come_on_one_day(bureau: Bureau) -> None:
    bureau.house.everybody_is(APPEASED)
    bureau.answer()
    order = bureau.run_recall()

    assert (order.state, order.outcome) == ("closed", "satisfied")
    [recall] = bureau.calls()
    assert (recall.round, recall.result, recall.answers["satisfied_now"], recall.answers["put_right"]) == (1, "satisfied", "yes", "yes")
    assert [call.disposition for call in recall.calls] == ["complete"]
    assert recall.campaign == "三月回访·回访复核"
    with bureau.ground.sessions() as session:
        days = [at.astimezone(SHANGHAI).date() for at in session.scalars(select(CallAttempt.requested_at)) if at]
    assert len(set(days)) == len(days) == 2
    assert [problem for call in bureau.house.exchange.journal() for problem in call["problems"]] == []


def test_who_is_still_dissatisfied_sends_the_order_back_twice_and_then_to_supervision(bureau: Bureau) -> None:
    bureau.house.everybody_is(UNAPPEASED)
    deadlines = [bureau.order().due_at]
    for returns, state in ((1, "returned"), (2, "returned"), (2, "supervised")):
        bureau.answer()
        order = bureau.run_recall()
        assert (order.state, order.returns, order.answered_at) == (state, returns, None)
        deadlines.append(order.due_at)

    assert deadlines == sorted(set(deadlines))
    assert [(recall.round, recall.result) for recall in bureau.calls()] == [(1, "dissatisfied"), (2, "dissatisfied"), (3, "dissatisfied")]
    assert [recall.campaign for recall in bureau.calls()] == ["三月回访·回访复核", "三月回访·第2次回访复核", "三月回访·第3次回访复核"]
    assert (bureau.counted(Order), bureau.counted(Escalation)) == (1, 1)

    bureau.house.everybody_is(APPEASED)
    bureau.answer()
    assert bureau.run_recall().outcome == "satisfied"


def test_whom_nobody_reaches_after_all_attempts_is_unverified_and_never_satisfied(bureau: Bureau) -> None:
    bureau.house.everybody_is(replace(APPEASED, pick_up="no-answer"))
    bureau.answer()
    order = bureau.run_recall()

    assert (order.state, order.outcome) == ("closed", "unverified")
    [recall] = bureau.calls()
    assert len(recall.calls) == 5
    assert recall.close_reason == "max_attempts"
    spread = [later.at - earlier.at for earlier, later in zip(recall.calls, recall.calls[1:], strict=False)]
    assert min(spread) >= timedelta(hours=3)


@pytest.mark.parametrize(
    ("traits", "outcome", "disposition"),
    [
        (replace(APPEASED, hangs_up_after=2.5), "no_recall_wanted", "refusal_before"),
        (replace(APPEASED, asks_for="never"), "no_recall_wanted", "refusal_before"),
        (replace(APPEASED, right_person=False), "unverified", "wrong_person"),
        (replace(APPEASED, hangs_up_at="put_right"), "no_recall_wanted", "break_off"),
        (replace(APPEASED, hangs_up_at="satisfied_now"), "no_recall_wanted", "break_off"),
        (replace(APPEASED, asks_for="later"), "no_recall_wanted", "not_available"),
        (replace(APPEASED, pick_up="no-such-number"), "unverified", "no_such_number"),
        (replace(APPEASED, presses="nothing"), "unverified", "not_confirmed"),
        (replace(APPEASED, hangs_up_at="remark"), "satisfied", "complete"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_call_that_brings_no_answer_closes_the_order_by_what_it_was(
    bureau: Bureau, traits: Traits, outcome: str, disposition: str
) -> None:
    bureau.house.everybody_is(traits)
    bureau.answer()
    order = bureau.run_recall()

    assert (order.state, order.outcome) == ("closed", outcome)
    assert [person.disposition for person in bureau.people("followup")] == [disposition]


def test_who_says_that_nothing_was_put_right_and_leaves_is_not_satisfied(bureau: Bureau) -> None:
    bureau.house.everybody_is(replace(UNAPPEASED, hangs_up_at="satisfied_now"))
    bureau.answer()

    assert bureau.run_recall().state == "returned"


def test_an_allegation_in_the_second_call_brings_the_order_to_inspection(bureau: Bureau) -> None:
    bureau.house.everybody_is(replace(UNAPPEASED, abused=True))
    bureau.answer()
    bureau.until(lambda: bureau.people("followup")[:1] != [] and bureau.people("followup")[0].state == "closed")
    bureau.house.round()
    bureau.issue()
    bureau.house.round()

    order = bureau.order()
    assert (order.route, order.state, order.escalation.route) == ("inspection", "issued", "inspection")
    assert [recall.result for recall in bureau.calls()] == [""]
    assert [recall.noted_at is None for recall in bureau.calls()] == [False]
    bureau.issue()
    assert bureau.counted(Order) == 1


def test_who_asks_for_a_person_is_left_to_one(bureau: Bureau) -> None:
    bureau.house.everybody_is(replace(APPEASED, asks_for="human", asks_at="put_right"))
    bureau.answer()
    bureau.until(lambda: bureau.people("followup")[:1] != [] and bureau.people("followup")[0].state == "closed")
    for _ in range(3):
        bureau.house.round()

    assert bureau.people("followup")[0].close_reason == "handed_over"
    assert bureau.order().state == "recalling"
    with bureau.ground.sessions() as session:
        assert [case.reasons for case in session.scalars(select(Escalation).order_by(Escalation.id))][1:] == [["human_requested"]]
    bureau.issue()
    assert bureau.counted(Order) == 1

    with bureau.ground.work() as work:
        desk, terms = Actor("desk.li", "operator"), bureau.ground.office.terms
        casework.note_recall(work.session, bureau.ground.office, bureau.order().public_id, "satisfied", terms, bureau.now, desk)
    bureau.house.round()
    assert bureau.order().outcome == "satisfied"
    assert [recall.noted_at is None for recall in bureau.calls()] == [False]


def test_the_second_call_is_answered_by_voice(ground: Ground, tmp_path: Path) -> None:
    ground.office = replace(ground.office, languages=frozenset({"zh"}))
    with opened(ground, tmp_path, speakers=1.0, patience_seconds=5) as house:
        bureau = dissatisfied(house)
        house.everybody_is(replace(UNAPPEASED, speaks="zh", manner="plain"))
        bureau.answer()
        order = bureau.run_recall()

        assert order.state == "returned"
        assert bureau.calls()[0].answers["satisfied_now"] == "no"


def test_what_comes_of_a_call_is_noted_once_also_after_everybody_stood_still(bureau: Bureau) -> None:
    bureau.house.everybody_is(APPEASED)
    bureau.answer()
    bureau.until(lambda: bureau.people("followup")[:1] != [] and bureau.people("followup")[0].state == "closed")
    bureau.house.exchange.run_until(bureau.now + timedelta(days=3))
    for _ in range(3):
        bureau.house.round()

    with bureau.ground.sessions() as session:
        events = casework.order_view(
            session, bureau.ground.office, bureau.order().public_id, Actor("centre.li", "centre"), bureau.ground.office.terms, bureau.now
        ).events
    assert [event.what for event in events][-2:] == ["begin_recall", "note_recall"]
    assert sum(event.what == "note_recall" for event in events) == 1
    assert bureau.counted(Recall) == 1
    assert bureau.counted(Alarm) == 0
