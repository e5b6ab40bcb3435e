"""The browser phones of an exchange: which numbers they have, what their people do, and what they are shown and hear."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ivr.carrier.simulator import line
from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.effects import Hush, Prompt, PutDown, Ring, Show
from ivr.carrier.simulator.incoming import NoNumber
from ivr.carrier.simulator.phone import KEYS, Person
from ivr.carrier.simulator.phone_door import Door
from ivr.carrier.simulator.speaking import CHINESE
from ivr.carrier.simulator.voices import Utterance, voice_for
from speech.audio import mulaw_to_pcm

if TYPE_CHECKING:
    from ivr.carrier.simulator.exchange import Exchange

GRACE_SECONDS = 4.0  # for a page that is loaded again
LOUD = 300  # mean of a frame's samples: somebody speaks
PROMPT, LIVING = 0, 1  # what a sound is that a tab gets: its first byte; the second tells speakers apart


class Tab(Protocol):
    """A page that shows a phone."""

    def push(self, message: Mapping[str, Any] | bytes) -> None:
        """Send it something, from any thread."""
        ...

    def push_newest(self, look: Callable[[], Mapping[str, Any]]) -> None:
        """Send it what is seen when its turn comes, from any thread."""
        ...


@dataclass
class Phone:
    """The phone of one number: the newest tab, the person of its present or latest call."""

    number: str
    tab: Tab | None = None
    person: Person | None = None
    leaving: asyncio.TimerHandle | None = None  # runs while there is no tab

    @property
    def is_taken(self) -> bool:
        """Whether it rings or is talked on."""
        return self.person is not None and self.person.phase in ("ringing", "talking")


class Phones:
    """All browser phones. Stories ask from their threads; tabs tell on the thread of the media's loop."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._phones: dict[str, Phone] = {}
        self._lock = threading.Lock()
        self.door = Door(self, exchange.media.loop, lambda: exchange.base_url)

    @property
    def is_real(self) -> bool:
        """Whether time passes by itself: otherwise nobody is called here."""
        return self._exchange.clock.running

    def person_at(self, number: str) -> Person | None:
        """Who will be called at this number, None when it has no phone or time stands still."""
        return Person(number) if number in self._phones and self.is_real else None

    def perform(self, effect: Ring | Show | Prompt | Hush) -> float | None:
        """Do what a call's story asks for; the answer of a Prompt."""
        match effect:
            case Ring(person):
                self._ring(person)
            case Prompt():
                return self._prompt(effect)
            case Hush(person):
                self._push(person, {"event": "hush"})
            case Show(person):
                self._show(person)
        return None

    def hang_up(self, call: Call) -> None:
        """The call is over."""
        person = self._person_of(call)
        if person is not None:
            person.end(call.status)
        self.refresh(call)

    def refresh(self, call: Call) -> None:
        """The call hears others than before."""
        person = self._person_of(call)
        if person is not None:
            self._show(person)

    def plug_in(self, number: str, tab: Tab) -> None:
        """A tab has the number from now on; an older one is told."""
        with self._lock:
            phone = self._phones.setdefault(number, Phone(number))
            older, phone.tab = phone.tab, tab
        if phone.leaving is not None:
            phone.leaving.cancel()
        if older is not None:
            older.push({"event": "replaced"})
        tab.push_newest(lambda: self.state(phone))

    def pull_out(self, number: str, tab: Tab) -> None:
        """A tab is gone: its call goes on for a while, in case the page is only being loaded again."""
        phone = self._phones.get(number)
        if phone is not None and phone.tab is tab:
            phone.tab = None
            phone.leaving = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._forget, phone)

    def is_newest(self, number: str, tab: Tab) -> bool:
        """Whether the number is this tab's."""
        phone = self._phones.get(number)
        return phone is not None and phone.tab is tab

    def do(self, number: str, wish: Mapping[str, Any]) -> None:
        """The person does something at the phone."""
        phone = self._phones[number]
        match wish.get("do"):
            case "dial":
                self._dial(phone, str(wish.get("to", "")))
            case "hang up":
                self._put_down(phone)
            case "answer" if phone.person is not None:
                phone.person.lift()
                self._changed(phone.person)
            case "key" if phone.person is not None and phone.person.phase == "talking" and wish.get("key") in tuple(KEYS):
                phone.person.press(str(wish["key"]))
                self._changed(phone.person)
            case "state" if phone.tab is not None:
                phone.tab.push_newest(lambda: self.state(phone))

    def hear(self, number: str, frame: bytes) -> None:
        """20 ms from the phone's microphone: into the call's streams, its recording, and to whoever is joined with it."""
        person = self._phones[number].person
        if person is None or person.call is None or person.phase != "talking" or len(frame) != line.FRAME:
            return
        if np.abs(mulaw_to_pcm(frame).astype(np.int32)).mean() > LOUD:
            person.spoke_at = self._exchange.clock.now()
        if person.is_recorded:
            person.tape.extend(frame)
        self._exchange.media.hear(person.call, frame)
        for other in self._exchange.bridge.others(person.call):
            listener = self._person_of(other)
            if listener is not None:
                self._push(listener, bytes((LIVING, person.call.ordinal % 256)) + frame)

    def state(self, phone: Phone) -> dict[str, Any]:
        """What a tab shows."""
        person = phone.person
        call = self._call_of(person) if person is not None and person.call is not None else None
        return {"event": "state", "number": phone.number, "real": self.is_real, "bureau": self._bureau(), "call": call}

    def close(self) -> None:
        """End the tabs' connections."""
        self.door.close()

    def _ring(self, person: Person) -> None:
        with self._lock:
            phone = self._phones.get(person.number)
            if phone is not None and phone.is_taken:
                person.decline()
                return
            person.phase = "ringing"
            if phone is not None:
                phone.person = person
        self._show(person)

    def _prompt(self, prompt: Prompt) -> float:
        if prompt.text:
            prompt.person.say(prompt.text)
            self._show(prompt.person)
        sound = self._sound(prompt)
        if sound:
            self._push(prompt.person, bytes((PROMPT, 0)) + sound)
        return len(sound) / line.RATE

    def _sound(self, prompt: Prompt) -> bytes:
        if prompt.sound:
            try:
                return line.mulaw(line.read_wav(prompt.sound))
            except ValueError:
                return b""
        if not prompt.text:
            return b""
        is_chinese = CHINESE.search(prompt.text) is not None
        return self._exchange.media.voices.mulaw(Utterance(prompt.text, voice_for("zh" if is_chinese else "en", 0.0))) or b""

    def _dial(self, phone: Phone, to: str) -> None:
        person = Person(phone.number)
        with self._exchange.schedule.changed:  # the story begins when the phone knows of the call
            if phone.is_taken:
                return
            try:
                problem = "" if self.is_real else "virtual"
                if not problem:
                    self._exchange.receive(phone.number, to, person)
            except NoNumber:
                problem = "no number"
            if not problem:
                person.connect()
                phone.person = person
        if phone.tab is not None and problem:
            phone.tab.push({"event": "problem", "what": problem})
        elif phone.tab is not None:
            phone.tab.push_newest(lambda: self.state(phone))

    def _put_down(self, phone: Phone) -> None:
        person = phone.person
        if person is None or person.call is None:
            return
        if person.phase == "ringing":
            person.decline()
            self._changed(person)
        elif person.phase == "talking" and person.call.parent is not None:
            self._exchange.end(person.call)
        elif person.phase == "talking":
            self._exchange.interrupt(person.call, PutDown())

    def _forget(self, phone: Phone) -> None:
        if phone.tab is None and self._phones.get(phone.number) is phone:
            with self._lock:
                del self._phones[phone.number]
            if phone.person is not None and phone.person.phase != "ringing":
                self._put_down(phone)  # a phone that nobody can see rings on

    def _changed(self, person: Person) -> None:
        self._show(person)
        if person.call is not None:
            self._exchange.wake(person.call)

    def _show(self, person: Person) -> None:
        phone = self._phones.get(person.number)
        if phone is not None and phone.person is person and phone.tab is not None:
            phone.tab.push_newest(lambda: self.state(phone))

    def _push(self, person: Person, message: Mapping[str, Any] | bytes) -> None:
        phone = self._phones.get(person.number)
        if phone is not None and phone.person is person and phone.tab is not None:
            phone.tab.push(message)

    def _person_of(self, call: Call) -> Person | None:
        with self._lock:
            people = [phone.person for phone in self._phones.values() if phone.person is not None]
        return next((person for person in people if person.call is call), None)

    def _call_of(self, person: Person) -> dict[str, Any]:
        call = person.call
        assert call is not None
        is_ours = call.direction == "inbound"
        return {
            "sid": call.sid, "phase": person.phase, "status": person.status, "is_outgoing": is_ours,
            "peer": call.order.to if is_ours else call.order.caller_id,
            "lines": [{"by": each.by, "text": each.text} for each in person.lines],
            "recording": person.is_recorded, "joined": [other.person for other in self._exchange.bridge.others(call)],
            "seconds": max(0.0, self._exchange.clock.now() - call.answered_at) if call.answered_at else 0.0,
        }  # fmt: skip

    def _bureau(self) -> str:
        with self._exchange.schedule.changed:
            calls = reversed(self._exchange.calls.values())
            return next((call.order.caller_id for call in calls if call.direction == "outbound-api"), "")
