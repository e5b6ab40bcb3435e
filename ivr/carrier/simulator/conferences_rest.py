"""Conferences and their participants over HTTP (twilio_voice §1.10)."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from ivr.carrier.simulator import listing, resources
from ivr.carrier.simulator.conferences_room import UPDATED, Participant, Room
from ivr.carrier.simulator.effects import Target
from ivr.carrier.simulator.exchange import Exchange
from ivr.carrier.simulator.ordering import Refused, checked_url

UNSIMULATED = ("Coaching", "CallSidToCoach", "WaitUrl")
SWITCHES = {"Muted": "muted", "Hold": "hold", "EndConferenceOnExit": "ends"}


def blueprint(exchange: Exchange) -> Blueprint:
    """The routes below an account's `/Conferences`."""
    routes = Blueprint("conferences", __name__, url_prefix="/2010-04-01/Accounts/<account>")
    _conferences(routes, exchange)
    _participants(routes, exchange)
    return routes


def _conferences(routes: Blueprint, exchange: Exchange) -> None:
    @routes.get("/Conferences.json")
    def find() -> ResponseReturnValue:
        horizon = exchange.clock.now() - exchange.faults.plan.list_lag_seconds
        found = [room for room in exchange.rooms.all() if room.created_at <= horizon and _is_asked_for(room, request.args)]
        return listing.page(found, "conferences", request.path, request.args, resources.conference_json)

    @routes.get("/Conferences/<sid>.json")
    def fetch(sid: str) -> ResponseReturnValue:
        return resources.conference_json(_room(exchange, sid))

    @routes.post("/Conferences/<sid>.json")
    def update(sid: str) -> ResponseReturnValue:
        room, status, now = _room(exchange, sid), request.form.get("Status", ""), exchange.clock.now()
        if status not in ("", "completed"):
            raise Refused(400, 20001, f"Invalid Status: {status}")
        if status == "completed":
            exchange.room_changed(exchange.rooms.end(room, now))
        elif announcement := _document("Announce", "POST"):
            for member in list(room.members.values()):
                exchange.room_changed(exchange.rooms.change(room, member.call, now, announcement=announcement))
        return resources.conference_json(room)


def _participants(routes: Blueprint, exchange: Exchange) -> None:
    @routes.get("/Conferences/<sid>/Participants.json")
    def find_participants(sid: str) -> ResponseReturnValue:
        room, args = _room(exchange, sid), request.args
        found = [member for member in list(room.members.values()) if _passes(member, args)]
        return listing.page(found, "participants", request.path, args, lambda member: resources.participant_json(member, room))

    @routes.get("/Conferences/<sid>/Participants/<name>.json")
    def fetch_participant(sid: str, name: str) -> ResponseReturnValue:
        room = _room(exchange, sid)
        return resources.participant_json(_participant(room, name), room)

    @routes.post("/Conferences/<sid>/Participants/<name>.json")
    def update_participant(sid: str, name: str) -> ResponseReturnValue:
        room = _room(exchange, sid)
        member, changes = _participant(room, name), _changes()
        exchange.room_changed(exchange.rooms.change(room, member.call, exchange.clock.now(), **changes))
        return resources.participant_json(_participant(room, member.call.sid), room)

    @routes.delete("/Conferences/<sid>/Participants/<name>.json")
    def kick(sid: str, name: str) -> ResponseReturnValue:
        room = _room(exchange, sid)
        call = _participant(room, name).call
        exchange.room_changed(exchange.rooms.leave(room, call, UPDATED, exchange.clock.now(), is_kicked=True))
        return "", 204


def _changes() -> dict[str, Any]:
    """What an update asks for; whatever is not `true` means no, as with the carrier."""
    form = request.form
    if beyond := [name for name in UNSIMULATED if form.get(name, "false") != "false"]:
        raise Refused(400, 20001, f"The simulated carrier does not know {', '.join(beyond)}")
    changes: dict[str, Any] = {field: form[name].lower() == "true" for name, field in SWITCHES.items() if name in form}
    if "hold" in changes:
        changes["hold_music"] = _document("Hold", "GET") if changes["hold"] else None
    if announcement := _document("Announce", "POST"):
        changes["announcement"] = announcement
    return changes


def _document(purpose: str, method: str) -> Target | None:
    url = request.form.get(f"{purpose}Url")
    return Target(checked_url(url), request.form.get(f"{purpose}Method", method)) if url else None


def _is_asked_for(room: Room, args: Mapping[str, str]) -> bool:
    return args.get("FriendlyName", room.name) == room.name and args.get("Status", room.status) == room.status


def _passes(member: Participant, args: Mapping[str, str]) -> bool:
    return all(args.get(name, str(flag)).lower() == str(flag).lower() for name, flag in (("Muted", member.muted), ("Hold", member.hold)))


def _room(exchange: Exchange, sid: str) -> Room:
    room = exchange.rooms.get(sid)
    if room is None:
        raise Refused(404, 20404, f"The requested resource {request.path} was not found")
    return room


def _participant(room: Room, name: str) -> Participant:
    member = room.found(name)
    if member is None:
        raise Refused(404, 20404, f"The requested resource {request.path} was not found")
    return member
