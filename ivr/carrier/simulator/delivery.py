"""Bringing web-hooks to the application, with the faults in force, and counting them."""

import hashlib
import html
from collections.abc import Callable

from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.effects import Deliver, Fetch
from ivr.carrier.simulator.faults import Fate, FaultPlan, fate_of
from ivr.carrier.simulator.schedule import Schedule
from ivr.carrier.simulator.webhooks import Reply, WebHooks


class Courier:
    """Sends turns (whose reply is obeyed) and callbacks (whose reply is not). `plan` gives the faults in force."""

    def __init__(self, hooks: WebHooks, schedule: Schedule, seed: int, plan: Callable[[], FaultPlan]) -> None:
        self._hooks, self._schedule, self._seed, self._plan = hooks, schedule, seed, plan

    def delay_of(self, fetch: Fetch) -> float:
        """Seconds by which a turn comes late."""
        return self._fate(fetch.call, "turn").delay_seconds

    def fetch(self, fetch: Fetch, at: float) -> Reply:
        """Send a turn; its duplicate and its second asking carry the same idempotency token."""
        call, fate, token = fetch.call, self._fate(fetch.call, "turn"), self._token(fetch.call)
        reply = self._turn(fetch, token)
        if fate.drop:
            reply = self._again(fetch, token, reply)
        if fate.duplicate:
            self._again(fetch, token, reply)
        if fate.late_copy_seconds:
            self._schedule.put(call, at + fate.late_copy_seconds, lambda _: self._late(fetch, token, reply))
        return reply

    def download(self, url: str) -> Reply:
        """Get a sound."""
        return self._hooks.download(url)

    def post(self, deliver: Deliver, at: float) -> None:
        """Put a callback on its way; it arrives when it is due, in order unless a fault says otherwise."""
        call = deliver.call
        fate, token = self._fate(call, deliver.kind), self._token(call)
        if fate.drop:
            return
        due = at + deliver.after + fate.delay_seconds
        for _ in range(2 if fate.duplicate else 1):
            self._schedule.put(call, due, lambda _: self.hand_over(deliver, token))

    def hand_over(self, deliver: Deliver, token: str | None = None) -> None:
        """Deliver a callback now; a failure is noted as the carrier's debugger would."""
        call = deliver.call
        if deliver.kind == "machine":
            if call.ended:
                return
            call.answered_by = deliver.params["AnsweredBy"]
        call.requests += 1
        reply = self._hooks.send(deliver.target.url, deliver.target.method, deliver.params, token or self._token(call), call.cookies)
        if reply.error is not None:
            call.problems.append(f"{reply.error} {deliver.kind} callback: {reply.message} [{reply.url}]")

    def _turn(self, fetch: Fetch, token: str) -> Reply:
        fetch.call.requests += 1
        return self._hooks.send(fetch.target.url, fetch.target.method, fetch.params, token, fetch.call.cookies)

    def _again(self, fetch: Fetch, token: str, first: Reply) -> Reply:
        reply = self._turn(fetch, token)
        if reply.body != first.body and reply.status and first.status:  # a door that was down has not answered differently
            fetch.call.repeats_differing.append({"url": reply.url, "first": _readable(first), "again": _readable(reply)})
        return reply

    def _late(self, fetch: Fetch, token: str, first: Reply) -> None:
        self._again(fetch, token, first)

    def _fate(self, call: Call, kind: str) -> Fate:
        return fate_of(self._plan(), kind, call.sid, call.hooks_sent)

    def _token(self, call: Call) -> str:
        call.hooks_sent += 1
        return hashlib.blake2b(f"{self._seed}/{call.sid}/{call.hooks_sent}".encode(), digest_size=16).hexdigest()


def _readable(reply: Reply) -> str:
    return html.unescape(reply.body.decode("utf-8", "replace"))
