"""The jobs. Each takes a row's id, first asks the row whether there is work, and may run any number of times.

No job holds a database transaction open while it talks to the carrier or writes a file.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from ivr.carrier.base import Accepted, CallRequest, CarrierCall, CarrierError, CarrierGone, Rejected
from ivr.voice.call_status import ladder_status
from ivr.voice.insistence import insist
from speech.audio import NotSound, Sound, inspect_wav
from survey import desk, drafts, fieldwork
from survey.fieldwork import DialOrder, Early, FetchOrder, SeenCall, transcripts
from survey.store.models import CallAttempt, Recording
from survey.store.queries import fieldwork as queries
from survey.store.queries.dialling import to_be_called_off
from survey.store.queries.remarks import due_transcripts
from survey.store.sealing import place
from survey.store.unit_of_work import UnitOfWork
from worker.disk_room import has_room
from worker.issuing import issue_orders
from worker.notifying import send_notice as send_notice
from worker.recalling import recall_people
from worker.ringing import TALK_SECONDS
from worker.ringing import leave_desk as leave_desk
from worker.ringing import let_go as let_go
from worker.ringing import ring_desk as ring_desk
from worker.ringing import steer_room as steer_room
from worker.runtime import Runtime, current
from worker.transcribing import transcribe as transcribe
from worker.whole_file import write_whole as write_whole

log = logging.getLogger(__name__)

CLAIM_AGE_SECONDS = 5.0
PATIENCE_SECONDS, LEAST_SECONDS = 1.0, 0.005
"""How long a job waits in all until its call may start, and at least each time; what takes longer is the sweep's affair."""

AHEAD = timedelta(seconds=2)
"""For the calls of so long a time each sweep claims a stock: a sweep may be late."""

LEAD = timedelta(milliseconds=50)
"""So long before its start a call is decided: the carrier then sees the pace that was kept, whatever time a commit takes."""

LIST_GRACE = timedelta(seconds=60)
"""The carrier's list lags: what it does not show this long after the request was never placed."""

LONGEST_CALL_MARGIN = timedelta(minutes=2)
ASK_PAUSE = timedelta(seconds=15)
"""The carrier is asked about one call no more often than this, so that a list that cannot be read does not keep all workers busy."""


def dial(attempt_id: int, epoch: int = 0) -> None:
    """Place the call of a claimed attempt, once."""
    runtime = current()
    order, began = _await_order(runtime, attempt_id)
    if order is None:
        return
    _wait_until(runtime, order.at)
    if time.monotonic() - began > CLAIM_AGE_SECONDS:
        log.warning("stale claim: attempt %s is not dialled, this process slept", attempt_id, extra=_event("claim_stale", attempt_id))
        return  # the reconciliation finds that nothing was placed
    placement = runtime.carrier.place_call(_request(runtime, order))
    now = runtime.clock.now()
    with runtime.unit_of_work() as work:
        if isinstance(placement, Accepted):
            fieldwork.note_accepted(work, attempt_id, placement.sid, now, placement.queue_milliseconds)
        elif isinstance(placement, Rejected):
            log.warning(
                "carrier refused attempt %s: %s %s", attempt_id, placement.kind, placement.code, extra=_event("call_refused", attempt_id)
            )
            fieldwork.note_rejected(work, runtime.office, attempt_id, placement.kind, placement.code, now)
        else:
            log.warning("outcome of attempt %s unknown: %s", attempt_id, placement.problem, extra=_event("call_unknown", attempt_id))
            fieldwork.note_unknown(work, attempt_id, placement.problem)


def _await_order(runtime: Runtime, attempt_id: int) -> tuple[DialOrder | None, float]:
    """What to ask the carrier for, and the monotonic second at which it was decided; nothing when the call is not to start now.

    A job that comes early waits for its place, with no transaction open: the sweep that would wake it again comes twice a second,
    and the places between would be lost.
    """
    patience, lead = PATIENCE_SECONDS, LEAD if runtime.time_passes() else timedelta(0)
    while True:
        began = time.monotonic()
        with runtime.unit_of_work() as work:
            start = runtime.clock.now() + lead
            early = fieldwork.look_ahead(work.session, runtime.office, attempt_id, start)
            order = early or fieldwork.prepare_dial(work, runtime.office, attempt_id, start)
        if not isinstance(order, Early):
            return order, began
        seconds = max((order.until - lead - runtime.clock.now()).total_seconds(), LEAST_SECONDS)
        if seconds > patience or not runtime.time_passes():
            return None, began
        patience -= seconds
        time.sleep(seconds)


def _wait_until(runtime: Runtime, moment: datetime) -> None:
    seconds = (moment - runtime.clock.now()).total_seconds()
    if seconds > 0 and runtime.time_passes():
        time.sleep(min(seconds, PATIENCE_SECONDS))


def _event(action: str, attempt_id: int) -> dict[str, object]:
    """What a log line about an attempt carries beside its words."""
    return {"action": action, "attempt": attempt_id}


def _request(runtime: Runtime, order: DialOrder) -> CallRequest:
    base = f"{runtime.public_base_url}/voice/attempts/{order.token}"
    return CallRequest(
        to=order.to,
        caller_id=order.caller_id,
        answer_url=insist(f"{base}/steps/0"),
        fallback_url=insist(f"{base}/fallback"),
        status_url=insist(f"{base}/status"),
        machine_url=insist(f"{base}/machine") if runtime.machine_detection and order.is_by_machine else None,
        ring_seconds=order.ring_seconds,
        limit_seconds=runtime.call_limit_seconds if order.is_by_machine else TALK_SECONDS,
    )


def settle(attempt_id: int, epoch: int = 0) -> None:
    """Give an ended attempt its verdict and decide what becomes of the respondent."""
    runtime = current()
    with runtime.unit_of_work() as work:
        fieldwork.settle(work, runtime.office, attempt_id, runtime.clock.now())


def hang_up(attempt_id: int, epoch: int = 0) -> None:
    """End a call at the carrier (a machine answered)."""
    runtime = current()
    with runtime.unit_of_work() as work:
        attempt = work.session.get_one(CallAttempt, attempt_id)
        sid = None if attempt.ended_at else attempt.carrier_sid
    if sid is None:
        return
    try:
        runtime.carrier.hang_up(sid)
    except CarrierError as problem:
        log.info("attempt %s could not be hung up, it ends by itself: %s", attempt_id, problem, extra=_event("hang_up_failed", attempt_id))


def call_off(attempt_id: int, epoch: int = 0) -> None:
    """Have the carrier let a call be that nobody has answered: its campaign was paused or stopped, or its number refused."""
    runtime = current()
    with runtime.unit_of_work() as work:
        sid = fieldwork.prepare_call_off(work, attempt_id)
    if sid is None:
        return
    try:
        runtime.carrier.hang_up(sid, ringing_only=True)
    except CarrierError as problem:
        log.warning(
            "attempt %s could not be called off, the sweep asks again: %s", attempt_id, problem, extra=_event("call_off_failed", attempt_id)
        )
        return
    with runtime.unit_of_work() as work:
        fieldwork.note_called_off(work, attempt_id, runtime.clock.now())


def reconcile(attempt_id: int, epoch: int = 0) -> None:
    """Ask the carrier's list about an attempt of which nobody knows whether it rang."""
    runtime = current()
    with runtime.unit_of_work() as work:
        attempt = work.session.get_one(CallAttempt, attempt_id)
        fieldwork.note_asked(work, attempt_id, runtime.clock.now())
        since, incident = attempt.requested_at or attempt.claimed_at, attempt.respondent.incident
        to = runtime.office.keys.open(incident.phone_sealed, place("incidents", "phone_sealed", incident.public_id))
        is_other = attempt.phone_key != incident.phone_key
    try:
        if is_other:  # an import has corrected the number meanwhile, and the one that was dialled stands nowhere any more
            raise CarrierError("the number that was dialled is not known any more")
        calls = runtime.carrier.find_calls(to or "", since - fieldwork.CLOCKS_APART)
    except CarrierError as problem:
        log.warning("the carrier's list could not be read for attempt %s: %s", attempt_id, problem, extra=_event("list_unread", attempt_id))
        with runtime.unit_of_work() as work:
            fieldwork.note_unreadable(work, attempt_id, runtime.clock.now())
        return
    with runtime.unit_of_work() as work:
        seen = [_seen(call) for call in calls]
        outcome = fieldwork.reconcile(work, runtime.office, attempt_id, seen, runtime.clock.now())
    log.info("attempt %s reconciled: %s", attempt_id, outcome, extra=_event("call_reconciled", attempt_id))


def _seen(call: CarrierCall) -> SeenCall:
    return SeenCall(call.sid, call.caller_id, ladder_status(call.status), call.created_at, call.seconds)


def look_up(attempt_id: int, epoch: int = 0) -> None:
    """Ask the carrier about a call whose end was never reported."""
    runtime = current()
    with runtime.unit_of_work() as work:
        fieldwork.note_asked(work, attempt_id, runtime.clock.now())
        sid = work.session.get_one(CallAttempt, attempt_id).carrier_sid
    try:
        call = runtime.carrier.fetch_call(sid or "")
    except CarrierGone:
        call = None
    except CarrierError as problem:
        log.warning("the carrier could not be asked about attempt %s: %s", attempt_id, problem, extra=_event("look_up_failed", attempt_id))
        return
    with runtime.unit_of_work() as work:
        attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
        status, seconds = (ladder_status(call.status), call.seconds) if call else ("failed", None)
        fieldwork.report(work, attempt, status, runtime.clock.now(), seconds=seconds)


def fetch_recording(recording_id: int, epoch: int = 0) -> None:
    """Fetch a recording, keep it sealed in the data folder, then delete the carrier's copy; discarded words only go."""
    runtime = current()
    with runtime.unit_of_work() as work:
        order = fieldwork.prepare_fetch(work, recording_id, runtime.clock.now())
    if order is None:
        return
    try:
        if order.fetch:
            _keep(runtime, order)
        runtime.carrier.delete_recording(order.carrier_sid)
    except (CarrierError, NotSound) as problem:
        with runtime.unit_of_work() as work:
            fieldwork.note_fetch_problem(work, recording_id, str(problem), final=isinstance(problem, NotSound))
        return
    if order.path:
        (runtime.data / order.path).unlink(missing_ok=True)
    with runtime.unit_of_work() as work:
        fieldwork.note_deleted(work, recording_id, order.path, runtime.clock.now())
        transcripts.forget_transcript(work, recording_id, runtime.clock.now())


def drop_recording(recording_id: int, epoch: int = 0) -> None:
    """Delete discarded words at the carrier: the light half of `fetch_recording`, which needs no process of its own."""
    fetch_recording(recording_id, epoch)


def _keep(runtime: Runtime, order: FetchOrder) -> None:
    data = runtime.carrier.fetch_recording(order.carrier_sid)
    sound: Sound = inspect_wav(data)
    path = Path("recordings") / order.public_id[:2] / f"{order.public_id}.sealed"
    sealed = runtime.office.keys.seal_bytes(data, place(Recording.__tablename__, "path", order.public_id))
    write_whole(runtime.data / path, sealed)
    with runtime.unit_of_work() as work:
        digest = hashlib.sha256(data).hexdigest()
        fieldwork.note_kept(work, order.recording_id, str(path), digest, sound.seconds, runtime.clock.now())
        transcripts.order_transcript(work, order.recording_id, runtime.speech_models, runtime.clock.now())


def sweep(
    runtime: Runtime, may: Callable[[UnitOfWork], bool] = lambda work: True, still_may: Callable[[UnitOfWork], bool] = lambda work: True
) -> None:
    """Find everything that is due in the rows and wake a worker for it; run by the clock process under its lease.

    `may` takes or renews the lease, once a sweep, in the transaction that claims people; `still_may` asks in each of the others whether it
    is still ours: a process that slept in between does nothing. The desk comes first, and by itself: who waits at the telephone must not
    wait for what cannot be dialled.
    """
    _tend_desk(runtime, still_may)
    silence = timedelta(seconds=runtime.call_limit_seconds) + LONGEST_CALL_MARGIN
    with runtime.unit_of_work() as work:
        if not may(work):
            return
        session = work.session
        now = runtime.clock.now()
        for attempt_id, epoch in queries.claimed_attempts(session):
            work.later("dial", attempt_id, epoch)
        fieldwork.watch(session, now)
        transcripts.take_stock(work, runtime.speech_models, now)
        drafts.tidy(session, now)
        for job, rows in (
            ("call_off", to_be_called_off(session)),
            ("reconcile", queries.doubtful_attempts(session, now, LIST_GRACE, ASK_PAUSE)),
            ("look_up", queries.silent_attempts(session, now, silence, ASK_PAUSE)),
            ("settle", queries.unsettled_attempts(session, now, fieldwork.LATE_TURN_GRACE)),
            ("fetch_recording", queries.open_recordings(session, now)),
            ("transcribe", due_transcripts(session, now, runtime.speech_models)),
        ):
            for row_id in rows:
                work.later(job, row_id)
        if has_room(runtime.data):  # a full disk ends calls that nobody could keep the answers of
            fieldwork.claim_due(work, runtime.office, now, AHEAD if runtime.time_passes() else timedelta(0))  # last: workers wait for it
    recall_people(runtime, still_may)
    issue_orders(runtime, still_may)


def _tend_desk(runtime: Runtime, still_may: Callable[[UnitOfWork], bool]) -> None:
    for step in desk.STEPS:
        with runtime.unit_of_work() as work:
            if not still_may(work):
                return
            step(work, runtime.office, runtime.clock.now())
