"""An operator in the second call, whole and over real HTTP: what is written down there decides over the order (R33, R51, O19, O27)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from survey.errors import BadInput
from survey.store.models import Escalation, Order, User
from tests.calls import takeover_house
from tests.calls.takeover_house import Desk
from tests.calls.test_second_calls import APPEASED, UNAPPEASED, Bureau, dissatisfied
from tests.conftest import ON_SQLITE_ALONE
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]
pytestmark = ON_SQLITE_ALONE

OFFERED = "转接值班员请按1"
AGAIN = replace(UNAPPEASED, wants_operator=True)
ASKS = replace(APPEASED, asks_for="human", asks_at="put_right")


@dataclass
class Second:
    """A person whose order was answered, and the desk to which the second call may come."""

    bureau: Bureau
    desk: Desk

    def call(self, traits, telephone: str = "desk_takes") -> User:  # type: ignore[no-untyped-def]
        """The unit answers, an operator goes on duty, and the second call waits for them."""
        self.bureau.house.everybody_is(traits)
        self.bureau.answer()
        self.bureau.until(lambda: [person.state for person in self.bureau.people("followup")] == ["calling"])
        li = self.desk.operator("li", telephone)
        self.desk.until_waiting()
        return li

    def talk(self, traits) -> User:  # type: ignore[no-untyped-def]
        """The second call in which the two talk."""
        li = self.call(traits)
        self.desk.claim(li)
        self.desk.until(lambda: self.desk.takeover().bridged_at, 60)
        return li

    def order(self) -> Order:
        return self.bureau.order()

    def until_person_is_done(self) -> None:
        """Let the call be settled; the order may wait for more."""
        self.desk.until(lambda: self.bureau.people("followup")[0].state == "closed", 120)
        self.desk.beat(2)

    def until_noted(self, happened: Callable[[], bool] | None = None) -> Order:
        self.desk.until(happened or (lambda: self.order().state != "recalling"), 300)
        return self.order()

    def cases(self) -> list[tuple[str, list[str]]]:
        """The cases of the second call: the one of the survey stands before them."""
        with self.bureau.ground.sessions() as session:
            return [(case.state, sorted(case.reasons)) for case in session.scalars(select(Escalation).order_by(Escalation.id))][1:]


@pytest.fixture
def second(ground: Ground, tmp_path: Path) -> Iterator[Second]:
    with takeover_house.opened(ground, tmp_path) as house:
        yield Second(dissatisfied(house.house), house)
        assert house.problems() == []


def test_who_is_dissatisfied_again_talks_to_an_operator_is_handed_back_and_the_order_returns(second: Second) -> None:
    li = second.talk(AGAIN)
    [theirs] = second.desk.desk_calls()
    assert "复核仍不满意" in second.desk.words(theirs)
    assert OFFERED in second.desk.words()
    second.desk.beat(10)
    second.desk.wish(li, "handed_back")
    second.until_person_is_done()

    assert "下面请您继续完成剩下的几个问题" in second.desk.words()
    assert second.desk.answers()["discipline"] == "no"
    assert second.order().state == "recalling"  # the operator may still correct what was said
    second.desk.wrap_up(li, "order", remark="仍有争议")
    order = second.until_noted()
    assert (order.state, order.returns) == ("returned", 1)
    assert second.cases() == [("settled", ["human_requested"])]
    assert [recall.result for recall in second.bureau.calls()] == ["dissatisfied"]
    assert second.bureau.counted(Order) == 1


def test_a_talk_that_an_operator_ends_and_does_not_sort_out_returns_the_order_by_the_clock(second: Second) -> None:
    li = second.talk(AGAIN)
    second.desk.wish(li, "ended")
    second.until_person_is_done()
    assert second.order().state == "recalling"
    order = second.until_noted()

    assert order.state == "returned"
    assert second.desk.takeover().state == "done"
    assert second.cases() == [("open", ["human_requested"])]


def test_whom_the_operator_has_satisfied_closes_the_order_and_nothing_else_can_be_written_against_the_answers(second: Second) -> None:
    li = second.talk(AGAIN)
    second.desk.wish(li, "ended")
    second.desk.until_state("wrap")
    with pytest.raises(BadInput, match="仍不满意"):
        second.desk.wrap_up(li, "resolved", remark="已说明")
    second.desk.write(li, "satisfied_now", "yes")
    with pytest.raises(BadInput, match="不能退回"):
        second.desk.wrap_up(li, "order")
    second.desk.wrap_up(li, "resolved", remark="已说明，群众认可")
    order = second.until_noted()

    assert (order.state, order.outcome) == ("closed", "satisfied")
    assert second.cases() == [("settled", ["human_requested"])]


def test_who_asks_for_a_person_and_tells_the_operator_to_want_nothing_more_has_declined(second: Second) -> None:
    li = second.talk(ASKS)
    second.desk.wish(li, "ended")
    second.desk.until_state("wrap")
    with pytest.raises(BadInput, match="先录入"):
        second.desk.wrap_up(li, "resolved", remark="已说明")
    second.desk.wrap_up(li, "no_contact", consent="no")
    order = second.until_noted()

    assert (order.state, order.outcome) == ("closed", "no_recall_wanted")
    assert second.cases() == [("settled", ["human_requested"])]


def test_whom_no_operator_could_take_is_told_so_goes_on_and_is_owed_a_call(second: Second) -> None:
    li = second.call(AGAIN, "desk_no_answer")
    second.desk.claim(li)
    order = second.until_noted()

    assert "值班员都在接听其他电话" in second.desk.words()
    assert second.desk.answers()["discipline"] == "no"
    assert order.state == "returned"
    assert second.cases() == [("open", ["human_requested"])]


def test_with_nobody_on_duty_the_second_call_is_as_before(second: Second) -> None:
    second.bureau.house.everybody_is(AGAIN)
    second.bureau.answer()
    order = second.bureau.run_recall()

    assert order.state == "returned"
    assert OFFERED not in second.desk.words()
    assert second.cases() == []
