"""When a respondent may be called, and when next: windows, attempts, spacing, dayparts (R14, R15, R19; domain §3.6).

    next_call(rules, calendar, history, now, zone)  ->  CallAt(at, until, daypart)  |  Close(reason)

All times are aware; windows are local to the called party's zone. Nothing here reads the clock.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from survey.disposition import Disposition
from survey.errors import BadInput
from survey.working_days import CALENDARS, ONE_DAY, Calendar, is_public_holiday, is_working_day

EARLIEST, LATEST = time(8), time(21)
"""No setting widens the windows beyond these (R14)."""
NOON, EVENING = time(12), time(18)
DAYPARTS = ("morning", "afternoon", "evening", "weekend")
HORIZON = timedelta(days=60)  # no run of days without a window is longer

FINAL = frozenset(each for each in Disposition if each.outcome_class in ("I", "P", "O", "NE")) | {Disposition.REFUSAL}
"""After these nobody is called again."""
DECLINING = frozenset({Disposition.REFUSAL_BEFORE, Disposition.BREAK_OFF})


@dataclass(frozen=True)
class Window:
    """From `start` to `end` local time; a call may start at `start`, none at `end`."""

    start: time
    end: time


def _windows(*pairs: tuple[int, int]) -> tuple[Window, ...]:
    return tuple(Window(time(start), time(end)) for start, end in pairs)


@dataclass(frozen=True)
class Rules:
    """The contact rules of a campaign. Building one checks it: BadInput names the field."""

    calendar: str = "cn"
    working_day: tuple[Window, ...] = _windows((9, 12), (14, 20))
    weekend: tuple[Window, ...] = _windows((10, 18))
    public_holiday: tuple[Window, ...] = ()
    max_attempts: int = 5
    within_days: int = 7
    dayparts: int = 3
    spacing_minutes: int = 180
    busy_minutes: int = 20
    busy_a_day: int = 2
    declined_calls: int = 1
    postponements: int = 1
    ring_seconds: int = 30
    start_delay_minutes: int = 120

    def __post_init__(self) -> None:
        _check(self)

    def to_json(self) -> dict[str, Any]:
        """The rules as a JSON object; windows are lists of ["HH:MM", "HH:MM"]."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rules:
        """The rules from `to_json`'s object; what is left out takes its default. Raises BadInput naming the field."""
        unknown = sorted(set(data) - {field.name for field in fields(cls)})
        if unknown:
            raise BadInput(f"{unknown[0]}: 没有这项规则 (no such contact rule)")
        read: dict[str, Any] = {name: _read_windows(name, value) if name in WINDOW_FIELDS else value for name, value in data.items()}
        return cls(**read)


WINDOW_FIELDS = ("working_day", "weekend", "public_holiday")
BOUNDS = {  # of R15 and R19: settings may be gentler, never harsher
    "max_attempts": (1, 5), "within_days": (1, 7), "dayparts": (1, 4), "spacing_minutes": (180, 10_080),
    "busy_minutes": (20, 1_440), "busy_a_day": (0, 2), "declined_calls": (1, 1), "postponements": (0, 3),
    "ring_seconds": (15, 120), "start_delay_minutes": (0, 10_080),
}  # fmt: skip


def _plain(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return [[f"{window.start:%H:%M}", f"{window.end:%H:%M}"] for window in value]


def _read_windows(name: str, value: Any) -> tuple[Window, ...]:
    try:
        return tuple(Window(_clock_time(start), _clock_time(end)) for start, end in value)
    except (TypeError, ValueError):
        raise BadInput(f'{name}: 须为时段列表 (needs a list of windows like ["09:00", "12:00"])') from None


def _clock_time(text: str) -> time:
    if not re.fullmatch(r"\d\d:\d\d", text):
        raise ValueError(text)
    return time.fromisoformat(text)


def _check(rules: Rules) -> None:
    if rules.calendar not in CALENDARS:
        raise BadInput(f"calendar: “{rules.calendar}” 不存在 (use one of {', '.join(CALENDARS)})")
    for name, (least, most) in BOUNDS.items():
        value = getattr(rules, name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise BadInput(f"{name}: {value!r} 须为 {least}–{most} 的整数 (needs a whole number from {least} to {most})")
    for name in WINDOW_FIELDS:
        _check_windows(name, getattr(rules, name))
    reachable = _reachable_dayparts(rules)
    if not reachable:
        raise BadInput("working_day: 没有任何可拨打时段 (no window at all to call in)")
    if min(rules.dayparts, rules.max_attempts) > len(reachable):
        raise BadInput(f"dayparts: {rules.dayparts} 超过时段设置所能覆盖的 {len(reachable)} 种 (the windows reach only {len(reachable)})")


def _check_windows(name: str, windows: tuple[Window, ...]) -> None:
    last = EARLIEST
    for window in windows:
        if not EARLIEST <= window.start < window.end <= LATEST:
            raise BadInput(f"{name}: {window.start:%H:%M}–{window.end:%H:%M} 须在 08:00–21:00 之内 (must lie within 08:00–21:00)")
        if window.start < last:
            raise BadInput(f"{name}: 时段重叠或次序颠倒 (windows overlap or are out of order)")
        last = window.end


def _reachable_dayparts(rules: Rules) -> set[str]:
    parts = {part for window in rules.working_day for _, _, part in _pieces(window, True)}
    return parts | ({"weekend"} if rules.weekend else set())


@dataclass(frozen=True)
class PastAttempt:
    """A call at `at`, `ours` or one to us, and how it ended.

    `declined`: a person answered and would not take part this time without asking never to be called. `barred`: the carrier
    never puts a call through to this number."""

    at: datetime
    disposition: Disposition
    declined: bool = False
    ours: bool = True
    barred: bool = False


@dataclass(frozen=True)
class CallAt:
    """Call at `at` or soon after: the daypart that was chosen ends at `until` (then ask again). Times in UTC."""

    at: datetime
    until: datetime
    daypart: str


@dataclass(frozen=True)
class Close:
    """Do not call again. `reason`: finished, declined, max_attempts, out_of_time."""

    reason: str


def kind_of_day(calendar: Calendar, day: date) -> str:
    """`public_holiday`, `working_day` or `weekend`: the name of the windows that hold. Raises CalendarMissing."""
    if is_public_holiday(calendar, day):
        return "public_holiday"
    return "working_day" if is_working_day(calendar, day) else "weekend"


def _pieces(window: Window, working: bool) -> Iterator[tuple[time, time, str]]:
    """A window cut at noon and at 18:00 into its dayparts; a day off is one daypart."""
    if not working:
        yield window.start, window.end, "weekend"
        return
    edges = (time.min, NOON, EVENING, time.max)
    for part, start, end in zip(DAYPARTS, edges, edges[1:], strict=False):
        if max(start, window.start) < min(end, window.end):
            yield max(start, window.start), min(end, window.end), part


@lru_cache(maxsize=512)
def _cut(windows: tuple[Window, ...], working: bool, ring_seconds: int) -> tuple[tuple[time, time, str], ...]:
    """The openings of a kind of day. The last call of a window starts early enough to ring inside it (R21)."""
    rings = timedelta(seconds=ring_seconds)
    pieces = []
    for window in windows:
        last_start = (datetime.combine(date.min, window.end) - rings).time()
        pieces += [(start, min(end, last_start), part) for start, end, part in _pieces(window, working) if start < last_start]
    return tuple(pieces)


def openings(rules: Rules, calendar: Calendar, since: datetime, zone: str, limit: datetime | None = None) -> Iterator[CallAt]:
    """All openings from `since` to `limit`, in order, cut into dayparts."""
    tz = ZoneInfo(zone)
    day = since.astimezone(tz).date()
    last = limit.astimezone(tz).date() if limit else day + HORIZON
    while day <= last:
        kind = kind_of_day(calendar, day)
        for start, end, part in _cut(getattr(rules, kind), kind == "working_day", rules.ring_seconds):
            until = datetime.combine(day, end, tz).astimezone(UTC)
            at = max(datetime.combine(day, start, tz).astimezone(UTC), since)
            if at < until and (limit is None or at <= limit):
                yield CallAt(at, until, part)
        day += ONE_DAY


def may_call(rules: Rules, calendar: Calendar, at: datetime, zone: str) -> bool:
    """Whether a call to somebody in `zone` may start at `at` (R14). Raises CalendarMissing."""
    local = at.astimezone(ZoneInfo(zone))
    kind = kind_of_day(calendar, local.date())
    clock = local.time()
    return any(start <= clock < end for start, end, _ in _cut(getattr(rules, kind), kind == "working_day", rules.ring_seconds))


def next_opening(rules: Rules, calendar: Calendar, at: datetime, zone: str) -> datetime:
    """The first moment from `at` on at which a call may start, in UTC. Raises CalendarMissing.

    Raises BadInput when no window opens for two months.
    """
    for opening in openings(rules, calendar, at.astimezone(UTC), zone):
        return opening.at
    raise BadInput("working_day: 两个月内没有可拨打时段 (no window opens within two months)")


def next_call(
    rules: Rules, calendar: Calendar, history: Sequence[PastAttempt], now: datetime, zone: str, closed_at: datetime | None = None
) -> CallAt | Close:
    """When to call next after `history` (oldest first), or why not to (R15). Raises CalendarMissing.

    The first call waits until `start_delay_minutes` after the incident's `closed_at`. Later ones go to the daypart
    tried least; a call that found the line busy is soon repeated; one that the person put off is repeated in
    another daypart, within a working day (R36). As many attempts as are still needed to reach `dayparts` different
    ones are kept for new ones.

    The person's own “not now” goes before `within_days`, before nothing else: where a holiday, or the end of those days,
    leaves no opening for the call that was asked for, it is made on the first day after it that has one, or not at all.
    What the person puts off in a call to us is asked for in the same way, and is no try and no postponement.
    """
    reason = _closing_reason(rules, history)
    if reason:
        return Close(reason)
    now = now.astimezone(UTC)
    if not history:
        start = max(now, closed_at.astimezone(UTC) + timedelta(minutes=rules.start_delay_minutes)) if closed_at else now
        return next(openings(rules, calendar, start, zone), Close("out_of_time"))
    last, ours = history[-1], [attempt for attempt in history if attempt.ours]
    uses = Counter(_daypart(calendar, attempt.at, zone) for attempt in ours)
    only_new = rules.max_attempts - len(ours) <= rules.dayparts - len(uses)
    chosen = partial(_choose, uses=uses, last=last.disposition, part=_daypart(calendar, last.at, zone), only_new=only_new)
    rested = last.at.astimezone(UTC) + pause(rules, history, zone)
    limit = (ours or history)[0].at.astimezone(UTC) + timedelta(days=rules.within_days)
    found = chosen(openings(rules, calendar, max(now, rested), zone, limit))
    if found is None and last.disposition is Disposition.NOT_AVAILABLE:
        found = chosen(_first_open_day(rules, calendar, rested, now, zone))
    return found or Close("out_of_time")


def _closing_reason(rules: Rules, history: Sequence[PastAttempt]) -> str:
    if any(attempt.disposition in FINAL or attempt.barred for attempt in history):
        return "finished"
    put_off = sum(attempt.ours and attempt.disposition is Disposition.NOT_AVAILABLE for attempt in history)
    if sum(map(_declines, history)) >= rules.declined_calls or put_off > rules.postponements:
        return "declined"
    return "max_attempts" if sum(attempt.ours for attempt in history) >= rules.max_attempts else ""


def _declines(attempt: PastAttempt) -> bool:
    """Whether the person would not take part: “not now” puts a call off and counts apart."""
    return attempt.disposition in DECLINING or (attempt.declined and attempt.disposition is not Disposition.NOT_AVAILABLE)


def pause(rules: Rules, history: Sequence[PastAttempt], zone: str) -> timedelta:
    """The least time after the last attempt: short after a busy line, a few times a local day."""
    last = history[-1]
    if last.disposition is Disposition.BUSY:
        tz = ZoneInfo(zone)
        today = last.at.astimezone(tz).date()
        busy = sum(attempt.disposition is Disposition.BUSY and attempt.at.astimezone(tz).date() == today for attempt in history)
        if busy <= rules.busy_a_day:
            return timedelta(minutes=rules.busy_minutes)
    return timedelta(minutes=rules.spacing_minutes)


def _daypart(calendar: Calendar, at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    if kind_of_day(calendar, local.date()) != "working_day":
        return "weekend"
    return DAYPARTS[(local.time() >= NOON) + (local.time() >= EVENING)]


def _first_open_day(rules: Rules, calendar: Calendar, rested: datetime, now: datetime, zone: str) -> Iterator[CallAt]:
    """What is left at `now` of the first day from `rested` on that has an opening."""
    first = next(openings(rules, calendar, rested, zone), None)
    if first is None:
        return iter(())
    tz = ZoneInfo(zone)
    day_after = datetime.combine(first.at.astimezone(tz).date() + ONE_DAY, time.min, tz)
    return openings(rules, calendar, max(now, rested), zone, day_after.astimezone(UTC))


def _choose(openings: Iterator[CallAt], uses: Counter[str], last: Disposition, part: str, only_new: bool) -> CallAt | None:
    """The opening to take after a call in `part`: at once after a busy line, soon after "not now", else in the daypart tried least."""
    best: CallAt | None = None
    for opening in openings:
        if only_new and uses[opening.daypart]:
            continue
        soon = last is Disposition.BUSY or (last is Disposition.NOT_AVAILABLE and opening.daypart != part)
        if soon or not uses[opening.daypart]:
            return opening
        if best is None or uses[opening.daypart] < uses[best.daypart]:
            best = opening
    return best
