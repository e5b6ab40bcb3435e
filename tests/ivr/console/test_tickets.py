"""Tickets of the human queue: one gets it and the other reads who, notes, a second one of the same incident, the way to the order."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from survey.casework import tickets
from survey.casework.tickets import Taken
from survey.order_moves import Actor
from survey.store.models import Escalation, Order, Recall, Respondent, TicketNote
from tests.ivr.console.builders import NOON, a_campaign, a_respondent, a_script, an_attempt, an_escalation
from tests.ivr.console.conftest import post
from tests.ivr.console.order_desk import OrderDesk, forms, press, take

ASKED = ("human_requested",)
ROUNDS = 40
"""Of two who claim at the same moment."""


@pytest.fixture
def desk(services, clock, passwords) -> OrderDesk:
    return OrderDesk(services, clock)


def _twin(desk: OrderDesk, case_id: str, script: str = "跟踪回访", **changes: object) -> str:
    """A second ticket of the same incident, out of another campaign."""
    with desk.services.sessions.begin() as session:
        first = session.query(Escalation).filter_by(public_id=case_id).one()
        incident = first.respondent.incident
        campaign = a_campaign(session, session.get_one(Respondent, first.respondent_id).campaign.draw, a_script(session, script))
        attempt = an_attempt(session, a_respondent(session, campaign, incident, 9000))
        made = {"reasons": ["human_requested"], "priority": 2, "consent": "no", "due_at": NOON, **changes}
        return an_escalation(session, attempt, **made).public_id


def _in_second_call(desk: OrderDesk, log_in, **changes: object) -> tuple[str, str]:
    """An order whose person asked for a human when called again: its public id, and that of the ticket of the second call."""
    [order_id] = desk.issued()
    unit, centre = log_in("unit"), log_in("centre")
    for action in ("sign", "take_in_hand", "answer"):
        take(unit, order_id, action)
    take(centre, order_id, "begin_recall")
    order = desk.order(order_id)
    ticket = _twin(desk, order.escalation.public_id, **changes)
    called = desk.case(ticket).respondent_id
    with desk.services.sessions.begin() as session:
        session.add(Recall(order_id=order.id, round=order.replies, respondent_id=called, entered_at=NOON))
    return order_id, ticket


def _actions(client, case_id: str) -> set[str]:
    page = f"/escalations/{case_id}"
    return {one.removeprefix(f"{page}/") for one in forms(client.get(page).text) if one.startswith(page)}


def test_a_ticket_is_claimed_worked_on_and_closed(desk, log_in, open_page):
    [case] = desk.cases(reasons=ASKED)
    operator, page = log_in("operator"), f"/escalations/{case}"
    assert "待领" in open_page(operator, "/escalations?tab=unclaimed").text

    assert press(operator, page, f"{page}/claim").status_code == 303
    assert case in open_page(operator, "/escalations?tab=mine").html
    assert case not in open_page(operator, "/escalations?tab=unclaimed").html
    assert press(operator, page, f"{page}/note", text="10:20 致电，本人约下午再谈").status_code == 303
    assert press(operator, page, f"{page}/close", text="已答复，本人无异议").status_code == 303

    shown = open_page(operator, page)
    assert [step in shown.text for step in ("领取", "本人约下午再谈", "本人无异议", "已办结")] == [True] * 4
    assert _actions(operator, case) == {"note"}
    assert case in open_page(operator, "/escalations?tab=closed").html
    assert [one.actor for one in desk.trail("ticket.claim") + desk.trail("ticket.close")] == ["operator", "operator"]


def test_what_was_noted_is_sealed(desk, log_in):
    [case] = desk.cases(reasons=ASKED)
    press(log_in("operator"), f"/escalations/{case}", f"/escalations/{case}/note", text="赵小满说明天在家")

    with desk.services.sessions() as session:
        [note] = session.query(TicketNote).all()
    assert note.text_sealed is not None
    assert "赵小满".encode() not in note.text_sealed
    assert "赵小满" not in str([one.details for one in desk.trail("ticket.note")])


def test_who_comes_second_reads_who_was_first(desk, log_in):
    [case] = desk.cases(reasons=ASKED)
    page = f"/escalations/{case}"
    press(log_in("operator"), page, f"{page}/claim")

    late = post(log_in("centre"), f"{page}/claim")

    assert late.status_code == 409
    assert "已由测试operator于 2026-11-23 12:00 领取" in late.text
    assert desk.case(case).claimed_by == "operator"


def test_who_claims_twice_has_it_once(desk, log_in):
    [case] = desk.cases(reasons=ASKED)
    operator, page = log_in("operator"), f"/escalations/{case}"
    press(operator, page, f"{page}/claim")

    assert post(operator, f"{page}/claim").status_code == 303
    assert len(desk.trail("ticket.claim")) == 1


def test_of_two_who_claim_at_once_exactly_one_gets_it_and_the_other_is_told(desk):
    """Again and again: never both, never silence (O9)."""
    cases = desk.cases(ROUNDS, reasons=ASKED)
    barrier, told = threading.Barrier(2), dict[str, list[object]]()

    def run(name: str) -> None:
        for case in cases:
            barrier.wait()
            try:
                with desk.services.unit_of_work() as work:
                    tickets.claim(work.session, desk.services.office, case, Actor(name, "operator"), NOON)
                told.setdefault(case, []).append(name)
            except Taken as taken:
                told.setdefault(case, []).append(taken)

    pair = [threading.Thread(target=run, args=(name,)) for name in ("li", "wang")]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()

    for case in cases:
        [winner] = [one for one in told[case] if isinstance(one, str)]
        [loser] = [one for one in told[case] if isinstance(one, Taken)]
        assert (loser.by, desk.case(case).claimed_by) == (winner, winner)


def test_a_ticket_is_given_back_by_who_has_it_or_taken_back_by_the_centre(desk, log_in):
    [case] = desk.cases(reasons=ASKED)
    page = f"/escalations/{case}"
    operator, centre = log_in("operator"), log_in("centre")
    press(operator, page, f"{page}/claim")
    assert press(operator, page, f"{page}/release").status_code == 303
    press(operator, page, f"{page}/claim")

    assert "收回至队列" in centre.get(page).text
    assert press(centre, page, f"{page}/release").status_code == 303

    assert desk.case(case).claimed_by is None
    assert "测试operator" in centre.get(page).text
    press(centre, page, f"{page}/claim")
    assert "release" not in _actions(operator, case)
    assert post(operator, f"{page}/release").status_code == 409


def test_a_ticket_of_dissatisfaction_is_closed_with_its_order_alone(desk, log_in, open_page):
    [case] = desk.cases()
    page, centre = f"/escalations/{case}", log_in("centre")
    assert "close" not in _actions(centre, case)
    assert post(centre, f"{page}/close", text="已处理").status_code == 409
    issued = post(centre, f"/orders/cases/{case}/issue").headers["Location"]
    order_id = issued.rpartition("/")[2]

    shown = open_page(centre, page)
    assert "2026-0001" in shown.text
    assert issued in shown.html
    assert page in open_page(centre, issued).html
    assert post(centre, f"{page}/close", text="已处理").status_code == 409
    take(centre, order_id, "void")
    assert desk.case(case).state == "closed"


def test_who_may_not_open_orders_sees_the_number_without_a_link(desk, log_in, open_page):
    [order_id] = desk.issued()
    case = desk.order(order_id).escalation.public_id

    shown = open_page(log_in("administrator"), f"/escalations/{case}")

    assert "2026-0001" in shown.text
    assert f"/orders/{order_id}" not in shown.html


def test_a_second_ticket_of_the_same_incident_is_merged_into_the_first(desk, log_in, open_page):
    [first] = desk.cases()
    second = _twin(desk, first)
    operator, page = log_in("operator"), f"/escalations/{second}"

    assert press(operator, page, f"{page}/merge/{first}").headers["Location"] == f"/escalations/{first}"

    case = desk.case(first)
    assert (case.reasons, case.priority, case.consent, case.due_at) == (["dissatisfied", "human_requested"], 2, "no", NOON)
    assert desk.case(second).state == "merged"
    assert "已合并" in open_page(operator, page).text
    assert f"/escalations/{first}" in open_page(operator, page).html
    assert second not in open_page(operator, "/escalations").html
    issued = desk.issued()  # the program issues one order for the two
    with desk.services.sessions() as session:
        assert session.query(Order).count() == 1 + len(issued)


def test_a_ticket_of_another_incident_or_with_an_order_is_not_merged(desk, log_in):
    [first], [stranger] = desk.cases(), desk.cases(reasons=ASKED)
    second = _twin(desk, first)
    operator, centre = log_in("operator"), log_in("centre")
    post(centre, f"/orders/cases/{first}/issue")

    wrong = post(operator, f"/escalations/{stranger}/merge/{first}")
    backwards = post(operator, f"/escalations/{first}/merge/{second}")
    itself = post(operator, f"/escalations/{second}/merge/{second}")

    assert [one.status_code for one in (wrong, backwards, itself)] == [409, 409, 409]
    assert "只有同一警情的两件可以合并" in wrong.text
    assert "此件已有交办单" in backwards.text
    assert f"merge/{second}" not in " ".join(_actions(operator, first))
    assert {desk.case(one).state for one in (first, second, stranger)} == {"open"}


def test_what_came_out_of_abuse_makes_the_merged_ticket_inspections(desk, log_in):
    [first] = desk.cases()
    second = _twin(desk, first, reasons=["abuse_alleged"], route="inspection")
    inspection = log_in("inspection")
    assert _actions(log_in("operator"), first) == {"claim", "note"}, "they do not even learn that there is another"

    press(inspection, f"/escalations/{second}", f"/escalations/{second}/merge/{first}")

    assert desk.case(first).route == "inspection"
    assert log_in("operator").get(f"/escalations/{first}").status_code == 404


def test_a_ticket_of_a_second_call_stays_its_own_while_its_order_is_open(desk, log_in):
    """Merged, the call back went to the person of the survey, with the survey's questions, and the order waited for ever."""
    order_id, ticket = _in_second_call(desk, log_in)
    of_order, operator = desk.order(order_id).escalation.public_id, log_in("operator")

    shown = operator.get(f"/escalations/{ticket}").text
    refused = post(operator, f"/escalations/{ticket}/merge/{of_order}")

    assert f"/escalations/{of_order}" in shown
    assert f"merge/{of_order}" not in _actions(operator, ticket)
    assert refused.status_code == 409
    assert "此件是再次回访中提出的，须在本件回拨" in refused.text
    assert desk.case(ticket).state == "open"


def test_a_ticket_of_a_second_call_is_merged_when_its_order_is_over(desk, log_in):
    order_id, ticket = _in_second_call(desk, log_in)
    other, operator = _twin(desk, ticket, "满意度调查"), log_in("operator")
    take(log_in("centre"), order_id, "void")

    assert press(operator, f"/escalations/{ticket}", f"/escalations/{ticket}/merge/{other}").status_code == 303
    assert desk.case(ticket).state == "merged"


@pytest.mark.parametrize("result", ["satisfied", "unreachable", "dissatisfied"])
def test_a_ticket_of_a_second_call_is_closed_once_its_order_knows_what_came_of_it(desk, log_in, open_page, result):
    """Closed before, nobody called any more, and the order waited for ever."""
    order_id, ticket = _in_second_call(desk, log_in)
    operator, page = log_in("operator"), f"/escalations/{ticket}"
    shown = open_page(operator, page)
    assert "请先在交办单上登记再次回访结果，再了结此件：2026-0001" in shown.text
    assert f"/orders/{order_id}" in shown.html
    assert "close" not in _actions(operator, ticket)

    refused = post(operator, f"{page}/close", text="多次未接通")
    assert refused.status_code == 409
    assert "请先在交办单 2026-0001 上登记再次回访结果" in refused.text

    take(operator, order_id, "note_recall", result=result)
    assert press(operator, page, f"{page}/close", text="多次未接通").status_code == 303
    assert desk.case(ticket).state == "closed"


def test_who_may_not_know_of_the_order_of_a_second_call_is_not_kept_by_it(desk, log_in):
    _, ticket = _in_second_call(desk, log_in, reasons=["danger"])
    with desk.services.sessions.begin() as session:
        session.scalars(select(Order)).one().escalation.route = "inspection"
    operator, page = log_in("operator"), f"/escalations/{ticket}"
    assert "2026-0001" not in operator.get(page).text

    assert press(operator, page, f"{page}/close", text="已派警到场").status_code == 303


@pytest.mark.parametrize("role", ["operator", "centre"])
def test_a_ticket_of_inspection_is_unknown_to_all_others_and_the_attempt_on_record(desk, log_in, role):
    [case] = desk.cases(reasons=("abuse_alleged",))
    client, page = log_in(role), f"/escalations/{case}"

    assert client.get(page).status_code == 404
    assert [post(client, f"{page}/{act}", text="看一看").status_code for act in ("claim", "note", "close", "release")] == [404] * 4
    assert len(desk.trail("access.refused")) == 5
    assert desk.case(case).claimed_by is None


def test_words_that_say_nothing_are_refused_and_long_ones_are_kept_on_the_page(desk, log_in):
    [case] = desk.cases(reasons=ASKED)
    operator, page = log_in("operator"), f"/escalations/{case}"

    empty = press(operator, page, f"{page}/note", text=" ")
    long = press(operator, page, f"{page}/close", text="详" * 1001)

    assert [one.status_code for one in (empty, long)] == [422, 422]
    assert "详" * 1001 in long.text
    assert desk.case(case).state == "open"


def test_a_ticket_page_is_english_for_who_reads_english(desk, log_in, open_page, app: Flask):
    [case] = desk.cases()
    _twin(desk, case)
    operator = log_in("operator", "en")

    page = open_page(operator, f"/escalations/{case}")

    assert "Other tickets of the same incident" in page.text
    rest = page.text.replace("城南派出所", "").replace("测试operator", "").replace("中文", "")
    assert not [one for one in rest if "\u4e00" <= one <= "\u9fff"]


def test_the_queue_has_a_tab_for_those_who_are_to_be_called_again(desk, log_in, open_page):
    [order_id] = desk.issued()
    case, unit, operator = desk.order(order_id).escalation.public_id, log_in("unit"), log_in("operator")
    assert case not in open_page(operator, "/escalations?tab=recall").html
    for action in ("sign", "take_in_hand", "answer"):
        take(unit, order_id, action)

    page = open_page(operator, "/escalations?tab=recall")
    assert case in page.html
    [link] = [one for one in page.all("a") if "active" in one.attributes.get("class", "")]
    assert link.text.split() == ["待再访", "1"]
