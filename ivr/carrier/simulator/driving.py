"""Drives the stories of calls: performs the effects that they ask for, lets them wait, wakes and interrupts them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.delivery import Courier
from ivr.carrier.simulator.effects import (
    Await,
    Deliver,
    Download,
    Effect,
    Fetch,
    Hush,
    Interrupted,
    Prompt,
    Ring,
    Show,
    Wait,
)
from ivr.carrier.simulator.media import Media
from ivr.carrier.simulator.phones import Phones
from ivr.carrier.simulator.schedule import Schedule


class Driver:
    """The stories of an exchange's calls. `courier` gives the one in service, `over` hears of each story that has come to its end."""

    def __init__(
        self, schedule: Schedule, courier: Callable[[], Courier], media: Media, phones: Phones, over: Callable[[Call], None]
    ) -> None:  # fmt: skip
        self._schedule, self._courier, self._media, self._phones, self._over = schedule, courier, media, phones, over

    def begin(self, call: Call, at: float) -> None:
        """Let a call's story begin at that moment."""
        self._schedule.put(call, at, lambda then: self._resume(call, 0, then))

    def interrupt(self, call: Call, interruption: Interrupted) -> None:
        """Throw an interruption into a call's story as soon as what it is doing is done."""
        with self._schedule.changed:
            call.interruptions.append(interruption)
        self._schedule.put(call, self._schedule.clock.now(), lambda at: self._resume(call, None, at))

    def interrupt_now(self, call: Call, interruption: Interrupted, at: float) -> None:
        """Throw an interruption into a call's story, from an entry of its own agenda."""
        call.interruptions.append(interruption)
        self._resume(call, None, at)

    def wake(self, call: Call) -> None:
        """End what the story awaits (that of a leg's call is its parent's)."""
        root = call.root
        self._schedule.put(root, self._schedule.clock.now(), lambda at: self._resume(root, root.awaiting, at))

    def _resume(self, call: Call, turn: int | None, at: float) -> None:
        stale = turn != call.turn if turn is not None else not call.interruptions
        if not stale and call.story is not None:
            self._schedule.withdraw(call, call.waiting)
            call.waiting.clear()
            self._drive(call, at, None)

    def _drive(self, call: Call, at: float, held: Effect | None) -> None:
        """Let a call's story go on until it waits; `held` is an effect that was put off."""
        call.now = at
        effect: Effect | None = held
        result: Any = None
        while True:
            if effect is None:
                effect = self._advance(call, result)
                if effect is None:
                    return
            call.turn += 1
            match effect:
                case Wait(seconds):
                    self._sleep(call, at, seconds)
                    return
                case Await(seconds):
                    call.awaiting = call.turn
                    self._sleep(call, at, seconds)
                    return
                case Fetch() if held is None and (delay := self._courier().delay_of(effect)):
                    self._schedule.put(call, at + delay, partial(self._postponed, call, call.turn, effect))
                    return
                case Fetch():
                    result = self._courier().fetch(effect, at)
                case Download(url):
                    result = self._courier().download(url)
                case Deliver():
                    self._courier().post(effect, at)
                    result = None
                case Ring() | Show() | Prompt() | Hush():
                    result = self._phones.perform(effect)
                case _:
                    result = self._media.perform(effect)
            effect = held = None

    def _advance(self, call: Call, result: Any) -> Effect | None:
        assert call.story is not None
        try:
            with self._schedule.changed:
                interruption = call.interruptions.popleft() if call.interruptions else None
            if interruption is not None and call.turn == 0:
                raise StopIteration  # it never began, so nobody is told
            if interruption is not None:
                return call.story.throw(interruption)
            return call.story.send(result)
        except StopIteration:
            call.story = None
            self._over(call)
            return None

    def _sleep(self, call: Call, at: float, seconds: float | None) -> None:
        if call.interruptions:
            self._schedule.put(call, at, lambda then: self._resume(call, None, then))
        elif seconds is not None:
            turn = call.turn
            call.waiting.add(self._schedule.put(call, at + seconds, lambda then: self._resume(call, turn, then)))

    def _postponed(self, call: Call, turn: int, effect: Effect, at: float) -> None:
        if turn == call.turn and not call.interruptions:
            self._drive(call, at, effect)
