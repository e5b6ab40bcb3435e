from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from survey import reporting
from survey.bureau import Bureau
from survey.disposition import Disposition
from survey.errors import NotFound
from survey.intervals import wilson
from survey.rates import Counts
from survey.scoring import Asked, Rate
from survey.store import audit
from survey.store.sealing import KeyRing
from tests.survey.month import MARCH, Month

BUREAU = Bureau("某市公安局", "City Bureau", "+861000000000", 1, "Asia/Shanghai")
HAPPY, MIXED, ANGRY = ["very_satisfied"] * 5, ["satisfied", "neutral", "unsure", "satisfied", "dissatisfied"], ["very_dissatisfied"] * 5


@pytest.fixture
def month(session: Session, keys: KeyRing) -> Month:
    """Twelve interviews at A, one break-off, a refusal and two unreached; two interviews at B; nobody at C."""
    month = Month(session, keys, {"A": 100, "B": 10, "C": 5})
    for codes in [HAPPY] * 8 + [MIXED] * 3:
        month.person("A", Disposition.COMPLETE, codes)
    month.person("A", Disposition.PARTIAL, HAPPY[:3])
    month.person("A", Disposition.BREAK_OFF, ANGRY[:2])
    month.person("A", Disposition.REFUSAL)
    month.person("A", Disposition.NO_ANSWER, state="waiting")
    month.person("A", Disposition.NOT_ATTEMPTED, state="waiting")
    month.person("B", Disposition.COMPLETE, ANGRY)
    month.person("B", Disposition.COMPLETE, HAPPY)
    return month


def test_the_sheet_counts_what_the_tables_hold(session: Session, month: Month) -> None:
    sheet = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    rows = {row.unit: row for row in sheet.rows}
    assert [(row.frame, row.drawn, row.answered) for row in (rows["A"], rows["B"], rows["C"])] == [(100, 16, 12), (10, 2, 2), (5, 0, 0)]
    assert sheet.counts == Counts(i=13, p=1, r=2, uh=2)
    assert sheet.cases == 18
    assert sheet.break_off_answers == 2
    assert (rows["A"].dissatisfied, rows["A"].escalated, rows["B"].escalated) == (3, 4, 1)
    assert (rows["A"].coverage, rows["C"].coverage) == (14 / 16, None)
    assert (sheet.source.incidents, sheet.source.frame, dict(sheet.source.exclusions)) == (121, 115, {"cancelled": 4, "no_number": 2})


def test_means_are_over_interviews_only_and_leave_unsure_out(session: Session, month: Month) -> None:
    row = next(row for row in reporting.build_sheet(session, "2026-02", BUREAU, MARCH).rows if row.unit == "A")
    speed, attitude, outcome, equipment, appearance = row.items
    assert speed.score.mean == pytest.approx((9 * 100 + 3 * 75) / 12)
    assert attitude.score.mean == pytest.approx((9 * 100 + 3 * 50) / 12)
    assert (outcome.score.mean, outcome.valid, outcome.unsure, outcome.missing) == (100.0, 9, 3, 0)
    assert (equipment.valid, equipment.missing) == (11, 1)
    assert appearance.score.mean == pytest.approx((8 * 100 + 3 * 25) / 11)
    assert row.total.mean == pytest.approx((8 * 500 + 3 * 225 + 300) / (8 * 5 + 3 * 4 + 3))


def test_whether_a_good_rating_was_asked_for_is_counted_over_interviews_by_unit(session: Session, month: Month) -> None:
    for answer in ["yes"] * 3 + ["no"] * 7 + [""]:
        month.person("A", Disposition.COMPLETE, HAPPY, asked=answer)
    month.person("A", Disposition.BREAK_OFF, HAPPY[:2], asked="yes")
    month.person("B", Disposition.PARTIAL, HAPPY[:3], asked="yes")
    sheet = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    rows = {row.unit: row for row in sheet.rows}
    assert (rows["A"].asked, rows["B"].asked, rows["C"].asked) == (Asked(10, 3), Asked(1, 1), Asked())
    assert rows["A"].asked_rate == Rate(0.3, wilson(3, 10))
    assert (rows["B"].asked_rate, sheet.unweighted.asked_rate.value) == (Rate(), 4 / 11)
    assert sheet.weighted.asked_rate.value == pytest.approx((100 * 0.3 + 10 * 1) / 110)


def test_running_it_again_gives_the_identical_figures(session: Session, month: Month, audit_key: bytes) -> None:
    first = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    audit.append(session, audit_key, MARCH, "test", "export", "campaign:1")
    again = reporting.build_sheet(session, "2026-02", BUREAU, MARCH + timedelta(days=400))
    assert (again.digest, again.rows, again.outcome) == (first.digest, first.rows, first.outcome)
    assert (again.head.audit_n, first.head.audit_n) == (1, 0)
    month.person("B", Disposition.COMPLETE, HAPPY)
    assert reporting.build_sheet(session, "2026-02", BUREAU, MARCH).digest != first.digest


def a_month(session: Session, keys: KeyRing, month: str, codes: list[str], people: int = 12, **more: Any) -> Month:
    made = Month(session, keys, {"A": 100}, name=f"{month} {len(more)}", month=month, **more)
    for _ in range(people):
        made.person("A", Disposition.COMPLETE, codes)
    return made


def test_the_change_is_to_the_sheet_of_the_calendar_month_before(session: Session, keys: KeyRing) -> None:
    a_month(session, keys, "2026-01", ["satisfied"] * 5)
    a_month(session, keys, "2025-12", ["very_satisfied"] * 5)
    a_month(session, keys, "2025-11", ["very_dissatisfied"] * 5)
    made = {month: reporting.build_sheet(session, month, BUREAU, MARCH) for month in ("2026-01", "2025-12", "2025-11")}
    assert {month: sheet.rows[0].change for month, sheet in made.items()} == {"2026-01": -25.0, "2025-12": 100.0, "2025-11": None}
    assert made["2026-01"].earlier == ("2025-12", "2025-11")
    assert made["2025-11"].earlier == ()


def test_a_month_without_a_sheet_between_gives_no_change(session: Session, keys: KeyRing) -> None:
    a_month(session, keys, "2025-12", ["satisfied"] * 5)
    a_month(session, keys, "2026-02", ["neutral"] * 5)
    made = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    assert (made.rows[0].change, made.weighted.change, made.earlier) == (None, None, ("2025-12",))


def test_real_months_are_compared_with_real_and_simulated_with_simulated_ones(session: Session, keys: KeyRing) -> None:
    a_month(session, keys, "2026-01", ["very_dissatisfied"] * 5, simulated=True)
    real = a_month(session, keys, "2026-02", ["satisfied"] * 5)
    assert reporting.build_sheet(session, "2026-02", BUREAU, MARCH).rows[0].change is None
    a_month(session, keys, "2026-01", ["neutral"] * 5)
    assert reporting.build_sheet(session, "2026-02", BUREAU, MARCH).rows[0].change == 25.0
    real.campaign.simulated = True
    assert reporting.build_sheet(session, "2026-02", BUREAU, MARCH).rows[0].change == 75.0


def test_a_small_unit_is_ranked_by_three_months_of_the_same_kind(session: Session, keys: KeyRing) -> None:
    a_month(session, keys, "2025-11", ["very_dissatisfied"] * 5, people=90)
    a_month(session, keys, "2026-01", ["very_dissatisfied"] * 5, people=90, simulated=True)
    a_month(session, keys, "2026-01", ["satisfied"] * 5)
    a_month(session, keys, "2026-02", ["very_satisfied"] * 5)
    made = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    assert (made.rows[0].standing, made.rows[0].rank) == ("few", None)

    a_month(session, keys, "2025-12", ["neutral"] * 5, people=6)
    made = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    rolling = made.rows[0].rolling
    assert rolling is not None
    assert (made.rows[0].rank, rolling.answered, rolling.total.mean) == (1, 30, (12 * 100 + 12 * 75 + 6 * 50) / 30)
    assert reporting.build_sheet(session, "2026-02", BUREAU, MARCH + timedelta(days=99)).digest == made.digest


def test_a_sheet_is_provisional_while_an_earlier_month_that_it_rests_on_is(session: Session, keys: KeyRing) -> None:
    before = a_month(session, keys, "2026-01", ["satisfied"] * 5, state="running")
    a_month(session, keys, "2026-02", ["satisfied"] * 5)
    assert reporting.build_sheet(session, "2026-02", BUREAU, MARCH).head.provisional
    before.campaign.state = "finished"
    assert not reporting.build_sheet(session, "2026-02", BUREAU, MARCH).head.provisional


def test_one_campaign_alone_is_not_compared(session: Session, keys: KeyRing) -> None:
    a_month(session, keys, "2026-01", ["satisfied"] * 5)
    made = reporting.build_campaign_sheet(session, a_month(session, keys, "2026-02", ["satisfied"] * 5).campaign, BUREAU, MARCH)
    assert (made.rows[0].change, made.earlier) == (None, ())


def test_simulated_campaigns_never_enter_a_month_with_a_real_one(session: Session, keys: KeyRing, month: Month) -> None:
    alone = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    simulated = Month(session, keys, {"A": 100}, name="demo", simulated=True, state="running")
    simulated.person("A", Disposition.COMPLETE, ANGRY)
    assert reporting.build_sheet(session, "2026-02", BUREAU, MARCH).digest == alone.digest
    only = reporting.build_campaign_sheet(session, simulated.campaign, BUREAU, MARCH)
    assert (only.head.simulated, only.head.provisional, only.cases) == (True, True, 1)
    assert (alone.head.simulated, alone.head.provisional) == (False, False)


def test_a_month_of_simulated_campaigns_is_shown_as_such(session: Session, keys: KeyRing) -> None:
    Month(session, keys, {"A": 3}, simulated=True).person("A", Disposition.COMPLETE, HAPPY)
    assert reporting.build_sheet(session, "2026-02", BUREAU, MARCH).head.simulated


def test_a_month_without_a_campaign_has_no_sheet(session: Session) -> None:
    with pytest.raises(NotFound, match="2026-02"):
        reporting.build_sheet(session, "2026-02", BUREAU, MARCH)


def test_a_campaign_on_a_voided_draw_does_not_count(session: Session, month: Month) -> None:
    month.campaign.draw.voided_at = MARCH
    with pytest.raises(NotFound):
        reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
