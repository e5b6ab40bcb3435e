"""How fast calls may start: at most so many in any stretch of time of one length, whoever starts them (R21, RS18).

Nothing is counted but the moments at which calls were handed to the carrier: a start leaves the window when it is as old as the
window is long, and the place that it held is open again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Pace:
    """So many `starts` in any `window`, which holds its later end and not its earlier one."""

    starts: int
    window: timedelta

    def room(self, started: Iterable[datetime], now: datetime, ahead: timedelta = timedelta(0)) -> int:
        """How many may start from now on until `ahead` from now, after those that were `started`.

        Below nothing where the pace was lowered meanwhile.
        """
        windows = max(1, -(-ahead // self.window))
        return self.starts * windows - sum(moment > now + ahead - self.window * windows for moment in started)

    def opens(self, started: Iterable[datetime], now: datetime, before: int = 0) -> datetime:
        """From when on a call may start that lets `before` others go first: `now`, or the moment at which its place opens.

        Exact while `before` is less than `starts`; whoever stands further back is told to ask again a window later.
        """
        recent = sorted(moment for moment in started if moment > now - self.window)
        leaving = len(recent) + before - self.starts  # so many places must open before this call's own
        if leaving < 0:
            return now
        return (recent[leaving] if leaving < len(recent) else now) + self.window


def pace_of(calls_per_second: float) -> Pace:
    """The pace of a rate: whole calls in any second; below one a second a single call in a longer window."""
    return Pace(max(1, int(calls_per_second)), timedelta(seconds=max(1.0, 1.0 / calls_per_second)))
