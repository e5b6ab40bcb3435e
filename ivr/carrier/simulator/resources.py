"""Calls, recordings, queues, conferences and errors as the carrier's JSON (twilio_call_schema)."""

from typing import Any

from ivr.carrier.simulator.calls import Call, Notification, Recording
from ivr.carrier.simulator.conferences_room import Participant, Room
from ivr.carrier.simulator.network import WaitingLine
from ivr.carrier.simulator.parameters import API_VERSION, rfc2822

SUBRESOURCES = (
    "notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions",
    "user_defined_message_subscriptions", "user_defined_messages",
)  # fmt: skip


def account_uri(account_sid: str, path: str) -> str:
    """A relative URI below the account."""
    return f"/{API_VERSION}/Accounts/{account_sid}/{path}"


def call_json(call: Call) -> dict[str, Any]:
    """A Call resource; numbers are strings, what is not known yet is null."""
    base = account_uri(call.account_sid, f"Calls/{call.sid}")
    order = call.order
    return {
        "sid": call.sid, "date_created": rfc2822(call.created_at), "date_updated": rfc2822(call.updated_at),
        "parent_call_sid": call.parent.sid if call.parent else None, "account_sid": call.account_sid,
        "to": order.to, "to_formatted": order.to, "from": order.caller_id, "from_formatted": order.caller_id,
        "phone_number_sid": None, "status": call.status, "start_time": rfc2822(call.initiated_at), "end_time": rfc2822(call.ended_at),
        "duration": None if call.seconds is None else str(call.seconds), "price": None, "price_unit": "USD", "direction": call.direction,
        "answered_by": call.answered_by, "api_version": API_VERSION, "forwarded_from": None, "group_sid": None, "caller_name": None,
        "queue_time": str(call.queue_milliseconds), "trunk_sid": None, "annotation": None, "uri": f"{base}.json",
        "subresource_uris": {name: f"{base}/{_camel(name)}.json" for name in SUBRESOURCES},
    }  # fmt: skip


def recording_json(recording: Recording, account_sid: str, now: float) -> dict[str, Any]:
    """A Recording resource; its file is there once the status is completed."""
    base = account_uri(account_sid, f"Recordings/{recording.sid}")
    return {
        "sid": recording.sid, "account_sid": account_sid, "call_sid": recording.call_sid, "conference_sid": None,
        "api_version": API_VERSION, "date_created": rfc2822(recording.started_at), "date_updated": rfc2822(recording.available_at),
        "start_time": rfc2822(recording.started_at), "duration": str(recording.seconds), "price": None, "price_unit": "USD",
        "status": "completed" if now >= recording.available_at else "processing", "channels": 1, "source": "RecordVerb",
        "error_code": None, "track": "both", "encryption_details": None, "uri": f"{base}.json", "media_url": recording.url,
        "subresource_uris": {},
    }  # fmt: skip


def notification_json(notification: Notification, call: Call) -> dict[str, Any]:
    """A Notification resource: where faults in documents show."""
    at = rfc2822(notification.at)
    return {
        "sid": notification.sid, "account_sid": call.account_sid, "api_version": API_VERSION, "call_sid": call.sid,
        "date_created": at, "date_updated": at, "message_date": at, "error_code": str(notification.code), "log": str(notification.log),
        "message_text": notification.message, "more_info": f"https://www.twilio.com/docs/errors/{notification.code}",
        "request_method": notification.method, "request_url": notification.url,
        "uri": account_uri(call.account_sid, f"Notifications/{notification.sid}.json"),
    }  # fmt: skip


def queue_json(line: WaitingLine, account_sid: str) -> dict[str, Any]:
    """A Queue resource."""
    base = account_uri(account_sid, f"Queues/{line.sid}")
    created = rfc2822(line.created_at)
    return {
        "sid": line.sid, "account_sid": account_sid, "friendly_name": line.name, "current_size": len(line.members),
        "max_size": line.max_size, "average_wait_time": line.average_wait, "date_created": created, "date_updated": created,
        "uri": f"{base}.json",
        "subresource_uris": {"members": f"{base}/Members.json"},
    }  # fmt: skip


def member_json(line: WaitingLine, position: int, account_sid: str, now: float) -> dict[str, Any]:
    """A queue's member; positions count from 1."""
    call, joined = line.members[position - 1]
    return {
        "call_sid": call.sid, "queue_sid": line.sid, "date_enqueued": rfc2822(joined), "position": position,
        "wait_time": round(now - joined), "uri": account_uri(account_sid, f"Queues/{line.sid}/Members/{call.sid}.json"),
    }  # fmt: skip


def conference_json(room: Room) -> dict[str, Any]:
    """A Conference resource."""
    base = account_uri(room.account_sid, f"Conferences/{room.sid}")
    return {
        "sid": room.sid, "account_sid": room.account_sid, "friendly_name": room.name, "status": room.status, "region": "us1",
        "api_version": API_VERSION, "date_created": rfc2822(room.created_at), "date_updated": rfc2822(room.updated_at),
        "reason_conference_ended": room.reason_ended, "call_sid_ending_conference": room.ended_by.call.sid if room.ended_by else None,
        "uri": f"{base}.json", "subresource_uris": {name: f"{base}/{_camel(name)}.json" for name in ("participants", "recordings")},
    }  # fmt: skip


def participant_json(member: Participant, room: Room) -> dict[str, Any]:
    """A Participant resource: somebody who is in the room now."""
    return {
        "call_sid": member.call.sid, "label": member.label or None, "conference_sid": room.sid, "account_sid": room.account_sid,
        "muted": member.muted, "hold": member.hold, "coaching": False, "call_sid_to_coach": None, "status": "connected",
        "start_conference_on_enter": member.starts, "end_conference_on_exit": member.ends, "queue_time": None,
        "date_created": rfc2822(member.joined_at), "date_updated": rfc2822(member.updated_at),
        "uri": account_uri(room.account_sid, f"Conferences/{room.sid}/Participants/{member.call.sid}.json"),
    }  # fmt: skip


def error_json(status: int, code: int, message: str) -> dict[str, Any]:
    """An error of the 2010 API."""
    return {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
