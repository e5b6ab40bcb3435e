"""The human queue: tabs that count their rows, nearest deadline first, inspection apart (O28–O30, O41, R35)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.console.escalations import due_date
from survey.store.models import Escalation
from survey.store.queries.console_cases import CaseRow
from tests.ivr.console.builders import NOON, a_month
from tests.ivr.console.conftest import post

SHANGHAI = ZoneInfo("Asia/Shanghai")


def _case(due_at: datetime | None) -> CaseRow:
    return CaseRow("c" * 32, "r" * 32, "1", None, 3, ("dissatisfied",), "centre", "yes", "open", NOON, due_at, "cn", {})


def _end_of(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=SHANGHAI) + timedelta(days=1)


def _noon_of(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("today", "last", "left"),
    [
        ((2026, 9, 25), (2026, 10, 9), 5),
        ((2026, 2, 12), (2026, 2, 26), 5),
        ((2026, 11, 23), (2026, 11, 30), 5),
        ((2026, 11, 23), (2026, 11, 24), 1),
        ((2026, 11, 23), (2026, 11, 23), 0),
        ((2026, 12, 29), (2027, 1, 6), None),
    ],
    ids=["over National Day", "over Spring Festival with its make-up Saturday", "a plain week", "tomorrow", "today", "no calendar of 2027"],
)
def test_working_days_left_follow_the_calendar(today, last, left):
    due = due_date(_case(_end_of(*last)), _noon_of(*today), SHANGHAI)

    assert (due.days_left, due.overdue) == (left, False)
    assert due.on is not None
    assert (due.on.year, due.on.month, due.on.day) == last


def test_a_deadline_is_over_at_midnight_and_not_before():
    end = _end_of(2026, 11, 23)

    assert not due_date(_case(end), end - timedelta(seconds=1), SHANGHAI).overdue
    assert due_date(_case(end), end, SHANGHAI).overdue


def test_a_case_without_deadline_has_none():
    assert due_date(_case(None), NOON, SHANGHAI).on is None


def _numbers(page) -> list[str]:
    return [one.text.strip() for one in page.all("a") if one.attributes["href"].startswith("/calls/")]


def test_the_nearest_deadline_comes_first(log_in, open_page, month):
    page = open_page(log_in("operator"), "/escalations")

    assert _numbers(page) == ["20261014000002", "20261014000014", "20261014000026"]
    assert "逾期" in page.text


def test_each_tab_counts_its_rows(log_in, open_page, month, sessions):
    with sessions.begin() as session:
        session.query(Escalation).filter(Escalation.public_id == month.case).update({"state": "closed"})
    client = log_in("operator")

    counts = {}
    for tab in ("open", "today", "overdue", "closed"):
        page = open_page(client, f"/escalations?tab={tab}")
        link = next(one for one in page.all("a") if "active" in one.attributes.get("class", ""))
        counts[tab] = int(link.text.split()[-1])
        assert counts[tab] == len(_numbers(page)), tab

    assert counts == {"open": 2, "today": 1, "overdue": 1, "closed": 1}


def test_a_number_is_looked_for_in_the_first_tab_that_has_it(log_in, open_page, month, sessions):
    with sessions.begin() as session:
        session.query(Escalation).filter(Escalation.public_id == month.case).update({"state": "closed"})
    client = log_in("operator")
    gone = next(iter({"20261014000002", "20261014000014", "20261014000026"} - set(_numbers(open_page(client, "/escalations")))))

    assert _numbers(open_page(client, "/escalations?number=000014")) == ["20261014000014"]
    assert _numbers(open_page(client, f"/escalations?number={gone}")) == [gone], "its case is closed"
    assert _numbers(open_page(client, f"/escalations?number={gone}&tab=open")) == []
    assert _numbers(open_page(client, "/escalations?number=_")) == []


def test_answers_reasons_consent_and_priority_are_in_the_row(log_in, open_page, month, sessions):
    with sessions.begin() as session:
        one = session.query(Escalation).filter(Escalation.public_id == month.case).one()
        one.reasons, one.priority, one.consent = ["dissatisfied", "danger"], 1, "no"

    text = open_page(log_in("operator"), "/escalations?sort=priority").text

    assert text.index("!! 立即") < text.index("○ 按期")
    assert "评价不满意 正在发生危险" in text
    assert "非常不满意" in text
    assert "不同意" in text


def test_sort_and_tab_stay_in_the_address_and_nonsense_is_ignored(log_in, open_page, month):
    page = open_page(log_in("operator"), "/escalations?tab=overdue&sort=opened&page=99")
    nonsense = open_page(log_in("operator"), "/escalations?tab=x&sort=y&page=z")

    assert any(one.attributes["href"] == "/escalations?tab=today&sort=opened" for one in page.all("a"))
    assert len(_numbers(nonsense)) == 3


def test_what_went_to_inspection_is_hidden_from_everybody_else(log_in, open_page, month, sessions):
    with sessions.begin() as session:
        session.query(Escalation).filter(Escalation.public_id == month.case).update({"route": "inspection", "reasons": ["abuse_alleged"]})
    inspection = log_in("inspection")

    for role in ("operator", "centre", "administrator"):
        client = log_in(role)
        assert "20261014000002" not in open_page(client, "/escalations").text
        open_page(client, f"/escalations/{month.case}", 404)
        open_page(client, f"/calls/{month.dissatisfied}", 404)
        assert post(client, f"/calls/{month.dissatisfied}/unmask", reason="核实投诉").status_code == 404
        assert client.get(f"/recordings/{month.recording}/permits/1").status_code in (403, 404)
        assert "20261014000002" not in open_page(client, f"/campaigns/{month.campaign}/calls").text
    assert "督察" in open_page(inspection, "/escalations").text
    open_page(inspection, f"/escalations/{month.case}")
    open_page(inspection, f"/calls/{month.dissatisfied}")


def test_long_queues_come_in_pages_of_fifty(log_in, open_page, sessions, keys):
    with sessions.begin() as session:
        a_month(session, keys, ("城东派出所",), rounds=60)
    client = log_in("operator")

    first, second = open_page(client, "/escalations"), open_page(client, "/escalations?page=2")

    assert len(_numbers(first)) == 50
    assert len(_numbers(second)) == 10
    assert "共 60 件" in first.text
    assert "第 2 / 2 页" in second.text
    assert not set(_numbers(first)) & set(_numbers(second))


def test_a_case_that_was_withdrawn_waits_for_nobody(log_in, open_page, month, sessions):
    client = log_in("administrator")
    before = _numbers(open_page(client, "/escalations"))
    with sessions.begin() as session:
        session.query(Escalation).filter_by(public_id=month.case).update({"state": "withdrawn", "reasons": []})

    assert len(_numbers(open_page(client, "/escalations"))) == len(before) - 1
    closed = open_page(client, "/escalations?tab=closed")
    assert _numbers(closed) == [month.incident_number]
    assert "已撤回" in closed.text
    assert "已撤回" in open_page(client, f"/calls/{month.dissatisfied}").text
