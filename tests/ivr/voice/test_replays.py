"""RS28 and RS30: requests with a valid signature that mean nothing (any more) change nothing, and are answered harmlessly."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag
from xml.etree import ElementTree

import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from ivr.carrier.simulator.document import read
from survey.store.models import Base
from tests.ivr.voice.conftest import BASE, CALLED, Line, document, next_url
from tests.survey.fieldwork.conftest import Ground

SID = "RE" + "0a" * 16
HOOKS = ("steps/0", "steps/1", "steps/7", "steps/0?again=1", "status", "machine", "recordings?item=remark", "fallback")
FORM = {
    "CallStatus": "completed", "AnsweredBy": "human", "RecordingSid": SID, "RecordingStatus": "completed", "RecordingDuration": "4",
    "ErrorCode": "11200",
}  # fmt: skip


@dataclass
class Tape(Line):
    """A carrier's side of which every request is recorded, as somebody in between may have."""

    taken: list[tuple[str, MultiDict[str, str], dict[str, str]]] = field(default_factory=list)

    def post(self, path: str, form: Any = None, **options: Any) -> TestResponse:
        plain, fields = urldefrag(path).url.removeprefix(BASE), MultiDict(self._standard() if form is None else form)
        response = super().post(plain, fields, **options)
        self.taken.append((plain, fields, {"X-Twilio-Signature": response.request.headers["X-Twilio-Signature"]}))
        return response


def everything(ground: Ground) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with ground.sessions() as session:
        return {table.name: sorted(map(repr, session.execute(select(table)))) for table in Base.metadata.sorted_tables}


def a_call(tape: Tape) -> None:
    """A dissatisfied person: ratings, a recorded reason, a failure of ours in the middle, callbacks of every kind, twice and late."""
    tape.hook("status", CallStatus="ringing", SequenceNumber="1")
    reply = tape.step(0)
    tape.hook("machine", AnsweredBy="human", MachineDetectionDuration="2100")
    tape.hook("status", CallStatus="in-progress", SequenceNumber="2")
    for step in range(1, 30):
        if reply[-1].tag == "Hangup":
            break
        if step == 3:
            tape.hook("fallback", ErrorCode="11200", ErrorUrl=next_url(reply))
        if reply.find("Record") is not None:
            sid = f"RE{step:032x}"
            callback = reply.find("Record").attrib["recordingStatusCallback"]
            reply = document(tape.post(next_url(reply), tape._standard(RecordingSid=sid, RecordingDuration="4", Digits="#")))
            tape.post(callback, tape._standard(RecordingSid=sid, RecordingStatus="completed", RecordingDuration="4"))
        else:
            reply = document(tape.post(next_url(reply), tape._standard(Digits="1" if step != 3 else "5")))
    for _ in range(2):
        tape.hook("status", CallStatus="completed", SequenceNumber="3", CallDuration="80")
    tape.post("/voice/incoming", tape._standard(From=CALLED, To="+861000000000", CallSid="CA" + "7" * 32))
    tape.post("/voice/incoming/keys", tape._standard(From=CALLED, CallSid="CA" + "7" * 32, Digits="0"))
    tape.post("/voice/incoming/status", tape._standard(From=CALLED, CallSid="CA" + "7" * 32, CallStatus="completed"))


@pytest.mark.parametrize("order", ["as they came", "backwards"])
def test_a_whole_recorded_call_played_again_a_day_later_changes_nothing(ground: Ground, line: Line, order: str) -> None:
    tape = Tape(line.client, line.token, line.sid)
    a_call(tape)
    ground.clock.advance(seconds=31)
    assert ground.settle(line.token)
    before, woken = everything(ground), len(ground.queue.asked)
    ground.clock.advance(days=1)

    requests = tape.taken if order == "as they came" else tape.taken[::-1]
    for path, form, headers in requests:
        answer = line.client.post(path, data=form, headers=headers)

        assert answer.status_code in (200, 204), path
        if answer.status_code == 200:
            assert read(answer.data, "text/xml")[1] == [], path
            assert "Record" not in {verb.tag for verb in ElementTree.fromstring(answer.data)} or "/steps/" in path
    assert everything(ground) == before
    assert {job for job, *_ in ground.queue.asked[woken:]} <= {"fetch_recording"}, "a job that asks the row first, at most"
    assert len(tape.taken) > 15


@pytest.mark.parametrize("hook", HOOKS)
def test_an_attempt_that_nobody_knows_is_answered_harmlessly_and_changes_nothing(ground: Ground, line: Line, hook: str) -> None:
    line.token, before = "f" * 32, everything(ground)

    answer = line.hook(hook, **FORM)

    if answer.status_code == 200:
        assert [verb.tag for verb in ElementTree.fromstring(answer.data)] == ["Hangup"]
    else:
        assert (answer.status_code, answer.data) == (204, b"")
    assert everything(ground) == before
