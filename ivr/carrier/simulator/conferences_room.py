"""Conference rooms: who is in them, what changes there, and what is told of it (twilio_voice §1.10, §2.3, §3.2)."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ivr.carrier.simulator.calls import Call, digest
from ivr.carrier.simulator.effects import Deliver, Target
from ivr.carrier.simulator.parameters import rfc2822

UPDATED, HUNG_UP = "participant_updated_via_api", "participant_hung_up"
CLOSED, MODERATED = "conference_ended_via_api", "moderator_ended_conference"
ENDED_VIA_API = "conference-ended-via-api"
REASONS = {
    ENDED_VIA_API: "Conference ended via API",
    "participant-with-end-conference-on-exit-left": "Participant with endConferenceOnExit left the conference",
    "participant-with-end-conference-on-exit-kicked": "Participant with endConferenceOnExit was removed via API",
    "last-participant-left": "Last participant left the conference",
    "last-participant-kicked": "Last participant was removed via API",
}
"""Why a room ended, and the message that goes with it."""
WORDS = {
    "conference-start": "start", "conference-end": "end", "participant-join": "join", "participant-leave": "leave",
    "participant-mute": "mute", "participant-unmute": "mute", "participant-hold": "hold", "participant-unhold": "hold",
    "participant-modify": "modify", "announcement-end": "announcement",
}  # fmt: skip
"""By which word of statusCallbackEvent an event is asked for."""


class RoomFull(Exception):
    """The room holds as many as it may."""


class LabelTaken(Exception):
    """Somebody else in the room has this label."""


@dataclass(frozen=True)
class Participant:
    """One call in a room. `starts` and `ends`: the room may begin when it enters, it ends when it leaves."""

    call: Call
    joined_at: float
    label: str = ""
    muted: bool = False
    hold: bool = False
    starts: bool = True
    ends: bool = False
    wait_music: Target | None = None
    hold_music: Target | None = None
    announcement: Target | None = None
    updated_at: float = 0.0


@dataclass(frozen=True)
class Listener:
    """Who is told of a room's events. They are delivered one after the other, in the name of `call`."""

    call: Call
    target: Target
    events: frozenset[str]


@dataclass(frozen=True)
class Doing:
    """What somebody in a room is about, and the document that plays meanwhile: waiting, alone, talking, held, announced."""

    name: str
    hears: Target | None = None


@dataclass
class Room:
    """A conference. `members` are by the sid of their calls, in the order of joining; `status` goes init, in-progress, completed."""

    sid: str
    name: str
    account_sid: str
    created_at: float
    updated_at: float
    listener: Listener | None = None
    status: str = "init"
    members: dict[str, Participant] = field(default_factory=dict)
    sequence: int = 0
    reason_ended: str | None = None
    ended_by: Participant | None = None

    def doing(self, call: Call) -> Doing | None:
        """What the call does here now, None when it is not in the room."""
        member = self.members.get(call.sid)
        if member is None:
            return None
        if member.announcement is not None:
            return Doing("announced", member.announcement)
        if member.hold:
            return Doing("held", member.hold_music)
        if self.status == "init":
            return Doing("waiting", member.wait_music)
        return Doing("alone" if len(self.members) == 1 else "talking")

    def talking(self) -> list[Call]:
        """Whose voices meet here now. Who is muted is among them: it hears the others."""
        return [member.call for member in tuple(self.members.values()) if self.status == "in-progress" and not member.hold]

    def found(self, name: str) -> Participant | None:
        """The participant with this call sid or label."""
        members = tuple(self.members.values())
        return self.members.get(name) or next((member for member in members if member.label == name), None)


@dataclass(frozen=True)
class Change:
    """What happened in a room: the callbacks that tell of it, and whose calls were put out of it."""

    room: Room
    at: float
    told: tuple[Deliver, ...] = ()
    gone: tuple[Call, ...] = ()


class Rooms:
    """All rooms of an exchange, those that are over included. Each move gives the change that it made; safe for many threads."""

    def __init__(self, seed: int) -> None:
        self._seed, self._lock = seed, threading.Lock()
        self._rooms: dict[str, Room] = {}

    def get(self, sid: str) -> Room | None:
        """The room with this sid."""
        return self._rooms.get(sid)

    def all(self) -> list[Room]:
        """Every room, newest first."""
        with self._lock:
            return list(self._rooms.values())[::-1]

    def join(self, name: str, member: Participant, listener: Listener | None, most: int) -> Change:
        """Let a call in; the first makes the room and says who is told. Raises RoomFull, LabelTaken."""
        at = member.joined_at
        with self._lock:
            room = self._open(name) or self._made(name, member, listener)
            if len(room.members) >= most:
                raise RoomFull(name)
            if member.label and room.found(member.label):
                raise LabelTaken(member.label)
            room.members[member.call.sid], room.updated_at = member, at
            told = _told(room, "participant-join", at, member)
            if room.status == "init" and len(room.members) > 1 and any(each.starts for each in room.members.values()):
                room.status = "in-progress"
                told += _told(room, "conference-start", at)
            return Change(room, at, told)

    def leave(self, room: Room, call: Call, reason: str, at: float, *, is_kicked: bool = False) -> Change:
        """A call is in the room no longer; the last one ends it, and so does one that was to. Nothing happens when it is not there."""
        with self._lock:
            member = room.members.pop(call.sid, None)
            if member is None:
                return Change(room, at)
            told, gone = _left(room, member, reason, at), (call,) if is_kicked else ()
            how = "kicked" if is_kicked else "left"
            if member.ends:
                end = self._end(room, f"participant-with-end-conference-on-exit-{how}", MODERATED, at, member)
            elif not room.members:
                end = self._end(room, f"last-participant-{how}", MODERATED, at, member)
            else:
                end = Change(room, at)
            return Change(room, at, told + end.told, gone + end.gone)

    def end(self, room: Room, at: float) -> Change:
        """Put everybody out; nothing happens when it is over."""
        with self._lock:
            return Change(room, at) if room.status == "completed" else self._end(room, ENDED_VIA_API, CLOSED, at, None)

    def change(self, room: Room, call: Call, at: float, **changes: Any) -> Change:
        """Hold, mute or alter a participant, announce something to it; nothing happens when it is not there."""
        with self._lock:
            member = room.members.get(call.sid)
            if member is None:
                return Change(room, at)
            changed = room.members[call.sid] = replace(member, **changes, updated_at=at)
            return Change(room, at, _alterations(room, member, changed, at))

    def announced(self, room: Room, call: Call, announcement: Target, at: float) -> Change:
        """An announcement is over."""
        with self._lock:
            member = room.members.get(call.sid)
            if member is None or member.announcement != announcement:
                return Change(room, at)
            room.members[call.sid] = replace(member, announcement=None)
            return Change(room, at, _told(room, "announcement-end", at, member, {"AnnounceUrl": announcement.url}))

    def _open(self, name: str) -> Room | None:
        return next((room for room in self._rooms.values() if room.name == name and room.status != "completed"), None)

    def _made(self, name: str, first: Participant, listener: Listener | None) -> Room:
        sid = f"CF{digest(f'{self._seed}/conference/{name}/{len(self._rooms)}')}"
        room = self._rooms[sid] = Room(sid, name, first.call.account_sid, first.joined_at, first.joined_at, listener)
        return room

    def _end(self, room: Room, reason: str, reason_left: str, at: float, by: Participant | None) -> Change:
        rest = tuple(room.members.values())
        told: tuple[Deliver, ...] = ()
        for member in rest:
            del room.members[member.call.sid]
            told += _left(room, member, reason_left, at)
        room.status, room.reason_ended, room.ended_by, room.updated_at = "completed", reason, by, at
        who = {"CallSidEndingConference": by.call.sid, "ParticipantLabelEndingConference": by.label} if by else {}
        fields = {"ReasonConferenceEnded": reason, "Reason": REASONS[reason]} | who
        return Change(room, at, told + _told(room, "conference-end", at, None, fields), tuple(member.call for member in rest))


def _left(room: Room, member: Participant, reason: str, at: float) -> tuple[Deliver, ...]:
    status = "completed" if reason == HUNG_UP else member.call.status
    return _told(room, "participant-leave", at, member, {"ParticipantCallStatus": status, "ReasonParticipantLeft": reason})


def _alterations(room: Room, before: Participant, after: Participant, at: float) -> tuple[Deliver, ...]:
    told: tuple[Deliver, ...] = ()
    if before.muted != after.muted:
        told += _told(room, "participant-mute" if after.muted else "participant-unmute", at, after)
    if before.hold != after.hold:
        told += _told(room, "participant-hold" if after.hold else "participant-unhold", at, after)
    if before.ends != after.ends:
        told += _told(room, "participant-modify", at, after)
    return told


def _told(
    room: Room, event: str, at: float, member: Participant | None = None, fields: Mapping[str, str] | None = None
) -> tuple[Deliver, ...]:
    """The callback of an event, if it was asked for; numbers count what is sent, from 1."""
    listener = room.listener
    if listener is None or WORDS[event] not in listener.events:
        return ()
    room.sequence += 1
    params = {
        "ConferenceSid": room.sid, "FriendlyName": room.name, "AccountSid": room.account_sid, "SequenceNumber": str(room.sequence),
        "Timestamp": rfc2822(at) or "", "StatusCallbackEvent": event,
    }  # fmt: skip
    return (Deliver(listener.call, "status", listener.target, {**params, **_of(member), **(fields or {})}),)


def _of(member: Participant | None) -> dict[str, str]:
    if member is None:
        return {}
    flags = {
        "Muted": member.muted, "Hold": member.hold, "Coaching": False, "EndConferenceOnExit": member.ends,
        "StartConferenceOnEnter": member.starts,
    }  # fmt: skip
    label = {"ParticipantLabel": member.label} if member.label else {}
    return {"CallSid": member.call.sid, **label, **{name: str(flag).lower() for name, flag in flags.items()}}
