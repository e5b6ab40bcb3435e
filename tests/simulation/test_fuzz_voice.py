"""RS73, RS29: whatever is sent to the voice door, signed or not, it answers at once, never with an error of its own.

All 10,000 requests: `MANY=9 pytest tests/simulation/test_fuzz_voice.py`.
"""

import io
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from ivr.carrier.simulator.signing import sign
from survey.store.models import CallAttempt
from tests.simulation.ground import Ground
from tests.simulation.line import FORM
from tests.simulation.world import ACCOUNT, BASE_URL, TOKEN, World

REQUESTS = 1200 * int(os.environ.get("MANY", "1"))
LONGEST_SECONDS = 5.0  # of the processor: on a machine with other work the clock on the wall proves nothing
LONGEST_HANG_SECONDS = 60.0
NAMES = ("CallSid", "CallStatus", "Digits", "AnsweredBy", "RecordingSid", "RecordingDuration", "RecordingStatus", "RecordingUrl",
         "CallDuration", "SipResponseCode", "ErrorCode", "From", "To", "SequenceNumber", "AccountSid", "SpeechResult")  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(["", "1", "0", "9", "hangup", "completed", "in-progress", "busy", "human", "machine_start", "-1", "9" * 40, "1e9",
                     "CA" + "1" * 32, "RE1", "+8610000000000", "absent", "null", "\x00", "１", "'; drop table turns; --"]),
    st.text(max_size=60),
)  # fmt: skip
FORMS = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.text(min_size=1, max_size=12)), VALUES), max_size=12)
PATHS = (
    "steps/0",
    "steps/1",
    "steps/7",
    "steps/99999999999999999999",
    "status",
    "machine",
    "recordings?item=remark",
    "recordings",
    "fallback",
)
TOKENS = st.sampled_from(["known", "known", "known", "f" * 32, "F" * 32, "x", "../../etc/passwd"])


@pytest.fixture
def world(months: Ground, folder: Path) -> World:
    """An office with one call that rings."""
    world = World(months, folder, seed=1)
    world.launch(sorted(months.incidents)[:1])
    world.sweep()
    while world.queue.waiting or world.hub.ready():
        if world.queue.waiting and world.hub.idle():
            world.begin_job(world.hub.idle()[0])
        for worker in world.hub.ready():
            world.resume(worker)
        world.queue.waiting.clear()
    return world


def ask(world: World, method: str, path: str, body: bytes, kind: str, signature: str) -> int:
    """One raw request; its status. Fails when it took too long."""
    answer: list[str] = []
    bare, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": bare.encode().decode("latin-1"), "QUERY_STRING": query,
        "RAW_URI": quote(path, safe="/?=&%"),
        "SERVER_NAME": "voice.example", "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "https",
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.multithread": False, "wsgi.multiprocess": True,
        "wsgi.run_once": False, "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "HTTP_X_TWILIO_SIGNATURE": signature,
        "HTTP_HOST": "voice.example", "REMOTE_ADDR": "127.0.0.1",
    }  # fmt: skip
    began, worked = time.monotonic(), time.thread_time()
    body = b"".join(world._app(environ, lambda status, headers, problem=None: answer.append(status)))
    assert time.thread_time() - worked < LONGEST_SECONDS
    assert time.monotonic() - began < LONGEST_HANG_SECONDS
    assert b"Traceback" not in body
    return int(answer[0][:3])


def token_of(world: World) -> str:
    with world.quiet() as session:
        return session.scalars(select(CallAttempt.token)).one()


def test_no_signed_form_makes_the_door_fail(world: World) -> None:
    known, seen = token_of(world), set()

    @settings(max_examples=REQUESTS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(FORMS, st.sampled_from(PATHS), TOKENS, st.booleans())
    def run(form: list[tuple[str, str]], path: str, token: str, whole: bool) -> None:
        fields = dict(form)
        if whole:
            fields |= {"AccountSid": ACCOUNT, "CallSid": "CA" + "1" * 32}
        where = f"/voice/attempts/{known if token == 'known' else token}/{path}"
        body = urlencode(fields, errors="replace").encode()
        status = ask(world, "POST", where, body, FORM, sign(TOKEN, BASE_URL + where, fields))
        seen.add(status)
        assert status < 500, (where, fields)

    run()
    assert {200, 204, 400, 403} <= seen


@pytest.mark.parametrize("kind", [FORM, "application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_no_malformed_request_makes_the_door_fail(world: World, method: str, kind: str) -> None:
    where = f"/voice/attempts/{token_of(world)}/steps/0"
    bodies = (
        b"", b"Digits=1&Digits=2&Digits=3", "&".join(f"p{n}=1" for n in range(1000)).encode(), b"a=" + b"x" * 2**20, b"Digits=%FF%FE&x=%zz",
        b'{"Digits": "1"}', b"--x\r\nContent-Disposition: form-data; name=Digits\r\n\r\n1\r\n--x--\r\n", b"\xff\xfe\x00=\x00", b"=&=&&;;",
    )  # fmt: skip

    for body in bodies:
        for signature in ("", "x" * 10_000, "é", sign(TOKEN, BASE_URL + where, {})):
            assert ask(world, method, where, body, kind, signature) < 500, (body[:40], signature[:10])


def test_a_repeated_parameter_that_is_signed_is_a_normal_turn(world: World) -> None:
    where = f"/voice/attempts/{token_of(world)}/steps/0"
    with world.quiet() as session:
        sid = session.scalars(select(CallAttempt.carrier_sid)).one()
    fields = MultiDict([("AccountSid", ACCOUNT), ("CallSid", sid or ""), ("Extra", "1"), ("Extra", "2")])
    body = urlencode(list(fields.items(multi=True))).encode()

    assert ask(world, "POST", where, body, FORM, sign(TOKEN, BASE_URL + where, fields)) == 200
