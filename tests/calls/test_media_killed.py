"""The process that listens to callers is killed in mid-call: the call goes on by keys, and later calls are heard again."""

import http.client
import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from config import witness
from config.wiring import House
from ivr.carrier.simulator import speaking
from ivr.carrier.simulator.calls import Call, Stream
from ivr.carrier.simulator.persona import RATED, Traits
from survey.store.models import Answer, CallAttempt
from tests.calls.small_house import ONE_SECOND, ServedHouse, served
from tests.config.test_serve import wait_until

SPEAKER = Traits(speaks="zh", manner="plain", ratings=dict.fromkeys(RATED, "1"))
MEDIA_BROKEN = "31921 media stream"


def stored(house: House) -> list[witness.StoredAnswer]:
    rows = select(CallAttempt.carrier_sid, Answer.item, Answer.raw, Answer.mode, Answer.code)
    with house.sessions() as session:
        found = session.execute(rows.join(Answer, Answer.attempt_id == CallAttempt.id))
        return [witness.StoredAnswer(sid or "", item, raw, mode, code) for sid, item, raw, mode, code in found]


def in_mid_question(house: ServedHouse) -> tuple[Call, Stream]:
    """Go on until somebody has been understood twice and the next question, to which nothing has been said yet, is listened to."""
    for _ in range(300):
        house.small.round()
        house.small.exchange.run_until(house.small.runtime.clock.now() + ONE_SECOND)
        for call in house.small.exchange.live_calls():
            understood = sum(said.redirected_at is not None for said in call.said)
            for stream in call.streams[-1:]:
                is_unanswered = not any(said.url.endswith(f"/steps/{stream.parameters['step']}") for said in call.said)
                if stream.stopped_at is None and understood >= 2 and is_unanswered:
                    return call, stream
    raise AssertionError("nobody is understood")


def listens(port: int) -> bool:
    """Whether the media server answers: it refuses what the carrier has not signed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/voice/media", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
        return connection.getresponse().status > 0
    except OSError:
        return False
    finally:
        connection.close()


def test_a_media_process_killed_in_mid_call_costs_the_caller_nothing_and_later_calls_are_heard_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "SPEAKS_AGAIN", 0.0)  # whoever was not understood presses the key
    with served(tmp_path) as house:
        first = house.launch(1, SPEAKER)
        wait_until(lambda: listens(house.settings.media_port))
        call, stream = in_mid_question(house)
        [killed] = house.named("media")
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: stream.ended)
        house.small.run(first)
        wait_until(lambda: set(house.named("media")) - {killed} and listens(house.settings.media_port))
        later = house.launch(1, SPEAKER)
        house.small.run(later)
        journal, answers = house.small.exchange.journal(), stored(house.house)

    modes = Counter(answer.mode for answer in answers if answer.call_sid == call.sid and answer.item in RATED)
    heard_later = {answer.call_sid for answer in answers if answer.mode == "speech"} - {call.sid}
    assert witness.compare(journal, answers).is_clean
    assert call.status == "completed"
    assert sum(modes.values()) == len(RATED)
    assert modes["keys"] >= 1, "the question that was under way is answered by key"
    assert all(problem.startswith(MEDIA_BROKEN) for problem in call.problems)
    assert not any(excuse in press["prompt"] + press.get("then", "") for press in call.presses for excuse in witness.EXCUSES[:2])
    assert len(heard_later) == 1, "the process that was started again hears them"
    assert [problem for each in journal if each["sid"] != call.sid for problem in each["problems"]] == []
