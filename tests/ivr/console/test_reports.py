"""The month's sheet on a page and as files (C3–C7, C15, C16, C22, C39)."""

from io import BytesIO

import openpyxl
import pytest
from sqlalchemy import select

from survey.store.models import AuditEntry


def test_the_list_names_each_month_once(log_in, open_page, month):
    page = open_page(log_in("commander"), "/reports")

    assert [one.attributes["href"] for one in page.all("a") if one.text == "警情处置情况考核表"] == ["/reports/2026-10"]


def test_the_sheet_is_shown_with_its_warnings(log_in, open_page, month):
    page = open_page(log_in("commander"), "/reports/2026-10")

    assert "《警情处置情况考核表》" in page.one("h1").text
    assert "模拟" in page.text
    assert "全局（加权）" in page.text
    assert "RR1" in page.text


def test_the_sheet_in_english(log_in, open_page, month):
    page = open_page(log_in("commander", "en"), "/reports/2026-10")

    assert "Linjiang Public Security Bureau" in page.one("h1").text


def test_a_month_without_campaign_has_no_sheet(log_in, open_page, month):
    open_page(log_in("commander"), "/reports/2026-09", 404)
    open_page(log_in("commander"), "/reports/2026-13", 404)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "html"])
def test_a_file_is_taken_with_a_name_and_leaves_a_trace(log_in, month, sessions, kind):
    answer = log_in("commander").get(f"/reports/2026-10/sheet.{kind}")

    assert answer.status_code == 200
    assert f"2026-10.{kind}" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "sheet.download")).one()
    assert (entry.actor, entry.subject) == ("commander", "sheet:2026-10")


def test_the_csv_opens_in_a_chinese_spreadsheet(log_in, month):
    data = log_in("commander").get("/reports/2026-10/sheet.csv").data

    assert data.startswith(b"\xef\xbb\xbf")
    assert "城东派出所" in data.decode("utf-8-sig")


def test_the_workbook_opens_and_holds_the_units(log_in, month):
    data = log_in("commander").get("/reports/2026-10/sheet.xlsx").data

    book = openpyxl.load_workbook(BytesIO(data))
    cells = {cell.value for page in book for row in page.iter_rows() for cell in row}
    assert {"城东派出所", "城西派出所", "高新区派出所"} <= cells


def test_no_name_and_no_number_in_any_report(log_in, month):
    client = log_in("commander")

    for address in ("/reports/2026-10", "/reports/2026-10/sheet.csv", "/reports/2026-10/sheet.html"):
        text = client.get(address).text
        assert month.phone[3:] not in text
        assert "报警人" not in text


def test_no_other_kind_of_file(log_in, month):
    assert log_in("commander").get("/reports/2026-10/sheet.exe").status_code == 404
