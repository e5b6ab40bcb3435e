"""The form fields of web-hooks (twilio_voice §2.2 to §2.4), and the carrier's way of writing dates."""

from collections.abc import Mapping
from email.utils import format_datetime

from ivr.carrier.simulator.calls import Call, Recording, Stream
from ivr.carrier.simulator.clock import moment

API_VERSION = "2010-04-01"
_BLANK = {f"{who}{what}": "" for who in ("From", "To", "Caller", "Called") for what in ("City", "State", "Zip", "Country")}


def rfc2822(seconds: float | None) -> str | None:
    """Epoch seconds as `Tue, 31 Aug 2010 20:36:28 +0000`."""
    return None if seconds is None else format_datetime(moment(seconds))


def standard(call: Call, status: str | None = None) -> dict[str, str]:
    """What every web-hook about a call carries; the geographic fields are there and empty, as for numbers outside America."""
    order = call.order
    fields = {
        "CallSid": call.sid, "AccountSid": call.account_sid, "From": order.caller_id, "To": order.to, "Caller": order.caller_id,
        "Called": order.to, "CallStatus": status or call.status, "ApiVersion": API_VERSION, "Direction": call.direction,
    }  # fmt: skip
    if call.parent is not None:
        fields["ParentCallSid"] = call.parent.sid
    return {**_BLANK, **fields}


def progress(call: Call, status: str, sequence: int) -> dict[str, str]:
    """Fields of a status callback; a final one tells the length (Duration is in minutes begun) and the SIP code."""
    fields = standard(call, status) | {
        "Timestamp": rfc2822(call.now) or "", "CallbackSource": "call-progress-events", "SequenceNumber": str(sequence),
    }  # fmt: skip
    if call.ended:
        seconds = call.seconds or 0
        fields |= {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60)), "SipResponseCode": str(call.sip_code or 200)}
    return fields


def machine(call: Call, answered_by: str, seconds: float) -> dict[str, str]:
    """The four fields of an asynchronous machine detection."""
    return {
        "CallSid": call.sid, "AccountSid": call.account_sid, "AnsweredBy": answered_by,
        "MachineDetectionDuration": str(round(seconds * 1000)),
    }  # fmt: skip


def recorded(call: Call, recording: Recording, status: str = "completed") -> dict[str, str]:
    """Fields of a recording's status callback."""
    return {
        "AccountSid": call.account_sid, "CallSid": call.sid, "RecordingSid": recording.sid, "RecordingUrl": recording.url,
        "RecordingStatus": status, "RecordingDuration": str(recording.seconds), "RecordingChannels": "1",
        "RecordingStartTime": rfc2822(recording.started_at) or "", "RecordingSource": "RecordVerb", "RecordingTrack": "both",
    }  # fmt: skip


def streamed(call: Call, stream: Stream, event: str, error: str = "") -> dict[str, str]:
    """Fields of a stream's status callback: `stream-started`, `stream-stopped` or `stream-error`."""
    return {
        "AccountSid": call.account_sid, "CallSid": call.sid, "StreamSid": stream.sid, "StreamName": stream.name, "StreamEvent": event,
        "StreamError": error, "Timestamp": moment(call.now).isoformat(),
    }  # fmt: skip


def merged(base: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """Standard fields with those of the event on top."""
    return {**base, **extra}
