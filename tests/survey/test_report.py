import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from zipfile import ZipFile

import openpyxl
import pytest

from survey.disposition import Disposition
from survey.intervals import t_quantile
from survey.rates import Counts
from survey.report import Frame, Head, ScriptUsed, Sheet, build, digest_of
from survey.scoring import FORMULAS, ITEMS, SCALE, CodeCount, ScoreSums, Tally
from survey.sheet import csv as sheet_csv
from survey.sheet import html, text, xlsx
from survey.sheet.layout import blocks
from survey.sheet.tables import Points, Share, Span

POINTS = dict(zip(SCALE, (100.0, 75.0, 50.0, 25.0, 0.0), strict=True))
HEAD = Head("2026-03", "某市公安局", "City Bureau", ("三月回访",), False, False, datetime(2026, 4, 5, tzinfo=UTC),
            (ScriptUsed("callback-zh", 1, "d" * 64),), 12, "a" * 64)  # fmt: skip
SOURCE = Frame(2000, 1608, (("cancelled", 300), ("no_number", 92)), "f" * 64, 7)


def people(*given: tuple[int, str]) -> list[str]:
    return [code for count, code in given for _ in range(count)]


def tally(unit: str, frame: int, codes: list[str], other: Mapping[Disposition, int] | None = None, items: tuple[str, ...] = ITEMS) -> Tally:
    """A unit whose persons each gave one code to all items."""
    counts = Counter(codes)
    answers = tuple(CodeCount(item, code, POINTS.get(code), count) for item in items for code, count in counts.items())
    scored = [POINTS[code] for code in codes if code in POINTS]
    k = len(items)
    sums = ScoreSums(
        len(scored), k * sum(scored), k * len(scored), k * k * sum(s * s for s in scored), k * k * sum(scored), k * k * len(scored)
    )
    dispositions = {Disposition.COMPLETE: len(codes), **(other or {})}
    return Tally(unit, frame, dispositions, sum(dispositions.values()), answers, sums, counts["dissatisfied"] + counts["very_dissatisfied"])


def sheet(*tallies: Tally) -> Sheet:
    return build(HEAD, SOURCE, tallies)


DONGGUAN = people((6554, "satisfied"), (731, "neutral"), (496, "dissatisfied"))
FIGURE_8 = (
    tally("甲所", 1000, people((20, "very_satisfied"), (20, "satisfied"), (10, "neutral"))),
    tally("乙所", 500, people((5, "very_satisfied"), (10, "satisfied"), (10, "dissatisfied"))),
    tally("丙所", 100, people((6, "satisfied"), (2, "neutral"))),
    tally("丁所", 8, people((3, "very_satisfied"), (1, "very_dissatisfied"))),
)


def test_worked_figure_4_comes_out_under_three_names() -> None:
    made = sheet(tally("东莞", 21882, DONGGUAN, {Disposition.NO_ANSWER: 21882 - 7781}))
    row = made.rows[0]
    rates = {name: round(100 * (row.rates[name].value or 0), 2) for name in FORMULAS}
    assert rates == {"strict": 84.23, "weighted": 88.93, "broad": 93.63}
    assert round(100 * row.dissatisfied / row.answered, 2) == 6.37
    assert round(100 * (row.response or 0), 2) == 35.56


def test_the_interval_of_a_rate_counts_persons_not_answers() -> None:
    row = sheet(tally("东莞", 21882, DONGGUAN)).rows[0]
    interval = row.rates["broad"].interval
    assert row.valid == 5 * 7781
    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.9306, 0.9415)


def test_the_bureau_is_weighted_by_frames_with_the_plain_mean_beside_it() -> None:
    made = sheet(*FIGURE_8)
    assert round(made.weighted.total.mean or 0, 4) == 73.0566
    assert round(made.unweighted.total.mean or 0, 4) == 72.9885
    assert (round(made.design_effect or 0, 4), round(made.effective_n or 0, 2)) == (1.0520, 82.70)
    assert {round(figure.score.mean or 0, 4) for figure in made.weighted.items} == {73.0566}
    strict = (1000 * 40 / 50 + 500 * 15 / 25 + 100 * 6 / 8 + 8 * 3 / 4) / 1608
    assert made.weighted.rates["strict"].value == pytest.approx(strict)


def test_cannot_say_and_no_answer_stay_out_of_the_means_and_are_counted() -> None:
    codes = people((10, "very_satisfied"), (10, "neutral"), (5, "unsure"))
    row = sheet(tally("甲所", 100, codes, {Disposition.PARTIAL: 3}, items=ITEMS[:4])).rows[0]
    speed, appearance = row.items[0], row.items[4]
    assert (row.answered, speed.score.mean, speed.valid, speed.unsure, speed.missing) == (28, 75.0, 20, 5, 3)
    assert (appearance.score.mean, appearance.valid, appearance.missing) == (None, 0, 28)
    assert row.total.mean == 75.0


def test_fewer_than_ten_answers_show_no_score_and_fewer_than_thirty_no_rank() -> None:
    rows = {row.unit: row for row in sheet(*(tally(str(n), 50, ["satisfied"] * n) for n in (9, 10, 29, 30))).rows}
    assert {unit: row.standing for unit, row in rows.items()} == {"9": "suppressed", "10": "few", "29": "few", "30": "ranked"}
    hidden = rows["9"]
    assert hidden.total.mean is None
    assert {rate.value for rate in hidden.rates.values()} == {None}
    assert {figure.score.mean for figure in hidden.items} == {None}
    assert (rows["10"].total.mean, rows["10"].rank, rows["30"].rank) == (75.0, None, 1)


def mixed(unit: str, happy: int, unhappy: int) -> Tally:
    return tally(unit, 500, people((happy, "very_satisfied"), (unhappy, "very_dissatisfied")))


def test_the_interval_of_a_mean_is_students_over_persons() -> None:
    row = sheet(tally("甲所", 500, people((5, "very_satisfied"), (5, "neutral")))).rows[0]
    half = 2.262157 * math.sqrt(10 * 25**2 / 9 / 10)  # t with 9 degrees of freedom; ten persons 25 points off the mean
    for score in (row.items[0].score, row.total):
        assert score.interval is not None
        assert (score.mean, score.interval.low) == (75.0, pytest.approx(75 - half, abs=1e-4))
        assert score.interval.high == pytest.approx(75 + half, abs=1e-4)


def test_persons_who_left_items_out_weigh_by_what_they_answered() -> None:
    given = [(300.0, 3.0), (250.0, 5.0), (500.0, 5.0)] * 4
    sums = ScoreSums(12, *(sum(f(s, c) for s, c in given) for f in (
        lambda s, c: s, lambda s, c: c, lambda s, c: s * s, lambda s, c: s * c, lambda s, c: c * c,
    )))  # fmt: skip
    row = sheet(replace(tally("甲所", 500, ["satisfied"] * 12), sums=sums)).rows[0]
    ratio = 1050 / 13
    spread = 4 * sum((s - ratio * c) ** 2 for s, c in given[:3]) / 11 / (13 / 3) ** 2
    assert row.total.mean == pytest.approx(ratio)
    assert row.total.interval is not None
    assert row.total.interval.low == pytest.approx(ratio - t_quantile(0.975, 11) * math.sqrt(spread / 12))


def test_fewer_than_six_ranked_units_give_no_last_three() -> None:
    assert not any(row.last_three for row in sheet(*(mixed(str(n), 30 + n, 5) for n in range(5))).rows)


def test_the_last_three_are_those_at_the_bottom_of_the_rank() -> None:
    made = sheet(*(mixed(str(n), 30 + 5 * n, 5) for n in range(7)), tally("small", 40, ["very_dissatisfied"] * 20))
    assert [row.unit for row in made.rows] == ["6", "5", "4", "3", "2", "1", "0", "small"]
    assert [row.unit for row in made.rows if row.last_three] == ["2", "1", "0"]
    assert [row.rank for row in made.rows] == [1, 2, 3, 4, 5, 6, 7, None]


def test_a_tie_at_the_third_place_goes_to_the_unit_with_more_dissatisfied() -> None:
    equal_mean = tally("some unhappy", 500, people((20, "very_satisfied"), (20, "very_dissatisfied")))
    neutral = tally("all neutral", 500, ["neutral"] * 40)
    made = sheet(equal_mean, neutral, *(mixed(f"bad {n}", 10, 30 + n) for n in range(2)), *(mixed(f"good {n}", 50, n) for n in range(3)))
    assert [row.unit for row in made.rows if row.last_three] == ["some unhappy", "bad 0", "bad 1"]


def test_what_is_still_equal_at_the_third_place_is_all_included() -> None:
    made = sheet(*(mixed(f"same {n}", 20, 20) for n in range(4)), *(mixed(f"good {n}", 50, n) for n in range(3)))
    assert [row.unit for row in made.rows if row.last_three] == ["same 0", "same 1", "same 2", "same 3"]


def test_cases_are_the_sum_of_all_dispositions() -> None:
    made = sheet(tally("甲所", 100, ["satisfied"] * 12, {Disposition.BUSY: 3, Disposition.FAX: 2, Disposition.NOT_ATTEMPTED: 4}))
    assert made.cases == 21 == made.unweighted.drawn
    assert made.counts == Counts(i=12, uh=7, ne=2)


def test_a_sheet_without_answers_shows_nothing_instead_of_zeros() -> None:
    made = sheet(Tally("甲所", 10, {Disposition.NOT_ATTEMPTED: 5}))
    assert made.weighted.total.mean is None
    assert made.outcome.coop1 is None
    assert made.rows[0].coverage == 0


def test_the_digest_covers_the_figures_and_not_the_moment() -> None:
    made = sheet(*FIGURE_8)
    later = replace(HEAD, issued_at=datetime(2027, 1, 1, tzinfo=UTC), audit_n=99, audit_digest="b" * 64)
    assert build(later, SOURCE, FIGURE_8).digest == made.digest == digest_of(made)
    assert sheet(*FIGURE_8[:3]).digest != made.digest
    assert build(replace(HEAD, simulated=True), SOURCE, FIGURE_8).digest != made.digest


# the four writers


EVERY = (*FIGURE_8, tally("=cmd()|<b>所", 40, ["satisfied"] * 35))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_terminals_columns_stand_under_each_other(language: str) -> None:
    shown = text.render(sheet(*EVERY), language)
    lines = shown.splitlines()
    rule = next(index for index, line in enumerate(lines) if line.startswith("──"))
    edges = [match.end() for match in re.finditer("─+", lines[rule])]
    for line in [lines[rule - 1], *lines[rule + 1 : rule + 8]]:
        cells = "".join(character * text.width(character) for character in line)
        assert all(cells[edge : edge + 2].strip() == "" for edge in edges), line
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
