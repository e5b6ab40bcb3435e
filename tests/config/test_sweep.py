"""Two clock processes, one of which may sleep at any moment, claim no more than the lines allow (reliability §2.4, findings 3 and 4)."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, func, select

from config import sweep
from survey.fieldwork.dialling import release_claim
from survey.ladder import LIVE
from survey.store.leases import hold
from survey.store.models import CallAttempt, Lease
from tests.config.sweeping import MORNING, REST_SECONDS, office, sweeper
from tests.config.test_serve import ROOT
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import Ground

LINES, PEOPLE = 5, 40
LEASE_SECONDS = 0.3
NEMESIS_SECONDS = 5.0


@pytest.fixture
def there(engine: Engine) -> Ground:
    ground = Ground(engine, office(), StandingClock(MORNING))
    ground.launch(PEOPLE, lines=LINES, calls_per_second=1000.0)
    return ground


@contextmanager
def two_clocks(url: str, lease_seconds: float) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "tests.config.sweeping", url, str(lease_seconds)]
    clocks = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for clock in clocks:
            assert clock.stdout
            assert clock.stdout.readline() == "up\n"
        yield clocks
    finally:
        for clock in clocks:
            clock.kill()
            clock.wait()
            assert clock.stdout
            clock.stdout.close()


def count_and_free(ground: Ground, dice: random.Random) -> tuple[int, int]:
    """How many lines are taken, and how many of them are given back now, as if nobody had been called."""
    with ground.work() as work:
        taken = work.session.scalars(select(CallAttempt).where(CallAttempt.status.in_(LIVE))).all()
        over = dice.sample(taken, dice.randint(0, len(taken)))
        for attempt in over:
            release_claim(work.session, attempt, MORNING, MORNING)
    return len(taken), len(over)


def stop_and_continue(clocks: list[subprocess.Popen[str]], until: float) -> None:
    """Let one of the two sleep for up to three leases, again and again; in a thread, because the sleeper may hold the database."""
    dice = random.Random(9)
    while time.monotonic() < until:
        sleeper = dice.choice(clocks)
        sleeper.send_signal(signal.SIGSTOP)
        time.sleep(dice.uniform(0.1, 3 * LEASE_SECONDS))
        sleeper.send_signal(signal.SIGCONT)
        time.sleep(dice.uniform(0, 2 * LEASE_SECONDS))


def test_two_clocks_of_which_one_sleeps_claim_no_more_than_the_lines(there: Ground, database_url: str) -> None:
    dice, seen, until = random.Random(8), [], time.monotonic() + NEMESIS_SECONDS
    with two_clocks(database_url, LEASE_SECONDS) as clocks:
        nemesis = threading.Thread(target=stop_and_continue, args=(clocks, until))
        nemesis.start()
        while nemesis.is_alive() or sum(freed for _, freed in seen) < 4 * LINES:
            assert time.monotonic() < until + 60, "the clocks have stopped claiming"
            seen.append(count_and_free(there, dice))
            time.sleep(REST_SECONDS)
        assert {clock.poll() for clock in clocks} == {None}

    assert max(taken for taken, _ in seen) == LINES


def test_a_clock_whose_lease_was_taken_over_claims_nothing(there: Ground, database_url: str) -> None:
    late = sweeper(database_url, 5.0)
    with there.work() as work:
        assert hold(work.session, "sweep", "another machine", sweep.SystemClock().now(), timedelta(hours=1))

    assert late._beat(), "that somebody else sweeps is no fault"

    with there.sessions() as session:
        assert session.scalar(select(func.count()).select_from(CallAttempt)) == 0
        assert session.scalar(select(Lease.owner)) == "another machine"


def test_a_sweep_renews_its_lease_once(database_url: str) -> None:
    clock, renewals = sweeper(database_url, 5.0), 0

    def count(*given: object) -> None:
        nonlocal renewals
        renewals += str(given[2]).startswith("UPDATE leases") and "sweep" in str(given[3])

    assert clock._beat()
    event.listen(Engine, "before_cursor_execute", count)
    try:
        assert clock._beat()
    finally:
        event.remove(Engine, "before_cursor_execute", count)

    assert renewals == 1, "whoever counts sweeps by the lease would else count too many"
