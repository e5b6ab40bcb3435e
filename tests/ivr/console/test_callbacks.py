"""Calling back from the page of a ticket: when the button is there, the page that follows the call, and what is refused (O23)."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from survey.accounts.people import seal_telephone
from survey.store.models import CallAttempt, Duty, Escalation, ScriptVersion, Suppression, Takeover, User
from tests.ivr.console.conftest import post
from tests.ivr.console.order_desk import OrderDesk, forms, press
from tests.survey.scripts import text_of

ASKED = ("human_requested",)


@pytest.fixture
def desk(services, clock, passwords) -> OrderDesk:
    clock.advance(hours=3)  # nobody is called at noon
    made = OrderDesk(services, clock)
    made.cases(reasons=ASKED)
    with services.sessions.begin() as session:
        for user in session.scalars(select(User)):
            seal_telephone(services.office.keys, user, "+8610000009001")
        for version in session.scalars(select(ScriptVersion)):
            version.text = text_of("callback-zh.yaml")
    return made


def ticket(desk: OrderDesk) -> str:
    with desk.services.sessions() as session:
        return session.scalars(select(Escalation.public_id)).one()


def page_of(desk: OrderDesk) -> str:
    return f"/escalations/{ticket(desk)}"


def on_duty(log_in, role: str = "operator", language: str = "zh") -> FlaskClient:
    client = log_in(role, language)
    assert post(client, "/desk/duty", state="on").status_code == 303
    return client


def is_offered(client: FlaskClient, page: str) -> bool:
    return f"{page}/call-back" in forms(client.get(page).text)


def called(desk: OrderDesk) -> Takeover:
    with desk.services.sessions() as session:
        return session.scalars(select(Takeover)).one()


def test_one_click_rings_the_operator_s_telephone_and_shows_the_call(desk, log_in, open_page):
    operator, page = on_duty(log_in), page_of(desk)
    assert "先呼叫您的值班电话" in open_page(operator, page).text
    answer = press(operator, page, f"{page}/call-back")

    takeover = called(desk)
    assert (answer.status_code, answer.location) == (303, f"/desk/calls/{takeover.public_id}")
    assert ("ring_desk", takeover.id) in desk.services.queue.woken
    shown = open_page(operator, answer.location)
    assert [words in shown.text for words in ("回电 · 警情", "正在呼叫您的电话", "您按1后，系统拨打群众")] == [True] * 3
    ticket_page = open_page(operator, page)
    assert "正在回拨" in ticket_page.text
    assert answer.location in ticket_page.html
    assert not is_offered(operator, page)
    assert [entry.actor for entry in desk.trail("takeover.call_back")] == ["operator"]
    assert "您手上有一个来电" in open_page(operator, "/desk").text


def test_in_the_talk_there_is_all_but_a_script_to_give_it_back_to(desk, log_in, open_page):
    operator, page = on_duty(log_in), page_of(desk)
    call = press(operator, page, f"{page}/call-back").location
    with desk.services.sessions.begin() as session:
        session.scalars(select(Takeover)).one().state = "talking"
    shown = open_page(operator, call).html

    assert [f'value="{deed}"' in shown for deed in ("hold", "mute", "ended", "handed_back", "call_off")] == [True, True, True, False, False]


def test_a_call_back_is_called_off_on_its_page_which_then_leads_back_to_the_ticket(desk, log_in, open_page):
    operator, page = on_duty(log_in), page_of(desk)
    call = press(operator, page, f"{page}/call-back").location
    assert press(operator, call, f"{call}/deed", deed="call_off").status_code == 303

    shown = open_page(operator, call)
    assert "回拨已取消" in shown.text
    assert page in shown.html
    assert is_offered(operator, page)
    history = open_page(operator, page).text
    assert "回拨未通" in history
    assert "回拨已取消" in history
    with desk.services.sessions() as session:
        assert session.scalars(select(Duty.state)).all() == ["free"]


def test_who_is_not_on_duty_is_told_so_and_the_ticket_is_still_free(desk, log_in, open_page):
    operator, page = log_in("operator"), page_of(desk)
    press(operator, page, f"{page}/call-back")

    assert "请先在值班台上岗" in open_page(operator, page).text
    assert desk.case(ticket(desk)).claimed_by is None


def test_whose_colleague_has_the_ticket_sees_no_button_and_is_told_when_pressing_all_the_same(desk, log_in, open_page):
    first, second, page = on_duty(log_in), on_duty(log_in, "centre"), page_of(desk)
    press(first, page, f"{page}/claim")

    assert not is_offered(second, page)
    assert post(second, f"{page}/call-back").status_code == 303
    assert "已由测试operator领取" in open_page(second, page).text


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        ({"consent": "no", "reasons": ["dissatisfied"]}, "群众不同意联系"),
        ({"state": "settled"}, ""),
    ],
)
def test_where_calling_is_forbidden_the_page_says_why_and_a_forged_form_does_nothing(desk, log_in, open_page, prepare, words):
    operator, page = on_duty(log_in), page_of(desk)
    with desk.services.sessions.begin() as session:
        session.execute(update(Escalation).values(**prepare))

    assert words in open_page(operator, page).text
    assert not is_offered(operator, page)
    assert post(operator, f"{page}/call-back").status_code == 303
    with desk.services.sessions() as session:
        assert session.scalars(select(CallAttempt.purpose).distinct()).all() == ["survey"]


def test_a_number_on_the_refusal_list_has_no_button_and_a_forged_form_does_nothing(desk, log_in, open_page):
    operator, page = on_duty(log_in), page_of(desk)
    with desk.services.sessions.begin() as session:
        case = session.scalars(select(Escalation)).one()
        session.add(Suppression(phone_key=case.respondent.incident.phone_key, reason="hotline:x", at=desk.clock.now()))

    assert "已登记拒访" in open_page(operator, page).text
    assert not is_offered(operator, page)
    post(operator, f"{page}/call-back")
    assert desk.trail("takeover.call_back") == []


def test_outside_of_the_hours_the_page_says_from_when(desk, log_in, open_page):
    desk.clock.advance(hours=7)
    operator, page = on_duty(log_in), page_of(desk)

    assert "现在不能回拨，最早" in open_page(operator, page).text
    assert not is_offered(operator, page)
    post(operator, f"{page}/call-back")
    assert desk.trail("takeover.call_back") == []
    desk.clock.advance(hours=12)
    assert is_offered(log_in("operator"), page)


def test_after_a_call_that_reached_nobody_the_page_says_from_when_to_try_again(desk, log_in, open_page):
    operator, page = on_duty(log_in), page_of(desk)
    call = press(operator, page, f"{page}/call-back").location
    press(operator, call, f"{call}/deed", deed="call_off")
    with desk.services.sessions.begin() as session:
        attempt = session.scalars(select(CallAttempt).where(CallAttempt.purpose == "callback")).one()
        attempt.status, attempt.disposition = "no_answer", "no_answer"
        attempt.requested_at = desk.clock.now() - timedelta(minutes=5)
        session.scalars(select(Takeover)).one().result = "no_answer"

    shown = open_page(operator, call).text
    assert "对方无人接听" in shown
    assert "最早可于" in shown
    assert "已连续 1 次未通，最多 5 次" in open_page(operator, page).text


@pytest.mark.parametrize("role", ["auditor", "unit", "commander", "inspection"])
def test_others_call_nobody_back(desk, log_in, role):
    client = log_in(role)

    assert post(client, f"{page_of(desk)}/call-back").status_code in (403, 404)


def test_calling_back_speaks_english_too(desk, log_in, open_page):
    operator, page = on_duty(log_in, "operator", "en"), page_of(desk)
    call = press(operator, page, f"{page}/call-back").location

    assert "Call back" in open_page(operator, call).text
    assert "Call it off" in open_page(operator, call).text
