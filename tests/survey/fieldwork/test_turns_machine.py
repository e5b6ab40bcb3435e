"""Web-hooks of several calls in any order, doubled, late, early, forged and from strangers, against the pure flow as the model.

Whatever the carrier sends: the tables are what `flow.step` says, every repeat is answered byte for byte, and nothing else changes.
"""

import itertools
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from ivr.carrier.simulator.signing import sign
from ivr.voice import routes, twiml, wording
from ivr.voice.app import create_voice_app
from ivr.voice.guard import Guard
from ivr.voice.routes import VoiceServices
from ivr.voice.wording import VOICES
from survey import fieldwork, flow, ladder
from survey.actions import Hangup, SaveAnswer, SpeakingAction
from survey.events import Answered, Digits, Event, HungUp, LineFailed, NoInput, Recorded
from survey.fieldwork import turns
from survey.fieldwork.bookings import promised
from survey.script import RecordStep
from survey.store.models import Answer, CallAttempt, CarrierEvent, Respondent, Turn
from tests.simulation.line import request as ask
from tests.survey.fieldwork.conftest import Ground

BASE, ACCOUNT, TOKEN = "https://voice.example", "AC" + "1" * 32, "token"
FOREIGN = "CA" + "f" * 32
MANY = int(os.environ.get("MANY", "1"))  # MANY=10 pytest ... for a longer search
EXAMPLES = {"sqlite": 60 * MANY, "postgresql": 12 * MANY}
KEYS = "1123456789*#0"
WORDS = ("initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled")
LADDER = dict(zip(WORDS, ("initiated", "ringing", "in_progress", "completed", "busy", "no_answer", "failed", "canceled"), strict=True))
Reply = tuple[int, str]


@dataclass
class Call:
    """One call as the model knows it."""

    id: int
    respondent: int
    token: str
    sid: str
    state: flow.State
    status: str = "placed"
    settled: bool = False
    replies: list[str] = field(default_factory=list)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    led_back: set[int] = field(default_factory=set)
    broken: bool = False


@dataclass
class Stage:
    """The door over a database, and as many calls as are wanted."""

    ground: Ground

    def __post_init__(self) -> None:
        guard = Guard(BASE, ACCOUNT, (TOKEN,))
        services = VoiceServices(self.ground.work, self.ground.clock, self.ground.office, guard, VOICES)
        self.app = create_voice_app(services)

    def calls(self, count: int) -> list[Call]:
        """Fresh calls that ring, to as many people."""
        campaign = self.ground.launch(count, lines=50, calls_per_second=50.0)
        made = []
        with self.ground.work() as work:
            for person in work.session.scalars(select(Respondent).where(Respondent.campaign_id == campaign)).all():
                person.state = "calling"
                attempt = CallAttempt(
                    campaign_id=campaign, respondent_id=person.id, number=1, token=f"{person.id:032x}", carrier_sid=f"CA{person.id:032x}",
                    phone_key=person.phone_key, live_key=person.phone_key, script_version_id=person.campaign.script_version_id,
                    claimed_at=self.ground.now, requested_at=self.ground.now, status="placed",
                )  # fmt: skip
                work.session.add(attempt)
                work.session.flush()
                script = self.ground.office.script(work.session, attempt.script_version_id)
                made.append(Call(attempt.id, person.id, attempt.token, str(attempt.carrier_sid), flow.start(script)))
        return made

    def post(self, call: Call, path: str, sid: str = "", *, token: str = TOKEN, **fields: str) -> Reply:
        url = f"{BASE}/voice/attempts/{call.token}/{path}"
        form = {"AccountSid": ACCOUNT, "CallSid": sid or call.sid, "CallStatus": "in-progress", **fields}
        status, _, body = ask(self.app, BASE, url, form, sign(token, url, form))
        return status, body.decode()

    def rendered(self, call: Call, actions: tuple[SpeakingAction, ...], step: int) -> str:
        """The document for these actions, made without a request and without the tables of turns."""
        with self.ground.sessions() as session, self.app.app_context():
            attempt = session.get_one(CallAttempt, call.id)
            context = turns._context(session, self.ground.office, attempt)
            return routes.render(actions, step, promised(attempt, context, actions, self.ground.now))

    def led_back(self, call: Call) -> str:
        """What is heard after a moment without us: an excuse and the last document; at first contact the way to it alone."""
        excuse = wording.spoken(wording.INTERRUPTED, VOICES, self.ground.office.bureau, "zh-CN")
        return twiml.precede(excuse, call.replies[-1]) if call.replies else self.rendered(call, (), 0)

    def script(self, call: Call) -> Any:
        with self.ground.sessions() as session:
            return self.ground.office.script(session, session.get_one(CallAttempt, call.id).script_version_id)


def form_of(stage: Stage, call: Call, what: str, key: str) -> tuple[dict[str, str], Event]:
    """What the carrier sends for this behaviour at the step that waits, and what it means."""
    if not call.replies:
        return {}, Answered()
    records = bool(call.state.node) and isinstance(stage.script(call).question(call.state.node), RecordStep)
    if records:
        sid = f"RE{call.id:016x}{len(call.replies):016x}"
        ended = {"key": key, "silence": "", "leave": "hangup"}[what]
        form = {"RecordingSid": sid, "RecordingDuration": "4", **({"Digits": ended} if ended else {})}
        return form, Recorded(sid, 4, ended or "silence")
    left = {"Digits": "hangup", "CallStatus": "completed"}
    return {"key": ({"Digits": key}, Digits(key)), "silence": ({}, NoInput()), "leave": (left, HungUp())}[what]


def deliver(stage: Stage, call: Call, what: str, key: str, copies: int = 1) -> None:
    """The step that waits, once or several times."""
    step, (form, event) = len(call.replies), form_of(stage, call, what, key)
    replies = {stage.post(call, f"steps/{step}", **form) for _ in range(copies)}
    if call.settled:
        assert replies == {(200, stage.rendered(call, (Hangup(),), step))}
        return
    call.state, actions = flow.step(stage.script(call), call.state, event)
    speaking = tuple(action for action in actions if isinstance(action, turns.SPEAKING))
    for action in actions:
        if isinstance(action, SaveAnswer):
            call.answers[action.item] = (action.code, action.raw)
    assert replies == {(200, stage.rendered(call, speaking, step + 1))}
    call.replies.append(replies.pop()[1])
    call.status = ladder.climb(call.status, "in_progress")


def repeat(stage: Stage, call: Call, what: str, key: str) -> None:
    """A late copy of any earlier step, with another key: the stored reply, whatever has become of the call."""
    if call.replies:
        step = (len(what) + ord(key)) % len(call.replies)
        assert stage.post(call, f"steps/{step}", Digits=key) == (200, call.replies[step])


def early(stage: Stage, call: Call, what: str, key: str) -> None:
    """A step that was never offered: led back to where the call stands."""
    status, body = stage.post(call, f"steps/{len(call.replies) + 2}", Digits=key)
    expected = call.replies[-1] if call.replies else stage.rendered(call, (), 0)
    if call.settled:
        expected = stage.rendered(call, (Hangup(),), len(call.replies) + 2)
    assert (status, body) == (200, expected)


def forge(stage: Stage, call: Call, what: str, key: str) -> None:
    assert stage.post(call, f"steps/{len(call.replies)}", token="another", Digits=key) == (403, "")


def intrude(stage: Stage, call: Call, what: str, key: str) -> None:
    """A second leg asks for this step or an earlier one: it hears a hang-up."""
    step = max(0, len(call.replies) - (key in "123"))
    assert stage.post(call, f"steps/{step}", sid=FOREIGN, Digits=key) == (200, stage.rendered(call, (Hangup(),), step))


def fall(stage: Stage, call: Call, what: str, key: str) -> None:
    """The door died at this step or after the one before: the call goes on where it stands, once for each step."""
    step = max(0, len(call.replies) - (key in "123"))
    reply = stage.post(call, "fallback", ErrorCode="11200", ErrorUrl=f"{BASE}/voice/attempts/{call.token}/steps/{step}")
    if call.settled:
        assert reply == (200, stage.rendered(call, (Hangup(),), len(call.replies)))
    elif step in call.led_back:
        assert wording.FAREWELL["zh"] in reply[1]
        assert reply[1].endswith("<Hangup /></Response>")
        call.broken = True
    else:
        call.led_back.add(step)
        assert reply == (200, stage.led_back(call))


def report(stage: Stage, call: Call, what: str, key: str) -> None:
    """Any status, at any time, twice."""
    word = WORDS[KEYS.index(key) % len(WORDS)]
    for _ in range(2):
        assert stage.post(call, "status", CallStatus=word)[0] == 204
    call.status = ladder.climb(call.status, LADDER[word])


def settle(stage: Stage, call: Call, what: str, key: str) -> None:
    """Half a minute later somebody draws the line under a call that has ended."""
    stage.ground.clock.advance(seconds=31)
    with stage.ground.work() as work:
        done = fieldwork.settle(work, stage.ground.office, call.id, stage.ground.now)
    assert done == (ladder.is_ended(call.status) and not call.settled)
    if done and call.replies and not call.state.ended:
        ends = LineFailed() if call.broken or call.status == "failed" else HungUp()
        call.state = flow.step(stage.script(call), call.state, ends)[0]
    call.settled = call.settled or done


OPERATIONS: dict[str, Callable[[Stage, Call, str, str], None]] = {
    "deliver": deliver, "twice": lambda *given: deliver(*given, copies=2), "repeat": repeat, "early": early, "forge": forge,
    "intrude": intrude, "fall": fall, "report": report, "settle": settle,
}  # fmt: skip
USUAL = st.tuples(st.just("deliver"), st.integers(0, 1), st.sampled_from(["key", "key", "key", "silence"]), st.sampled_from("1123456"))
ANYTHING = st.tuples(
    st.sampled_from(["deliver", *OPERATIONS]), st.integers(0, 1), st.sampled_from(["key", "silence", "leave"]), st.sampled_from(KEYS)
)
STEPS = st.lists(st.one_of(USUAL, USUAL, ANYTHING), min_size=15, max_size=50)


def kinds(session: Session, call: Call, kind: str) -> Sequence[str]:
    """The keys of what was noted of the call at the carrier."""
    return session.scalars(select(CarrierEvent.key).where(CarrierEvent.attempt_id == call.id, CarrierEvent.kind == kind)).all()


def check(stage: Stage, calls: list[Call]) -> None:
    """The tables are the model."""
    with stage.ground.sessions() as session:
        for call in calls:
            attempt = session.get_one(CallAttempt, call.id)
            stored = session.scalars(select(Turn).where(Turn.attempt_id == call.id).order_by(Turn.step)).all()
            rows = session.scalars(select(Answer).where(Answer.respondent_id == call.respondent)).all()
            assert [turn.reply for turn in stored] == call.replies
            assert {row.item: (row.code, row.raw) for row in rows} == call.answers
            assert (attempt.step, attempt.status, attempt.carrier_sid) == (len(call.replies), call.status, call.sid)
            assert {int(key.partition(":")[0]) for key in kinds(session, call, "led_back")} == call.led_back
            assert bool(kinds(session, call, "broken")) == call.broken
            if call.replies:
                assert flow.State.from_json(attempt.flow_state or {}) == call.state


def play(stage: Stage, steps: list[tuple[str, int, str, str]]) -> None:
    calls = stage.calls(2)
    for operation, which, what, key in steps:
        OPERATIONS[operation](stage, calls[which], what, key)
    check(stage, calls)


@pytest.fixture
def stage(ground: Ground) -> Stage:
    logging.getLogger("ivr").setLevel(logging.CRITICAL)
    return Stage(ground)


def test_whatever_the_carrier_sends_the_tables_are_what_the_flow_says(stage: Stage, engine: Engine) -> None:
    examples = EXAMPLES[engine.dialect.name]

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS)
    def run(steps: list[tuple[str, int, str, str]]) -> None:
        play(stage, steps)

    run()


def test_fifty_copies_at_once_are_one_turn(stage: Stage, engine: Engine, request: pytest.FixtureRequest) -> None:
    """RS21, on both engines; SQLite in a file, because in memory each thread would have a database of its own."""
    if engine.dialect.name == "sqlite":
        stage = Stage(Ground(request.getfixturevalue("file_engine"), stage.ground.office, stage.ground.clock))
    call = stage.calls(1)[0]
    for _ in range(2):
        deliver(stage, call, "key", "1")
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(stage.post(call, "steps/2", Digits="5"))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(replies) == 50
    assert len(set(replies)) == 1
    deliver(stage, call, "key", "5")
    check(stage, [call])


def test_statuses_end_the_same_in_every_order_each_once_and_doubled(stage: Stage) -> None:
    """RS24 and RS25."""
    orders = list(itertools.permutations(("initiated", "ringing", "in-progress", "completed")))
    calls = stage.calls(2 * len(orders))
    for number, call in enumerate(calls):
        for word in orders[number // 2]:
            for _ in range(1 + number % 2):
                assert stage.post(call, "status", CallStatus=word, CallDuration="42")[0] == 204
        assert stage.post(call, "status", CallStatus="failed")[0] == 204

    with stage.ground.sessions() as session:
        for call in calls:
            attempt = session.get_one(CallAttempt, call.id)
            assert (attempt.status, attempt.seconds, attempt.error) == ("completed", 42, "")
            assert attempt.ended_at
            assert attempt.live_key is None
        kinds = session.scalars(select(CarrierEvent.kind)).all()
    assert len(kinds) == 5 * len(calls)


def test_a_request_replayed_a_day_later_changes_nothing(stage: Stage) -> None:
    """RS30."""
    call = stage.calls(1)[0]
    for key in "1124":
        deliver(stage, call, "key", key)
    report(stage, call, "", KEYS[3])
    settle(stage, call, "", "")
    stage.ground.clock.advance(days=1)
    repeat(stage, call, "key", "6")
    assert stage.post(call, f"steps/{len(call.replies)}", Digits="6")[1].count("<Hangup") == 1
    check(stage, [call])
