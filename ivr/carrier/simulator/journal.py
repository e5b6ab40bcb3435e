"""The exchange's own witness of each call, as JSON."""

from typing import Any

from ivr.carrier.simulator.calls import Call, Said, Stream
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
        "said": [_said(said) for said in call.said],
        "recordings": [
            {
                "sid": recording.sid, "seconds": recording.seconds, "item": recording.item, "deleted": recording.deleted,
                "text": recording.text,
            }
            for recording in call.recordings
        ],
        "streams": [_stream(stream) for stream in call.streams],
        "waits": call.waits, "silences": call.silences, "requests": call.requests, "repeats_differing": list(call.repeats_differing),
        "problems": list(call.problems),
    }  # fmt: skip


def _said(said: Said) -> dict[str, Any]:
    return {
        "at": iso(said.at), "url": said.url, "item": said.item, "text": said.text, "meant": said.meant, "manner": said.manner,
        "also_pressed": said.also_pressed, "understood": said.redirected_at is not None, "seconds_to_redirect": said.seconds_to_redirect,
        "then": said.then,
    }  # fmt: skip


def _stream(stream: Stream) -> dict[str, Any]:
    return {
        "sid": stream.sid, "name": stream.name, "url": stream.url, "track": stream.track, "parameters": stream.parameters,
        "started_at": iso(stream.started_at), "stopped_at": iso(stream.stopped_at), "frames": stream.frames, "ended": stream.ended,
    }  # fmt: skip
