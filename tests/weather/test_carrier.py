"""A carrier out of reach, silent or broken: nobody is rung twice, nobody is lost, no worker is held up (RS1–RS4, RS6)."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from ivr.carrier.base import CallRequest, Placement
from ivr.carrier.simulator.faults import plan_from
from ivr.carrier.simulator.persona import Traits
from ivr.carrier.twilio import TwilioCarrier
from survey import fieldwork
from survey.store.models import CallAttempt, Respondent
from tests.calls.small_house import ACCOUNT, TOKEN, SmallHouse, opened
from tests.survey.fieldwork.conftest import Ground, ground
from tests.weather.proxy import DOWN, FAIR, HALF_OPEN, MUTE, Road, road
from worker import jobs, runtime

__all__ = ["ground"]

PATIENCE_SECONDS, HANGING_SECONDS = 1.0, 60.0


class Counted(TwilioCarrier):
    """Counts how often it was asked for a call."""

    asked = 0

    def place_call(self, request: CallRequest) -> Placement:
        self.asked += 1
        return super().place_call(request)


@pytest.fixture
def house(ground: Ground, tmp_path: Path) -> Iterator[SmallHouse]:
    with opened(ground, tmp_path) as small:
        yield small


@pytest.fixture
def line(house: SmallHouse) -> Iterator[Road]:
    """The road to the carrier."""
    with road(("127.0.0.1", int(house.exchange.base_url.rpartition(":")[2]))) as way:
        carrier = Counted(ACCOUNT, TOKEN, f"http://127.0.0.1:{way.port}", timeout_seconds=PATIENCE_SECONDS)
        house.runtime = replace(house.runtime, carrier=carrier)
        runtime.install(house.runtime)
        yield way


def asked(house: SmallHouse) -> int:
    carrier = house.runtime.carrier
    assert isinstance(carrier, Counted)
    return carrier.asked


def the_attempt(house: SmallHouse) -> CallAttempt:
    with house.ground.sessions() as session:
        return session.scalars(select(CallAttempt)).one()


def launched(house: SmallHouse, people: int = 1) -> int:
    campaign_id = house.ground.launch(people)
    house.everybody_is(Traits(pick_up="no-answer"))
    return campaign_id


def pass_time(house: SmallHouse, seconds: float, *, beat: float = 5.0) -> None:
    """Let virtual time go on, with a sweep every few seconds."""
    until = house.runtime.clock.now() + timedelta(seconds=seconds)
    while house.runtime.clock.now() < until:
        house.exchange.run_until(house.runtime.clock.now() + timedelta(seconds=beat))
        house.round()


def test_accepted_and_answered_500_is_unknown_and_bound_by_the_first_callback(house: SmallHouse, line: Road) -> None:
    launched(house)
    house.exchange.inflict(plan_from({"next_creates": ["error_after"]}))

    house.round()
    doubtful = the_attempt(house).status
    house.exchange.run_until(house.runtime.clock.now() + timedelta(seconds=2))

    assert doubtful == "unknown"
    assert the_attempt(house).carrier_sid == house.exchange.journal()[0]["sid"]
    assert asked(house) == 1


def test_a_carrier_that_hangs_holds_a_worker_no_longer_than_its_patience(
    house: SmallHouse, line: Road, record_property: Callable[[str, object], None]
) -> None:
    launched(house)
    line.set(HALF_OPEN)

    began = time.monotonic()
    house.round()
    seconds = time.monotonic() - began

    record_property("told", f"a carrier that hangs held a worker for {seconds:.1f} s of {PATIENCE_SECONDS}")
    assert the_attempt(house).status == "unknown"
    assert asked(house) == 1, "it is not asked once more"
    assert PATIENCE_SECONDS <= seconds < HANGING_SECONDS


def test_a_worker_lost_while_the_answer_was_under_way_leaves_one_call(house: SmallHouse, line: Road) -> None:
    launched(house)
    house.exchange.inflict(plan_from({"status": {"drop": 1.0}}))  # no callback helps: only the list knows
    line.set(MUTE)
    jobs.sweep(house.runtime)
    attempt = the_attempt(house)
    lost = Thread(target=_dial_and_die, args=(house, attempt.id), daemon=True)
    lost.start()
    _until(lambda: len(house.exchange.journal()) == 1)
    lost.join()
    line.set(FAIR)

    pass_time(house, 75)

    assert the_attempt(house).carrier_sid == house.exchange.journal()[0]["sid"]
    assert len(house.exchange.journal()) == 1


def _dial_and_die(house: SmallHouse, attempt_id: int) -> None:
    """What a worker does that is killed after the request was sent: the answer is never written down."""
    with house.runtime.unit_of_work() as work:
        order = fieldwork.prepare_dial(work, house.runtime.office, attempt_id, house.runtime.clock.now())
    assert order is not None
    house.runtime.carrier.place_call(jobs._request(house.runtime, order))


def test_a_worker_lost_before_the_request_left_is_made_good_after_the_grace(house: SmallHouse, line: Road) -> None:
    launched(house)
    line.set(HALF_OPEN)
    jobs.sweep(house.runtime)
    first = the_attempt(house).id
    _dial_and_die_before_the_request(house, first)
    line.set(FAIR)

    pass_time(house, 150)

    with house.ground.sessions() as session:
        attempts = session.scalars(select(CallAttempt).order_by(CallAttempt.id)).all()
    assert attempts[0].error == "not placed"
    assert [attempt.carrier_sid for attempt in attempts if attempt.carrier_sid] == [call["sid"] for call in house.exchange.journal()]
    assert len(house.exchange.journal()) == 1


def _dial_and_die_before_the_request(house: SmallHouse, attempt_id: int) -> None:
    with house.runtime.unit_of_work() as work:
        assert fieldwork.prepare_dial(work, house.runtime.office, attempt_id, house.runtime.clock.now()) is not None


def test_a_carrier_out_of_reach_is_tried_now_and_then_costs_nobody_a_try_and_is_dialled_again_by_itself(
    house: SmallHouse, line: Road
) -> None:
    launched(house, people=5)
    line.set(DOWN)

    pass_time(house, 300)
    probes = asked(house)
    with house.ground.sessions() as session:
        before = {(person.state, person.tries) for person in session.scalars(select(Respondent))}
    line.set(FAIR)
    pass_time(house, 60)

    assert 5 <= probes <= 11 + 4, "at first as many as were on their way, then one in thirty seconds"
    assert before == {("waiting", 0)}
    assert len(house.exchange.journal()) == 5


def _until(holds: Callable[[], bool], seconds: float = HANGING_SECONDS) -> None:
    """Wait for something that comes soon."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)
