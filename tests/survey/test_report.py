import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from survey.disposition import Disposition
from survey.intervals import t_quantile, wilson
from survey.rates import Counts
from survey.report import Earlier, build, digest_of
from survey.scoring import FORMULAS, ITEMS, Asked, ScoreSums, Tally
from survey.sheet.layout import blocks
from survey.sheet.tables import Share
from tests.survey.tallies import FIGURE_8, HEAD, SOURCE, mixed, people, sheet, tally

DONGGUAN = people((6554, "satisfied"), (731, "neutral"), (496, "dissatisfied"))


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


def test_the_change_to_last_month_is_that_of_the_total_mean_per_unit_and_bureau() -> None:
    last = Earlier("2026-02", 1, (tally("甲所", 100, ["satisfied"] * 20), tally("乙所", 300, ["satisfied"] * 40)))
    made = sheet(tally("甲所", 100, ["neutral"] * 30), tally("乙所", 300, ["very_satisfied"] * 10), earlier=[last])
    assert {row.unit: row.change for row in made.rows} == {"甲所": -25.0, "乙所": 25.0}
    assert made.weighted.change == pytest.approx((100 * 50 + 300 * 100) / 400 - 75)
    assert made.unweighted.change == pytest.approx((30 * 50 + 10 * 100) / 40 - 75)
    assert made.earlier == ("2026-02",)


def test_there_is_no_change_without_a_score_in_both_months() -> None:
    last = Earlier("2026-02", 1, (tally("小所", 100, ["satisfied"] * 9), tally("大所", 100, ["satisfied"] * 10)))
    older = Earlier("2026-01", 2, (tally("新所", 100, ["satisfied"] * 40),))
    now = [tally("小所", 100, ["satisfied"] * 40), tally("大所", 100, ["satisfied"] * 9), tally("新所", 100, ["satisfied"] * 40)]
    assert {row.unit: row.change for row in sheet(*now, earlier=[last, older]).rows} == dict.fromkeys(("小所", "大所", "新所"))
    for made in (sheet(*now), sheet(*now, earlier=[older])):
        assert (made.weighted.change, made.unweighted.change) == (None, None)


def test_a_unit_is_found_again_by_its_code_not_by_its_name() -> None:
    now = tally("新名", 100, ["satisfied"] * 20)
    namesake = replace(tally("新名", 100, ["neutral"] * 20), code="another")
    itself = replace(tally("旧名", 90, ["very_satisfied"] * 20), code=now.code)
    assert sheet(now, earlier=[Earlier("2026-02", 1, (namesake, itself))]).rows[0].change == -25.0


def months(*earlier: tuple[Tally, ...]) -> list[Earlier]:
    """The months before this one, the latest first."""
    return [Earlier(f"2026-{3 - ago:02}", ago, tallies) for ago, tallies in enumerate(earlier, start=1)]


def test_a_unit_too_small_for_one_month_is_ranked_by_the_mean_of_three() -> None:
    before = months((tally("小所", 90, ["very_satisfied"] * 10),), (tally("小所", 90, ["neutral"] * 8),))
    made = sheet(tally("小所", 90, ["neutral"] * 12), tally("大所", 90, ["satisfied"] * 30), earlier=before)
    assert [(row.unit, row.rank, row.standing) for row in made.rows] == [("大所", 1, "ranked"), ("小所", 2, "rolling")]
    small = made.rows[1]
    assert (small.answered, small.total.mean) == (12, 50.0)
    assert small.rolling is not None
    assert (small.rolling.answered, small.rolling.total.mean) == (30, pytest.approx(2000 / 30))
    assert made.rows[0].rolling is None
    better = months((tally("小所", 90, ["very_satisfied"] * 60),))
    assert sheet(tally("小所", 90, ["neutral"] * 12), tally("大所", 90, ["satisfied"] * 30), earlier=better).rows[0].unit == "小所"


def test_a_unit_that_three_months_do_not_make_large_enough_is_listed_and_not_ranked() -> None:
    before = months((tally("小所", 90, ["satisfied"] * 10),), (tally("小所", 90, ["satisfied"] * 7), tally("他所", 90, ["satisfied"] * 50)))
    row = sheet(tally("小所", 90, ["satisfied"] * 12), earlier=before).rows[0]
    assert (row.rank, row.standing, row.rolling, row.total.mean) == (None, "few", None, 75.0)


def test_a_unit_that_reaches_the_number_by_itself_is_ranked_by_its_month_alone() -> None:
    row = sheet(tally("甲所", 90, ["satisfied"] * 30), earlier=months((tally("甲所", 90, ["very_dissatisfied"] * 99),))).rows[0]
    assert (row.rank, row.standing, row.rolling) == (1, "ranked", None)


def test_three_months_give_a_rank_and_not_the_months_own_score_back() -> None:
    row = sheet(tally("小所", 90, ["satisfied"] * 9), earlier=months((tally("小所", 90, ["satisfied"] * 21),))).rows[0]
    assert (row.rank, row.shown, row.total.mean, row.change) == (1, False, None, None)
    assert {figure.score.mean for figure in row.items} == {row.rates["strict"].value} == {None}


def test_three_months_without_any_score_give_no_rank() -> None:
    row = sheet(tally("小所", 90, ["unsure"] * 12), earlier=months((tally("小所", 90, ["unsure"] * 40),))).rows[0]
    assert (row.rank, row.standing) == (None, "few")


def test_units_ranked_by_three_months_count_for_the_last_three_and_tie_by_their_three_months() -> None:
    unhappy = tally("不满", 90, people((6, "very_satisfied"), (6, "very_dissatisfied")))
    calm = tally("一般", 90, ["neutral"] * 40)
    before = months((tally("不满", 90, people((20, "very_satisfied"), (20, "very_dissatisfied"))),))
    others = [*(mixed(f"bad {n}", 10, 30 + n) for n in range(2)), *(mixed(f"good {n}", 50, n) for n in range(2))]
    made = sheet(unhappy, calm, *others, earlier=before)
    assert [row.unit for row in made.rows if row.last_three] == ["不满", "bad 0", "bad 1"]
    assert not any(row.last_three for row in sheet(unhappy, calm, *others).rows)


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


def test_the_rate_of_good_ratings_asked_for_has_wilsons_interval_per_unit_and_is_weighted_for_the_bureau() -> None:
    units = [replace(tally(name, frame, ["satisfied"] * 35), asked=asked) for name, frame, asked in
             (("甲所", 900, Asked(30, 27)), ("乙所", 300, Asked(12, 0)), ("丙所", 500, Asked()))]  # fmt: skip
    made = sheet(*units)
    first, second, third = (next(row for row in made.rows if row.unit == unit.unit).asked_rate for unit in units)
    assert [(round(i.low, 4), round(i.high, 4)) for i in (first.interval, second.interval) if i] == [(0.7438, 0.9654), (0, 0.2425)]
    assert (first.value, second.value, third.value, third.interval) == (0.9, 0, None, None)
    assert made.unweighted.asked_rate.value == 27 / 42
    weighted = made.weighted.asked_rate
    assert weighted.value == pytest.approx(0.75 * 0.9)
    n_eff = (900 + 300) ** 2 / (30 * 30**2 + 12 * 25**2)
    assert weighted.interval == wilson(0.75 * 0.9 * n_eff, n_eff)


def test_a_unit_too_small_for_scores_shows_how_many_were_asked_and_not_what_they_said() -> None:
    made = sheet(replace(tally("小所", 50, ["satisfied"] * 9), asked=Asked(8, 2)))
    assert (made.rows[0].asked_rate.value, made.unweighted.asked_rate.value) == (None, 0.25)
    satisfaction = blocks(made, "zh")[1]
    assert satisfaction.lines[2].cells[-4:] == (8, None, None, None)
    assert satisfaction.lines[1].cells[-4:-1] == (8, 2, Share(0.25))
