"""The telephone exchange: places calls, lives them on its clock, keeps their recordings, queues and the journal."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ivr.carrier.simulator import desk_telephones, faults
from ivr.carrier.simulator.bridge import Bridge
from ivr.carrier.simulator.calls import Call, Order, Recording, digest
from ivr.carrier.simulator.clock import ExchangeClock, moment
from ivr.carrier.simulator.conferences_room import Change, Rooms
from ivr.carrier.simulator.delivery import Courier
from ivr.carrier.simulator.driving import Driver
from ivr.carrier.simulator.effects import Ended, Interrupted, LegEnded
from ivr.carrier.simulator.incoming import NoNumber, Number, returns_after
from ivr.carrier.simulator.journal import entry
from ivr.carrier.simulator.life import live, receive
from ivr.carrier.simulator.media import Media, Speech
from ivr.carrier.simulator.network import WaitingLine
from ivr.carrier.simulator.persona import Persona, Traits
from ivr.carrier.simulator.phone import PHONE, UNHURRIED, Person
from ivr.carrier.simulator.phones import Phones
from ivr.carrier.simulator.schedule import Schedule
from ivr.carrier.simulator.webhooks import WebHooks

MACHINE_TAPE_SECONDS = 60.0
NOBODY = Traits(pick_up="no-answer")  # at a client or SIP address where nobody was put


class NotInProduction(Exception):
    """The simulated carrier must not be used where real people are called."""


class QueueFull(Exception):
    """More than a day's calls are waiting."""


@dataclass(frozen=True)
class Account:
    """Whose exchange it is. `keys` are API keys (SK sid to secret); `caller_ids`, if given, are the only numbers it may call from."""

    sid: str
    auth_token: str
    keys: Mapping[str, str] = field(default_factory=dict)
    caller_ids: frozenset[str] | None = None


@dataclass(frozen=True)
class Terms:
    """How the exchange works: its pace, its queue, threads for web-hooks, the quantum of virtual time."""

    calls_per_second: float = 1.0
    queue_seconds: float = 86400.0
    threads: int = 8
    quantum_seconds: float = 1.0
    speech: Speech = field(default_factory=Speech)


class Exchange:
    """All calls of one account. `environment` must not be `production`: NotInProduction is raised."""

    def __init__(self, account: Account, clock: ExchangeClock, *, environment: str, seed: int = 0, terms: Terms | None = None) -> None:
        if environment == "production":
            raise NotInProduction("the simulated carrier calls nobody: name a real one in HUIFANG_TWILIO_API_URL")
        self.account, self.clock, self.seed, self.terms = account, clock, seed, terms or Terms()
        self.base_url = "http://127.0.0.1"  # where its API is served: recordings' addresses start with it
        self.faults = faults.CreateFates(faults.FaultPlan(seed=seed))
        self.schedule = Schedule(clock, self.terms.threads, self.terms.quantum_seconds)
        hooks = WebHooks(account.auth_token, self.terms.threads + 4)
        self.courier = Courier(hooks, self.schedule, seed, lambda: self.faults.plan)
        self.media = Media(account.sid, account.auth_token, self.schedule, self.courier, self.terms.speech)
        self.phones = Phones(self)
        self.bridge = Bridge(self.phones.refresh)
        self._driver = Driver(self.schedule, lambda: self.courier, self.media, self.phones, self._over)
        self.calls: dict[str, Call] = {}
        self.recordings: dict[str, Recording] = {}
        self.queues: dict[str, WaitingLine] = {}
        self.rooms = Rooms(seed)
        self.number: Number | None = None  # ours; without it nobody calls us
        self._by_number: dict[str, list[Call]] = {}
        self._registered: dict[str, Traits] = {}
        self._failed_once: set[str] = set()
        self._ordinals, self._slot = itertools.count(), 0.0

    def place(self, order: Order) -> Call:
        """Take a call; it waits for its turn by calls per second. Raises QueueFull."""
        with self.schedule.changed:
            now = self.clock.now()
            slot = max(now, self._slot)
            if slot - now > self.terms.queue_seconds:
                raise QueueFull
            self._slot = slot + 1 / self.terms.calls_per_second
            call, persona = self._new_call(order, now, None)
            call.queue_milliseconds = round((slot - now) * 1000)
        call.story = live(call, persona, self)
        self._driver.begin(call, now)
        return call

    def receive(self, caller: str, to: str, persona: Persona | None = None, at: float | None = None) -> Call:
        """Somebody calls our number `to`: the person of the table, or another. Raises NoNumber when it has no address."""
        if self.number is None:
            raise NoNumber(to)
        with self.schedule.changed:
            now = self.clock.now() if at is None else at
            call, persona = self._new_call(self.number.order(caller, to), now, None, inbound=True, persona=persona)
        call.story = receive(call, persona, self)
        self._driver.begin(call, now)
        return call

    def register(self, address: str, traits: Traits) -> None:
        """Put a person with these traits at a number or `client:` address, instead of the table's."""
        self._registered[address] = traits

    def run_until(self, end: datetime) -> None:
        """Run all events until a virtual moment."""
        self.schedule.run_until(end.timestamp())

    def next_event_at(self) -> datetime | None:
        """When something happens next, None when nothing will."""
        at = self.schedule.next_at()
        return None if at is None else moment(at)

    def live_calls(self) -> list[Call]:
        """The calls that have not ended."""
        with self.schedule.changed:
            return [call for call in self.calls.values() if not call.ended]

    def calls_to(self, number: str) -> list[Call]:
        """The calls to a number, oldest first."""
        with self.schedule.changed:
            return list(self._by_number.get(number, ()))

    def forget(self, call: Call) -> None:
        """Drop the record of a call that is over."""
        with self.schedule.changed:
            self.calls.pop(call.sid, None)
            self._by_number[call.order.to].remove(call)

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        """What happened at every call, from the `since`-th on, as JSON objects: the carrier's own witness."""
        with self.schedule.changed:
            calls = [call for call in self.calls.values() if call.ordinal >= since]
        return [entry(call) for call in calls]

    def is_registered(self, address: str) -> bool:
        """Whether a person was put at this address."""
        return address in self._registered

    def first_failure_of(self, number: str) -> bool:
        """True the first time it is asked for a number: the carrier fails once there."""
        with self.schedule.changed:
            first = number not in self._failed_once
            self._failed_once.add(number)
            return first

    def hurry(self, call: Call) -> None:
        """Deliver a call's first status callback now, before whoever created it has the answer."""
        self.schedule.run_call(call)

    def inflict(self, plan: faults.FaultPlan) -> None:
        """Put a plan of faults in force."""
        self.faults = faults.CreateFates(plan)

    def end(self, call: Call) -> None:
        """End a call by request: `canceled` before it is answered, `completed` after; nothing happens to an ended one."""
        with self.schedule.changed:
            if call.ended:
                return
            if call.parent is None:
                call.finish("completed" if call.answered_at else "canceled", self.clock.now())
        self.interrupt(call.root, LegEnded() if call.parent else Ended())  # a leg is finished by the Dial that rings it

    def interrupt(self, call: Call, interruption: Interrupted) -> None:
        """Change a call's course now; a request that is under way is waited for, its reply is not obeyed."""
        self._driver.interrupt(call, interruption)

    def wake(self, call: Call) -> None:
        """End what a call awaits."""
        self._driver.wake(call)

    def new_sid(self, prefix: str, call: Call, number: int) -> str:
        """An identifier derived from the seed, the call and a number."""
        return f"{prefix}{digest(f'{self.seed}/{prefix}/{call.sid}/{number}')}"

    def recording_url(self, sid: str) -> str:
        """The address of a recording at this exchange's API."""
        return f"{self.base_url}/2010-04-01/Accounts/{self.account.sid}/Recordings/{sid}"

    def keep_recording(self, recording: Recording) -> None:
        """Make a recording findable by its sid."""
        self.recordings[recording.sid] = recording

    def waiting_line(self, name: str) -> WaitingLine:
        """The queue of that name; it is made when there is none."""
        with self.schedule.changed:
            for line in self.queues.values():
                if line.name == name:
                    return line
            line = WaitingLine(f"QU{digest(f'{self.seed}/queue/{name}')}", name, self.clock.now())
            self.queues[line.sid] = line
            return line

    def room_changed(self, change: Change) -> None:
        """Do what follows from a change in a conference: callbacks, waking whom it concerns, who hears whom."""
        for told in change.told:
            self.courier.post(told, change.at)
        with self.schedule.changed:
            members = [member.call for member in list(change.room.members.values())]
            for call in (*members, *change.gone):
                self.wake(call)
            self._join_voices((*members, *change.gone), change.room.talking())

    def _join_voices(self, calls: Sequence[Call], talking: Sequence[Call]) -> None:
        before = {call.sid: {other.sid for other in self.bridge.others(call)} for call in calls}
        wanted = {call.sid: {other.sid for other in talking} - {call.sid} for call in talking}
        if before == {call.sid: wanted.get(call.sid, set()) for call in calls}:
            return
        for call in calls:
            self.bridge.part(call)
        for call, other in itertools.pairwise(talking):
            self.bridge.join(call, other)

    def ring(self, parent: Call, to: str, caller_id: str) -> tuple[Call, Persona]:
        """A leg of a Dial: it is never queued."""
        with self.schedule.changed:
            order = replace(parent.order, to=to, caller_id=caller_id, url=None, twiml=None, status_url=None, fallback_url=None)
            return self._new_call(order, parent.now, parent)

    def limit(self, call: Call) -> None:
        """End a call when its time limit is over, or when the answering machine's tape is full."""
        self._limit(call, call.now)

    def _limit(self, call: Call, began: float) -> None:
        at = began + self._longest_seconds(call)
        call.limits.add(self.schedule.put(call, at, lambda then: self._out_of_time(call, began, then)))

    def _longest_seconds(self, call: Call) -> float:
        is_machine = self._traits(call).pick_up in ("machine", "fax")
        return min(MACHINE_TAPE_SECONDS if is_machine else math.inf, float(call.order.limit_seconds))

    def close(self) -> None:
        """Stop the clock, all streams and all threads."""
        self.schedule.close()
        self.phones.close()
        self.media.close()

    def _out_of_time(self, call: Call, began: float, at: float) -> None:
        if at < began + self._longest_seconds(call):  # an update has given it more
            self._limit(call, began)
        elif not call.ended:
            call.finish("completed", at)
            self._driver.interrupt_now(call, Ended(), at)

    def _new_call(
        self, order: Order, now: float, parent: Call | None, *, inbound: bool = False, persona: Persona | None = None
    ) -> tuple[Call, Persona]:
        ordinal = next(self._ordinals)
        earlier, person = self._by_number.setdefault(order.to, []), order.caller_id if inbound else order.to
        persona = persona or (None if inbound else self.phones.person_at(person))
        kind = desk_telephones.kind_of(person).name
        name = PHONE if isinstance(persona, Person) else "registered" if person in self._registered else kind
        call = Call(
            f"CA{digest(f'{self.seed}/call/{ordinal}')}", ordinal, self.account.sid, order, now, len(earlier) + 1, name,
            direction="inbound" if inbound else "outbound-dial" if parent else "outbound-api", parent=parent, updated_at=now, now=now,
        )  # fmt: skip
        earlier.append(call)
        self.calls[call.sid] = call
        if isinstance(persona, Person):
            persona.call = call
        traits = self._traits(call)
        someone = desk_telephones.Operator if traits.at_desk else Persona
        return call, persona or someone(traits, person, self.seed, call.nth, self.media.speech.share)

    def _traits(self, call: Call) -> Traits:
        address = call.person
        if call.callee == PHONE:
            return UNHURRIED
        if address in self._registered:
            return self._registered[address]
        return desk_telephones.kind_of(address).traits if address.startswith("+") else NOBODY

    def _over(self, call: Call) -> None:
        """A call's story has come to its end."""
        self.media.hang_up(call)
        self.phones.hang_up(call)
        for other in self.bridge.part(call):
            self.wake(other)
        self.schedule.withdraw(call, call.limits)
        after = returns_after(call, self._traits(call)) if self.number else None
        if after is not None:
            self.schedule.put(call, call.now + after, lambda at: self.receive(call.order.to, call.order.caller_id, at=at))
