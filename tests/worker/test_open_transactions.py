"""No job holds a transaction open while it asks the carrier, writes a file, waits or wakes another job (RS46).

Every job has its scenes here, also those in which the carrier fails; a job without one fails the first test.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ivr.carrier.base import Accepted, CallRequest, CarrierCall, CarrierError, CarrierGone, Placement, Rejected, Unknown
from ivr.notices.base import DeliveryFailed, Message
from speech.audio import NotSound
from speech.transcript import Transcript, Word
from speech.transcription import TranscriptionFailed
from survey import casework, desk, fieldwork
from survey.events import Recorded
from survey.fieldwork.recordings import discard
from survey.fieldwork.transcripts import order_transcript
from survey.notice_problems import Problem
from survey.store.models import CallAttempt, Campaign, Recording, User
from survey.store.sealing import place
from tests.calls.foreign_carrier import silence
from tests.survey.casework.conftest import Bureau
from tests.survey.desk.conftest import Desk
from tests.survey.fieldwork.conftest import Ground, ground
from tests.worker.transactions import Watch, watched
from worker import jobs, runtime, transcribing
from worker.queues import QUEUES
from worker.runtime import Runtime
from worker.worker import ALLOWED, PLACE

__all__ = ["ground"]

RECORDING = "RE" + "1" * 32
TO_THE_REMARK = "1" + "12121" + "1"
SILENT = CarrierError("no answer")


@dataclass
class Line:
    """A carrier that answers what a scene says, and tells the watch that it was asked."""

    watch: Watch
    answers: dict[str, Any]

    def _answer(self, asked: str) -> Any:
        self.watch.note(asked)
        answer = self.answers.get(asked)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def place_call(self, request: CallRequest) -> Placement:
        placement: Placement = self._answer("place_call")
        return placement

    def hang_up(self, sid: str, *, ringing_only: bool = False) -> None:
        self._answer("hang_up")

    def redirect(self, sid: str, url: str, limit_seconds: int | None = None) -> None:
        self._answer("redirect")

    def hold(self, room: str, call_sid: str, on: bool, url: str) -> None:
        self._answer("hold")

    def mute(self, room: str, call_sid: str, on: bool) -> None:
        self._answer("mute")

    def fetch_call(self, sid: str) -> CarrierCall:
        call: CarrierCall = self._answer("fetch_call")
        return call

    def find_calls(self, to: str, since: datetime) -> list[CarrierCall]:
        return self._answer("find_calls") or []

    def fetch_recording(self, sid: str) -> bytes:
        sound: bytes = self._answer("fetch_recording")
        return sound

    def delete_recording(self, sid: str) -> None:
        self._answer("delete_recording")

    def send(self, message: Message) -> None:
        self._answer("send")


@dataclass
class WatchedQueue:
    """A job queue that tells the watch of each wake-up."""

    watch: Watch

    def enqueue(self, job: str, row_id: int, epoch: int = 0) -> None:
        self.watch.note("enqueue")


Arrange = Callable[[Ground, Path], int]


def claimed(ground: Ground, data: Path) -> int:
    ground.launch(1)
    return ground.claim()[0]


def early(ground: Ground, data: Path) -> int:
    """A claim whose place in the pace has not come, because another call has just gone out."""
    ground.launch(2, calls_per_second=1.0)
    ground.dial_next()
    with ground.work() as work:
        return fieldwork.claim_due(work, ground.office, ground.now, timedelta(seconds=3))[0]


def placed(ground: Ground, data: Path) -> int:
    ground.launch(1)
    return ground.dial_next()[0]


def paused(ground: Ground, data: Path) -> int:
    attempt_id = placed(ground, data)
    with ground.work() as work:
        fieldwork.pause(work.session, ground.office, work.session.get_one(Campaign, 1), "张三", ground.now)
    return attempt_id


def doubtful(ground: Ground, data: Path) -> int:
    attempt_id = claimed(ground, data)
    ground.prepare(attempt_id)
    with ground.work() as work:
        fieldwork.note_unknown(work, attempt_id, "ReadTimeout")
    ground.clock.advance(minutes=2)
    return attempt_id


def ended(ground: Ground, data: Path) -> int:
    attempt_id = placed(ground, data)
    ground.status(ground.attempt(attempt_id).token, "busy")
    return attempt_id


def announced(ground: Ground, data: Path) -> int:
    attempt_id = placed(ground, data)
    token = ground.attempt(attempt_id).token
    ground.talk(token, TO_THE_REMARK)
    ground.turn(token, len(TO_THE_REMARK) + 1, Recorded(RECORDING, 1.0, "#"))
    return 1


def taken_back(ground: Ground, data: Path) -> int:
    """Words that lie here already, and that the person has taken back since."""
    announced(ground, data)
    sound = data / "recordings" / "00" / "words.sealed"
    sound.parent.mkdir(parents=True)
    sound.write_bytes(b"sealed")
    with ground.work() as work:
        fieldwork.note_kept(work, 1, str(sound.relative_to(data)), "0" * 64, 1.0, ground.now)
        discard(work, work.session.get_one(CallAttempt, work.session.get_one(Recording, 1).attempt_id), RECORDING, ground.now)
    return 1


def spoken(ground: Ground, data: Path) -> int:
    """A remark whose sound lies here and is to be transcribed."""
    announced(ground, data)
    sound = data / "recordings" / "00" / "words.sealed"
    sound.parent.mkdir(parents=True)
    with ground.work() as work:
        recording = work.session.get_one(Recording, 1)
        sound.write_bytes(ground.office.keys.seal_bytes(silence(1), place("recordings", "path", recording.public_id)))
        fieldwork.note_kept(work, 1, str(sound.relative_to(data)), "0" * 64, 1.0, ground.now)
        order_transcript(work, 1, {"zh"}, ground.now)
    return 1


def unreadable(ground: Ground, data: Path) -> int:
    """The same, sealed with a key that is not here."""
    spoken(ground, data)
    (data / "recordings" / "00" / "words.sealed").write_bytes(b"altered")
    return 1


def waiting(ground: Ground, data: Path) -> int:
    """A person who waits, and whose call an operator has claimed."""
    bench = Desk(ground)
    operator = bench.operator("wang")
    bench.call()
    return bench.claim(operator).id


def accepted(ground: Ground, data: Path) -> int:
    """The same, and the operator has pressed the key."""
    number, bench = waiting(ground, data), Desk(ground)
    bench.accept(bench.ring())
    return number


def talking(ground: Ground, data: Path) -> int:
    """The two talk, and the operator wants the person to hear music."""
    bench = Desk(ground)
    operator = bench.operator("wang")
    bench.talk(operator)
    wanted = bench.takeover()
    with ground.work() as work:
        desk.takeovers.hold(work, ground.office, wanted.public_id, work.session.get_one(User, operator.id), ground.now, on=True)
    return wanted.id


def talked(ground: Ground, data: Path) -> int:
    """The same, and the two have talked; the operator's line is still there."""
    bench = Desk(ground)
    token = bench.talk(bench.operator("wang"))
    bench.again(token)
    return bench.takeover().id


def reminded(ground: Ground, data: Path) -> int:
    """A notice about an order that waits to be posted to the web-hook."""
    return _delivery(ground, "webhook")


def listed(ground: Ground, data: Path) -> int:
    """The week's list, which is to be written."""
    return _delivery(ground, "file")


def _delivery(ground: Ground, channel: str) -> int:
    Bureau(ground).signed()
    ground.clock.moment = datetime(2026, 3, 16, 2, tzinfo=UTC)
    with ground.work() as work:
        fresh = casework.reminders(work.session, ground.office, ground.office.terms, ground.now)
        casework.address(work.session, fresh, {channel}, ground.now)
        return casework.due_deliveries(work.session, ground.office.terms, ground.now)[-1]


@dataclass(frozen=True)
class Scene:
    """Rows in which a job finds work, what the carrier answers, and what must then have happened outside."""

    arrange: Arrange
    answers: dict[str, Any]
    outside: tuple[str, ...]


ENDED_CALL = CarrierCall("CA1", "+8610000000000", "+861000000000", "completed", None, 20, None)
ASKED = ("sleep", "place_call")
"""A call is decided a moment before it starts (`jobs.LEAD`); the job waits for that start with its transaction closed."""

FETCHED = ("fetch_recording", "file", "delete_recording")
SCENES: dict[str, dict[str, Scene]] = {
    "dial": {
        "accepted": Scene(claimed, {"place_call": Accepted("CA1")}, ASKED),
        "early": Scene(early, {}, ("sleep",)),
        "refused": Scene(claimed, {"place_call": Rejected("bad_number", "21211", "no")}, (*ASKED, "enqueue")),
        "for later": Scene(claimed, {"place_call": Rejected("busy", "429", "later")}, ASKED),
        "unknown": Scene(claimed, {"place_call": Unknown("ReadTimeout")}, ASKED),
    },
    "hang_up": {
        "ended": Scene(placed, {}, ("hang_up",)),
        "carrier away": Scene(placed, {"hang_up": SILENT}, ("hang_up",)),
    },
    "call_off": {
        "let be": Scene(paused, {}, ("hang_up",)),
        "carrier away": Scene(paused, {"hang_up": SILENT}, ("hang_up",)),
    },
    "settle": {"busy": Scene(ended, {}, ())},
    "reconcile": {
        "not placed": Scene(doubtful, {"find_calls": []}, ("find_calls",)),
        "list unread": Scene(doubtful, {"find_calls": SILENT}, ("find_calls",)),
    },
    "look_up": {
        "ended": Scene(placed, {"fetch_call": ENDED_CALL}, ("fetch_call", "enqueue")),
        "gone": Scene(placed, {"fetch_call": CarrierGone("404")}, ("fetch_call", "enqueue")),
        "carrier away": Scene(placed, {"fetch_call": SILENT}, ("fetch_call",)),
    },
    "fetch_recording": {
        "kept": Scene(announced, {"fetch_recording": silence(1)}, FETCHED),
        "not deleted": Scene(announced, {"fetch_recording": silence(1), "delete_recording": SILENT}, FETCHED),
        "not there": Scene(announced, {"fetch_recording": CarrierGone("404")}, ("fetch_recording",)),
        "no sound": Scene(announced, {"fetch_recording": b"<html>"}, ("fetch_recording",)),
        "taken back": Scene(taken_back, {}, ("delete_recording", "file")),
    },
    "drop_recording": {
        "taken back": Scene(taken_back, {}, ("delete_recording", "file")),
        "carrier away": Scene(taken_back, {"delete_recording": SILENT}, ("delete_recording",)),
    },
    "ring_desk": {
        "rings": Scene(waiting, {"place_call": Accepted("CA2")}, ("place_call",)),
        "refused": Scene(waiting, {"place_call": Rejected("bad_number", "21211", "no")}, ("place_call",)),
        "unknown": Scene(waiting, {"place_call": Unknown("ReadTimeout")}, ("place_call",)),
    },
    "leave_desk": {
        "brought on": Scene(accepted, {}, ("redirect",)),
        "carrier away": Scene(accepted, {"redirect": SILENT}, ("redirect", "enqueue")),
    },
    "steer_room": {
        "held": Scene(talking, {}, ("hold", "mute")),
        "not listed yet": Scene(talking, {"hold": CarrierGone("404")}, ("hold", "sleep")),
        "carrier away": Scene(talking, {"hold": SILENT}, ("hold",)),
    },
    "let_go": {
        "ended": Scene(talked, {}, ("hang_up",)),
        "carrier away": Scene(talked, {"hang_up": SILENT}, ("hang_up",)),
    },
    "transcribe": {
        "understood": Scene(spoken, {"recognise": Transcript((Word("救命", 0.0, 0.5, 0.9),))}, ("recognise",)),
        "failed": Scene(spoken, {"recognise": TranscriptionFailed("time")}, ("recognise",)),
        "no sound": Scene(spoken, {"recognise": NotSound("empty")}, ("recognise",)),
        "unreadable": Scene(unreadable, {}, ()),
    },
    "send_notice": {
        "accepted": Scene(reminded, {"send": None}, ("send",)),
        "refused": Scene(reminded, {"send": DeliveryFailed(Problem("refused"))}, ("send",)),
        "a list": Scene(listed, {}, ("file",)),
    },
}


@pytest.fixture
def keep_runtime() -> Iterator[None]:
    before = runtime._Holder.runtime
    yield
    runtime._Holder.runtime = before


def play(ground: Ground, data: Path, scene: Scene, job: Callable[[int], object]) -> Watch:
    """Arrange the rows, then do the job under watch."""
    row_id = scene.arrange(ground, data)
    with watched() as watch:
        ground.queue = WatchedQueue(watch)  # type: ignore[assignment]
        line: Any = Line(watch, scene.answers)
        ours = Runtime(
            ground.work, ground.office, ground.clock, line, data, "http://127.0.0.1:1", time_passes=lambda: True,
            speech_models={"zh": data} if job is jobs.transcribe else {}, channels={"webhook": line},
        )  # fmt: skip
        runtime.install(ours)
        before, transcribing.recognise = transcribing.recognise, lambda *given: line._answer("recognise")
        try:
            job(row_id)
        finally:
            transcribing.recognise = before
    return watch


def test_every_job_has_a_scene() -> None:
    assert SCENES.keys() == QUEUES.keys() == {name.removeprefix(PLACE) for name in ALLOWED}


@pytest.mark.usefixtures("keep_runtime")
@pytest.mark.parametrize(("job", "scene"), [(job, scene) for job, scenes in SCENES.items() for scene in scenes])
def test_no_transaction_is_open_while_something_happens_outside(ground: Ground, tmp_path: Path, job: str, scene: str) -> None:
    watch = play(ground, tmp_path, SCENES[job][scene], getattr(jobs, job))

    assert watch.faults == []
    assert watch.outside.keys() == set(SCENES[job][scene].outside)
    assert watch.transactions > 0
    assert not watch.is_open


def ask_the_carrier_too_early(row_id: int) -> None:
    with runtime.current().unit_of_work() as work:
        work.session.get_one(CallAttempt, row_id)
        runtime.current().carrier.hang_up("CA1")


def write_a_file_too_early(row_id: int) -> None:
    with runtime.current().unit_of_work() as work:
        work.session.get_one(CallAttempt, row_id)
        jobs.write_whole(runtime.current().data / "words.sealed", b"words")


def wait_too_early(row_id: int) -> None:
    with runtime.current().unit_of_work() as work:
        work.session.get_one(CallAttempt, row_id)
        time.sleep(0.001)


def wake_too_early(row_id: int) -> None:
    with runtime.current().unit_of_work() as work:
        work.session.get_one(CallAttempt, row_id)
        work._queue.enqueue("settle", row_id)


@pytest.mark.usefixtures("keep_runtime")
@pytest.mark.parametrize("deed", [ask_the_carrier_too_early, write_a_file_too_early, wait_too_early, wake_too_early])
def test_a_job_that_did_it_would_be_found_out(ground: Ground, tmp_path: Path, deed: Callable[[int], None]) -> None:
    watch = play(ground, tmp_path, Scene(placed, {}, ()), deed)

    assert watch.faults
