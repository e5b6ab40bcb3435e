"""The discrete-event scheduler: what is due when, for which call; calls side by side, one call's events in order."""

import itertools
import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from heapq import heapify, heappop, heappush

from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.clock import ExchangeClock

log = logging.getLogger(__name__)
Action = Callable[[float], object]
LONGEST_NAP_SECONDS = 0.5


class Schedule:
    """Keeps the agenda of all calls and runs it, in virtual time when told to, or in real time by a thread of its own.

    In virtual time everything due within `quantum_seconds` of the earliest event runs in parallel on `threads` threads.
    """

    def __init__(self, clock: ExchangeClock, threads: int, quantum_seconds: float) -> None:
        self.clock = clock
        self.changed = threading.Condition(threading.RLock())
        self._quantum = quantum_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="exchange")
        self._due: list[tuple[float, int, Call]] = []
        self._numbers = itertools.count()
        self._driving = threading.Lock()
        self._keeper: threading.Thread | None = None
        self._keeping = False

    def put(self, call: Call, at: float, action: Action) -> int:
        """Have `action(at)` run for the call (or for the call that its leg belongs to) at that moment; gives the entry's number."""
        owner = call.root
        with self.changed:
            number = next(self._numbers)
            heappush(owner.agenda, (at, number, action))
            heappush(self._due, (at, number, owner))
            self.changed.notify_all()
            return number

    def withdraw(self, call: Call, numbers: Collection[int]) -> None:
        """Take entries out of a call's agenda; those that are not there any more do not matter."""
        with self.changed:
            owner = call.root
            owner.agenda = [entry for entry in owner.agenda if entry[1] not in numbers]
            heapify(owner.agenda)

    def next_at(self) -> float | None:
        """When the next event is due, epoch seconds, None when nothing is."""
        with self.changed:
            while self._due and not _valid(self._due[0]):
                heappop(self._due)
            return self._due[0][0] if self._due else None

    def run_until(self, end: float) -> None:
        """Run everything due until `end` (epoch seconds), then stand there. Raises RuntimeError in real time."""
        with self._driving:
            if self.clock.running:
                raise RuntimeError("the exchange runs in real time: freeze it first")
            while (at := self.next_at()) is not None and at <= end:
                horizon = min(max(at, self.clock.now()) + self._quantum, max(end, at))
                self.clock.advance(horizon)
                list(self._pool.map(partial(self._work, horizon=horizon), self._take_due(horizon)))
            self.clock.advance(end)

    def run_call(self, call: Call) -> None:
        """Run what is due for one call at this very moment, on the caller's thread."""
        with self.changed:
            if call.busy:
                return
            call.busy = True
        self._work(call)

    def run_in_real_time(self) -> None:
        """Let time pass and run what falls due, in the background."""
        with self._driving:
            if self._keeper is None:
                self.clock.run()
                self._keeping = True
                self._keeper = threading.Thread(target=self._keep_time, name="exchange-clock", daemon=True)
                self._keeper.start()

    def freeze(self) -> None:
        """Stop time; what is being done is finished first."""
        with self._driving:
            keeper, self._keeper = self._keeper, None
            if keeper is not None:
                with self.changed:
                    self._keeping = False
                    self.changed.notify_all()
                keeper.join()
                self.clock.freeze()

    def close(self) -> None:
        """Stop everything."""
        self.freeze()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _take_due(self, horizon: float) -> list[Call]:
        with self.changed:
            calls: dict[str, Call] = {}
            while self._due and self._due[0][0] <= horizon:
                call = heappop(self._due)[2]
                if not call.busy:
                    call.busy = True
                    calls[call.sid] = call
            return list(calls.values())

    def _work(self, call: Call, horizon: float | None = None) -> None:
        """Run what is due for a call until `horizon` (None: as the clock goes), then let others have it."""
        try:
            while (entry := self._take(call, self.clock.now() if horizon is None else horizon)) is not None:
                at, action = entry
                action(at)
        finally:
            self._release(call)

    def _release(self, call: Call) -> None:
        with self.changed:
            call.busy = False
            if call.agenda:
                heappush(self._due, (call.agenda[0][0], next(self._numbers), call))
            self.changed.notify_all()

    def _take(self, call: Call, horizon: float) -> tuple[float, Action] | None:
        with self.changed:
            if call.agenda and call.agenda[0][0] <= horizon:
                at, _, action = heappop(call.agenda)
                return at, action
            return None

    def _keep_time(self) -> None:
        while True:
            with self.changed:
                if not self._keeping:
                    return
                calls = self._take_due(self.clock.now())
                if not calls:
                    following = self.next_at()
                    nap = LONGEST_NAP_SECONDS if following is None else following - self.clock.now()
                    self.changed.wait(min(max(nap, 0.001), LONGEST_NAP_SECONDS))
            for call in calls:
                self._pool.submit(self._work_guarded, call)

    def _work_guarded(self, call: Call) -> None:
        try:
            self._work(call)
        except Exception:
            log.exception("an event of call %s failed", call.sid, extra={"action": "simulator.failed"})


def _valid(entry: tuple[float, int, Call]) -> bool:
    at, _, call = entry
    return bool(call.agenda) and call.agenda[0][0] <= at and not call.busy
