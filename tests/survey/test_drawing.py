"""The draw: every incident of the month in the frame or under one reason; drawn again, the same."""

import base64
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from survey import drawing
from survey.eligibility import STANDING, Exclusion
from survey.errors import BadInput, NotAllowed
from survey.store import audit
from survey.store.database import session_factory
from survey.store.models import (
    AuditEntry,
    CallAttempt,
    Campaign,
    Draw,
    DrawnIncident,
    Incident,
    IncidentImport,
    Respondent,
    ScriptVersion,
    Suppression,
    Unit,
)
from survey.store.sealing import KeyRing
from tests.conftest import without_rows

NOW = datetime(2025, 4, 2, 1, tzinfo=UTC)
CLOSED = datetime(2025, 3, 15, 4, tzinfo=UTC)


def key(n):
    return f"number {n:09}".encode()


def fill(session, sizes, exclusion=None, first=1, **common):
    """Incidents of units named by their place in `sizes`, each with a number of its own; returns their ids."""
    serial = itertools.count(first)
    for place, size in enumerate(sizes):
        unit = session.scalar(select(Unit).where(Unit.code == f"U{place}")) or Unit(code=f"U{place}", name=f"单位{place}")
        session.add(unit)
        session.flush()
        for n in itertools.islice(serial, size):
            values = {"closed_at": CLOSED, "occurred_at": CLOSED, "phone_key": key(n), "unit_id": unit.id, "exclusion": exclusion, **common}
            session.add(Incident(number=f"I{n:07}", category="theft", zone="Asia/Shanghai", row_digest="", **values))
    session.commit()


def draw(session, size=100, minimum=10, seed=7, now=NOW, month="2025-03", **options):
    options = {"audit_key": b"key", "actor": "tester", **options}
    made = drawing.draw_sample(session, month, size, minimum, seed, now, "Asia/Shanghai", **options)
    session.commit()
    return made


def places(session, made):
    rows = select(DrawnIncident).where(DrawnIncident.draw_id == made.id).order_by(DrawnIncident.position)
    return [(row.position, row.replicate, row.incident_id, row.weight) for row in session.scalars(rows)]


def test_the_allocation_is_that_of_the_worked_figure(session):
    fill(session, (1000, 500, 100, 8))

    made = draw(session)

    assert [(row["frame"], row["drawn"]) for row in made.allocation] == [(1000, 55), (500, 27), (100, 10), (8, 8)]
    assert len(places(session, made)) == 100


def test_the_sample_comes_in_ten_random_replicates(session):
    fill(session, (300, 200))

    drawn = places(session, draw(session))

    assert [sum(row[1] == replicate for row in drawn) for replicate in range(1, 11)] == [10] * 10
    assert [row[0] for row in drawn] == list(range(1, 101))


def test_every_incident_of_the_month_is_in_the_frame_or_under_one_reason(session):
    fill(session, (40, 30))
    for n, exclusion in enumerate(Exclusion):
        fill(session, (3,), exclusion=exclusion.word, first=1000 + 10 * n) if exclusion in STANDING else None
    fill(session, (5,), first=5000, closed_at=datetime(2025, 4, 1, 4, tzinfo=UTC))

    made = draw(session, size=20, minimum=5)

    assert made.incident_count == 70 + 3 * len(STANDING)
    assert made.frame_count + sum(made.exclusions.values()) == made.incident_count
    assert made.exclusions["cancelled"] == 3
    assert made.exclusions["opted_out"] == 0
    assert set(made.exclusions) == {exclusion.word for exclusion in Exclusion}


def test_the_month_is_that_of_the_local_calendar(session):
    fill(session, (1,), first=1, closed_at=datetime(2025, 2, 28, 15, 59, 59, tzinfo=UTC))
    fill(session, (1,), first=2, closed_at=datetime(2025, 2, 28, 16, 0, tzinfo=UTC))
    fill(session, (1,), first=3, closed_at=datetime(2025, 3, 31, 15, 59, 59, tzinfo=UTC))
    fill(session, (1,), first=4, closed_at=datetime(2025, 3, 31, 16, 0, tzinfo=UTC))

    made = draw(session, size=None)

    numbers = session.scalars(select(Incident.number).join(DrawnIncident).order_by(Incident.number)).all()
    assert made.incident_count == 2
    assert numbers == ["I0000002", "I0000003"]


def test_months_of_every_length_meet_without_gap():
    spans = [drawing.month_span(f"{year}-{month:02}", "America/Los_Angeles") for year in (2023, 2024) for month in range(1, 13)]

    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))


@pytest.mark.parametrize("month", ["2025-3x", "2025", "", "2025-13", "../x"])
def test_another_form_of_month_is_refused(session, month):
    with pytest.raises(BadInput):
        draw(session, month=month)


def test_a_number_that_refused_further_calls_is_left_out(session):
    fill(session, (20,))
    session.add(Suppression(phone_key=key(3), reason="opted out", at=NOW - timedelta(days=1)))
    session.add(Suppression(phone_key=key(4), reason="opted out", at=NOW - timedelta(days=2), lifted_at=NOW - timedelta(days=1)))

    made = draw(session, size=None)

    assert made.exclusions["opted_out"] == 1
    assert made.frame_count == 19


def attempt(session, phone_key, when, number=1, **facts):
    draw_ = Draw(month="2025-01", size=1, minimum=1, seed=1, replicates=1, frame_count=1, frame_digest="", program_version="",
                 allocation=[], exclusions={}, incident_count=1, drawn_at=when)  # fmt: skip
    script = ScriptVersion(name="s", number=number, language="zh", text="", digest=str(number), published_at=when, published_by="x")
    session.add_all([draw_, script])
    session.flush()
    campaign = Campaign(name="earlier", month="2025-01", draw_id=draw_.id, script_version_id=script.id, lines=1, calls_per_second=1,
                        caller_id="+861055550100", created_at=when, state="finished")  # fmt: skip
    session.add(campaign)
    session.flush()
    incident = session.scalars(select(Incident).limit(1)).one()
    person = Respondent(campaign_id=campaign.id, incident_id=incident.id, position=1, replicate=1, weight=1, phone_key=phone_key)
    session.add(person)
    session.flush()
    session.add(CallAttempt(campaign_id=campaign.id, respondent_id=person.id, number=1, token=f"{number:032}", phone_key=phone_key,
                            script_version_id=script.id, claimed_at=when, **{"requested_at": when, **facts}))  # fmt: skip
    session.flush()


@pytest.mark.parametrize(("days", "resting"), [(10, 1), (89, 1), (91, 0)])
def test_a_number_dialled_within_the_quarantine_rests(session, days, resting):
    fill(session, (20,))
    attempt(session, key(3), NOW - timedelta(days=days))

    assert draw(session, size=None).exclusions["quarantine"] == resting


def test_a_request_that_the_carrier_turned_away_disturbed_nobody(session):
    fill(session, (20,))
    when = NOW - timedelta(days=10)
    attempt(session, key(3), when, status="rejected", settled_at=when)
    attempt(session, key(4), when, 2, status="rejected", settled_at=NOW + timedelta(days=1))  # at the draw nobody knew

    assert draw(session, size=None).exclusions["quarantine"] == 1


@pytest.mark.parametrize(
    ("days", "disposition", "resting"),
    [(10, "complete", 1), (10, "partial", 1), (10, "not_available", 0), (91, "complete", 0), (-1, "complete", 0)],
)
def test_who_was_interviewed_on_a_call_of_their_own_rests_too(session, days, disposition, resting):
    fill(session, (20,))
    when = NOW - timedelta(days=days)
    attempt(session, key(3), when, direction="in", requested_at=None, status="completed", settled_at=when, disposition=disposition)

    made = draw(session, size=None)
    assert made.exclusions["quarantine"] == resting
    assert drawing.redraw(session, made).identical


def test_opting_out_counts_before_the_quarantine(session):
    fill(session, (20,))
    attempt(session, key(3), NOW - timedelta(days=5))
    session.add(Suppression(phone_key=key(3), reason="opted out", at=NOW - timedelta(days=5)))

    made = draw(session, size=None)

    assert (made.exclusions["opted_out"], made.exclusions["quarantine"]) == (1, 0)


def test_of_several_incidents_with_one_number_one_stays(session):
    fill(session, (10,))
    fill(session, (4,), first=100, phone_key=key(1))

    made = draw(session, size=None)

    assert made.exclusions["duplicate_number"] == 4
    assert made.frame_count == 10
    assert len(places(session, made)) == 10


def test_drawing_again_gives_the_identical_sample(session):
    fill(session, (300, 100, 30))
    made = draw(session)

    assert drawing.redraw(session, made).identical


def test_drawing_again_after_the_calls_is_still_identical(session):
    """What happens after the draw (calls, refusals, late imports) must not change what the draw was."""
    fill(session, (300, 100, 30))
    made = draw(session)
    later = NOW + timedelta(days=3)
    attempt(session, key(5), later)
    session.add(Suppression(phone_key=key(6), reason="opted out", at=later))
    session.add(Suppression(phone_key=key(7), reason="old", at=later, lifted_at=later))
    late = IncidentImport(file_name="late", file_digest="", mapping_name="", started_at=later, counts={})
    session.add(late)
    session.flush()
    fill(session, (5,), first=9000, import_id=late.id)

    assert drawing.redraw(session, made).identical


def test_two_folders_with_other_secrets_draw_the_same_and_show_the_same_digest(engine):
    """The same file imported under another key ring, as on another machine (R10)."""
    drawn = []
    for letter in (b"a", b"b"):
        without_rows(engine)
        secret = base64.b64encode(letter * 32).decode()
        ring = KeyRing.parse(f"index:{secret},k1:{secret}")
        with session_factory(engine)() as session:
            fill(session, (40, 20))
            for row in session.scalars(select(Incident)):
                row.phone_key = ring.phone_key(f"+86100{row.id % 50:08}")
            made = draw(session, size=30, minimum=5)
            numbers = session.scalars(select(Incident.number).join(DrawnIncident).order_by(DrawnIncident.position)).all()
            drawn.append((made.frame_digest, made.frame_count, numbers))

    assert drawn[0] == drawn[1]
    assert drawn[0][1] == 50


def test_a_change_of_frame_or_sample_is_found(session):
    fill(session, (300, 100, 30))
    made = draw(session)
    session.execute(update(Incident).where(Incident.number == "I0000005").values(exclusion="cancelled"))
    assert any("frame digest" in difference for difference in drawing.redraw(session, made).differences)
    session.rollback()

    session.execute(delete(DrawnIncident).where(DrawnIncident.draw_id == made.id, DrawnIncident.position == 3))
    assert drawing.redraw(session, made).differences == ("places: 98 of 100 differ",)


def test_the_least_per_unit_gives_way_where_the_size_is_too_small_for_it(session):
    fill(session, (50,) * 30)

    made = draw(session, size=100, minimum=None)

    assert made.minimum == 3
    assert len(places(session, made)) == 100


def test_the_usual_least_per_unit_is_twenty(session):
    fill(session, (500, 300, 25))

    made = draw(session, size=100, minimum=None)

    assert made.minimum == 20
    assert made.allocation[2]["drawn"] == 20


def test_a_least_that_cannot_be_met_is_refused(session):
    fill(session, (50,) * 30)

    with pytest.raises(BadInput):
        draw(session, size=100, minimum=20)


def test_full_coverage_takes_everyone_with_weight_one(session):
    fill(session, (50, 8))

    made = draw(session, size=None, minimum=None)

    assert made.size == 58
    assert [row[3] for row in places(session, made)] == [1.0] * 58


def test_a_month_without_anybody_to_call_is_refused(session):
    fill(session, (5,), exclusion="cancelled")

    with pytest.raises(BadInput):
        draw(session)


def test_a_month_is_not_drawn_before_it_is_over(session):
    fill(session, (5,))

    with pytest.raises(NotAllowed):
        draw(session, now=datetime(2025, 3, 31, 15, 59, tzinfo=UTC))


def test_a_drawn_month_is_drawn_again_only_after_voiding_with_a_reason(session):
    fill(session, (50,))
    made = draw(session, size=20)

    with pytest.raises(NotAllowed):
        draw(session, size=20)
    with pytest.raises(BadInput):
        drawing.void_draw(session, made, "  ", NOW, audit_key=b"key", actor="tester")
    drawing.void_draw(session, made, "映射有误", NOW, audit_key=b"key", actor="tester")
    with pytest.raises(NotAllowed):
        drawing.void_draw(session, made, "again", NOW, audit_key=b"key", actor="tester")

    again = draw(session, size=20)
    assert again.id != made.id
    assert places(session, again)
    assert session.scalar(select(func.count()).select_from(DrawnIncident)) == 40


def test_a_sample_that_is_being_worked_cannot_be_voided(session):
    fill(session, (50,))
    made = draw(session, size=20)
    script = ScriptVersion(name="s", number=1, language="zh", text="", digest="d", published_at=NOW, published_by="x")
    session.add(script)
    session.flush()
    session.add(Campaign(name="三月回访", month="2025-03", draw_id=made.id, script_version_id=script.id, lines=1, calls_per_second=1,
                         caller_id="+861055550100", created_at=NOW, state="running"))  # fmt: skip

    with pytest.raises(NotAllowed, match="三月回访"):
        drawing.void_draw(session, made, "mistake", NOW, audit_key=b"key", actor="tester")


def test_draw_and_voiding_stand_in_the_audit_trail(session):
    fill(session, (50,))
    made = draw(session, size=20)
    drawing.void_draw(session, made, "mistake", NOW, audit_key=b"key", actor="tester")
    session.commit()

    assert [entry.action for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.n))] == ["draw.made", "draw.voided"]
    assert list(audit.verify(session, b"key")) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 12), st.sampled_from([None, None, None, "cancelled", "bad_number"])),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 30),
    st.integers(0, 2**63 - 1),
)
def test_for_any_month_the_accounts_add_up_and_the_redraw_is_identical(engine, incidents, size, seed):
    with session_factory(without_rows(engine))() as session:
        session.add_all([Unit(id=n + 1, code=f"U{n}", name="") for n in range(4)])
        session.flush()
        for n, (unit, person, exclusion) in enumerate(incidents):
            session.add(Incident(number=f"I{n}", category="x", zone="Asia/Shanghai", row_digest="", closed_at=CLOSED, occurred_at=CLOSED,
                                 phone_key=key(person), unit_id=unit + 1, exclusion=exclusion))  # fmt: skip
        try:
            made = draw(session, size=size, minimum=None, seed=seed)
        except BadInput:
            return

        assert made.frame_count + sum(made.exclusions.values()) == made.incident_count == len(incidents)
        assert sum(row["drawn"] for row in made.allocation) == min(size, made.frame_count)
        assert drawing.redraw(session, made).identical
