"""The demonstration's way to the next working day: everybody hangs up, the clock stands at the opening, log-ins live on."""

import os
import secrets
from contextlib import ExitStack
from datetime import datetime, time, timedelta

import requests

from config.clock import SystemClock
from config.conductor import RemoteExchange
from config.wiring import House
from survey import accounts
from survey.errors import NotAllowed
from survey.store.leases import hold, release
from survey.store.queries import desk
from survey.working_days import next_opening

OPENING = time(9)
"""When the first window of the usual contact rules opens."""

STEP, MOST_STEPS = timedelta(seconds=5), 60
LEASE = timedelta(minutes=2)
"""Of real time: nobody else moves the clock meanwhile; far more than it takes."""


class NextDay:
    """Moves the clock that demonstration, doors and workers share. One way at a time, whichever process asks."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._exchange = RemoteExchange(house.settings.twilio_api_url)

    def __call__(self, by: str) -> datetime:
        """Go to the opening of the next working day and let the clock run on there; the moment reached.

        Raises NotAllowed while an operator has a call in hand, somebody talks at a browser phone, another moves the clock, or the
        simulated line does not answer; CalendarMissing at the end of the holiday calendar.
        """
        owner = f"{os.getpid()}:{secrets.token_hex(4)}"
        with ExitStack() as stack:
            self._take_turn(owner)
            stack.callback(self._give_turn, owner)
            try:
                return self._go(by, stack)
            except requests.RequestException:
                raise NotAllowed("模拟线路没有应答 / the simulated line does not answer") from None

    def _go(self, by: str, stack: ExitStack) -> datetime:
        house = self._house
        target = next_opening(house.terms.calendar, house.clock.now(), OPENING, house.settings.timezone)
        self._refuse_calls_in_hand()
        stack.callback(self._exchange.run_in_real_time)  # whatever happens: a clock that stands would hold up everything
        self._exchange.stand_still()
        self._end_calls()
        with house.unit_of_work() as work:
            began = house.clock.now()
            accounts.carry_over(work.session, target - began)
            house.office.record(work.session, began, by, "demo.next_day", "clock", to=target.isoformat(timespec="minutes"))
        self._exchange.advance(target)
        return target

    def _refuse_calls_in_hand(self) -> None:
        with self._house.sessions() as session:
            if desk.is_call_in_hand(session):
                raise NotAllowed("请先结束手上的通话并完成整理 / finish your call first, and sort it out")
        if self._exchange.state().at_phones:
            raise NotAllowed("请先挂断浏览器里的电话 / hang up the telephone in the browser first")

    def _end_calls(self) -> None:
        """It is closing time: everybody hangs up, and the carrier tells us so."""
        line = self._exchange.end_calls()
        for _ in range(MOST_STEPS):
            if not line.live_calls:
                return
            line = self._exchange.advance(line.now + STEP)

    def _take_turn(self, owner: str) -> None:
        with self._house.unit_of_work() as work:
            if not hold(work.session, "next_day", owner, SystemClock().now(), LEASE):
                raise NotAllowed("正在进入下一工作日，请稍候 / the clock is being moved already, one moment")

    def _give_turn(self, owner: str) -> None:
        with self._house.unit_of_work() as work:
            release(work.session, "next_day", owner, SystemClock().now())
