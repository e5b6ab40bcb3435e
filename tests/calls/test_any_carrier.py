"""A campaign runs unchanged through any server that speaks the carrier's contract: nothing of ours knows the simulator."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from werkzeug.serving import make_server

from ivr.carrier.twilio import TwilioCarrier
from ivr.voice.app import create_voice_app
from ivr.voice.guard import Guard
from ivr.voice.routes import VoiceServices
from ivr.voice.wording import VOICES
from survey.store.models import Answer, CallAttempt, Campaign, Recording, Respondent
from survey.store.unit_of_work import UnitOfWork
from tests.calls.foreign_carrier import ACCOUNT, TOKEN, ForeignCarrier, serving
from tests.survey.fieldwork.conftest import Ground, ground
from worker import jobs, runtime
from worker.queues import InlineQueue
from worker.runtime import Runtime

__all__ = ["ground"]

PEOPLE = 3


@pytest.fixture
def there(file_engine: Engine, ground: Ground) -> Ground:
    return Ground(file_engine, ground.office, ground.clock)


@pytest.fixture
def queue() -> InlineQueue:
    return InlineQueue()


@pytest.fixture
def carrier() -> ForeignCarrier:
    return ForeignCarrier()


@pytest.fixture
def house(there: Ground, queue: InlineQueue, carrier: ForeignCarrier, tmp_path: Path) -> Iterator[Runtime]:
    """Our side: the voice door on a port, and a runtime for the jobs, both told of nothing but the carrier's URL."""

    def work() -> UnitOfWork:
        return UnitOfWork(there.sessions, queue)

    server = make_server("127.0.0.1", 0, lambda *request: app(*request), threaded=True)
    base = f"http://127.0.0.1:{server.server_port}"
    app = create_voice_app(VoiceServices(work, there.clock, there.office, Guard(base, ACCOUNT, (TOKEN,)), VOICES))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with serving(carrier) as api:
        yield Runtime(work, there.office, there.clock, TwilioCarrier(ACCOUNT, TOKEN, api), tmp_path, base, machine_detection=False)
    server.shutdown()


def work_off(queue: InlineQueue, house: Runtime, carrier: ForeignCarrier) -> None:
    """Sweep and run the jobs until the calls are over and nothing waits."""
    runtime.install(house)
    for _ in range(3):
        jobs.sweep(house)
        queue.drain(lambda job, row_id, epoch: getattr(jobs, job)(row_id, epoch))
        for thread in carrier.threads:
            thread.join(timeout=120)


def test_a_campaign_is_worked_off_through_a_foreign_server(
    there: Ground, house: Runtime, queue: InlineQueue, carrier: ForeignCarrier
) -> None:
    campaign_id = there.launch(PEOPLE, lines=PEOPLE, calls_per_second=PEOPLE)

    work_off(queue, house, carrier)

    with there.sessions() as session:
        respondents = session.scalars(select(Respondent)).all()
        attempts = session.scalars(select(CallAttempt)).all()
        speeds = session.scalars(select(Answer).where(Answer.item == "speed")).all()
        assert session.get_one(Campaign, campaign_id).state == "finished"
    assert len(carrier.ordered) == PEOPLE
    assert {(each.state, each.disposition) for each in respondents} == {("closed", "wrong_person")}
    assert {attempt.carrier_sid for attempt in attempts} == {sid for sid, _ in carrier.pressed}
    assert speeds == [], "who says at the first question not to be the person is asked nothing more"


def test_remarks_are_fetched_from_it_and_deleted_there(there: Ground, house: Runtime, queue: InlineQueue, carrier: ForeignCarrier) -> None:
    carrier.first_key = "1"
    there.launch(1)

    work_off(queue, house, carrier)

    with there.sessions() as session:
        kept = session.scalars(select(Recording)).all()
        answers = {answer.item: answer.raw for answer in session.scalars(select(Answer))}
    assert answers["speed"] == answers["appearance"] == "2"
    assert [(recording.item, recording.state) for recording in kept] == [("remark", "kept")]
    assert carrier.recordings == {}
