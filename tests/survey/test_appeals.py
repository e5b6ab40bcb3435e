"""An upheld appeal leaves the answer stored and takes it out of the mean that the unit is assessed by; both means are shown (R53)."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey import reporting
from survey.appeals import AppealedAnswer, set_aside
from survey.bureau import Bureau
from survey.disposition import Disposition
from survey.report import Sheet
from survey.report_rows import Row
from survey.scoring import ITEMS, CodeCount, ScoreSums, SetAside, Tally, assessed, item_score, total_score
from survey.store.models import Answer, Escalation, Order, OrderAppeal, Respondent
from survey.store.sealing import KeyRing
from tests.conventions.sources import ROOT
from tests.survey.month import MARCH, POINTS, Month
from tests.survey.tallies import mixed, people, sheet, tally

BUREAU = Bureau("某市公安局", "City Bureau", "+861000000000", 1, "Asia/Shanghai")
HAPPY, CONTENT = ["very_satisfied"] * 5, ["satisfied"] * 5
ANGRY = ["very_dissatisfied", "very_dissatisfied", "satisfied", "satisfied", "satisfied"]


@pytest.fixture
def month(session: Session, keys: KeyRing) -> Month:
    """The documents' example: ten who rate everything with 100, one with 75, one who is angry about speed and attitude."""
    month = Month(session, keys, {"A": 100, "B": 50})
    for codes in [HAPPY] * 10 + [CONTENT]:
        month.person("A", Disposition.COMPLETE, codes)
    return month


def appeal(session: Session, person: Respondent, ground: str, items: tuple[str, ...] = (), decision: str = "upheld") -> None:
    """The order about the person, and the appeal against it."""
    case = session.scalars(select(Escalation).where(Escalation.respondent_id == person.id)).one()
    serial = (session.scalar(select(func.max(Order.serial))) or 0) + 1
    order = Order(
        year=2026, serial=serial, unit_id=person.unit_id, respondent_id=person.id, escalation_id=case.id, items=["speed", "attitude"],
        reasons=["dissatisfied"], priority=3, consent="yes", route="centre", state="closed" if decision else "issued", issued_at=MARCH,
        issued_by="system", due_at=MARCH + timedelta(days=7), appeal=decision or "asked",
    )  # fmt: skip
    session.add(order)
    session.flush()
    session.add(OrderAppeal(order_id=order.id, ground=ground, items=list(items), by="unit.li", at=MARCH, decision=decision))
    session.flush()


def line(made: Sheet, unit: str = "A") -> Row:
    return next(row for row in made.rows if row.unit == unit)


def test_the_worked_example_of_the_documents_comes_out(session: Session, month: Month) -> None:
    appeal(session, month.person("A", Disposition.COMPLETE, ANGRY), "untrue", ("speed",))
    made = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    row = line(made)
    shown = [f"{score.mean:.1f}" for score in (row.total, row.assessed) if score.mean is not None]
    for name in ("口径.md", "figures.md"):
        defined = next(text for text in (ROOT / "docs" / name).read_text("utf-8").splitlines() if re.match(r"\| (考核均分|Assessed)", text))
        assert re.findall(r"5600 ?÷ ?\d\d ?[＝=] ?(\d\d\.\d)", defined) == shown == ["93.3", "94.9"]
    speed, attitude = row.items[:2]
    assert (speed.score.mean, speed.assessed.mean, speed.aside, speed.valid) == (1075 / 12, 1075 / 11, 1, 12)
    assert (attitude.score.mean, attitude.aside) == (attitude.assessed.mean, 0)
    assert (row.answered, row.assessed_persons, row.dissatisfied, row.assessed_dissatisfied) == (12, 12, 1, 1)
    assert session.scalar(select(func.count(Answer.id)).where(Answer.code == "very_dissatisfied")) == 2


def test_where_it_was_not_the_unit_all_that_the_person_said_is_taken_out(session: Session, month: Month) -> None:
    appeal(session, month.person("A", Disposition.COMPLETE, ANGRY), "not_own")
    row = line(reporting.build_sheet(session, "2026-02", BUREAU, MARCH))
    assert (row.total.mean, row.assessed.mean) == (5600 / 60, 5375 / 55)
    assert (row.answered, row.assessed_persons, row.dissatisfied, row.assessed_dissatisfied) == (12, 11, 1, 0)
    assert {figure.aside for figure in row.items} == {1}
    assert row.rates["strict"].value == 58 / 60


@pytest.mark.parametrize(("decision", "waiting"), [("rejected", 0), ("", 1)])
def test_an_appeal_that_is_not_upheld_takes_nothing_out(session: Session, month: Month, decision: str, waiting: int) -> None:
    appeal(session, month.person("A", Disposition.COMPLETE, ANGRY), "untrue", ("speed",), decision)
    made = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    assert (line(made).total, line(made).aside, made.appeals_waiting) == (line(made).assessed, SetAside(), waiting)


def test_a_break_off_is_not_scored_and_nothing_of_it_is_taken_out(session: Session, month: Month) -> None:
    appeal(session, month.person("A", Disposition.BREAK_OFF, ANGRY[:2]), "not_own")
    row = line(reporting.build_sheet(session, "2026-02", BUREAU, MARCH))
    assert (row.answered, row.assessed_persons, row.aside.people, row.total) == (11, 11, 0, row.assessed)


def test_the_bureaus_rows_have_both_means_too(session: Session, month: Month) -> None:
    for _ in range(3):
        month.person("B", Disposition.COMPLETE, CONTENT)
    appeal(session, month.person("A", Disposition.COMPLETE, ANGRY), "not_own")
    made = reporting.build_sheet(session, "2026-02", BUREAU, MARCH)
    assert (made.unweighted.total.mean, made.unweighted.assessed.mean) == ((5600 + 1125) / 75, (5375 + 1125) / 70)
    assert made.weighted.assessed.mean == pytest.approx((100 * 5375 / 55 + 50 * 75) / 150)
    assert made.weighted.total.mean == pytest.approx((100 * 5600 / 60 + 50 * 75) / 150)


def taken_out(of: Tally, persons: int, code: str) -> Tally:
    """The tally with so many of its persons, who all gave one code, set aside as not its own."""
    points = POINTS[code] or 0.0
    answers = [AppealedAnswer(n, 1, item, code, points, is_out=True) for n, item in product(range(persons), ITEMS)]
    return replace(of, aside=set_aside(answers)[1])


def test_the_rank_goes_by_the_assessed_mean() -> None:
    blamed = tally("被冤", 500, people((40, "very_satisfied"), (10, "very_dissatisfied")))
    other = tally("他所", 500, people((45, "very_satisfied"), (5, "very_dissatisfied")))
    assert [row.unit for row in sheet(blamed, other).rows] == ["他所", "被冤"]
    rows = sheet(taken_out(blamed, 10, "very_dissatisfied"), other).rows
    assert [(row.unit, row.total.mean, row.assessed.mean) for row in rows] == [("被冤", 80.0, 100.0), ("他所", 90.0, 90.0)]


def test_a_unit_with_too_few_assessed_persons_has_no_rank_and_below_ten_no_score() -> None:
    thirty, ten = (taken_out(tally(name, 90, people((n, "satisfied"))), 1, "satisfied") for name, n in (("三十", 30), ("十", 10)))
    rows = {row.unit: row for row in sheet(thirty, ten).rows}
    assert [(rows[name].standing, rows[name].total.mean, rows[name].assessed.mean) for name in ("三十", "十")] == [
        ("few", 75.0, 75.0), ("suppressed", None, None),
    ]  # fmt: skip
    assert not rows["十"].shown


def test_three_months_are_ranked_by_what_is_assessed_of_them() -> None:
    small = taken_out(tally("小所", 90, people((10, "satisfied"), (2, "very_dissatisfied"))), 2, "very_dissatisfied")
    before = reporting.Earlier("2026-02", 1, (tally("小所", 90, ["satisfied"] * 20),))
    rolling = sheet(small, earlier=[before]).rows[0].rolling
    assert rolling is not None
    assert (rolling.answered, rolling.total.mean, rolling.dissatisfied) == (30, 75.0, 0)


def test_without_appeals_both_means_are_the_same() -> None:
    for row in sheet(*(mixed(str(n), 30 + n, 5) for n in range(7))).rows:
        assert (row.assessed, row.assessed_persons, row.assessed_dissatisfied) == (row.total, row.answered, row.dissatisfied)


CODES = st.sampled_from(sorted(POINTS))
PERSON = st.dictionaries(st.sampled_from(ITEMS), st.tuples(CODES, st.booleans()), min_size=3)


@given(st.lists(PERSON, min_size=1, max_size=12))
def test_what_is_left_is_what_would_have_been_counted_without_the_answers(persons: list[dict[str, tuple[str, bool]]]) -> None:
    answers = [
        AppealedAnswer(n, 1, item, code, POINTS[code], is_out)
        for n, person in enumerate(persons)
        for item, (code, is_out) in person.items()
    ]
    whole, left = (counted(answers, len(persons), with_out) for with_out in (True, False))
    kept = assessed(replace(whole, aside=set_aside(answers).get(1, SetAside())))
    assert (kept.sums, kept.dissatisfied, sorted(kept.answers, key=str)) == (left.sums, left.dissatisfied, sorted(left.answers, key=str))
    assert kept.assessed == len({answer.respondent_id for answer in answers if not answer.is_out})
    assert total_score(kept.sums) == total_score(left.sums)
    assert item_score(kept.answers).mean == pytest.approx(item_score(left.answers).mean)


def counted(answers: list[AppealedAnswer], persons: int, with_out: bool) -> Tally:
    """The tally of the answers, counted plainly."""
    mine = [answer for answer in answers if with_out or not answer.is_out]
    sums, unhappy = ScoreSums(), 0
    for n in range(persons):
        given = [answer for answer in mine if answer.respondent_id == n]
        points = [answer.score for answer in given if answer.score is not None]
        s, c = sum(points), len(points)
        sums += ScoreSums(int(c > 0), s, c, s * s, s * c, c * c)
        unhappy += any(answer.code in ("dissatisfied", "very_dissatisfied") for answer in given)
    keys = sorted({(answer.item, answer.code) for answer in mine})
    counts = tuple(CodeCount(*key, POINTS[key[1]], sum((answer.item, answer.code) == key for answer in mine)) for key in keys)
    return Tally("A", 100, {Disposition.COMPLETE: persons}, persons, counts, sums, unhappy)
