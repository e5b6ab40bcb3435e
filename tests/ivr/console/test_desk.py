"""The desk's pages: on duty, a call that waits, the call in one's hands, and how it is sorted out."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from survey.accounts.people import seal_telephone
from survey.store.models import Answer, AuditEntry, CallAttempt, Duty, ScriptVersion, Takeover, User
from survey.store.sealing import KeyRing
from tests.conftest import StandingClock
from tests.ivr.console.builders import Month
from tests.ivr.console.conftest import LogIn, csrf_of
from tests.ivr.console.pages import Page
from tests.survey.scripts import text_of

TELEPHONE = "+8610000009001"


def send(client: FlaskClient, address: str, page: str = "/desk", **fields: str) -> int:
    answer = client.post(address, data={"csrf_token": csrf_of(client, page), **fields})
    return answer.status_code


@pytest.fixture
def with_telephones(sessions: sessionmaker[Session], keys: KeyRing, month: Month) -> None:
    with sessions.begin() as session:
        for user in session.scalars(select(User)):
            seal_telephone(keys, user, TELEPHONE)
        for version in session.scalars(select(ScriptVersion)):
            version.text = text_of("callback-zh.yaml")


@pytest.fixture
def waiting(sessions: sessionmaker[Session], clock: StandingClock, with_telephones: None) -> str:
    """A dissatisfied person who waits; the public id of the takeover."""
    with sessions.begin() as session:
        attempt = session.scalars(select(CallAttempt).join(Answer, Answer.attempt_id == CallAttempt.id).limit(1)).unique().first()
        assert attempt is not None
        takeover = Takeover(attempt_id=attempt.id, reason="dissatisfied", opened_at=clock.now())
        session.add(takeover)
        session.flush()
        return takeover.public_id


def on_duty(log_in: LogIn, role: str = "operator") -> FlaskClient:
    client = log_in(role)
    assert send(client, "/desk/duty", state="on") == 303
    return client


def talking(sessions: sessionmaker[Session], clock: StandingClock, public_id: str) -> None:
    with sessions.begin() as session:
        takeover = session.scalars(select(Takeover).where(Takeover.public_id == public_id)).one()
        takeover.state, takeover.joined_at, takeover.bridged_at = "talking", clock.now(), clock.now()


def over(sessions: sessionmaker[Session], clock: StandingClock, public_id: str) -> None:
    with sessions.begin() as session:
        takeover = session.scalars(select(Takeover).where(Takeover.public_id == public_id)).one()
        takeover.state, takeover.ended_at, takeover.result = "wrap", clock.now(), "ended"
        takeover.wrap_until = clock.now() + timedelta(seconds=120)
        session.get_one(Duty, takeover.operator_id).state = "wrapping"


def test_who_has_no_telephone_is_told_so_and_where_to_enter_one(log_in: LogIn, open_page, month: Month) -> None:
    client = log_in("operator")
    page: Page = open_page(client, "/desk")
    assert "尚未登记值班电话" in page.text

    assert send(client, "/desk/duty", state="on") == 303
    assert "没有登记值班电话" in open_page(client, "/desk").text


def test_on_duty_the_page_says_which_telephone_will_ring_and_masks_it(log_in: LogIn, open_page, with_telephones: None) -> None:
    client = on_duty(log_in)
    text = open_page(client, "/desk").text

    assert "空闲" in text
    assert "接听后将呼叫您的电话" in text
    assert TELEPHONE not in text


def test_a_waiting_call_is_shown_with_reason_unit_and_time_left(log_in: LogIn, open_page, waiting: str, clock: StandingClock) -> None:
    client = on_duty(log_in)
    clock.advance(seconds=7)
    text = open_page(client, "/desk").text

    assert "评分不满意" in text
    assert "已等 7 秒，还会等 53 秒" in text
    assert "评分不满意" in client.get("/desk/board").text


def test_off_duty_nothing_is_offered(log_in: LogIn, open_page, waiting: str) -> None:
    assert "已等" not in open_page(log_in("operator"), "/desk").text


def test_a_call_is_claimed_once_and_the_other_reads_by_whom(log_in: LogIn, open_page, waiting: str, app: Flask) -> None:
    first, second = on_duty(log_in), on_duty(log_in, "centre")

    assert first.post(f"/desk/calls/{waiting}/claim", data={"csrf_token": csrf_of(first, "/desk")}).headers["Location"].endswith(waiting)
    assert send(second, f"/desk/calls/{waiting}/claim") == 303
    assert "已由" in open_page(second, "/desk").text
    assert second.get(f"/desk/calls/{waiting}").status_code == 303, "somebody else's call is not shown"


def test_the_call_shows_script_answers_and_facts_before_the_talk(log_in: LogIn, open_page, waiting: str) -> None:
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    page: Page = open_page(client, f"/desk/calls/{waiting}")

    assert "正在呼叫您的电话" in page.text
    assert "下一题" in page.text
    assert "责任单位" in page.text
    assert 'name="code"' not in client.get(f"/desk/calls/{waiting}").text, "nothing is written down before the talk"


def test_in_the_talk_answers_are_written_down_and_marked(
    log_in: LogIn, open_page, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    talking(sessions, clock, waiting)
    assert send(client, f"/desk/calls/{waiting}/answers", item="speed", code="dissatisfied") == 303

    text = open_page(client, f"/desk/calls/{waiting}").text
    assert "人工录入" in text
    with sessions() as session:
        takeover = session.scalars(select(Takeover).where(Takeover.public_id == waiting)).one()
        mine = select(Answer).where(Answer.respondent_id == takeover.attempt.respondent_id, Answer.item == "speed")
        assert (session.scalars(mine).one().code, session.scalars(mine).one().mode) == ("dissatisfied", "human")


@pytest.mark.parametrize(("deed", "column"), [("hold", "held"), ("mute", "muted")])
def test_hold_and_mute_are_told_and_taken_back(
    log_in: LogIn, open_page, waiting: str, sessions: sessionmaker[Session], clock: StandingClock, deed: str, column: str
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    talking(sessions, clock, waiting)

    for wanted, told in ((deed, True), (f"un{deed}", False)):
        assert send(client, f"/desk/calls/{waiting}/deed", deed=wanted) == 303
        with sessions() as session:
            assert getattr(session.scalars(select(Takeover).where(Takeover.public_id == waiting)).one(), column) is told
        assert ("正在执行" in client.get(f"/desk/calls/{waiting}/state").text) is told  # nothing is at the carrier yet


def test_giving_back_and_ending_are_wishes_until_the_line_has_followed(
    log_in: LogIn, open_page, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    talking(sessions, clock, waiting)
    send(client, f"/desk/calls/{waiting}/deed", deed="handed_back")

    assert "正在执行" in client.get(f"/desk/calls/{waiting}/state").text
    assert send(client, f"/desk/calls/{waiting}/deed", deed="explode") == 303
    assert "没有这个动作" in open_page(client, f"/desk/calls/{waiting}").text


def test_the_call_is_sorted_out_in_few_clicks_and_the_operator_free(
    log_in: LogIn, open_page, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    over(sessions, clock, waiting)
    assert "整理时间还剩 120 秒" in open_page(client, f"/desk/calls/{waiting}").text

    assert send(client, f"/desk/calls/{waiting}/wrap-up", verdict="call_back", consent="yes") == 303
    assert "您现在空闲" in open_page(client, "/desk").text
    with sessions() as session:
        assert "takeover.wrap_up" in session.scalars(select(AuditEntry.action)).all()


def test_an_impossible_combination_is_refused_with_the_sentence_why_and_keeps_what_was_typed(
    log_in: LogIn, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    over(sessions, clock, waiting)
    token = csrf_of(client, "/desk")
    answer = client.post(
        f"/desk/calls/{waiting}/wrap-up", data={"csrf_token": token, "verdict": "call_back", "consent": "no", "remark": "不要再打"}
    )

    assert answer.status_code == 422
    assert "不能选择回电" in answer.text
    assert "不要再打" in answer.text


@pytest.mark.parametrize("role", ["unit", "inspection", "commander", "auditor"])
def test_others_have_no_desk(log_in: LogIn, month: Month, role: str) -> None:
    assert log_in(role).get("/desk").status_code == 403


def test_the_desk_speaks_english_too(log_in: LogIn, open_page, waiting: str, app: Flask) -> None:
    client = log_in("operator", "en")
    send(client, "/desk/duty", state="on")

    assert "Take the call" in open_page(client, "/desk").text


def test_a_newer_log_in_has_the_desk_and_the_older_page_says_so(log_in: LogIn, open_page, with_telephones: None) -> None:
    old = on_duty(log_in)
    on_duty(log_in)

    assert "另一台电脑上岗" in open_page(old, "/desk").text


def test_whoever_loses_a_call_is_brought_to_the_desk_as_a_whole_page_and_told(
    log_in: LogIn, open_page, waiting: str, sessions: sessionmaker[Session]
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    with sessions.begin() as session:
        takeover = session.scalars(select(Takeover)).one()
        takeover.operator_id = session.scalars(select(User.id).where(User.name == "centre")).one()

    assert client.get(f"/desk/calls/{waiting}/state", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/desk"
    assert "已由" in open_page(client, "/desk").text
