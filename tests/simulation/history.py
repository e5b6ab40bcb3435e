"""The telephone company's record as the judges read it: our calls, the calls to us, and whom they were meant for.

A call has `sid`, `to`, `created_at`, `ended_at` (ISO times), and where known `initiated_at`, `direction`, `status`, `presses`
with `at`, `item`, `keys`, `intent`, `acknowledged`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

UNNOTICED = timedelta(seconds=5)
RATED = ("speed", "attitude", "outcome", "equipment", "appearance")
SCALE = frozenset("123456")
OFFICE_DAY = {"working_day": (("09:00", "12:00"), ("14:00", "20:00")), "weekend": (("10:00", "18:00"),), "public_holiday": ()}
Pauses = Mapping[str, Iterable[tuple[datetime, datetime | None]]]
"""From when to when each campaign was paused or stopped; None: for good."""


def weekdays(day: date) -> str:
    """The kind of a day where nothing but the weekend is free."""
    return "weekend" if day.weekday() >= 5 else "working_day"


@dataclass(frozen=True)
class Person:
    """Somebody who may be called: the zone of the windows, and times that were promised (spacing gives way to them).

    `refused`: when somebody told us by other means than a key that this number is not to be called any more.
    """

    number: str
    zone: str = "Asia/Shanghai"
    promised: tuple[datetime, ...] = ()
    refused: datetime | None = None


@dataclass(frozen=True)
class Terms:
    """The rules of contact. `slack_seconds` is how far our clock and a request under way may be from the carrier's record.

    `pace_allowance`: requests more than the rate allows in ten seconds, for those that were held up under way.
    """

    windows: Mapping[str, Iterable[Iterable[str]]] = field(default_factory=lambda: OFFICE_DAY)
    kind_of_day: Callable[[date], str] = weekdays
    ring_seconds: int = 30
    lines: int = 5
    calls_per_second: float = 1.0
    max_attempts: int = 5
    within_days: int = 7
    spacing_minutes: int = 180
    busy_minutes: int = 20
    busy_a_day: int = 2
    quarantine_days: int = 90
    number_gap_minutes: int = 0
    hourly_calls: int | None = None
    daily_calls: int | None = None
    slack_seconds: float = 15.0
    pace_allowance: int = 2

    @property
    def slack(self) -> timedelta:
        """The slack as a length of time."""
        return timedelta(seconds=self.slack_seconds)


def terms_of(rules: Mapping[str, Any], **more: Any) -> Terms:
    """The terms in a campaign's stored rules (`campaigns.rules`); `more` names lines, pace, caps and the calendar."""
    windows = {kind: rules[kind] for kind in OFFICE_DAY}
    numbers = ("ring_seconds", "max_attempts", "within_days", "spacing_minutes", "busy_minutes", "busy_a_day")
    return Terms(windows=windows, **{name: rules[name] for name in numbers}, **more)


@dataclass(frozen=True)
class Press:
    """Keys that a callee pressed. Not acknowledged: no document of ours answered them."""

    at: datetime
    item: str | None
    keys: str
    intent: str
    acknowledged: bool


@dataclass(frozen=True)
class Ring:
    """One outgoing call as the carrier saw it. `case` tells apart people who share a number (the number, if nobody says)."""

    sid: str
    to: str
    case: str
    campaign: str
    created: datetime
    dialled: datetime
    ended: datetime
    status: str
    presses: tuple[Press, ...]
    called_off: bool = False  # cancelled before it rang, or before we could be told that it did: no call to the person

    def said(self, intent: str) -> datetime | None:
        """When the callee first meant this and was answered, None if never."""
        return next((press.at for press in self.presses if press.intent == intent and press.acknowledged), None)

    def rated(self) -> list[Press]:
        """The ratings that were given on this call and answered."""
        return [press for press in self.presses if press.acknowledged and press.item in RATED and press.keys in SCALE]


@dataclass(frozen=True)
class Visit(Ring):
    """A call to us; `to` is the caller's number. `case` is empty when no interview came of it."""

    @property
    def taken_up(self) -> datetime | None:
        """When the interview with the caller began, None if there was none."""
        return min((press.at for press in self.presses if press.acknowledged), default=None) if self.case else None


@dataclass(frozen=True)
class History:
    """Every outgoing call, in order; the calls to us; and by number, and by case."""

    rings: tuple[Ring, ...]
    people: Mapping[str, Person]
    terms: Terms
    visits: tuple[Visit, ...] = ()
    pauses: Pauses = field(default_factory=dict)

    def by(self, key: Callable[[Ring], str], *, noticed: bool = False) -> list[list[Ring]]:
        """The calls in groups, each in order; only those that could be `noticed`, where that matters."""
        groups: dict[str, list[Ring]] = defaultdict(list)
        for ring in self.rings:
            if not (noticed and ring.called_off):
                groups[key(ring)].append(ring)
        return list(groups.values())

    def talks(self, key: Callable[[Ring], str]) -> list[list[Ring]]:
        """The calls in both directions in groups, each in order."""
        groups: dict[str, list[Ring]] = defaultdict(list)
        for ring in sorted((*self.rings, *self.visits), key=lambda ring: ring.created):
            groups[key(ring)].append(ring)
        groups.pop("", None)
        return list(groups.values())


def history(
    journal: Iterable[Mapping[str, Any]], people: Iterable[Person], terms: Terms, *, second_legs: frozenset[str],
    case_of: Mapping[str, str], campaign_of: Mapping[str, str], pauses: Pauses | None = None,
) -> History:  # fmt: skip
    """The journal, read. Calls in `second_legs` were doubled by the carrier itself and are passed over, as legs of a call are."""
    calls = [call for call in journal if not call.get("parent_sid") and call["sid"] not in second_legs]
    ours = [call for call in calls if not _is_theirs(call)]
    rings = [Ring(**_read(call, call["to"]), case=case_of.get(call["sid"], call["to"]), campaign=campaign_of.get(call["sid"], ""))
             for call in ours]  # fmt: skip
    visits = [Visit(**_read(call, call.get("caller_id", "")), case=case_of.get(call["sid"], ""), campaign=campaign_of.get(call["sid"], ""))
              for call in calls if _is_theirs(call)]  # fmt: skip
    known = {person.number: person for person in people}
    return History(tuple(sorted(rings, key=lambda ring: ring.created)), known, terms, tuple(visits), pauses or {})


def _is_theirs(call: Mapping[str, Any]) -> bool:
    return str(call.get("direction", "outbound-api")).startswith("in")


def _read(call: Mapping[str, Any], number: str) -> dict[str, Any]:
    created = datetime.fromisoformat(call["created_at"])
    dialled = datetime.fromisoformat(call["initiated_at"]) if call.get("initiated_at") else created
    ended = datetime.fromisoformat(call["ended_at"]) if call.get("ended_at") else datetime.max.replace(tzinfo=created.tzinfo)
    rang = ended - datetime.fromisoformat(call["ringing_at"]) if call.get("ringing_at") else timedelta(0)
    return {
        "sid": call["sid"], "to": number, "created": created, "dialled": dialled, "ended": ended, "status": call.get("status", ""),
        "presses": tuple(_press(press) for press in call.get("presses", ())),
        "called_off": call.get("status") == "canceled" and (rang <= UNNOTICED or not call.get("told_of_ringing", True)),
    }  # fmt: skip


def _press(press: Mapping[str, Any]) -> Press:
    at = datetime.fromisoformat(press["at"])
    return Press(at, press.get("item"), press["keys"], press.get("intent", ""), press.get("acknowledged", True))
