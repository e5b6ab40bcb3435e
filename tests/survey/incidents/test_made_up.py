"""The made-up month looks like a month and goes the way of a real file."""

from collections import Counter

import pytest
from sqlalchemy import select

from survey.errors import BadInput
from survey.incidents.made_up import BAD_NUMBERS, HEADERS, UNITS, month_of_incidents, write_month
from survey.phone import NumberPolicy, NumberRefused, is_fictitious, parse
from survey.store.models import Incident
from survey.store.sealing import place


@pytest.fixture
def month(tmp_path, bring_in, intake):
    path = tmp_path / "month.csv"
    write_month(path, "2025-03", seed=7)
    report = bring_in(path)
    with intake.sessions() as session:
        return report, list(session.scalars(select(Incident)))


def test_every_line_of_the_made_up_month_is_accepted(month):
    report, incidents = month

    assert (report.counts.read, report.counts.new, report.counts.rejected) == (2000, 2000, 0)
    assert len(incidents) == 2000


def test_each_kind_of_incident_that_is_not_called_occurs(month):
    reasons = Counter(incident.exclusion for incident in month[1])

    standing = {"cancelled", "duplicate", "officer_initiated", "invalid", "no_number", "bad_number", "excluded_category", "under_age"}
    assert set(reasons) == {None} | standing
    assert 0.6 < reasons[None] / 2000 < 0.85


def test_the_units_differ_in_size_and_the_smallest_has_only_a_few(month):
    sizes = Counter(incident.unit_id for incident in month[1])

    assert len(sizes) == len(UNITS)
    assert min(sizes.values()) < 25
    assert max(sizes.values()) > 200


def test_all_numbers_are_fictitious_and_marked_and_end_in_every_way(month, keys):
    numbers = [keys.open(i.phone_sealed, place("incidents", "phone_sealed", i.public_id)) for i in month[1] if i.phone_sealed]

    assert all(is_fictitious(number) for number in numbers)
    assert all(incident.made_up for incident in month[1] if incident.phone_sealed)
    assert len({number[-2:] for number in numbers}) == 100
    assert len(set(numbers)) < len(numbers)


def test_nights_are_quieter_than_evenings(month):
    hours = Counter((incident.occurred_at.hour + 8) % 24 for incident in month[1])

    assert sum(hours[h] for h in (2, 3, 4)) * 3 < sum(hours[h] for h in (18, 19, 20))


def test_the_police_arrive_after_the_call_and_before_the_end(month):
    assert all(i.occurred_at < i.arrived_at <= i.closed_at for i in month[1] if i.arrived_at)


def test_the_same_seed_makes_the_same_month_and_another_seed_another():
    first, again, other = (list(month_of_incidents("2025-03", seed, 50)) for seed in (1, 1, 2))

    assert first == again
    assert first != other
    assert all(len(row) == len(HEADERS) for row in first)


@pytest.mark.parametrize("month", ["2025", "2025-13", "März", ""])
def test_another_form_of_month_is_refused(month):
    with pytest.raises(BadInput):
        list(month_of_incidents(month, 1))


@pytest.mark.parametrize("number", BAD_NUMBERS)
def test_the_bad_numbers_of_the_made_up_month_are_nobodys(number):
    with pytest.raises(NumberRefused):
        parse(number, NumberPolicy(("CN",), fictitious=True))
