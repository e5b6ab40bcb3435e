"""Several sweeps and workers at once: nobody is claimed twice, no bound is exceeded, no lock is lost (RS16–RS18, RS43)."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from survey import fieldwork
from survey.fieldwork import DialOrder
from survey.store.database import open_engine
from survey.store.models import CallAttempt, Respondent
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import Ground

PEOPLE, PROCESSES, AT_ONCE = 2000, 8, 50
REST = 0.05  # seconds between two sweeps; the real ones rest half a second
PATIENCE = 100.0  # seconds; a machine that stands still for a while is not what these tests are about
FORK = multiprocessing.get_context("fork")


def claim_all(url: str, ground: Ground, ticks: Any, told: Any) -> None:
    """One clock process: claims until nothing is left; tells which attempts, and what the database refused."""
    mine = Ground(open_engine(url, patience_seconds=PATIENCE), ground.office, StandingClock())
    claimed: list[int] = []
    refused: list[str] = []
    idle = 0
    while idle < 2:
        with ticks.get_lock():
            ticks.value += 1
            mine.clock.moment = ground.now + timedelta(seconds=2 * ticks.value)
        try:
            found = claim_and_end(mine)
        except SQLAlchemyError as error:
            refused.append(str(error))
            continue
        claimed += found
        idle = 0 if found else idle + 1
        time.sleep(REST)
    told.put((claimed, refused))


def claim_and_end(mine: Ground) -> list[int]:
    """Claim, and have the calls be over at once, so that the stock of claims is never full."""
    with mine.work() as work:
        found = fieldwork.claim_due(work, mine.office, mine.now)
        work.session.execute(update(CallAttempt).where(CallAttempt.id.in_(found)).values(status="failed", live_key=None))
    return found


def test_eight_processes_claim_two_thousand_people_once_each_and_without_an_error(ground: Ground, database_url: str) -> None:
    ground.launch(PEOPLE, lines=PEOPLE, calls_per_second=AT_ONCE)
    ground.engine.dispose()
    ticks, told = FORK.Value("i", 0), FORK.Queue()
    processes = [FORK.Process(target=claim_all, args=(database_url, ground, ticks, told)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    answers = [told.get(timeout=300) for _ in processes]
    for process in processes:
        process.join(timeout=30)

    claimed = Counter(attempt_id for found, _ in answers for attempt_id in found)
    assert [refused for _, refused in answers] == [[]] * PROCESSES
    assert (len(claimed), max(claimed.values())) == (PEOPLE, 1)
    with ground.sessions() as session:
        respondents = Counter(session.scalars(select(CallAttempt.respondent_id)))
    assert (len(respondents), max(respondents.values())) == (PEOPLE, 1)
    assert sum(1 for found, _ in answers if found) > 1, "more than one process had its share"


def side_by_side(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Do it in so many threads that start together, each with connections of its own."""
    barrier = Barrier(count)

    def begin(which: int) -> Any:
        barrier.wait(timeout=30)
        return act(which)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_four_sweeps_at_once_take_no_more_lines_than_there_are(ground: Ground) -> None:
    ground.launch(40, lines=3, calls_per_second=50)
    for _ in range(4):
        claimed = [attempt_id for found in side_by_side(4, lambda _: ground.claim()) for attempt_id in found]
        assert len(claimed) == len(set(claimed)) == 3
        for attempt_id in claimed:
            ground.place_call(attempt_id)
            ground.status(ground.attempt(attempt_id).token, "busy")
        ground.clock.advance(seconds=2)


def test_four_workers_at_once_ask_the_carrier_no_faster_than_allowed(ground: Ground) -> None:
    ground.launch(8, lines=8, calls_per_second=8)
    claimed = ground.claim()
    with ground.work() as work:
        work.session.execute(text("UPDATE campaigns SET calls_per_second = 1"))

    requests = []
    for _ in range(4):
        orders = side_by_side(4, lambda which: ground.prepare(claimed[which]))
        requests.append(sum(isinstance(order, DialOrder) for order in orders))
        ground.clock.advance(seconds=1)

    assert requests == [1, 1, 1, 1]


def test_four_workers_at_once_keep_the_cap(ground: Ground) -> None:
    ground.launch(8, lines=8, calls_per_second=8)
    claimed = ground.claim()
    with ground.work() as work:
        work.session.execute(text("UPDATE campaigns SET hourly_calls = 2"))

    orders = side_by_side(4, lambda which: ground.prepare(claimed[which]))

    assert sum(isinstance(order, DialOrder) for order in orders) == 2


def test_an_outage_lets_one_trial_through_whoever_asks(ground: Ground) -> None:
    ground.launch(8, lines=8, calls_per_second=8)
    first, *others = ground.claim()
    assert ground.prepare(first) is not None
    ground.reject(first, "unreachable")
    with ground.work() as work:
        work.session.execute(text("UPDATE holds SET until = since"))

    orders = side_by_side(4, lambda which: ground.prepare(others[which]))

    assert sum(isinstance(order, DialOrder) for order in orders) == 1


@pytest.mark.parametrize(("guarded", "winners"), [(True, 1), (False, 2)])
def test_without_its_guard_a_claim_would_be_made_twice_on_postgresql(ground: Ground, engine: Engine, guarded: bool, winners: int) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("on SQLite one writing transaction waits for the other")
    ground.launch(1)
    waiting = select(Respondent.id).where(Respondent.state == "waiting")
    with ground.sessions() as one, ground.sessions() as other:
        chosen = [one.scalars(waiting).one(), other.scalars(waiting).one()]
        won = 0
        for session, respondent_id in zip((one, other), chosen, strict=True):
            claim = update(Respondent).where(Respondent.id == respondent_id).values(state="calling")
            if guarded:
                claim = claim.where(Respondent.state == "waiting")
            won += session.execute(claim).rowcount  # type: ignore[attr-defined]
            session.commit()

    assert won == winners
