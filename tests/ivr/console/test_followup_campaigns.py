"""Campaigns of second calls on the pages: never taken for a survey, and hidden where inspection has the order (R35, R51)."""

import pytest
from sqlalchemy import select

from survey import fieldwork
from survey.store.models import Campaign, Escalation, Incident, Order, Recall, RecallRound, Respondent
from tests.ivr.console.builders import NOON, a_campaign, a_respondent, an_attempt


@pytest.fixture
def followup(sessions, month):
    """The dissatisfied person is called again about an order; the public ids of the campaign and of that respondent."""
    with sessions.begin() as session:
        survey = session.scalars(select(Campaign)).one()
        person = session.scalars(select(Respondent).where(Respondent.public_id == month.dissatisfied)).one()
        case = session.scalars(select(Escalation).where(Escalation.respondent_id == person.id)).one()
        again = a_campaign(session, survey.draw, survey.script_version, kind="followup", name="十月回访·回访复核", state="finished")
        session.add(RecallRound(campaign_id=again.id, follows_id=survey.id, round=1))
        order = Order(
            year=2026, serial=1, unit_id=person.unit_id, respondent_id=person.id, escalation_id=case.id, items=["speed"],
            reasons=["dissatisfied"], priority=3, consent="yes", route="centre", state="recalling",
            issued_at=NOON, issued_by="system", due_at=NOON, answered_at=NOON,
            replies=1, version=5,
        )  # fmt: skip
        incident = session.get_one(Incident, person.incident_id)
        called = a_respondent(session, again, incident, 1, state="closed", disposition="complete")
        session.add(order)
        session.flush()
        session.add(Recall(order_id=order.id, round=1, respondent_id=called.id, entered_at=NOON))
        return again.public_id, called.public_id


def test_the_list_marks_second_calls_and_says_that_they_only_rest(log_in, open_page, followup):
    page = open_page(log_in("administrator"), "/campaigns").text

    assert "↻ 回访复核" in page
    assert "暂无待复核" in page
    english = open_page(log_in("administrator", "en"), "/campaigns").text
    assert "Second calls" in english
    assert "Nobody waiting" in english


def test_the_page_leads_to_the_survey_and_shows_no_sample(log_in, open_page, followup, month):
    client = log_in("administrator")
    page = open_page(client, f"/campaigns/{followup[0]}").text

    assert "不计入月度报表" in page
    assert f"/campaigns/{month.campaign}" in client.get(f"/campaigns/{followup[0]}").text
    assert "抽样框校验值" not in page
    assert "复核对象" in page
    survey = open_page(client, f"/campaigns/{month.campaign}").text
    assert "抽样框校验值" in survey
    assert "不计入月度报表" not in survey


def test_the_months_task_is_the_survey_not_the_newer_second_calls(log_in, open_page, followup, month):
    client = log_in("administrator")
    open_page(client, "/")
    home = client.get("/").text

    assert f"/campaigns/{month.campaign}" in home
    assert f"/campaigns/{followup[0]}" not in home


def test_what_was_asked_again_is_shown_in_words(log_in, open_page, followup):
    assert "回访复核" in open_page(log_in("operator"), f"/calls/{followup[1]}").text


def test_once_inspection_has_the_order_the_second_call_is_known_to_it_alone(log_in, open_page, followup, sessions):
    assert log_in("operator").get(f"/calls/{followup[1]}").status_code == 200
    with sessions.begin() as session:
        session.scalars(select(Order)).one().escalation.route = "inspection"

    assert log_in("operator").get(f"/calls/{followup[1]}").status_code == 404
    assert log_in("inspection").get(f"/calls/{followup[1]}").status_code == 200


@pytest.mark.parametrize(("reasons", "status"), [
    (["human_requested"], 404), (["human_requested", "danger"], 200), (["danger", "human_requested"], 200), (["abuse_alleged"], 404),
])  # fmt: skip
def test_a_ticket_of_a_second_call_about_inspections_order_is_inspections_but_for_who_may_be_in_danger(
    log_in, open_page, followup, services, reasons, status
):
    with services.unit_of_work() as work:
        session = work.session
        session.scalars(select(Order)).one().escalation.route = "inspection"
        called = session.scalars(select(Respondent).where(Respondent.public_id == followup[1])).one()
        attempt = an_attempt(session, called)
        for reason in reasons:
            ticket = fieldwork.escalate(session, services.office, attempt, reason, NOON).public_id

    assert log_in("operator").get(f"/escalations/{ticket}").status_code == status
    assert (f"/escalations/{ticket}" in open_page(log_in("operator"), "/escalations").html) is (status == 200)
    assert f"/escalations/{ticket}" in open_page(log_in("inspection"), "/escalations").html
    assert open_page(log_in("inspection"), f"/escalations/{ticket}").html
