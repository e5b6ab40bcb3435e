"""The voice door in bad weather: whoever is on the line hears a sentence within five seconds, and the survey goes on when it is over."""

import time
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
import requests
from sqlalchemy import select

from config.wiring import VOICE_SECONDS
from survey.store.models import Answer, CallAttempt, Escalation
from tests.weather.conftest import Station
from tests.weather.proxy import BAD, DOWN, FAIR, HALF_OPEN
from worker.jobs import sweep
from worker.queues import DEAF_SECONDS

SOON_SECONDS = 2.5 * VOICE_SECONDS
"""The door gives the database four seconds, the carrier waits for 15; the rest is for a machine that does much else."""

TICKET_TURNS = ("1", "4", "2", "5", "2", "2")


@pytest.fixture(autouse=True)
def _clear_sky(station: Station) -> None:
    station.database.set(FAIR)
    station.store.set(FAIR)


def timed(station: Station, path: str, **form: str) -> tuple[requests.Response, float]:
    began = time.monotonic()
    answer = station.hook(path, **form)
    return answer, time.monotonic() - began


def hooks_of(token: str) -> dict[str, dict[str, str]]:
    """Every web-hook, with a form for it."""
    attempt = f"/voice/attempts/{token}"
    return {
        f"{attempt}/steps/0": {},
        f"{attempt}/steps/0?again=1": {},
        f"{attempt}/status": {"CallStatus": "ringing"},
        f"{attempt}/machine": {"AnsweredBy": "human"},
        f"{attempt}/recordings?item=remark": {"RecordingSid": "RE" + "2" * 32, "RecordingStatus": "completed"},
        f"{attempt}/fallback": {"ErrorCode": "11200"},
        "/voice/incoming": {"From": "+8610012345678"},
        "/voice/incoming/keys": {"From": "+8610012345678", "Digits": "0"},
    }


def is_spoken(path: str) -> bool:
    return not any(path.partition("?")[0].endswith(word) for word in ("/status", "/machine", "/recordings"))


@pytest.mark.slow
@pytest.mark.parametrize("weather", BAD)
def test_no_web_hook_is_left_without_an_answer_when_the_database_is_out_of_reach(station: Station, weather: str) -> None:
    hooks = hooks_of(station.a_call())
    station.hook("/voice/incoming")  # the pool holds a connection
    station.database.set(weather)

    with ThreadPoolExecutor(len(hooks)) as pool:
        answers = list(pool.map(lambda hook: (hook[0], *timed(station, hook[0], **hook[1])), hooks.items()))

    for path, answer, seconds in answers:
        assert seconds < SOON_SECONDS, f"{path} took {seconds:.1f} s"
        if is_spoken(path):
            assert answer.status_code == 200, path
            assert ElementTree.fromstring(answer.content).tag == "Response", path
        else:
            assert answer.status_code in (204, 503), path
    station.database.set(FAIR)
    assert all(station.hook(path, **form).status_code in (200, 204) for path, form in hooks.items()), "recovers without hands"


@pytest.mark.slow
@pytest.mark.parametrize("weather", BAD)
def test_a_turn_does_not_wait_for_redis(station: Station, weather: str) -> None:
    hooks = hooks_of(station.a_call())
    station.store.set(weather)

    with ThreadPoolExecutor(len(hooks)) as pool:
        answers = list(pool.map(lambda hook: (hook[0], *timed(station, hook[0], **hook[1])), hooks.items()))

    assert [path for path, answer, _ in answers if answer.status_code not in (200, 204)] == []
    assert [f"{path} took {seconds:.1f} s" for path, _, seconds in answers if seconds > SOON_SECONDS] == []


@pytest.mark.slow
@pytest.mark.parametrize("weather", [DOWN, HALF_OPEN])
def test_the_survey_goes_on_at_the_same_question_when_the_database_is_back(station: Station, weather: str) -> None:
    attempt = f"/voice/attempts/{station.a_call()}"
    station.hook(f"{attempt}/steps/0")
    question = station.hook(f"{attempt}/steps/1", Digits="1")
    station.database.set(weather)

    excuse = ElementTree.fromstring(station.hook(f"{attempt}/steps/2", Digits="4").content)
    station.database.set(FAIR)
    again = excuse.findtext("Redirect") or ""
    led_back = station.hook(again.removeprefix(station.house.settings.public_base_url))

    assert excuse.find("Say") is not None
    assert f"{attempt}/steps/2?again=1" in again
    assert led_back.status_code == 200
    assert _gathers(led_back.text), "it asks"
    assert _gathers(question.text)


def _gathers(document: str) -> list[str]:
    return [verb.attrib["action"] for verb in ElementTree.fromstring(document).iter("Gather")]


@pytest.mark.slow
def test_a_whole_call_without_redis_is_kept_and_its_jobs_run_afterwards(station: Station) -> None:
    token = station.a_call()
    attempt = f"/voice/attempts/{token}"
    station.valkey.flushall()
    station.store.set(DOWN)

    station.hook(f"{attempt}/steps/0")
    for step, key in enumerate(TICKET_TURNS, start=1):
        assert station.hook(f"{attempt}/steps/{step}", Digits=key).status_code == 200
    station.hook(f"{attempt}/status", CallStatus="completed", CallDuration="60")
    assert station.valkey.dbsize() == 0, "nothing could be woken"
    station.store.set(FAIR)
    station.ground.clock.advance(seconds=60)
    time.sleep(DEAF_SECONDS)
    sweep(station.house.runtime())

    with station.ground.sessions() as session:
        call = session.scalars(select(CallAttempt).where(CallAttempt.token == token)).one()
        answers = {answer.item: answer.raw for answer in session.scalars(select(Answer).where(Answer.attempt_id == call.id))}
        ticket = session.scalars(select(Escalation).where(Escalation.respondent_id == call.respondent_id)).one()
    assert call.status == "completed"
    assert answers["speed"] == "4"
    assert "dissatisfied" in ticket.reasons
    assert station.valkey.exists(f"rq:job:settle-{call.id}-0"), "the sweep wakes what could not be woken"
