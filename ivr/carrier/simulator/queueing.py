"""The verbs Enqueue and Leave, and Dial's Queue: waiting, music, being taken out (twilio_voice §2.5, §3.2)."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.document import Verb
from ivr.carrier.simulator.effects import Await, Deliver, Dequeued, Effect, HungUp, Interrupted, Target, Unplayable, Wait
from ivr.carrier.simulator.network import WaitingLine
from ivr.carrier.simulator.parameters import merged, standard

if TYPE_CHECKING:
    from ivr.carrier.simulator.handset import Handset


class Left(Exception):
    """The call leaves its queue by the verb Leave."""


def enqueue(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """Wait in the named queue until taken out, leaving, or hanging up; then the action, if there is one."""
    call, line = handset.call, handset.network.waiting_line(verb.text)
    if len(line.members) >= line.max_size:
        return handset.action(verb, {"QueueResult": "queue-full"}) if verb.get("action") else None
    joined = call.now
    line.members.append((call, joined))
    call.queue = line.sid
    taken: Dequeued | None = None
    how = "leave"
    try:
        yield from _wait(handset, verb, line, joined)
    except Unplayable:
        how = "error"
        _leave(handset, line, joined)
    except Left:
        _leave(handset, line, joined)
    except Dequeued as dequeued:
        taken, how = dequeued, dequeued.result
        _leave(handset, line, joined)
    except (Interrupted, HungUp):
        _leave(handset, line, joined)
        raise
    return (yield from _after(handset, verb, line, joined, how, taken))


def _after(
    handset: "Handset", verb: Verb, line: WaitingLine, joined: float, how: str, taken: Dequeued | None
) -> Generator[Effect, Any, Target | None]:
    extra = {"QueueResult": how, "QueueSid": line.sid, "QueueTime": str(round(handset.call.now - joined))}
    action = handset.action(verb, extra) if verb.get("action") else None
    if taken is None:
        return action
    if taken.result == "bridged":
        yield from _bridged(handset, taken)
        return action
    if action is not None:  # taken by request: the action hears of it at once, the other document runs
        yield Deliver(handset.call, "queue", action, merged(standard(handset.call), extra))
    return taken.target


def _bridged(handset: "Handset", taken: Dequeued) -> Generator[Effect, Any, None]:
    network, call = handset.network, handset.call
    try:
        if taken.target is not None:
            yield from type(handset)(call, handset.persona, network, "whisper").run(taken.target)
        yield Wait(None)
    except Dequeued:
        return  # the other side let go
    finally:
        for other in network.bridge.part(call):
            network.wake(other)


def _wait(handset: "Handset", verb: Verb, line: WaitingLine, joined: float) -> Generator[Effect, Any, None]:
    patience = handset.persona.traits.patience_seconds
    url = verb.get("waitUrl")
    while handset.call.now < joined + patience:
        if not url:
            yield Wait(joined + patience - handset.call.now)
            continue
        before = handset.call.now
        first = Target(handset.absolute(url), verb.get("waitUrlMethod", "POST"), _place(handset, line, joined))
        yield from _wait_document(handset, first, joined + patience)
        if handset.call.now == before:
            yield Wait(1.0)
    raise HungUp


def _wait_document(handset: "Handset", first: Target, until: float) -> Generator[Effect, Any, None]:
    inner = type(handset)(handset.call, handset.persona, handset.network, "wait")
    target: Target | None = first
    while target is not None and handset.call.now < until:
        began = handset.call.now
        verbs = yield from inner.read(target)
        target = yield from inner.obey(verbs)
        if target is not None and handset.call.now == began:
            yield Wait(1.0)  # a document that only leads to itself


def _place(handset: "Handset", line: WaitingLine, joined: float) -> dict[str, str]:
    calls = [call for call, _ in line.members]
    return {
        "QueuePosition": str(calls.index(handset.call) + 1 if handset.call in calls else 0), "QueueSid": line.sid,
        "QueueTime": str(round(handset.call.now - joined)), "AvgQueueTime": str(line.average_wait),
        "CurrentQueueSize": str(len(calls)), "MaxQueueSize": str(line.max_size),
    }  # fmt: skip


def _leave(handset: "Handset", line: WaitingLine, joined: float) -> None:
    if (handset.call, joined) in line.members:
        line.members.remove((handset.call, joined))
    line.waits.append(handset.call.now - joined)
    handset.call.queue = None


def take_from_queue(handset: "Handset", verb: Verb, noun: Verb) -> Generator[Effect, Any, dict[str, str]]:
    """Dial's Queue: wait for a member until the timeout, talk, let go."""
    line, call = handset.network.waiting_line(noun.text), handset.call
    deadline = call.now + float(verb.get("timeout", "30"))
    while not line.members:
        if call.now >= deadline:
            return {"DialCallStatus": "no-answer", "DialBridged": "false"}
        yield Wait(1.0)
    member, _ = line.members.popleft()
    whisper = Target(handset.absolute(noun.get("url")), noun.get("method", "POST")) if noun.get("url") else None
    handset.network.bridge.join(call, member)
    handset.network.interrupt(member, Dequeued(whisper, "bridged"))
    started = call.now
    yield from _talk(handset, member)
    return {
        "DialCallStatus": "completed",
        "DialCallSid": member.sid,
        "DialCallDuration": str(round(call.now - started)),
        "DialBridged": "true",
    }


def _talk(handset: "Handset", member: Call) -> Generator[Effect, Any, None]:
    """Be joined until one of the two has had enough; the member is let go if it is still there."""
    call, bridge = handset.call, handset.network.bridge
    until = call.now + handset.persona.traits.talk_seconds
    try:
        while call.now < until and member in bridge.others(call):
            yield Await(until - call.now)
    finally:
        if member in bridge.part(call):
            handset.network.interrupt(member, Dequeued(None, "bridged"))
