"""An order's whole life in the database: who may, what is kept, and that nobody overwrites anybody (R49–R53, R55; O33, O38)."""

import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from survey import casework
from survey.casework import Overtaken, tickets
from survey.errors import BadInput, NotAllowed, NotFound
from survey.order_moves import Actor
from survey.store import audit
from survey.store.models import (
    AuditEntry,
    Escalation,
    Order,
    OrderAppeal,
    OrderEvent,
    OrderExtension,
    OrderReply,
    Respondent,
    Takeover,
)
from survey.store.queries.appeals import answers_under_upheld_appeals, appeals_waiting
from survey.store.unit_of_work import UnitOfWork
from tests.survey.casework.conftest import CENTRE, IMPROVED, VISITED, Bureau


def test_from_issue_to_satisfied_every_step_has_actor_time_and_state(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)
    bureau.ground.clock.advance(days=1)
    closed = bureau.recall(order_id, "satisfied")

    view = bureau.view(order_id, CENTRE)
    assert (closed.state, closed.outcome, closed.archive_number) == ("closed", "satisfied", "2026-0001")
    assert [(event.number, event.what, event.actor, event.to_state) for event in view.events] == [
        (1, "issue", "system", "issued"), (2, "sign", "officer.zhou", "signed"), (3, "take_in_hand", "officer.zhou", "in_hand"),
        (4, "answer", "officer.zhou", "answered"), (5, "begin_recall", "system", "recalling"), (6, "note_recall", "system", "closed"),
    ]  # fmt: skip
    assert (view.version, view.actions) == (6, ())


def test_every_step_stands_in_a_trail_that_is_whole_and_names_nobody(bureau: Bureau, audit_key: bytes) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)

    with bureau.ground.sessions() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"order:{order_id}")).all()
        assert list(audit.verify(session, audit_key)) == []
    assert [entry.action for entry in entries] == ["order.issue", "order.sign", "order.take_in_hand", "order.answer"]
    assert not any("钱所长" in entry.details or "批评" in entry.details for entry in entries)


def test_a_reply_is_sealed_and_opens_for_who_reads(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)

    with bureau.ground.sessions() as session:
        reply = session.scalars(select(OrderReply)).one()
    assert reply.people_sealed is not None
    assert "钱所长".encode() not in reply.people_sealed
    [shown] = bureau.view(order_id, CENTRE).replies
    assert (shown.people, shown.measure, shown.explanation, shown.visited_on) == ("钱所长", "批评教育", None, date(2026, 3, 10))


def test_an_insufficient_reply_changes_nothing(bureau: Bureau) -> None:
    [order_id] = bureau.issued(consent="no")
    unit = bureau.unit(order_id)
    bureau.do("sign", order_id, unit)
    bureau.do("take_in_hand", order_id, unit)

    with pytest.raises(BadInput, match="did not agree to be contacted"):
        bureau.do("answer", order_id, unit, VISITED, bureau.terms)

    assert (bureau.order(order_id).state, bureau.order(order_id).version) == ("in_hand", 3)
    assert bureau.do("answer", order_id, unit, IMPROVED, bureau.terms).state == "answered"


def test_dissatisfied_again_goes_back_with_a_new_deadline_and_the_third_time_to_leadership(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    seen = []
    for _ in range(3):
        bureau.answered(order_id)
        bureau.ground.clock.advance(days=2)
        order = bureau.recall(order_id, "dissatisfied")
        seen.append((order.state, order.returns, order.due_at > bureau.now))
    with bureau.ground.sessions() as session:
        rounds = list(session.scalars(select(OrderReply.round).order_by(OrderReply.round)))

    assert seen == [("returned", 1, True), ("returned", 2, True), ("supervised", 2, True)]
    assert rounds == [1, 2, 3]
    assert bureau.do("close", order_id, CENTRE, "explained", "已当面解释").outcome == "explained"


def test_whom_nobody_reached_again_counts_as_unverified(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)

    assert bureau.recall(order_id, "unreachable").outcome == "unverified"


def test_an_extension_moves_the_deadline_and_is_shown(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    head = bureau.unit(order_id, head=True)
    before = bureau.order(order_id).due_at
    bureau.do("ask_extension", order_id, head, 3, "需外地核实", bureau.terms)
    bureau.do("decide_extension", order_id, CENTRE, is_granted=True, reason="同意延期", terms=bureau.terms)

    shown = bureau.view(order_id, CENTRE).extension
    assert shown is not None
    assert (shown.days, shown.asked_by, shown.due_before, shown.decision, shown.decided_by) == (
        3,
        "head.sun",
        before,
        "granted",
        "centre.li",
    )
    assert bureau.order(order_id).due_at == before + timedelta(days=3)
    with bureau.ground.sessions() as session:
        assert session.scalars(select(OrderExtension.decision_reason)).one() == "同意延期"


@pytest.mark.parametrize(
    ("because", "items", "out"),
    [("untrue", ("speed",), {"speed"}), ("untrue", (), {"speed", "attitude"}), ("not_own", (), {"speed", "attitude", "outcome"})],
)
def test_an_upheld_appeal_takes_answers_out_of_the_mean_and_leaves_them_stored(
    bureau: Bureau, because: str, items: tuple[str, ...], out: set[str]
) -> None:
    [order_id] = bureau.issued()
    bureau.do("appeal", order_id, bureau.unit(order_id), because, "录像显示民警五分钟到场", items=items)
    with bureau.ground.sessions() as session:
        campaigns = list(session.scalars(select(Respondent.campaign_id)))
        assert answers_under_upheld_appeals(session, campaigns) == []
        assert appeals_waiting(session, campaigns) == 1
    bureau.do("decide_appeal", order_id, CENTRE, is_upheld=True, reason="录像属实")

    with bureau.ground.sessions() as session:
        found = answers_under_upheld_appeals(session, campaigns)
        sealed = session.scalars(select(OrderAppeal.argument_sealed)).one()
        assert appeals_waiting(session, campaigns) == 0
    assert {each.item for each in found} == {"speed", "attitude", "outcome"}
    assert {each.item for each in found if each.is_out} == out
    assert "录像".encode() not in (sealed or b"")
    assert bureau.order(order_id).outcome == ("" if items else "appeal_upheld")
    assert set(bureau.view(order_id, CENTRE).scores) == {"speed", "attitude", "outcome"}


def test_what_an_upheld_appeal_was_not_about_is_still_to_be_answered_in_time(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    before = bureau.order(order_id)
    bureau.do("appeal", order_id, bureau.unit(order_id), "untrue", "录像显示民警五分钟到场", items=("speed",))
    order = bureau.do("decide_appeal", order_id, CENTRE, is_upheld=True, reason="录像属实")

    assert (order.state, order.due_at, order.appeal) == ("issued", before.due_at, "upheld")
    bureau.answered(order_id)
    assert bureau.recall(order_id, "satisfied").outcome == "satisfied"


def test_an_order_that_was_not_its_own_goes_to_the_right_unit_and_leaves_the_mean_of_the_wrong_one(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    wrong, other = bureau.unit(order_id), bureau.another_unit()
    bureau.do("appeal", order_id, wrong, "not_own", "在城西派出所辖区")
    bureau.ground.clock.advance(days=1)
    bureau.do("decide_appeal", order_id, CENTRE, is_upheld=True, reason="辖区属实", unit_id=other)

    order, right = bureau.order(order_id), Actor("officer.ma", "unit", other)
    assert (order.unit_id, order.state, order.appeal, order.outcome) == (other, "issued", "upheld", "")
    assert order.due_at > bureau.now + timedelta(days=4)
    with pytest.raises(NotFound):
        bureau.view(order_id, wrong)
    view = bureau.view(order_id, right)
    assert (view.unit, view.events[-1].what, view.events[-1].details) == (
        "城西派出所", "reassign", {"from": "城东派出所", "to": "城西派出所"},
    )  # fmt: skip
    with bureau.ground.sessions() as session:
        found = answers_under_upheld_appeals(session, list(session.scalars(select(Respondent.campaign_id))))
    assert [each.is_out for each in found] == [True] * 3
    for step in ("sign", "take_in_hand"):
        bureau.do(step, order_id, right)
    assert bureau.do("answer", order_id, right, replace(VISITED, visited_on=date(2026, 3, 11)), bureau.terms).state == "answered"


def test_the_right_unit_may_ask_for_an_extension_though_the_wrong_one_had_one(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.do("ask_extension", order_id, bureau.unit(order_id, head=True), 3, "需外地核实", bureau.terms)
    bureau.do("decide_extension", order_id, CENTRE, is_granted=True, reason="同意延期", terms=bureau.terms)
    other = bureau.another_unit()
    bureau.do("reassign", order_id, CENTRE, other, "辖区在城西")
    assert bureau.view(order_id, CENTRE).extension is None

    bureau.do("ask_extension", order_id, Actor("head.ma", "unit", other, is_head=True), 2, "刚刚接到", bureau.terms)

    shown = bureau.view(order_id, CENTRE).extension
    assert shown is not None
    assert (shown.days, shown.asked_by, shown.decision) == (2, "head.ma", "")


@pytest.mark.parametrize("ending", ["void", "appeal", "reassign"])
def test_an_extension_that_nobody_decided_on_lapses_when_the_order_ends_or_goes_to_another_unit(bureau: Bureau, ending: str) -> None:
    [order_id] = bureau.issued()
    head = bureau.unit(order_id, head=True)
    bureau.do("ask_extension", order_id, head, 3, "需外地核实", bureau.terms)

    if ending == "void":
        bureau.do("void", order_id, CENTRE, "重复下发")
    elif ending == "appeal":
        bureau.do("appeal", order_id, head, "not_own", "非我单位辖区")
        bureau.do("decide_appeal", order_id, CENTRE, is_upheld=True, reason="查证属实")
    else:
        bureau.do("reassign", order_id, CENTRE, bureau.another_unit(), "辖区在城西")

    with bureau.ground.sessions() as session:
        assert session.scalars(select(OrderExtension.decision)).one() == "lapsed"
    assert bureau.order(order_id).extension == ("" if ending == "reassign" else "lapsed")


def test_an_appeal_that_nobody_decided_on_lapses_with_an_order_that_was_issued_by_mistake(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.do("appeal", order_id, bureau.unit(order_id), "untrue", "录像显示三分钟到场")
    bureau.do("void", order_id, CENTRE, "重复下发")

    shown = bureau.view(order_id, CENTRE).appeal
    assert shown is not None
    assert (shown.decision, shown.decided_by, bureau.order(order_id).appeal) == ("lapsed", None, "lapsed")
    with bureau.ground.sessions() as session:
        assert session.scalars(select(OrderAppeal.decided_at)).one() == bureau.now


def test_an_extension_that_nobody_decided_on_lapses_with_the_answer_and_can_be_asked_for_again(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    head = bureau.unit(order_id, head=True)
    bureau.do("ask_extension", order_id, head, 3, "需外地核实", bureau.terms)
    bureau.answered(order_id)

    shown = bureau.view(order_id, CENTRE).extension
    assert shown is not None
    assert (shown.decision, bureau.order(order_id).extension) == ("lapsed", "lapsed")
    bureau.do("return_", order_id, CENTRE, "措施不具体", bureau.terms)
    assert "decide_extension" not in bureau.view(order_id, CENTRE).actions
    bureau.do("ask_extension", order_id, head, 2, "需再次上门", bureau.terms)
    assert bureau.do("decide_extension", order_id, CENTRE, is_granted=True, reason="同意延期", terms=bureau.terms).extension == "granted"


def test_an_order_is_given_to_no_unit_that_there_is_not(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    with pytest.raises(BadInput, match="choose the responsible unit"):
        bureau.do("reassign", order_id, CENTRE, 4711, "辖区在城西")


def test_a_rejected_appeal_takes_nothing_out(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.do("appeal", order_id, bureau.unit(order_id), "untrue", "评价与事实不符")
    bureau.do("decide_appeal", order_id, CENTRE, is_upheld=False, reason="录音为证")

    with bureau.ground.sessions() as session:
        campaigns = list(session.scalars(select(Respondent.campaign_id)))
        assert answers_under_upheld_appeals(session, campaigns) == []
        assert appeals_waiting(session, campaigns) == 0


def test_an_appeal_about_an_item_that_is_not_the_orders_is_refused(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    with pytest.raises(BadInput, match="no item of this order"):
        bureau.do("appeal", order_id, bureau.unit(order_id), "untrue", "评价与事实不符", items=("outcome",))
    assert bureau.order(order_id).appeal == ""


def test_a_void_order_keeps_its_number_and_its_case_gets_no_second_one(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.do("void", order_id, CENTRE, "重复下发")

    assert bureau.sweep().issued == ()
    [other] = bureau.issued()
    assert bureau.order(other).serial == 2


def talked(bureau: Bureau, case_id: int, verdict: str) -> None:
    """An operator has talked with the person of the case, and sorted the talk out."""
    with bureau.ground.work() as work:
        attempt_id = work.session.get_one(Escalation, case_id).attempt_id
        work.session.add(
            Takeover(
                attempt_id=attempt_id, reason="human_requested", state="done", opened_at=bureau.now, wrapped_at=bureau.now, verdict=verdict
            )
        )


@pytest.mark.parametrize("owed", ["human_requested", "danger"])
@pytest.mark.parametrize(
    ("verdict", "state"), [("", "open"), ("call_back", "open"), ("resolved", "closed"), ("order", "closed"), ("no_contact", "closed")]
)
def test_a_call_that_a_person_is_owed_stays_in_the_queue_when_the_order_ends(bureau: Bureau, owed: str, verdict: str, state: str) -> None:
    [case_id] = bureau.cases(reasons=("dissatisfied", owed))
    [order_id] = bureau.sweep().issued
    if verdict:
        talked(bureau, case_id, verdict)
    bureau.do("void", order_id, CENTRE, "误发")

    with bureau.ground.work() as work:
        case = work.session.get_one(Escalation, case_id)
        assert case.state == state
        if state == "open":
            tickets.close_ticket(work.session, bureau.ground.office, case.public_id, CENTRE, "已回电说明", bureau.now)


def test_another_unit_finds_no_such_order(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    stranger = Actor("officer.wang", "unit", (bureau.order(order_id).unit_id or 0) + 99)

    with pytest.raises(NotFound):
        bureau.do("sign", order_id, stranger)
    with pytest.raises(NotFound):
        bureau.view(order_id, stranger)


def test_a_later_save_that_would_overwrite_is_refused_with_both_versions(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    unit = bureau.unit(order_id)
    bureau.do("sign", order_id, unit, version=1)

    with pytest.raises(Overtaken, match=r"version 1.*version 2") as refused:
        bureau.do("void", order_id, CENTRE, "误发", version=1)

    overtaken = refused.value
    assert (overtaken.seen, overtaken.present, overtaken.by, overtaken.what) == (1, 2, "officer.zhou", "sign")
    assert bureau.order(order_id).state == "signed"


def test_of_eight_who_save_at_once_one_succeeds_and_the_others_are_told(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    unit = bureau.unit(order_id)
    start, won, told, problems = threading.Barrier(8), list[int](), list[Overtaken](), list[Exception]()

    def save() -> None:
        start.wait()
        try:
            won.append(bureau.do("sign", order_id, unit, version=1).version)
        except Overtaken as overtaken:
            told.append(overtaken)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=save) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert (won, len(told)) == ([2], 7)
    with bureau.ground.sessions() as session:
        assert [event.number for event in session.scalars(select(OrderEvent).order_by(OrderEvent.number))] == [1, 2]


def test_a_writer_who_looked_before_and_writes_after_is_stopped_by_the_row_itself(bureau: Bureau) -> None:
    """Both saw version 1 and passed the first look; the guard stands in the update."""
    if bureau.ground.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time: the second begins after the first is done")
    [order_id] = bureau.issued()
    unit = bureau.unit(order_id)
    with bureau.ground.work() as slow:
        order = casework.found(slow.session, order_id, unit, 1)
        standing = casework.standing_of(order)
        bureau.do("sign", order_id, unit)

        with pytest.raises(Overtaken):
            casework.changes.carry_out(slow.session, bureau.ground.office, order, casework.handling.orders.sign(standing, unit, bureau.now))


def test_accountability_needs_a_verified_fault_and_keeps_decision_and_date(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    def open_(actor: Actor = CENTRE, fault: str = "attitude") -> Any:
        with bureau.ground.work() as work:
            return casework.open_accountability(work.session, bureau.ground.office, order_id, actor, fault, bureau.now).public_id

    def decide(work: UnitOfWork, decision: str) -> None:
        office, day = bureau.ground.office, date(2026, 3, 10)
        casework.decide_accountability(work.session, office, order_id, record_id, CENTRE, decision, day, bureau.now)

    with pytest.raises(NotAllowed, match="nobody can be held to account"):
        open_()
    bureau.answered(order_id)
    with pytest.raises(BadInput, match="choose the verified fault"):
        open_(fault="equipment")
    with pytest.raises(NotAllowed, match="role"):
        open_(bureau.unit(order_id))
    record_id = open_()
    with bureau.ground.work() as work:
        decide(work, "诫勉谈话")

    [shown] = bureau.view(order_id, CENTRE).accountability
    assert (shown.fault, shown.decision, shown.decided_on) == ("attitude", "诫勉谈话", date(2026, 3, 10))
    with pytest.raises(NotAllowed, match="before"), bureau.ground.work() as work:
        decide(work, "再次决定")


def test_of_two_who_hold_to_account_at_once_one_is_told(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)
    start, opened, told = threading.Barrier(2), list[str](), list[str]()

    def open_() -> None:
        start.wait()
        try:
            with bureau.ground.work() as work:
                record = casework.open_accountability(work.session, bureau.ground.office, order_id, CENTRE, "attitude", bureau.now)
                opened.append(record.public_id)
        except NotAllowed as refused:
            told.append(str(refused))

    threads = [threading.Thread(target=open_) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(opened), len(told)) == (1, 1)
    assert len(bureau.view(order_id, CENTRE).accountability) == 1


def test_closing_numbers_the_archive_without_a_gap(bureau: Bureau) -> None:
    orders = bureau.issued(3)
    for order_id in reversed(orders):
        bureau.answered(order_id)
        bureau.recall(order_id, "satisfied")

    with bureau.ground.sessions() as session:
        numbers = list(session.scalars(select(Order.archive_number).order_by(Order.serial)))
    assert numbers == ["2026-0003", "2026-0002", "2026-0001"]
