"""What administrators and operators change while a campaign runs: pace, limits, holds, reviews, booked call-backs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from survey.fieldwork.holds import open_hold, scope_of
from survey.fieldwork.reviews import ask_review
from survey.holds import HoldReason
from survey.store.models import Alarm, AuditEntry, Campaign, Hold, Respondent, Suppression
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import post
from tests.ivr.console.pages import Page

EMPTY = dict.fromkeys(("hourly_calls", "daily_calls", "spend_limit", "minute_price"), "")
"""The limits' form with nothing in it: as the page sends it."""


def _campaign(sessions) -> Campaign:
    with sessions() as session:
        return session.scalars(select(Campaign)).one()


def _actions(sessions) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.n)))


def test_an_administrator_changes_lines_and_rate_while_it_runs(log_in, open_page, month, sessions):
    client = log_in("administrator")

    post(client, f"/campaigns/{month.campaign}/pace", lines="3", calls_per_second="0.5", reason="线路维护")

    assert (_campaign(sessions).lines, _campaign(sessions).calls_per_second) == (3, 0.5)
    assert "拨打节奏已更改" in open_page(client, f"/campaigns/{month.campaign}").text
    assert "campaign.pace" in _actions(sessions)


@pytest.mark.parametrize(("lines", "rate", "reason"), [("0", "1", "试"), ("drei", "1", "试"), ("3", "nan", "试"), ("3", "1", " ")])
def test_a_pace_that_cannot_be_is_refused_with_a_reason_and_changes_nothing(log_in, month, sessions, lines, rate, reason):
    client, before = log_in("administrator"), _campaign(sessions)

    answer = post(client, f"/campaigns/{month.campaign}/pace", lines=lines, calls_per_second=rate, reason=reason)

    assert answer.status_code == 422
    assert "未更改" in answer.text
    assert (_campaign(sessions).lines, _campaign(sessions).calls_per_second) == (before.lines, before.calls_per_second)


@pytest.mark.parametrize(
    ("form", "typed", "field", "said"),
    [
        ("pace", {"lines": "drei", "calls_per_second": "0.7", "reason": "试"}, "lines", "“drei” 不是整数"),
        ("pace", {"lines": "2.5", "calls_per_second": "0.7", "reason": "试"}, "lines", "“2.5” 不是整数"),
        ("pace", {"lines": "2", "calls_per_second": "0.001", "reason": "试"}, "calls_per_second", "每秒呼叫数须为 0.05"),
        ("pace", {"lines": "2", "calls_per_second": "0.7", "reason": " "}, "pace-reason", "请写明原因"),
        (
            "limits",
            EMPTY | {"hourly_calls": "0", "daily_calls": "71", "reason": "试"},
            "hourly_calls",
            "每小时呼叫上限须为 1–1,000,000",
        ),
        (
            "limits",
            EMPTY | {"hourly_calls": "9" * 30, "daily_calls": "71", "reason": "试"},
            "hourly_calls",
            "每小时呼叫上限须为 1–1,000,000",
        ),
        ("limits", EMPTY | {"spend_limit": "inf", "daily_calls": "71", "reason": "试"}, "spend_limit", "“inf” 不是数字"),
        ("limits", EMPTY | {"minute_price": "-1", "daily_calls": "71", "reason": "试"}, "minute_price", "每分钟单价须为 0–1,000,000"),
        ("stop", {"understood": "yes", "reason": ""}, "stop-reason", "未停止：请写明原因"),
        ("stop", {"reason": "月份弄错"}, "understood", "请先勾选"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(log_in, month, sessions, form, typed, field, said):
    before = _campaign(sessions)

    answer = post(log_in("administrator"), f"/campaigns/{month.campaign}/{form}", **typed)

    page = Page.parse(answer.text)
    page.check()
    [wrong] = [one for one in page.all("input") if one.attributes.get("aria-invalid") == "true"]
    [complaint] = [one for one in page.all("span") if one.attributes.get("id") == wrong.attributes["aria-describedby"]]
    shown = {one.attributes.get("value") for one in page.all("input")}
    assert (answer.status_code, wrong.attributes["id"]) == (422, field)
    assert said in complaint.text
    assert {value for name, value in typed.items() if name not in ("understood", "reason") or value == "月份弄错"} <= shown
    assert (_campaign(sessions).lines, _campaign(sessions).daily_calls, _campaign(sessions).state) == (before.lines, None, "running")


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/campaigns/{campaign}/stop", "/campaigns/{campaign}"),
        ("/campaigns/{campaign}/limits", "/campaigns/{campaign}"),
        ("/calls/{waiting}/booking", "/calls/{waiting}"),
        ("/calls/{waiting}/unmask", "/calls/{waiting}"),
        ("/reviews/{review}", "/reviews"),
        ("/suppressions", "/suppressions"),
        ("/suppressions/search", "/suppressions"),
        ("/suppressions/{entry}/lift", "/suppressions"),
    ],
)
def test_the_language_can_be_changed_on_a_page_that_tells_what_was_wrong(log_in, open_page, month, sessions, address, page):
    number, _ = _one_for_review(sessions)
    known = {"campaign": month.campaign, "waiting": _somebody_waiting(sessions), "review": number, "entry": _an_entry(sessions)}
    client = log_in("administrator")

    refused = post(client, address.format(**known), **{**EMPTY, "verdict": "close", "daily_calls": "0"})

    [back] = [one.attributes["value"] for one in Page.parse(refused.text).all("input") if one.attributes.get("name") == "next"]
    assert (refused.status_code, back) == (422, page.format(**known))
    open_page(client, back)


def _an_entry(sessions) -> int:
    with sessions.begin() as session:
        entry = Suppression(phone_key=b"0" * 16, reason="by letter", at=NOON)
        session.add(entry)
        session.flush()
        return entry.id


def test_limits_are_set_and_taken_away_by_an_empty_field(log_in, open_page, month, sessions):
    client, limits = log_in("administrator"), f"/campaigns/{month.campaign}/limits"

    post(client, limits, **EMPTY | {"hourly_calls": "100", "daily_calls": "500", "spend_limit": "123456.78", "reason": "先小规模试呼"})
    assert (_campaign(sessions).hourly_calls, _campaign(sessions).daily_calls, _campaign(sessions).spend_limit) == (100, 500, 123456.78)
    assert 'value="123456.78"' in open_page(client, f"/campaigns/{month.campaign}").html, "saved again, it stays the same"

    post(client, limits, **EMPTY | {"daily_calls": "500", "reason": "试呼结束"})
    assert (_campaign(sessions).hourly_calls, _campaign(sessions).spend_limit) == (None, None)
    assert "不设上限" in open_page(client, f"/campaigns/{month.campaign}").text


@pytest.mark.parametrize("field", EMPTY)
def test_a_form_of_a_page_from_before_an_upgrade_takes_no_limit_away(log_in, month, sessions, field):
    client, limits = log_in("administrator"), f"/campaigns/{month.campaign}/limits"
    post(client, limits, **EMPTY | {"daily_calls": "500", "spend_limit": "20", "minute_price": "0.5", "reason": "先小规模试呼"})
    form = EMPTY | {"daily_calls": "70", "reason": "旧页面"}
    del form[field]

    answer = post(client, limits, **form)

    assert answer.status_code == 400
    assert "刷新" in answer.text
    assert (_campaign(sessions).daily_calls, _campaign(sessions).spend_limit, _campaign(sessions).minute_price) == (500, 20, 0.5)


def test_a_hold_says_why_nobody_is_dialled_and_an_administrator_lifts_it(log_in, open_page, month, sessions):
    with sessions.begin() as session:
        open_hold(session, scope_of(session.scalars(select(Campaign)).one()), HoldReason.ABANDONED, NOON, detail="4/60")
    with sessions() as session:
        number = session.scalars(select(Hold.id)).one()

    assert "暂缓拨打：无声呼叫超过 3%" in open_page(log_in("commander"), f"/campaigns/{month.campaign}").text
    assert "Dialling holds back: More than 3 % silent calls" in open_page(log_in("operator", "en"), f"/campaigns/{month.campaign}").text
    client = log_in("administrator")
    post(client, f"/campaigns/{month.campaign}/holds/{number}/lift", reason="已更换线路")

    assert "暂缓拨打" not in open_page(client, f"/campaigns/{month.campaign}").text
    assert "hold.lift" in _actions(sessions)


def test_the_hold_of_a_cap_is_not_lifted_by_hand(log_in, open_page, month, sessions):
    with sessions.begin() as session:
        until = NOON + timedelta(minutes=30)
        open_hold(session, scope_of(session.scalars(select(Campaign)).one()), HoldReason.HOURLY_CAP, NOON, until=until, detail="100/100")

    page = open_page(log_in("administrator"), f"/campaigns/{month.campaign}")

    assert "达到每小时呼叫上限" in page.text
    assert "到时自行恢复" in page.text
    assert "/lift" not in page.html


def _one_for_review(sessions) -> tuple[int, str]:
    with sessions.begin() as session:
        respondent = session.scalars(select(Respondent).where(Respondent.state == "waiting").order_by(Respondent.id)).first()
        ask_review(session, respondent, "several_calls", NOON)
        return respondent.id, respondent.public_id


@pytest.mark.parametrize(
    ("verdict", "state", "action"), [("call_again", "waiting", "review.call_again"), ("close", "closed", "review.close")]
)
def test_an_operator_decides_what_the_machine_could_not(log_in, open_page, month, sessions, verdict, state, action):
    number, public_id = _one_for_review(sessions)
    client = log_in("operator")

    assert "运营商处有多个通话与一次呼叫相符" in open_page(client, "/reviews").text
    assert "去核查" in open_page(client, f"/calls/{public_id}").text
    post(client, f"/reviews/{number}", verdict=verdict, reason="运营商后台查明未接通")

    with sessions() as session:
        assert session.get(Respondent, number).state == state
        assert session.scalars(select(Alarm.cleared_at)).one() is not None
    assert action in _actions(sessions)
    assert "目前没有待核查的受访人" in open_page(client, "/reviews").text


@pytest.mark.parametrize(("verdict", "reason"), [("close", " "), ("burn", "因为"), ("", "因为")])
def test_a_decision_needs_a_verdict_and_a_reason(log_in, month, sessions, verdict, reason):
    number, _ = _one_for_review(sessions)

    answer = post(log_in("operator"), f"/reviews/{number}", verdict=verdict, reason=reason)

    [wrong] = [one for one in Page.parse(answer.text).all("input") if one.attributes.get("aria-invalid") == "true"]
    assert (answer.status_code, wrong.attributes["id"]) == (422, f"reason-{number}")
    with sessions() as session:
        assert session.get(Respondent, number).state == "needs_review"


def _somebody_waiting(sessions) -> str:
    with sessions() as session:
        return session.scalars(select(Respondent.public_id).where(Respondent.state == "waiting").order_by(Respondent.id)).first()


def test_an_operator_books_a_call_back_within_the_windows(log_in, open_page, month, sessions):
    public_id, client = _somebody_waiting(sessions), log_in("operator")
    tomorrow = f"{NOON + timedelta(days=1):%Y-%m-%d}"

    post(client, f"/calls/{public_id}/booking", at=f"{tomorrow}T15:30")

    page = open_page(client, f"/calls/{public_id}")
    assert "已预约，届时自动拨打" in page.text
    assert "15:30" in page.text
    assert "contact.book" in _actions(sessions)


@pytest.mark.parametrize(("clock_time", "said"), [("T03:00", "最近可预约"), ("", "请填写日期和时间"), ("Txx", "请填写日期和时间")])
def test_a_call_back_outside_of_the_windows_is_not_booked(log_in, month, sessions, clock_time, said):
    public_id, client = _somebody_waiting(sessions), log_in("operator")
    tomorrow = f"{NOON + timedelta(days=1):%Y-%m-%d}"

    answer = post(client, f"/calls/{public_id}/booking", at=f"{tomorrow}{clock_time}" if clock_time else "")

    assert said in answer.text
    with sessions() as session:
        assert session.scalars(select(Respondent.booked_for).where(Respondent.public_id == public_id)).one() is None


@pytest.mark.parametrize(("language", "said"), [("zh", "2027 年的节假日安排尚未载入"), ("en", "no holiday calendar for 2027")])
def test_a_day_of_a_year_without_holidays_is_refused_at_its_field_in_both_languages(log_in, month, sessions, clock, language, said):
    clock.moment = datetime(2026, 12, 30, 4, 0, tzinfo=UTC)
    public_id, client = _somebody_waiting(sessions), log_in("operator", language)

    answer = post(client, f"/calls/{public_id}/booking", at="2027-01-06T10:00")

    [wrong] = [one for one in Page.parse(answer.text).all("input") if one.attributes.get("aria-invalid") == "true"]
    assert (answer.status_code, wrong.attributes["name"]) == (422, "at")
    assert said in answer.text
