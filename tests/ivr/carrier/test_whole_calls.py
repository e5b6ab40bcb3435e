"""Whole calls: our adapter dials through the simulator's REST routes, and its signed web-hooks walk through our door."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from werkzeug.serving import make_server

from ivr.carrier.base import Accepted, CallRequest, CarrierGone
from ivr.carrier.simulator.clock import ExchangeClock
from ivr.carrier.simulator.exchange import Account, Exchange, Terms
from ivr.carrier.simulator.server import serving
from ivr.carrier.twilio import TwilioCarrier
from ivr.voice.app import create_voice_app
from ivr.voice.guard import Guard
from ivr.voice.routes import VoiceServices
from ivr.voice.wording import VOICES
from survey import fieldwork
from survey.store.models import Answer, CallAttempt, Recording, Turn
from tests.survey.fieldwork.conftest import CALLER_ID, Ground, ground

__all__ = ["ground"]

ACCOUNT, TOKEN = "AC" + "a" * 32, "token of the test"
START = datetime(2026, 9, 1, 1, tzinfo=UTC)
SATISFIED, MIXED, GIVES_A_REASON, GOES_BACK = "00", "14", "28", "36"


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    exchange = Exchange(
        Account(ACCOUNT, TOKEN), ExchangeClock(START, time.time), environment="test", seed=7, terms=Terms(calls_per_second=100, threads=4)
    )
    with serving(exchange):
        yield exchange


@pytest.fixture
def carrier(exchange: Exchange) -> TwilioCarrier:
    return TwilioCarrier(ACCOUNT, TOKEN, exchange.base_url)


@pytest.fixture
def there(file_engine: Engine, ground: Ground) -> Ground:
    return Ground(file_engine, ground.office, ground.clock)


@pytest.fixture
def door(there: Ground) -> Iterator[str]:
    """The voice door on a port of this machine; its base URL."""
    server = make_server("127.0.0.1", 0, lambda *request: app(*request), threaded=True)
    base = f"http://127.0.0.1:{server.server_port}"
    app = create_voice_app(VoiceServices(there.work, there.clock, there.office, Guard(base, ACCOUNT, (TOKEN,)), VOICES))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield base
    server.shutdown()


@pytest.fixture
def dial(there: Ground, door: str, carrier: TwilioCarrier, exchange: Exchange) -> Callable[[str], CallAttempt]:
    """Call somebody whose number ends in two digits, and let everything happen; the attempt as it then stands."""

    def happen(ending: str) -> CallAttempt:
        there.launch(1)
        attempt_id = there.claim()[0]
        assert there.prepare(attempt_id) is not None
        hooks = f"{door}/voice/attempts/{there.attempt(attempt_id).token}"
        placement = carrier.place_call(
            CallRequest(
                to=f"+86100000000{ending}", caller_id=CALLER_ID, answer_url=f"{hooks}/steps/0", fallback_url=f"{hooks}/fallback",
                status_url=f"{hooks}/status", machine_url=f"{hooks}/machine", ring_seconds=30, limit_seconds=600,
            )
        )  # fmt: skip
        assert isinstance(placement, Accepted)
        with there.work() as work:
            fieldwork.note_accepted(work, attempt_id, placement.sid, there.now)
        exchange.run_until(START + timedelta(minutes=30))
        return there.attempt(attempt_id)

    return happen


def rows(there: Ground, table: type) -> list:
    with there.sessions() as session:
        return list(session.scalars(select(table)))


@pytest.mark.parametrize("ending", [SATISFIED, MIXED, GOES_BACK])
def test_what_a_person_presses_is_what_the_database_holds(there, dial, exchange, ending):
    attempt = dial(ending)

    call = exchange.calls[attempt.carrier_sid]
    answers = {answer.item: answer.raw for answer in rows(there, Answer) if answer.item != "remark"}  # its key only ends a recording
    assert (attempt.status, attempt.disposition) == ("completed", "complete")
    assert {"speed", "attitude", "outcome", "equipment", "appearance"} <= answers.keys()
    assert Counter(answers.values()) <= Counter(press["keys"] for press in call.presses)
    assert call.problems == []


def test_no_question_is_lost_and_no_turn_is_taken_twice(there, dial):
    attempt = dial(SATISFIED)

    assert sorted(turn.step for turn in rows(there, Turn)) == list(range(attempt.step))


def test_the_carrier_can_be_asked_about_the_call_afterwards(dial, carrier):
    attempt = dial(SATISFIED)

    seen = carrier.fetch_call(attempt.carrier_sid)
    assert (seen.sid, seen.status, seen.seconds) == (attempt.carrier_sid, "completed", attempt.seconds)
    assert [call.sid for call in carrier.find_calls(seen.to, START)] == [seen.sid]
    carrier.hang_up(seen.sid)


def test_recorded_words_are_fetched_once_and_deleted_at_the_carrier(there, dial, carrier):
    dial(GIVES_A_REASON)

    recording = next(found for found in rows(there, Recording) if found.state == "announced")
    assert carrier.fetch_recording(recording.carrier_sid)[:4] == b"RIFF"
    carrier.delete_recording(recording.carrier_sid)
    carrier.delete_recording(recording.carrier_sid)
    with pytest.raises(CarrierGone):
        carrier.fetch_recording(recording.carrier_sid)
