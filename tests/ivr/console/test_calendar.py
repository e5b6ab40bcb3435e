"""The calendar's page: a year at a glance, the warning from November on, a table, a day by hand, what becomes of orders (R48, A42)."""

import io
from datetime import UTC, datetime

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from survey import casework
from survey.order_moves import SYSTEM
from survey.store import calendar_overlay
from survey.store.models import AuditEntry, CalendarDay, Escalation, Respondent
from survey.working_days import FEASTS
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import csrf_of, post
from tests.ivr.console.pages import Page

WHOLE = "date,kind,name\n" + "".join(f"2027-{month:02d}-{day:02d},off,节日\n" for month, day in FEASTS)


@pytest.fixture(autouse=True)
def _as_shipped():
    yield
    calendar_overlay.forget()


@pytest.fixture
def order(month, sessions, services) -> str:
    """An order issued on Monday 23 November 2026, due at the end of Monday 30 November."""
    with sessions.begin() as session:
        case = session.scalars(select(Escalation).join(Respondent).where(Respondent.public_id == month.dissatisfied)).one()
        return casework.issue(session, services.office, case, SYSTEM, services.office.terms, NOON).public_id


def _send(client, content: bytes, name: str = "2027.csv"):
    form = {"csrf_token": csrf_of(client), "file": (io.BytesIO(content), name)}
    return client.post("/calendar/import", data=form, content_type="multipart/form-data")


def _wrong(answer) -> tuple[str, str]:
    page = Page.parse(answer.text)
    page.check()
    [wrong] = [one for one in [*page.all("input"), *page.all("select")] if one.attributes.get("aria-invalid") == "true"]
    [complaint] = [one for one in page.all("span") if one.attributes.get("id") == "problem"]
    return wrong.attributes["id"], complaint.text


def test_a_year_is_shown_with_its_feasts_its_make_up_days_and_where_they_come_from(log_in, open_page):
    page = open_page(log_in("administrator"), "/calendar?year=2026")

    rows = [" ".join(row.text.split()) for row in page.all("tr")]
    assert any(row.startswith("2026-10-01 周四 ○ 放假 国庆节 自带") for row in rows), rows
    assert any(row.startswith("2026-10-10 周六 ● 调休上班 国庆节 自带") for row in rows)


def test_from_november_on_the_next_year_is_asked_for_with_the_way_to_import_it(log_in, open_page, clock):
    assert "2027 年的节假日安排尚未导入" in open_page(log_in("administrator"), "/calendar").text
    clock.moment = datetime(2026, 10, 31, 15, 59, tzinfo=UTC)
    assert "尚未导入" not in open_page(log_in("administrator"), "/calendar").text
    clock.moment = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)  # 1 November in Shanghai
    assert "2027 年的节假日安排尚未导入" in open_page(log_in("administrator"), "/calendar").text


def test_a_year_that_is_not_loaded_shows_no_count(log_in, open_page):
    page = open_page(log_in("administrator"), "/calendar?year=2027")

    assert "该年的工作日一律不推算" in page.text
    assert not page.all("caption")


def test_a_table_is_loaded_and_the_warning_is_gone(log_in, open_page, sessions):
    client = log_in("administrator")

    assert _send(client, WHOLE.encode("gb18030")).headers["Location"] == "/calendar?year=2027"

    page = open_page(client, "/calendar?year=2027")
    assert "已导入 2027 年的安排，共 5 天" in page.text
    assert "2027 年的节假日安排尚未导入" not in page.text
    assert "2027.csv" in page.text
    with sessions() as session:
        assert [one.actor for one in session.scalars(select(AuditEntry).where(AuditEntry.action == "calendar.import"))] == ["administrator"]


def test_faulty_lines_are_listed_and_nothing_is_loaded(log_in, sessions):
    answer = _send(log_in("administrator"), (WHOLE + "2027-02-30,off,x\n2027-03-01,=1+1,<b>x</b>\n").encode())

    assert answer.status_code == 422
    assert _wrong(answer) == ("file", "2 行有误，未导入任何一天。")
    assert "看不懂的日期" in answer.text
    assert "写成 2027-01-01" in answer.text
    with sessions() as session:
        assert session.scalars(select(CalendarDay)).all() == []


def _sheet() -> bytes:
    book, stream = Workbook(), io.BytesIO()
    book.active.append(("date", "kind", "name"))
    for month, day in FEASTS:
        book.active.append((f"2027-{month}-{day}", "off", "=HYPERLINK(1)"))
    book.save(stream)
    return stream.getvalue()


def test_a_workbook_is_loaded_and_its_formulas_are_no_names(log_in, open_page):
    client = log_in("administrator")

    _send(client, _sheet(), "2027.xlsx")

    page = open_page(client, "/calendar?year=2027")
    assert "已导入 2027 年的安排，共 5 天" in page.text
    assert "HYPERLINK" not in page.html


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "空"), (b"\x01\x02\x03" * 50, "可识别"), (b"a,b\n1,2\n", "表头"), (WHOLE.encode()[:37], "缺少"), (bytes(900_000), "可识别")],
    ids=["empty", "noise", "no header", "cut", "zeros"],
)  # fmt: skip
def test_what_is_no_table_is_refused_at_its_field(log_in, content, words):
    answer = _send(log_in("administrator"), content)

    assert answer.status_code == 422
    field, told = _wrong(answer)
    assert (field, words in told) == ("file", True), told


def test_a_file_that_is_too_large_is_refused_before_it_is_read(log_in):
    assert _send(log_in("administrator"), bytes(2 << 20)).status_code == 413


def test_without_a_file_the_form_asks_for_one(log_in):
    client = log_in("administrator")

    assert _wrong(post(client, "/calendar/import")) == ("file", "请选择文件")


def test_a_day_is_set_by_hand_and_the_page_tells_which_deadline_moved(log_in, open_page, order):
    client = log_in("administrator")

    post(client, "/calendar/change", day="2026-11-26", kind="off", name="防汛", reason="全市停工")

    page = open_page(client, "/calendar?year=2026")
    assert "交办单 2026-0001 的期限由 2026-11-30 顺延至 2026-12-01" in page.text
    assert "交办单按日历顺延 原期限 11月30日 周一" in open_page(log_in("centre"), f"/orders/{order}").text
    rows = [" ".join(row.text.split()) for row in page.all("tr")]
    assert "2026-11-26 周四 ○ 放假 防汛 手工设定 administrator 2026-11-23 12:00 全市停工" in rows


def test_an_order_that_inspection_has_is_counted_and_not_named(log_in, open_page, order, sessions):
    with sessions.begin() as session:
        session.query(Escalation).update({"route": "inspection"})
    client = log_in("administrator")

    post(client, "/calendar/change", day="2026-11-26", kind="off", reason="全市停工")

    page = open_page(client, "/calendar")
    assert "2026-0001" not in page.text
    assert "另有 1 张督察件的期限顺延" in page.text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"day": "", "kind": "off", "reason": "原因"}, "day"),
        ({"day": "2026-13-01", "kind": "off", "reason": "原因"}, "day"),
        ({"day": "0001-01-01", "kind": "off", "reason": "原因"}, "day"),
        ({"day": "2027-01-04", "kind": "off", "reason": "原因"}, "day"),
        ({"day": "2026-11-26", "kind": "x", "reason": "原因"}, "kind"),
        ({"day": "2026-11-26", "kind": "off", "reason": ""}, "reason"),
    ],
)
def test_a_fault_is_said_at_its_field_and_what_was_typed_is_kept(log_in, form, field):
    answer = post(log_in("administrator"), "/calendar/change", name="防汛", **form)

    assert answer.status_code == 422
    assert _wrong(answer)[0] == field
    assert 'value="防汛"' in answer.text


@pytest.mark.parametrize("role", ["centre", "operator", "unit", "commander", "auditor", "inspection"])
def test_nobody_but_administrators_changes_the_calendar(log_in, role):
    client = log_in(role)

    assert client.get("/calendar").status_code == 403
    assert _send(client, WHOLE.encode()).status_code == 403
    assert post(client, "/calendar/change", day="2026-11-26", kind="off", reason="原因").status_code == 403
