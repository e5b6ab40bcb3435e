"""The four writers of the sheet."""

import csv
import io
import re
from dataclasses import replace
from zipfile import ZipFile

import openpyxl
import pytest

from survey.disposition import Disposition
from survey.report import Earlier, Sheet, build
from survey.scoring import Asked, CodeCount, ScoreSums, SetAside
from survey.sheet import csv as sheet_csv
from survey.sheet import html, text, xlsx
from survey.sheet.layout import blocks
from survey.sheet.tables import Points, Share, Span
from tests.survey.tallies import FIGURE_8, HEAD, SOURCE, mixed, people, sheet, tally

EVERY = (*FIGURE_8, tally("=cmd()|<b>所", 40, ["satisfied"] * 35))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_terminals_columns_stand_under_each_other(language: str) -> None:
    shown = text.render(sheet(*EVERY), language)
    lines = shown.splitlines()
    rule = next(index for index, line in enumerate(lines) if line.startswith("──"))
    edges = [match.end() for match in re.finditer("─+", lines[rule])]
    for line in [lines[rule - 1], *lines[rule + 1 : rule + 8]]:
        cells = "".join(character * text.width(character) for character in line)
        assert all(cells[edge : edge + 1].strip() == "" for edge in edges), line
    assert "73.1" in shown
    assert "甲所" in shown


def test_the_sheet_says_how_many_were_drawn_reached_and_answered() -> None:
    made = sheet(tally("甲所", 100, ["satisfied"] * 12, {Disposition.BUSY: 3, Disposition.REFUSAL: 4, Disposition.FAX: 1}))
    assert "抽取 20，已了结 20；接触 16，答访 12，有效回访率 75.0 %；回应率 RR1 63.2 %" in text.render(made)
    assert "reached 16, answered 12, valid 75.0 %" in text.render(made, "en")


def test_small_units_say_why_they_show_nothing() -> None:
    assert re.search(r"丁所 .*—.*样本不足，不出分", text.render(sheet(*EVERY)))


def test_simulated_and_provisional_sheets_say_so_in_every_form() -> None:
    made = build(replace(HEAD, simulated=True, provisional=True), SOURCE, EVERY)
    stream, book = io.StringIO(), io.BytesIO()
    sheet_csv.render(made, stream)
    xlsx.render(made, book)
    first_page = " ".join(str(cell.value) for row in openpyxl.load_workbook(book).worksheets[0].iter_rows(max_row=4) for cell in row)
    for shown in (text.render(made), stream.getvalue(), html.render(made), first_page):
        assert "演示/模拟" in shown
        assert "未完结" in shown
    assert "演示" not in text.render(sheet(*EVERY))


def in_every_form(made: Sheet) -> tuple[list[list[str]], list[list[object]], str, str]:
    """The sheet's main table out of CSV and workbook, and the sheet as text and page."""
    lines, book = io.StringIO(newline=""), io.BytesIO()
    sheet_csv.render(made, lines)
    xlsx.render(made, book)
    page = openpyxl.load_workbook(book).worksheets[0]
    cells = [[cell.value for cell in row] for row in page.iter_rows()]
    return list(csv.reader(io.StringIO(lines.getvalue(), newline=""))), cells, text.render(made), html.render(made)


ASKED = (*EVERY, replace(tally("问所", 400, ["satisfied"] * 35), asked=Asked(32, 4)))


def test_the_rate_of_good_ratings_asked_for_stands_in_every_form() -> None:
    rows, cells, shown, page = in_every_form(sheet(*ASKED))
    heads = [row for row in rows if "要求好评%" in row]
    units, detail = (next(row for row in rows if row and row[0] == "问所" and len(row) == len(head)) for head in heads)
    assert units[heads[0].index("要求好评%")] == "12.5"
    assert detail[heads[1].index("好评题n") :] == ["32", "4", "12.5", "5.0", "28.1"]
    head = next(row for row in cells if row[0] == "单位")
    assert next(row for row in cells if row[0] == "问所")[head.index("要求好评%")] == 0.125
    assert re.search(r"问所 .* 32 +4 +12\.5 +5\.0–28\.1", shown)
    assert '<td class="sheet-number">5.0–28.1</td>' in page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_terminals_lines_are_not_wider_than_180(language: str) -> None:
    units = [mixed(f"高新区第{n}派出所", 4000 + n, 1000) for n in range(7)]
    shown = text.render(sheet(*units, tally("x", 90, ["satisfied"] * 12), tally("y", 90, [])), language)
    assert max(text.width(line) for line in shown.splitlines()) <= 180


def test_the_change_to_last_month_has_its_sign_in_words_and_is_a_number_in_files() -> None:
    last = [tally(name, 300, people((30, "satisfied"), (n, "very_satisfied"))) for name, n in (("升所", 0), ("降所", 10), ("平所", 0))]
    now = [tally(name, 300, people((30, "satisfied"), (n, "very_satisfied"))) for name, n in (("升所", 5), ("降所", 0), ("平所", 0))]
    made = sheet(*now, tally("新所", 300, ["satisfied"] * 12), earlier=[Earlier("2026-02", 1, tuple(last))])
    rows, cells, shown, page = in_every_form(made)
    head = next(row for row in rows if "较上月" in row)
    column = head.index("较上月")
    found = {row[0]: row[column] for row in rows if len(row) == len(head)}
    assert [found[unit] for unit in ("升所", "降所", "平所", "新所")] == ["3.6", "-6.2", "0.0", ""]
    numbers = {row[0]: row[column] for row in cells if row[0] in ("升所", "降所", "平所", "新所")}
    assert numbers == {"升所": pytest.approx(25 / 7), "降所": -6.25, "平所": 0, "新所": None}
    assert re.search(r"升所 .* \+3\.6 ", shown)
    assert re.search(r"降所 .* -6\.2 ", shown)
    assert re.search(r"平所 .* 75\.0–75\.0 +0\.0 ", shown)
    assert re.search(r"新所 .* 75\.0–75\.0 +— ", shown)
    assert "+3.6</td>" in page
    assert "2026-02" in next(line for line in shown.splitlines() if line.startswith("连同比较的月份"))


SMALL = [tally(f"高新区第{n}派出所", 500, people((10 + n, "satisfied"), (9, "very_dissatisfied"))) for n in range(7)]


def test_a_unit_ranked_by_three_months_says_so_in_its_remark_and_the_notes_say_what_it_means() -> None:
    before = [Earlier("2026-02", 1, tuple(SMALL)), Earlier("2026-01", 2, tuple(SMALL))]
    made = sheet(*SMALL, earlier=before)
    rows, cells, shown, page = in_every_form(made)
    last = "后三位；近三月39.5，n=57"
    assert next(row[-1] for row in rows if row[:1] == ["高新区第0派出所"]) == last
    assert any(row[-1] == last for row in cells)
    assert re.search(f"高新区第0派出所 .* 7 +{last}", shown)
    assert last in page
    assert re.search(r"Last 3; 3 mo\. 39\.5, n 57", text.render(made, "en"))
    assert "连同前两个月（同类数据）共达30份的单位，按这三个月合计的考核均分排名" in shown
    for language in ("zh", "en"):
        assert max(text.width(line) for line in text.render(made, language).splitlines()) <= 180


def test_csv_has_numbers_with_one_decimal_and_no_formula() -> None:
    stream = io.StringIO(newline="")
    sheet_csv.render(sheet(*EVERY), stream)
    assert stream.getvalue().count("\n") == stream.getvalue().count("\r\n")
    rows = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@")]
    bureau = next(row for row in rows if row and row[0] == "全局（加权）")
    assert "73.1" in bureau
    assert len(bureau) == len(next(row for row in rows if row and row[0] == "单位"))
    assert any(row and row[0] == "'=cmd()|<b>所" for row in rows)


def test_the_workbook_holds_numbers_texts_and_a_frozen_head() -> None:
    stream = io.BytesIO()
    xlsx.render(sheet(*EVERY), stream)
    book = openpyxl.load_workbook(stream)
    page = book.worksheets[0]
    assert page.freeze_panes == "B3"
    cells = {row[0].value: row for row in page.iter_rows()}
    assert cells["全局（加权）"][9].value == pytest.approx(73.0, abs=2)
    assert cells["全局（加权）"][9].number_format == "0.0"
    assert cells["=cmd()|<b>所"][0].data_type == "s"
    assert cells["丁所"][4].value is None
    assert not [cell for sheet_ in book.worksheets for row in sheet_.iter_rows() for cell in row if cell.data_type == "f"]
    with ZipFile(stream) as parts:
        assert any("chart" in name for name in parts.namelist())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_loads_nothing_and_escapes_names(language: str) -> None:
    page = html.render(sheet(*EVERY), language)
    assert "&lt;b&gt;所" in page
    assert not re.search(r"https?://|//[a-z]|<script|<link|<img|url\(|@import", page)
    assert "size: A4 landscape" in page
    assert page.count("<table") == page.count("</table>") == len(blocks(sheet(*EVERY), language))
    assert "<style" not in html.fragment(sheet(*EVERY), language)


def test_english_has_the_same_figures_as_chinese() -> None:
    made = sheet(*EVERY)
    for zh, en in zip(blocks(made, "zh"), blocks(made, "en"), strict=True):
        numbers = [
            [[cell for cell in line.cells if isinstance(cell, (int, Points, Share, Span))] for line in each.lines] for each in (zh, en)
        ]
        assert numbers[0] == numbers[1]
        assert not re.search("[\u4e00-\u9fff]", " ".join([en.title, *en.notes, *(column.label for column in en.columns)]))


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+cmd", "-2", "@SUM", "\tx", "\u3000=1", "＝1", " =1", "\u00a0=1", "＠x", "'=1", "'", "fine\n=2", "a\r\n-b\r+c", "\n=1"],
)
def test_no_text_becomes_a_formula_and_all_come_back(cell: str) -> None:
    guarded = sheet_csv.guarded(cell)
    assert all(line == "" or line[0] == "'" or line[0].isalpha() for line in re.split("\r\n|\r|\n", guarded))
    assert sheet_csv.unguarded(guarded) == cell


def test_ordinary_text_is_left_alone_and_controls_are_taken_out() -> None:
    assert sheet_csv.guarded("很满意, 3-5 分钟") == "很满意, 3-5 分钟"
    assert sheet_csv.guarded("a\x00b\u202ec\x1b[31m\ud800") == "abc[31m"


OUT = SetAside(2, 1, (CodeCount("speed", "satisfied", 75.0, 2),), ScoreSums(1, 450.0, 6.0, 140625.0, 1875.0, 25.0))


def test_both_means_stand_in_every_form_with_what_was_taken_out_between_them() -> None:
    made = build(
        HEAD, SOURCE, [*EVERY, replace(tally("诉所", 400, people((5, "neutral"), (30, "satisfied"))), aside=OUT)], appeals_waiting=3
    )
    total, kept = f"{12500 / 175:.1f}", f"{12050 / 169:.1f}"
    assert total != kept
    rows, cells, shown, page = in_every_form(made)
    head = next(row for row in rows if "考核均分" in row)
    unit = next(row for row in rows if row and row[0] == "诉所" and len(row) == len(head))
    assert [unit[head.index(name)] for name in ("总均分", "考核均分")] == [total, kept]
    titles = [row[0] if row else "" for row in rows]
    taken = rows[titles.index("申诉剔除") + 1 :][:4]
    assert taken[0] == ["单位", "涉及人数", "速度", "态度", "结果", "装备", "警容", "总均分", "考核人数", "考核均分"]
    assert taken[3] == ["诉所", "2", "2", "0", "0", "0", "0", total, "34", kept]
    top = next(row for row in cells if row[0] == "单位")
    number = next(row for row in cells if row[0] == "诉所")[top.index("考核均分")]
    assert number == pytest.approx(12050 / 169)
    assert re.search(rf"诉所 .* {total} +34 +{kept}", shown)
    for form in (shown, page):
        assert "待裁定的申诉 3 件" in form
        assert "考核均分不含申诉成立而剔除的评价" in form


def test_a_month_without_upheld_appeals_says_so() -> None:
    assert "没有申诉成立而剔除的评价" in text.render(sheet(*EVERY))
    assert "No rating was taken out on appeal" in text.render(sheet(*EVERY), "en")
