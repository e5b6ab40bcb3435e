"""The campaign page shows what the guards of dialling count, each figure beside its limit, and never another figure than theirs."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.fieldwork import limits, silence
from survey.fieldwork.holds import open_hold, scope_of
from survey.fieldwork.silence import COUNTED_OVER
from survey.holds import HoldReason
from survey.store.models import CallAttempt, Campaign, Hold, Respondent
from tests.ivr.console.builders import NOON, an_attempt
from tests.ivr.console.pages import Page

TODAY, LATELY, HOUR, DAY, BILL = range(5)


@pytest.fixture
def campaign(sessions, month) -> int:
    """The month's campaign without a call yet; its id."""
    with sessions.begin() as session:
        session.query(CallAttempt).update({"requested_at": NOON - timedelta(days=60), "answered_at": NOON - timedelta(days=60)})
        return session.scalars(select(Campaign.id)).one()


def _call(session: Session, campaign: int, at: datetime, *, silent: bool = False, seconds: int = 90) -> None:
    respondent = session.scalars(select(Respondent).where(Respondent.campaign_id == campaign).order_by(Respondent.id)).first()
    number = session.query(CallAttempt).count() + 1
    an_attempt(session, respondent, number, at, abandoned=silent, seconds=seconds)


def _guards(page: Page) -> list[str]:
    """What each of the five boxes says."""
    boxes = [one.text for one in page.all("div") if one.attributes.get("class") == "figure-box"]
    return [" ".join(text.split()) for text in boxes[-5:]]


@pytest.fixture
def shown(log_in, open_page, month):
    """The five boxes, as the role sees them."""
    return lambda role="commander", language="zh": _guards(open_page(log_in(role, language), f"/campaigns/{month.campaign}"))


def test_before_the_first_call_every_box_says_so(shown, campaign):
    said = shown()

    assert said[TODAY] == "无声呼叫 · 近 24 小时 — 上限 3%；尚无人接听"
    assert said[HOUR] == "呼出 · 近 1 小时 0 不设上限"
    assert said[BILL] == "估算话费 · 累计 — 未设每分钟单价"


def test_the_figures_are_those_of_the_guards(shown, campaign, sessions):
    with sessions.begin() as session:
        for hours in (1, 2, 23, 25, 24 * 29, 24 * 31):
            _call(session, campaign, NOON - timedelta(hours=hours) + timedelta(minutes=1), silent=hours in (2, 25))
        found = session.get_one(Campaign, campaign)
        found.hourly_calls, found.daily_calls, found.spend_limit, found.minute_price = 10, 30, 100.0, 0.25
        session.flush()
        today, month = (silence.heard(session, found, NOON - span) for span in (COUNTED_OVER, timedelta(days=30)))
        hour, day = (limits.started(session, found, span, NOON) for _, _, span in limits.CAPS)
        bill = limits.spent(session, found)

    said = shown()

    assert (today.abandoned, today.answered, month.abandoned, month.answered, hour, day) == (1, 3, 2, 5, 1, 3)
    assert said[TODAY] == "无声呼叫 · 近 24 小时 33.3% ! 超过上限 上限 3%；3 人接听，1 人两秒内未听到声音"
    assert said[LATELY] == "无声呼叫 · 近 30 天 40.0% ! 超过上限 上限 3%；5 人接听，2 人两秒内未听到声音"
    assert said[HOUR] == "呼出 · 近 1 小时 1 上限 10 次"
    assert said[DAY] == "呼出 · 近 24 小时 3 上限 30 次"
    assert said[BILL] == f"估算话费 · 累计 {bill:.2f} 上限 100.00；每分钟 0.25"


def test_a_figure_near_its_limit_is_marked_with_a_word(shown, campaign, sessions):
    with sessions.begin() as session:
        for minutes in range(8):
            _call(session, campaign, NOON - timedelta(minutes=minutes + 5))
        found = session.get_one(Campaign, campaign)
        found.hourly_calls, found.daily_calls = 10, 11
        session.flush()
        found.minute_price = 1.0
        found.spend_limit = 1.25 * limits.spent(session, found) + 1

    said = shown()

    assert "! 接近上限" in said[HOUR]
    assert "接近上限" not in said[DAY] + said[BILL]


@pytest.mark.parametrize(
    ("reason", "box", "alert"),
    [
        (HoldReason.ABANDONED, TODAY, "60 人接听，其中 4 人两秒内未听到声音"),
        (HoldReason.HOURLY_CAP, HOUR, "已达 4，上限 60"),
        (HoldReason.DAILY_CAP, DAY, "已达 4，上限 60"),
        (HoldReason.SPEND_LIMIT, BILL, "已达 4，上限 60"),
    ],
)
def test_a_hold_that_stands_is_told_in_words_and_at_its_figure(log_in, open_page, month, campaign, sessions, reason, box, alert):
    with sessions.begin() as session:
        found = session.get_one(Campaign, campaign)
        found.minute_price, found.spend_limit = 0.1, 60.0
        open_hold(session, scope_of(found), reason, NOON, detail="4/60")

    page = open_page(log_in("commander"), f"/campaigns/{month.campaign}")

    assert alert in page.text
    assert [number for number, text in enumerate(_guards(page)) if "‖ 已暂缓" in text] == [box]
    assert "目前没有暂缓" not in page.text


def test_after_a_lift_the_page_tells_from_when_silent_calls_are_counted(shown, campaign, sessions):
    with sessions.begin() as session:
        for minutes in (10, 50, 90, 100):
            _call(session, campaign, NOON - timedelta(minutes=minutes), silent=minutes > 60)
        found = session.get_one(Campaign, campaign)
        open_hold(session, scope_of(found), HoldReason.ABANDONED, NOON - timedelta(hours=2), detail="4/60")
        session.query(Hold).update({"lifted_at": NOON - timedelta(hours=1), "lifted_by": "李队"})

    assert shown()[TODAY].endswith("2026-11-23 11:00 解除暂缓后重新计数：0 / 2")
    assert "counted anew since the hold was lifted at 2026-11-23 11:00: 0 / 2" in shown("operator", "en")[TODAY]


def test_a_limit_of_the_bill_without_a_price_is_said_to_do_nothing(shown, campaign, sessions):
    with sessions.begin() as session:
        session.get_one(Campaign, campaign).spend_limit = 50.0

    assert shown()[BILL] == "估算话费 · 累计 — ! 须补单价 未设每分钟单价，上限 50.00 不起作用"


def test_where_nothing_stands_the_page_says_that_nothing_holds_dialling_back(log_in, open_page, month):
    assert "目前没有暂缓" in open_page(log_in("operator"), f"/campaigns/{month.campaign}").text
    assert "Nothing holds dialling back" in open_page(log_in("operator", "en"), f"/campaigns/{month.campaign}").text
