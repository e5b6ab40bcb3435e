"""Requests of which nobody knows whether they rang (RS11): who believes the carrier's list before its lag is over rings people twice."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ivr.carrier.simulator.faults import plan_from
from ivr.carrier.simulator.persona import Traits
from survey.store.database import open_engine
from survey.store.migrations import migrate
from survey.store.models import CallAttempt, Campaign
from tests.calls.small_house import SmallHouse, opened
from tests.conftest import ON_SQLITE_ALONE
from tests.simulation import checker, ledger
from tests.survey.fieldwork.conftest import Ground, ground
from worker import jobs

__all__ = ["ground"]

PEOPLE, ATTEMPTS_EACH = 400, 5
LAG_SECONDS = 45.0
PATIENCE_SECONDS = 300.0
"""Jobs and web-hooks of this house share one process, and none asks again what it could not write; the machine may be slow."""

FAULTS = {
    "create": {"too_many": 0.05, "error_before": 0.05, "error_after": 0.05, "hang_after": 0.05},
    "status": {"drop": 0.6},  # otherwise the next callback ends nearly every doubt, and the list is hardly needed
    "list_lag_seconds": LAG_SECONDS,
    "hang_seconds": 0.7,
}


def play(ground: Ground, folder: Path, people: int, seed: int) -> tuple[list[str], dict[str, int]]:
    """A campaign among people who never pick up; what the judges find, and counts."""
    engine = open_engine(f"sqlite:///{folder / 'doubts.sqlite'}?synchronous=NORMAL", patience_seconds=PATIENCE_SECONDS)
    there = Ground(engine, ground.office, ground.clock)
    migrate(engine)
    with opened(there, folder, seed=seed) as house:
        house.exchange.inflict(plan_from(FAULTS | {"seed": seed}))
        campaign_id = there.launch(people, lines=200, calls_per_second=100.0)
        house.everybody_is(Traits(pick_up="no-answer"))
        house.run(campaign_id)
        found = judged(house, campaign_id)
    engine.dispose()
    return found


def judged(house: SmallHouse, campaign_id: int) -> tuple[list[str], dict[str, int]]:
    """The judges' findings and the counts of a campaign that has ended."""
    journal = house.exchange.journal()
    with house.ground.sessions() as session:
        rules = session.get_one(Campaign, campaign_id).rules
        books = ledger.read_books(session, house.ground.office.keys, house.ground.office.audit_key)
        attempts = session.scalars(select(CallAttempt)).all()
    terms = checker.terms_of(rules, lines=200, calls_per_second=100.0)
    found = checker.violations(journal, [checker.Person(case.number) for case in books.cases], terms) + ledger.disagreements(journal, books)
    placed = [attempt for attempt in attempts if attempt.carrier_sid]
    counts = {
        "calls": len(journal), "placed": len(placed),
        "found to ring": sum(attempt.error.startswith(("HTTP 5", "Read")) for attempt in placed),
        "found not to ring": sum(attempt.error == "not placed" for attempt in attempts),
    }  # fmt: skip
    return found, counts


@pytest.mark.slow
@ON_SQLITE_ALONE
def test_of_two_thousand_attempts_none_is_doubled_and_none_is_lost(ground: Ground, tmp_path: Path) -> None:
    found, counts = play(ground, tmp_path, PEOPLE, seed=3)

    assert found == []
    assert counts["calls"] == counts["placed"] == PEOPLE * ATTEMPTS_EACH
    assert counts["found to ring"] > PEOPLE * ATTEMPTS_EACH * 0.05
    assert counts["found not to ring"] > PEOPLE * ATTEMPTS_EACH * 0.02


@pytest.mark.slow
@ON_SQLITE_ALONE
def test_to_believe_the_list_before_its_lag_is_over_rings_people_twice(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LIST_GRACE", timedelta(seconds=LAG_SECONDS / 5))

    found, counts = play(ground, tmp_path, PEOPLE // 4, seed=3)

    assert counts["calls"] > counts["placed"]
    assert any("rang" in sentence or "attempt" in sentence for sentence in found)
