"""A telephone: asks for documents, obeys their verbs and sends what its callee presses and says.

Everything here is a generator of effects (see `effects`): no I/O, no clock.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, NoReturn
from urllib.parse import urljoin

from ivr.carrier.simulator import parameters, phone_calls
from ivr.carrier.simulator.calls import MUSIC, Call, Notification
from ivr.carrier.simulator.dialling import dial
from ivr.carrier.simulator.document import Fault, Verb, of_file, read, sounds
from ivr.carrier.simulator.effects import Download, Effect, Fetch, HungUp, Redirected, Target, Unplayable, Wait
from ivr.carrier.simulator.gathering import gather
from ivr.carrier.simulator.listening import speaking_seconds
from ivr.carrier.simulator.network import Network
from ivr.carrier.simulator.persona import Persona
from ivr.carrier.simulator.phone import Person
from ivr.carrier.simulator.queueing import Left, enqueue
from ivr.carrier.simulator.recording import record
from ivr.carrier.simulator.sound import seconds_of
from ivr.carrier.simulator.streaming import connect, start, stop
from ivr.carrier.simulator.webhooks import Reply

Steps = Generator[Effect, Any, Target | None]
MAX_LOOPS = 1000
MAX_DOCUMENTS = 500  # in one call: a script that circles for ever is a fault of the script


class ApplicationFailed(Exception):
    """Neither the document nor the fallback could be obeyed: the carrier says so and hangs up."""


class Handset:
    """One leg's telephone with its callee. `heard` is what was said since the callee last acted."""

    def __init__(self, call: Call, persona: Persona, network: Network, purpose: str = "call") -> None:
        self.call, self.persona, self.network, self.purpose = call, persona, network, purpose
        self.heard = ""
        self.document_url = ""

    def run(self, first: Target) -> Generator[Effect, Any, None]:
        """Obey documents from `first` until one ends; redirection by request goes on with another one."""
        try:
            yield from self._obey_all(first)
        finally:
            self.note_heard(self.heard)

    def note_heard(self, heard: str) -> None:
        """Write down what followed the last key, up to the next wait or the end: whether it was understood, the callee learns there."""
        for press in self.call.presses[-1:]:
            press.setdefault("then", heard)
        for said in self.call.said[-1:]:
            said.then = heard if said.then is None else said.then

    def _obey_all(self, first: Target) -> Generator[Effect, Any, None]:
        target: Target | None = first
        for _ in range(MAX_DOCUMENTS):
            if target is None:
                return
            try:
                verbs = yield from self.read(target)
                target = yield from self.obey(verbs)
            except Redirected as update:
                target = update.target
        self.problem(Fault(11215, f"more than {MAX_DOCUMENTS} documents in one call"), self.document_url)

    def read(self, target: Target) -> Generator[Effect, Any, tuple[Verb, ...]]:
        """The verbs of a document, of the fallback's if it has a fault. Raises ApplicationFailed, in a queue or conference Unplayable."""
        reply = yield from self._ask(target)
        verbs, faults = self._checked(reply)
        if not faults:
            return verbs
        self.problem(faults[0], reply.url, others=faults[1:])
        if self.purpose in ("room", "wait"):
            raise Unplayable(faults[0].message)
        order = self.call.order
        if order.fallback_url is None:
            raise ApplicationFailed(faults[0].message)
        extra = {"ErrorCode": str(faults[0].code), "ErrorUrl": target.url}
        reply = yield from self._ask(Target(order.fallback_url, order.fallback_method, extra))
        verbs, faults = self._checked(reply)
        if faults:
            self.problem(faults[0], reply.url, others=faults[1:])
            raise ApplicationFailed(faults[0].message)
        return verbs

    def obey(self, verbs: tuple[Verb, ...]) -> Steps:
        """Do what the verbs say, top to bottom; the document to go on with, or None at the end."""
        for verb in verbs:
            if verb.name in ("Hangup", "Leave", "Reject"):
                self._leave(verb)
            target = yield from _VERBS[verb.name](self, verb)
            if target is not None:
                return target
        return None

    def speak(self, text: str, seconds: float, *, is_heard: bool = True) -> Generator[Effect, Any, None]:
        """Let the callee hear something that keys cannot stop; an impatient one leaves in the middle."""
        self.heard += text
        if is_heard:
            self.call.hear(text or MUSIC, seconds)
        limit = self.persona.traits.hangs_up_after
        if limit is not None and self.call.answered_at is not None and self.call.now + seconds >= self.call.answered_at + limit:
            yield Wait(max(0.0, self.call.answered_at + limit - self.call.now))
            raise HungUp
        yield Wait(seconds)

    def loops(self, verb: Verb) -> int:
        """How many times a Say or a Play is heard."""
        return min(int(verb.get("loop", "1")) or MAX_LOOPS, MAX_LOOPS)

    def sound(self, verb: Verb) -> Generator[Effect, Any, tuple[str, float, bytes]]:
        """Text and length in seconds of one Say, Play or Pause, and the file that is played."""
        loops = self.loops(verb)
        if verb.name == "Pause":
            return "", float(verb.get("length", "1")), b""
        if verb.name == "Say":
            return verb.text * loops, speaking_seconds(verb.text) * loops, b""
        if verb.get("digits"):
            return "", 0.5 * len(verb.get("digits")), b""
        reply: Reply = yield Download(self.absolute(verb.text))
        if reply.error is not None:
            self.problem(Fault(reply.error, f"<Play> {reply.message}"), reply.url, log=1)
            return "", 0.0, b""
        return "", seconds_of(reply.body) * loops, reply.body

    def absolute(self, url: str) -> str:
        """A URL of a document, resolved against the document's own."""
        return urljoin(self.document_url, url)

    def action(self, verb: Verb, extra: Mapping[str, str]) -> Target:
        """The document that a verb hands over to."""
        return Target(self.absolute(verb.get("action")), verb.get("method", "POST"), extra)

    def problem(self, fault: Fault, url: str, *, others: list[Fault] | None = None, log: int = 0) -> None:
        """Write a fault down: in the call's journal and in the account's notifications."""
        for each in [fault, *(others or [])]:
            self.call.problems.append(f"{each.code} {each.message} [{url}]")
            sid = self.network.new_sid("NO", self.call, len(self.call.notifications))
            self.call.notifications.append(Notification(sid, self.call.now, each.code, log, each.message, url, "POST"))

    def _ask(self, target: Target) -> Generator[Effect, Any, Reply]:
        if target.twiml is not None:
            return Reply(200, "text/xml", target.twiml.encode(), "")
        reply: Reply = yield Fetch(self.call, target, parameters.merged(parameters.standard(self.call), target.extra))
        self.document_url = reply.url
        return reply

    def _checked(self, reply: Reply) -> tuple[tuple[Verb, ...], list[Fault]]:
        if reply.error is not None:
            return (), [Fault(reply.error, reply.message)]
        if reply.content_type.startswith("audio/"):
            return of_file(seconds_of(reply.body)), []
        return read(reply.body, reply.content_type, self.purpose)

    def _leave(self, verb: Verb) -> NoReturn:
        if verb.name == "Leave":
            raise Left
        if verb.name == "Reject":
            self.problem(Fault(12200, "<Reject> is for incoming calls only"), self.document_url)
        raise HungUp


def _say(handset: Handset, verb: Verb) -> Steps:
    if isinstance(handset.persona, Person):
        yield from phone_calls.hear(handset, handset.persona, verb)
        return None
    text, seconds, _ = yield from handset.sound(verb)
    yield from handset.speak(text, seconds, is_heard=sounds(verb))
    return None


def _redirect(handset: Handset, verb: Verb) -> Steps:
    yield from ()
    return Target(handset.absolute(verb.text), verb.get("method", "POST"))


_VERBS: dict[str, Callable[[Handset, Verb], Steps]] = {
    "Say": _say,
    "Play": _say,
    "Pause": _say,
    "Gather": gather,
    "Record": record,
    "Redirect": _redirect,
    "Dial": dial,
    "Enqueue": enqueue,
    "Connect": connect,
    "Start": start,
    "Stop": stop,
}
