"""The jobs of the desk: ring the operator's telephone, bring the person on, let the operator go. No transaction is open meanwhile."""

import logging
import time

from ivr.carrier.base import Accepted, CallRequest, CarrierError, CarrierGone, Rejected
from ivr.voice.insistence import insist
from survey import desk
from survey.desk.ringing import RingOrder, RoomOrder
from survey.desk_clock import LONGEST_TALK
from worker.runtime import Runtime, current

log = logging.getLogger(__name__)

LAG_SECONDS = 0.7
TALK_SECONDS = int(LONGEST_TALK.total_seconds())
"""The limit of the machine's calls is for the machine alone."""


def ring_desk(takeover_id: int, epoch: int = 0) -> None:
    """Ring the telephone of the operator who has claimed the call, once; whatever goes wrong, others are offered the call again."""
    runtime = current()
    with runtime.unit_of_work() as work:
        order = desk.ringing.prepare_ring(work, runtime.office, takeover_id, runtime.clock.now())
    if order is None:
        return
    placement = runtime.carrier.place_call(_request(runtime, order))
    with runtime.unit_of_work() as work:
        if isinstance(placement, Accepted):
            desk.ringing.note_accepted(work, order.token, placement.sid, runtime.clock.now())
            return
        log.warning("the operator of takeover %s could not be rung: %s", takeover_id, placement, extra=_event("ring_failed", takeover_id))
        if isinstance(placement, Rejected):
            desk.ringing.note_refused(work, runtime.office, order.token, placement.kind, placement.code, runtime.clock.now())
        else:
            desk.ringing.note_unrung(work, runtime.office, order.token, runtime.clock.now())


def _request(runtime: Runtime, order: RingOrder) -> CallRequest:
    base = f"{runtime.public_base_url}/voice/desk/{order.token}"
    return CallRequest(
        to=order.to, caller_id=order.caller_id, answer_url=insist(f"{base}/whisper"), fallback_url=insist(f"{base}/over"),
        status_url=insist(f"{base}/status"), machine_url=None, ring_seconds=order.seconds, limit_seconds=TALK_SECONDS,
    )  # fmt: skip


def leave_desk(takeover_id: int, epoch: int = 0) -> None:
    """Have the person's call go on at once: to the operator who is ready, out of a vain wait, back to the script, or to its end."""
    runtime = current()
    with runtime.unit_of_work() as work:
        way = desk.ringing.way_on(work, takeover_id)
    if way is None:
        return
    try:
        address = insist(f"{runtime.public_base_url}/voice/attempts/{way.token}/steps/{way.step}")
        runtime.carrier.redirect(way.sid, address, TALK_SECONDS if way.is_to_talk else None)
    except CarrierError as problem:
        log.warning("takeover %s could not be brought on: %s", takeover_id, problem, extra=_event("leave_desk_failed", takeover_id))
        with runtime.unit_of_work() as work:
            work.later("look_up", way.attempt_id)  # the call may be over, and its end have been lost on the way to us


def let_go(takeover_id: int, epoch: int = 0) -> None:
    """Put down the operator's telephone after the talk; the sweep asks again for what fails."""
    runtime = current()
    with runtime.unit_of_work() as work:
        sid = desk.ringing.leg_to_release(work, runtime.office, takeover_id, runtime.clock.now())
    if sid is None:
        return
    try:
        runtime.carrier.hang_up(sid)
    except CarrierGone:
        log.info("takeover %s: the carrier knows the operator's call no more", takeover_id, extra=_event("let_go_gone", takeover_id))
    except CarrierError as problem:
        log.warning("takeover %s: the operator is not let go yet: %s", takeover_id, problem, extra=_event("let_go_failed", takeover_id))
        return
    with runtime.unit_of_work() as work:
        desk.ringing.note_released(work, takeover_id, runtime.clock.now())


def steer_room(takeover_id: int, epoch: int = 0) -> None:
    """Hold or mute as the operator wants it, until the carrier has it so; the sweep asks again for what fails."""
    runtime = current()
    while (order := _room(runtime, takeover_id)) is not None:  # also for what was wanted otherwise meanwhile: no second job was let in
        if not _steer(runtime, order, takeover_id):
            return
        with runtime.unit_of_work() as work:
            desk.ringing.note_steered(work, takeover_id, order)


def _room(runtime: Runtime, takeover_id: int) -> RoomOrder | None:
    with runtime.unit_of_work() as work:
        return desk.ringing.prepare_steer(work, takeover_id)


def _steer(runtime: Runtime, order: RoomOrder, takeover_id: int) -> bool:
    """Whether the carrier has done it; its list of a room lags, so it is asked once more after a moment."""
    room, held = f"room-{order.token}", f"{runtime.public_base_url}/voice/attempts/{order.token}/held"
    for pause in (LAG_SECONDS, None):
        try:
            runtime.carrier.hold(room, order.person_sid, order.held, insist(held))
            runtime.carrier.mute(room, order.operator_sid, order.muted)
            return True
        except CarrierError as problem:
            if pause is None or not isinstance(problem, CarrierGone):
                log.warning("the room of takeover %s: %s", takeover_id, problem, extra=_event("steer_failed", takeover_id))
                return False
            time.sleep(pause if runtime.time_passes() else 0)
    return False


def _event(action: str, takeover_id: int) -> dict[str, object]:
    return {"action": action, "takeover": takeover_id}
