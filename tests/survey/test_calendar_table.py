"""A table of holidays: what is read, what is refused line by line, and which table is not whole (A42)."""

import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from survey.calendar_table import MOST_DAYS, read_table
from survey.incidents.sniffing import Unreadable
from survey.working_days import SpecialDay, incomplete_years, shipped
from tests.conftest import SHARED

NOTICES = SHARED / "reference" / "cn_workday_calendar_2024_2026.csv"


def told(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


@pytest.mark.skipif(not NOTICES.exists(), reason="the table of the notices is not beside this checkout")
def test_the_notices_of_three_years_read_as_a_whole_and_agree_with_what_is_shipped() -> None:
    table = read_table(NOTICES)

    assert (len(table.days), table.rejections, incomplete_years(table.days)) == (108, (), {})
    below = shipped()
    for special in table.days:
        assert (special.day in below.off, special.day in below.work) == (special.kind == "off", special.kind == "work"), special


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_headers_and_words_are_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = told(tmp_path / "a.csv", "日期,类型,名称\n2027年1月1日,放假,元旦\n2027/1/2,上班,元旦\n2027.01.03,休,元旦\n", encoding)

    assert read_table(path).days == tuple(
        SpecialDay(date(2027, 1, day), kind, "元旦") for day, kind in ((1, "off"), (2, "work"), (3, "off"))
    )


def test_a_sheet_is_read_with_its_dates_as_dates_and_its_formulas_as_nothing(tmp_path: Path) -> None:
    book = Workbook()
    for row in (
        ("2027年节假日",),
        ("date", "kind", "name"),
        (datetime(2027, 1, 1, tzinfo=UTC).replace(tzinfo=None), "off", "=1+1"),
        ("=TODAY()", "off", "x"),
    ):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")

    table = read_table(tmp_path / "a.xlsx")

    assert [(special.day, special.kind) for special in table.days] == [(date(2027, 1, 1), "off")]
    assert [(one.line, one.zh) for one in table.rejections] == [(4, "看不懂的日期")]


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("2027-02-30,off,x", "date", "看不懂的日期"),
        ("昨天,off,x", "date", "看不懂的日期"),
        ("1999-01-01,off,x", "date", "看不懂的日期"),
        ("2027-01-01,holy,x", "kind", "off"),
        ("2027-01-01,,x", "kind", "off"),
        ("2027-01-04,work,x", "date", "本就上班"),
        ("2027-01-03,work,x", "date", "同一天"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_with_line_column_and_remedy(tmp_path: Path, line: str, column: str, words: str) -> None:
    [fault] = read_table(told(tmp_path / "a.csv", f"date,kind,name\n2027-01-03,off,元旦\n{line}\n")).rejections

    assert (fault.line, fault.column, words in fault.zh) == (3, column, True)
    assert fault.remedy_zh
    assert fault.remedy_en


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空"),
        (b"%PDF-1.7", "可识别"),
        (b"name,holiday\nx,y\n", "表头"),
        (b"date,kind\n", "没有日期"),
        (zipped(bytes(30 << 20)), "压缩炸弹"),
        (zipped(b"<x/>"), "XLSX"),
        (b"x" * ((1 << 20) + 1), "上限"),
        (b"date,kind\n" + b"2027-01-01,off\n" * (MOST_DAYS + 1), "不像节假日表"),
    ],
    ids=["empty", "pdf", "no header", "no day", "bomb", "no workbook", "large", "long"],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)

    with pytest.raises(Unreadable, match=words):
        read_table(path)


def test_a_table_without_the_feasts_of_the_law_is_not_whole() -> None:
    assert incomplete_years((SpecialDay(date(2027, 1, 1), "off"),)) == {
        2027: (date(2027, 5, 1), date(2027, 10, 1), date(2027, 10, 2), date(2027, 10, 3))
    }
