"""The traps of RS60, one by one: accepted right or refused with line, column and reason; good lines are not lost."""

import codecs
import csv
import random
import zipfile
from datetime import datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from survey.incidents.readers import open_table
from survey.incidents.sniffing import Limits, Unreadable
from survey.store.models import Incident
from tests.survey.incidents import old_workbook
from tests.survey.incidents.conftest import GOOD, HEADERS, row

TINY = Limits(text_bytes=4096, sheet_bytes=20_000, unpacked_bytes=1 << 20, line_characters=2000, columns=50)


def numbers(intake):
    with intake.sessions() as session:
        return set(session.scalars(select(Incident.number)))


def first_rows(path, **options):
    return [row.cells for row in open_table(path, **options).rows]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"),
    ],
)  # fmt: skip
def test_a_file_is_read_in_the_encoding_in_which_it_was_written(bring_in, csv_file, intake, encoding, found):
    report = bring_in(csv_file(row(报警人="王䶮"), encoding=encoding if encoding != "gbk" else "gb18030"))

    assert report.format == f"csv {found}"
    assert report.counts.new == 1
    assert numbers(intake) == {GOOD[0]}


@pytest.mark.parametrize(
    "content",
    [random.Random(seed).randbytes(size) for seed in range(8) for size in (64, 4096, 100_000)]
    + [
        b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n" * 50,
        b"{\\rtf1\\ansi text}",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0",
        bytes(500),
    ],
    ids=len,
)
def test_a_file_of_another_kind_is_called_so_whatever_its_name(bring_in, tmp_path, content):
    path = tmp_path / "警情.xlsx"
    path.write_bytes(content)

    with pytest.raises(Unreadable, match="不是可识别的 CSV、XLSX 或 XLS 文件"):
        bring_in(path)


def test_utf16_with_the_other_byte_order_is_read(bring_in, csv_file, tmp_path):
    text = csv_file(row()).read_text("utf-8")
    path = tmp_path / "big.csv"
    path.write_bytes(codecs.BOM_UTF16_BE + text.encode("utf-16-be"))

    assert bring_in(path).counts.new == 1


def test_nul_bytes_cost_only_their_own_line(bring_in, csv_file, intake, rejects):
    report = bring_in(csv_file(row(), row(警情编号="2", 报警人="王\0芳"), row(警情编号="3")))

    assert (report.counts.new, report.counts.rejected) == (2, 1)
    assert numbers(intake) == {GOOD[0], "3"}
    assert rejects()[0]["行号 Line"] == "3"
    assert "NUL" in rejects()[0]["原因"]


def test_a_row_of_300_columns_costs_only_itself(bring_in, csv_file, intake, rejects):
    report = bring_in(csv_file(row(), ("x",) * 300, row(警情编号="3")))

    assert (report.counts.new, report.counts.rejected) == (2, 1)
    assert "300" in rejects()[0]["Reason"]
    assert numbers(intake) == {GOOD[0], "3"}


def test_a_row_with_a_few_cells_too_many_is_refused_because_its_columns_have_shifted(bring_in, csv_file, rejects):
    report = bring_in(csv_file((*row(), "more", "and more"), (*row(警情编号="2"), "", "")))

    assert (report.counts.new, report.counts.rejected) == (1, 1)
    assert "10" in rejects()[0]["Reason"]


def test_a_row_that_lacks_columns_is_refused(bring_in, csv_file, rejects):
    report = bring_in(csv_file(row()[:3]))

    assert report.counts.rejected == 1
    assert "缺少" in rejects()[0]["原因"]


def test_a_missing_column_is_named_with_its_synonyms(bring_in, csv_file):
    headers = ["发生时刻" if header == "报警时间" else header for header in HEADERS]

    with pytest.raises(Unreadable) as unreadable:
        bring_in(csv_file(row(), headers=headers))

    assert "接警时间" in unreadable.value.zh
    assert "发生时刻" in unreadable.value.zh
    assert "occurred_at" in unreadable.value.en


@pytest.mark.parametrize("header", ["接警编号", "报警编号", " 警情编号 ", "警情编号：", "\ufeff警情编号", "警 情 编 号"])
def test_headers_are_known_by_their_synonyms(bring_in, csv_file, header):
    assert bring_in(csv_file(row(), headers=(header, *HEADERS[1:]))).counts.new == 1


def test_titles_above_the_header_are_passed_over(bring_in, tmp_path):
    path = tmp_path / "titled.csv"
    path.write_text("某市公安局接处警登记表,,,\n制表时间：,2025-04-01,,\n" + ",".join(HEADERS) + "\n" + ",".join(row()) + "\n", "utf-8")

    assert bring_in(path).counts.new == 1


def test_full_width_digits_are_digits(bring_in, csv_file, intake):
    bring_in(csv_file(row(警情编号="２０２５０３", 报警时间="２０２５-０３-０１ ０８：００：００", 报警电话="１３８００１３８０００")))

    with intake.sessions() as session:
        incident = session.scalars(select(Incident)).one()
    assert incident.number == "202503"
    assert incident.phone_key == intake.keys.phone_key("+8613800138000")
    assert incident.occurred_at.hour == 0


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2025-03-01 08:30:00", "2025-03-01T00:30:00"), ("2025/3/1 8:30", "2025-03-01T00:30:00"),
        ("2025年3月1日 8:30", "2025-03-01T00:30:00"), ("20250301083000", "2025-03-01T00:30:00"),
        ("45717.354166667", "2025-03-01T00:30:00"), ("2025-03-01T08:30:00", "2025-03-01T00:30:00"),
        ("2025-03-01T08:30:00+09:00", "2025-02-28T23:30:00"),
    ],
)  # fmt: skip
def test_times_are_read_in_the_ways_in_which_they_are_written(bring_in, csv_file, intake, written, utc):
    bring_in(csv_file(row(报警时间=written)))

    with intake.sessions() as session:
        assert session.scalars(select(Incident)).one().occurred_at.isoformat() == f"{utc}+00:00"


def test_a_day_number_of_a_spreadsheet_is_a_time(bring_in, csv_file, intake):
    bring_in(csv_file(row(报警时间="45123.5", 结案时间="45123.75")))

    with intake.sessions() as session:
        assert session.scalars(select(Incident)).one().occurred_at.isoformat() == "2023-07-16T04:00:00+00:00"


@pytest.mark.parametrize("written", ["", "昨天", "2025-02-30 08:00:00", "1.5", "99999999", "2025-03-01 25:00:00"])
def test_what_is_no_time_is_refused_with_the_forms_that_are(bring_in, csv_file, rejects, written):
    report = bring_in(csv_file(row(报警时间=written)))

    assert report.counts.rejected == 1
    (line,) = rejects()
    assert (line["列 Column"], line["值 Value"]) == ("报警时间", written)
    assert "%Y-%m-%d" in line["Remedy"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"结案时间": ""}, "尚未结案"), ({"结案时间": "2025-02-01 00:00:00"}, "早于"), ({"警情类别": "不明飞行物"}, "映射表"),
     ({"警情编号": ""}, "编号"), ({"报警时间": "2031-03-01 08:00:00", "结案时间": "2031-03-01 09:00:00"}, "将来")],
)  # fmt: skip
def test_a_line_that_makes_no_sense_is_refused_with_the_reason(bring_in, csv_file, rejects, changes, reason):
    assert bring_in(csv_file(row(**changes))).counts.rejected == 1
    assert reason in rejects()[0]["原因"]
    assert rejects()[0]["办法"]


def test_an_unclosed_quotation_mark_costs_what_it_swallows_and_says_so(bring_in, tmp_path, intake):
    path = tmp_path / "quote.csv"
    path.write_text(",".join(HEADERS) + "\n" + ",".join(row()) + '\n"' + ",".join(row(警情编号="2")) + "\n", "utf-8")

    report = bring_in(path)

    assert (report.counts.new, report.counts.rejected) == (1, 1)


def test_an_endless_line_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "endless.csv"
    path.write_text("a,b\n" + "x" * 3500 + "\n1,2\n", "utf-8")

    rows = list(open_table(path, TINY).rows)

    assert [row.cells for row in rows] == [("a", "b"), (), ("1", "2")]
    assert "2000" in rows[1].fault.en


def test_bytes_of_no_encoding_cost_only_their_own_line(bring_in, csv_file, tmp_path, rejects):
    path = tmp_path / "bad.csv"
    good = csv_file(row(), row(警情编号="3")).read_bytes()
    path.write_bytes(good + "2,坏".encode() + b"\xff\xff\x80,x\r\n")

    report = bring_in(path)

    assert (report.counts.read, report.counts.new, report.counts.rejected) == (3, 2, 1)
    assert "code_page" in rejects()[0]["办法"]


def test_an_empty_file_is_refused(bring_in, tmp_path):
    path = tmp_path / "empty.csv"
    path.touch()

    with pytest.raises(Unreadable, match="空"):
        bring_in(path)


def test_a_file_that_is_not_there_is_refused(bring_in, tmp_path):
    with pytest.raises(Unreadable):
        bring_in(tmp_path / "nowhere.csv")
    with pytest.raises(Unreadable):
        bring_in(tmp_path)


def test_a_file_with_only_blank_lines_is_refused(bring_in, tmp_path):
    path = tmp_path / "blank.csv"
    path.write_text("\n\n,,,\n")

    with pytest.raises(Unreadable):
        bring_in(path)


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.csv"
    path.write_bytes(b"a,b\n" * 2000)

    with pytest.raises(Unreadable, match="MiB"):
        open_table(path, TINY)


def test_fifty_mebibytes_of_text_stream(tmp_path):
    path = tmp_path / "50.csv"
    line = (",".join(row()) + "\n").encode()
    with path.open("wb") as file:
        for _ in range(50 * (1 << 20) // (len(line) * 1000)):
            file.write(line * 1000)

    rows = open_table(path).rows

    assert next(rows).cells == GOOD


def test_a_zip_bomb_is_refused_before_it_is_unpacked(bring_in, tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (60 << 20))

    with pytest.raises(Unreadable, match="zip bomb"):
        bring_in(path)


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 and nothing more", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)
def test_a_damaged_workbook_is_refused_in_words(bring_in, tmp_path, content):
    path = tmp_path / "damaged.xlsx"
    path.write_bytes(content)

    with pytest.raises(Unreadable):
        bring_in(path)


def test_a_zip_that_is_no_workbook_is_refused(bring_in, tmp_path):
    path = tmp_path / "other.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")

    with pytest.raises(Unreadable):
        bring_in(path)


@pytest.fixture
def workbook(tmp_path):
    def write(*rows, title=None):
        book = openpyxl.Workbook()
        if title:
            book.active.append([title])
            book.active.merge_cells("A1:H1")
        for each in (HEADERS, *rows):
            book.active.append(each)
        path = tmp_path / "book.xlsx"
        book.save(path)
        return path

    return write


def test_a_workbook_with_true_dates_numbers_and_a_merged_title_is_read(bring_in, workbook, intake):
    eight = datetime(2025, 3, 1, 8)  # noqa: DTZ001 -- a workbook's dates know no zone
    path = workbook(row(警情编号=2025030100001, 报警时间=eight, 结案时间=eight, 报警电话=13800138000), title="登记表")

    report = bring_in(path)

    with intake.sessions() as session:
        incident = session.scalars(select(Incident)).one()
    assert report.format == "xlsx"
    assert incident.number == "2025030100001"
    assert incident.occurred_at.hour == 0
    assert incident.phone_key == intake.keys.phone_key("+8613800138000")


def test_a_workbook_and_a_text_file_of_the_same_incidents_are_the_same(bring_in, workbook, csv_file):
    bring_in(csv_file(row()))

    assert bring_in(workbook(row())).counts.known == 1


def test_a_number_that_a_workbook_keeps_as_text_in_scientific_notation_is_refused(bring_in, workbook, rejects):
    bring_in(workbook(row(报警电话="1.38001E+10")))

    assert "科学计数" in rejects()[0]["原因"]


def test_a_workbook_that_unfolds_entities_without_end_is_refused(bring_in, workbook, tmp_path):
    path = workbook(row())
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    head = "<?xml version='1.0'?>"
    evil = f'{head}<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><worksheet><sheetData><row><c><v>&e11;</v></c></row></sheetData></worksheet>'
    bomb = tmp_path / "laughs.xlsx"
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(bomb, "w") as archive:
        for name in good.namelist():
            archive.writestr(name, evil if name.endswith("sheet1.xml") else good.read(name))

    with pytest.raises(Unreadable):
        bring_in(bomb)


def test_a_formula_in_a_workbook_is_never_computed(bring_in, workbook):
    report = bring_in(workbook(row(报警人='=HYPERLINK("http://x")')))

    assert report.counts.new == 1


def test_an_old_workbook_is_read_with_its_dates_and_numbers(bring_in, tmp_path, intake):
    eight = datetime(2025, 3, 1, 8)  # noqa: DTZ001 -- a workbook's dates know no zone
    path = tmp_path / "old.xls"
    path.write_bytes(
        old_workbook.workbook([HEADERS, row(警情编号=2025030100001.0, 报警时间=eight, 结案时间=eight, 报警电话=13800138000.0)])
    )

    report = bring_in(path)

    with intake.sessions() as session:
        incident = session.scalars(select(Incident)).one()
    assert report.format == "xls"
    assert incident.number == "2025030100001"
    assert incident.occurred_at.isoformat() == "2025-03-01T00:00:00+00:00"
    assert incident.phone_key == intake.keys.phone_key("+8613800138000")


HTML = (
    '<html><head><meta charset="{0}"></head><body><table><tr><th>{1}</th></tr><tr><td>{2}</td></tr></table>'
    "<table><tr><td>x</td></tr></table></body></html>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_an_html_table_that_calls_itself_xls_is_read(bring_in, tmp_path, intake, encoding):
    path = tmp_path / "export.xls"
    path.write_text(HTML.format(encoding, "</th><th>".join(HEADERS), "</td><td>".join(row(报警人="王&lt;芳&gt;"))), encoding)

    report = bring_in(path)

    assert report.format == f"html {encoding}"
    assert numbers(intake) == {GOOD[0]}


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(bring_in, tmp_path, delimiter):
    path = tmp_path / "delimited.txt"
    path.write_text("\n".join(delimiter.join(cells) for cells in (HEADERS, row())), "utf-8")

    assert bring_in(path).counts.new == 1


CELLS = st.text(st.characters(exclude_characters="\0\x1e\r\n\ufffd\ufeff", exclude_categories=("Cs", "Cc")), max_size=10).map(str.strip)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]))
def test_what_was_written_as_csv_is_read_back(tmp_path_factory, rows, encoding):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([("甲", "乙"), *rows])
    declared = "gb18030" if encoding == "gb18030" else ""

    read = first_rows(path, code_page=declared, delimiter=",")

    assert read == [("甲", "乙"), *(cells for cells in rows if any(cells))]


def test_a_workbook_is_read_whatever_its_file_is_called(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(("编号", "时间"))
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "a.xlsx").rename(tmp_path / "upload")

    assert [row.cells for row in open_table(tmp_path / "upload").rows] == [("编号", "时间")]
