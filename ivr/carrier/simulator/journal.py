"""The exchange's own witness of each call, as JSON."""

from typing import Any

from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.clock import moment


def iso(seconds: float | None) -> str | None:
    """Epoch seconds as ISO 8601 in UTC."""
    return None if seconds is None else moment(seconds).isoformat()


def entry(call: Call) -> dict[str, Any]:
    """One call: times, status, callee, everything pressed and recorded, problems found in what the application sent."""
    return {
        "sid": call.sid, "ordinal": call.ordinal, "to": call.order.to, "caller_id": call.order.caller_id, "nth": call.nth,
        "direction": call.direction,
        "callee": call.callee, "status": call.status, "answered_by": call.answered_by, "sip_code": call.sip_code,
        "parent_sid": call.parent.sid if call.parent else None, "queue_milliseconds": call.queue_milliseconds,
        "created_at": iso(call.created_at), "initiated_at": iso(call.initiated_at), "ringing_at": iso(call.ringing_at),
        "answered_at": iso(call.answered_at), "ended_at": iso(call.ended_at), "seconds": call.seconds,
        "presses": [{**press, "at": iso(press["at"])} for press in call.presses],
        "recordings": [
            {"sid": recording.sid, "seconds": recording.seconds, "item": recording.item, "deleted": recording.deleted}
            for recording in call.recordings
        ],
        "streams": [
            {**stream, "started_at": iso(stream["started_at"]), "stopped_at": iso(stream["stopped_at"])} for stream in call.streams
        ],
        "waits": call.waits, "silences": call.silences, "requests": call.requests, "repeats_differing": list(call.repeats_differing),
        "problems": list(call.problems),
    }  # fmt: skip
