"""A city bureau's day on a virtual clock, every call of which the carrier's own record shows to have kept the rules (R14–R16, R66).

The whole day of 3,000 cases: `python -m tests.benchmarks.city_day`.
"""

from collections import Counter
from datetime import date

import pytest

from tests.benchmarks.city_day import CALLS_PER_SECOND, DAY, HOLIDAYS, Played, play

CASES, LINES, SEED = 150, 4, 3


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("city"), CASES, LINES, SEED)


def test_no_rule_of_contact_was_broken(played: Played) -> None:
    assert played.breaches == []


def test_cases_are_called_as_often_as_a_city_assumes_and_most_of_it_on_the_first_day(played: Played) -> None:
    assert played.attempts > 2 * CASES
    assert played.by_day[DAY] > 1.5 * CASES


def test_the_holiday_is_quiet_and_the_calls_go_on_after_it(played: Played) -> None:
    assert not HOLIDAYS & played.by_day.keys()
    assert played.by_day[date(2026, 5, 6)] > 0


def test_the_lines_were_all_in_use_at_times(played: Played) -> None:
    changes = [(call["created_at"], 1) for call in played.journal] + [(call["ended_at"], -1) for call in played.journal]
    live, most = 0, 0
    for _, change in sorted(changes):
        live += change
        most = max(most, live)

    assert most == LINES
    assert max(Counter(call["created_at"][:19] for call in played.journal).values()) <= CALLS_PER_SECOND


def test_calls_and_answers_are_stored_as_the_carrier_saw_them(played: Played) -> None:
    assert played.sids == {call["sid"] for call in played.journal}
    assert played.verdict.is_clean
    assert played.verdict.equal > CASES


def test_everybody_is_accounted_for_and_the_audit_trail_is_whole(played: Played) -> None:
    assert played.states.keys() <= {"closed", "needs_review"}
    assert played.reasons["quarantine"] > 0  # the second campaign shares numbers with the first
    assert played.flaws == 0
