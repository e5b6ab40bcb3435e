"""Judges how people were called, by the telephone company's own record alone.

    violations(journal, people, terms)  ->  one sentence for each breach, each with the call's sid

`journal` is the list of the simulator's `/simulator/journal`: a call has `sid`, `to`, `created_at`, `ended_at` (ISO times),
and where known `initiated_at`, `direction`, `status`, `presses` with `at`, `item`, `keys`, `intent`, `acknowledged`. Nothing
here uses the program's own rules: windows, spacing and pacing are worked out anew, so that a fault there is seen here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

REFUSAL_TAKES = timedelta(seconds=60)  # R16: no attempt starts later than this after an express refusal
UNNOTICED = timedelta(seconds=5)
PACE_WINDOW = timedelta(seconds=10)
RATED = ("speed", "attitude", "outcome", "equipment", "appearance")
OFFICE_DAY = {"working_day": (("09:00", "12:00"), ("14:00", "20:00")), "weekend": (("10:00", "18:00"),), "public_holiday": ()}


def weekdays(day: date) -> str:
    """The kind of a day where nothing but the weekend is free."""
    return "weekend" if day.weekday() >= 5 else "working_day"


@dataclass(frozen=True)
class Person:
    """Somebody who may be called: the zone of the windows, and times that were promised (spacing gives way to them)."""

    number: str
    zone: str = "Asia/Shanghai"
    promised: tuple[datetime, ...] = ()


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

    def is_interview(self) -> bool:
        """Whether all five questions were answered on this call."""
        given = {press.item for press in self.presses if press.acknowledged and press.keys in set("123456")}
        return given.issuperset(RATED)


@dataclass(frozen=True)
class History:
    """Every outgoing call, in order; and by number, and by case."""

    rings: tuple[Ring, ...]
    people: Mapping[str, Person]
    terms: Terms

    def by(self, key: Callable[[Ring], str], *, noticed: bool = False) -> list[list[Ring]]:
        """The calls in groups, each in order; only those that could be `noticed`, where that matters."""
        groups: dict[str, list[Ring]] = defaultdict(list)
        for ring in self.rings:
            if not (noticed and ring.called_off):
                groups[key(ring)].append(ring)
        return list(groups.values())


def violations(
    journal: Iterable[Mapping[str, Any]], people: Iterable[Person], terms: Terms, *,
    second_legs: frozenset[str] = frozenset(), case_of: Mapping[str, str] | None = None, campaign_of: Mapping[str, str] | None = None,
) -> list[str]:  # fmt: skip
    """Every breach of the rules. Calls in `second_legs` were doubled by the carrier itself and are passed over.

    `case_of` and `campaign_of` name, by sid, whom and for which campaign a call was meant, where several share a number.
    """
    found = history(journal, people, terms, second_legs=second_legs, case_of=case_of or {}, campaign_of=campaign_of or {})
    return [sentence for rule in RULES for sentence in rule(found)]


def history(
    journal: Iterable[Mapping[str, Any]], people: Iterable[Person], terms: Terms, *,
    second_legs: frozenset[str], case_of: Mapping[str, str], campaign_of: Mapping[str, str],
) -> History:  # fmt: skip
    """The journal's outgoing calls, read."""
    ours = [call for call in journal if _is_ours(call) and call["sid"] not in second_legs]
    rings = [_ring(call, case_of.get(call["sid"], call["to"]), campaign_of.get(call["sid"], "")) for call in ours]
    return History(tuple(sorted(rings, key=lambda ring: ring.created)), {person.number: person for person in people}, terms)


def _is_ours(call: Mapping[str, Any]) -> bool:
    return not call.get("parent_sid") and not str(call.get("direction", "outbound-api")).startswith("in")


def _ring(call: Mapping[str, Any], case: str, campaign: str) -> Ring:
    created = datetime.fromisoformat(call["created_at"])
    dialled = datetime.fromisoformat(call["initiated_at"]) if call.get("initiated_at") else created
    ended = datetime.fromisoformat(call["ended_at"]) if call.get("ended_at") else datetime.max.replace(tzinfo=created.tzinfo)
    presses = tuple(
        Press(
            datetime.fromisoformat(press["at"]), press.get("item"), press["keys"], press.get("intent", ""), press.get("acknowledged", True)
        )
        for press in call.get("presses", ())
    )
    rang = ended - datetime.fromisoformat(call["ringing_at"]) if call.get("ringing_at") else timedelta(0)
    called_off = call.get("status") == "canceled" and rang <= UNNOTICED
    return Ring(call["sid"], call["to"], case, campaign, created, dialled, ended, call.get("status", ""), presses, called_off)


def rung_while_ringing(found: History) -> Iterator[str]:
    """P1: nobody's telephone rings, or talks to us, twice at once."""
    for rings in found.by(lambda ring: ring.to):
        last = rings[0]
        for ring in rings[1:]:
            if ring.created < last.ended:
                yield f"{ring.sid}: its number was called again while {last.sid} was not over"
            last = max(last, ring, key=lambda each: each.ended)


def called_strangers(found: History) -> Iterator[str]:
    """Only people of the sample are called."""
    for ring in found.rings:
        if ring.to not in found.people:
            yield f"{ring.sid}: called a number that is not in the sample"


def outside_windows(found: History) -> Iterator[str]:
    """R14, R21: each call begins, and can ring to its end, inside a window of the called party's zone."""
    for ring in found.rings:
        zone = found.people[ring.to].zone if ring.to in found.people else "UTC"
        for what, moment in (("asked for", ring.created), ("dialled", ring.dialled)):
            if not _is_inside(moment.astimezone(ZoneInfo(zone)), found.terms):
                yield f"{ring.sid}: {what} at {moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M:%S} in {zone}, outside every window"
                break


def _is_inside(local: datetime, terms: Terms) -> bool:
    for start, end in terms.windows[terms.kind_of_day(local.date())]:
        opens = datetime.combine(local.date(), time.fromisoformat(start), local.tzinfo)
        closes = datetime.combine(local.date(), time.fromisoformat(end), local.tzinfo) - timedelta(seconds=terms.ring_seconds)
        if opens - terms.slack <= local < closes + terms.slack:
            return True
    return False


def too_soon_again(found: History) -> Iterator[str]:
    """R15: three hours between two calls; twenty minutes after a busy line, that so often a local day; promised times may be sooner."""
    terms = found.terms
    for rings in found.by(lambda ring: ring.case, noticed=True):
        person = found.people.get(rings[0].to, Person(rings[0].to))
        for number, (earlier, ring) in enumerate(pairwise(rings), start=1):
            gap = ring.created - earlier.created + terms.slack
            if any(abs(ring.created - promised) <= timedelta(hours=1) for promised in person.promised):
                continue
            least = terms.busy_minutes if _may_hurry(rings[:number], person, terms) else terms.spacing_minutes
            if gap < timedelta(minutes=least):
                yield f"{ring.sid}: called {gap - terms.slack} after {earlier.sid}, {least} minutes are the least"


def _may_hurry(before: list[Ring], person: Person, terms: Terms) -> bool:
    zone = ZoneInfo(person.zone)
    today = before[-1].created.astimezone(zone).date()
    busy = [ring for ring in before if ring.status == "busy" and ring.created.astimezone(zone).date() == today]
    return before[-1].status == "busy" and len(busy) <= terms.busy_a_day


def too_often(found: History) -> Iterator[str]:
    """R15: so many calls to a case at most, within so many days."""
    terms = found.terms
    for rings in found.by(lambda ring: ring.case, noticed=True):
        for ring in rings[terms.max_attempts :]:
            yield f"{ring.sid}: one call more than the {terms.max_attempts} allowed"
        for ring in rings:
            promised = found.people.get(ring.to, Person(ring.to)).promised
            if ring.created > rings[0].created + timedelta(days=terms.within_days) + terms.slack and not promised:
                yield f"{ring.sid}: {ring.created - rings[0].created} after the first call, {terms.within_days} days are the most"


def after_refusal(found: History) -> Iterator[str]:
    """R16: an express refusal is final, for every campaign."""
    for rings in found.by(lambda ring: ring.to):
        refused = min((at for ring in rings if (at := ring.said("never")) is not None), default=None)
        for ring in rings:
            if refused is not None and ring.created > refused + REFUSAL_TAKES:
                yield f"{ring.sid}: called although the person had refused all calls at {refused:%Y-%m-%d %H:%M:%S}"


def after_the_interview(found: History) -> Iterator[str]:
    """Who answered everything, or asked for a person, is not called by the machine again."""
    for rings in found.by(lambda ring: ring.case):
        done = next((ring for ring in rings if ring.is_interview() or ring.said("human")), None)
        for ring in rings:
            if done is not None and ring.created > done.created:
                yield f"{ring.sid}: called although {done.sid} had settled it"


def in_quarantine(found: History) -> Iterator[str]:
    """R6: a number is dialled for one campaign in so many days."""
    length = timedelta(days=found.terms.quarantine_days)
    for rings in found.by(lambda ring: ring.to):
        for number, ring in enumerate(rings):
            for earlier in rings[:number]:
                if earlier.campaign != ring.campaign and ring.created < earlier.created + length - found.terms.slack:
                    yield f"{ring.sid}: called for another campaign than {earlier.sid}, {ring.created - earlier.created} before"
                    break


def too_near_on_one_number(found: History) -> Iterator[str]:
    """RS16: two cases of one number keep a distance."""
    gap = timedelta(minutes=found.terms.number_gap_minutes)
    for rings in found.by(lambda ring: ring.to):
        for earlier, ring in pairwise(rings):
            if earlier.case != ring.case and ring.created < earlier.ended + gap - found.terms.slack:
                yield f"{ring.sid}: another case of the number was called by {earlier.sid} less than {gap} before"


def more_than_the_lines(found: History) -> Iterator[str]:
    """R21, RS17: never more calls at once than lines."""
    ends: list[datetime] = []
    for ring in found.rings:
        ends = [end for end in ends if end > ring.created]
        ends.append(ring.ended)
        if len(ends) > found.terms.lines:
            yield f"{ring.sid}: the {len(ends)}th call at once on {found.terms.lines} lines"


def faster_than_the_pace(found: History) -> Iterator[str]:
    """R21, RS18: in any ten seconds no more requests than the rate allows."""
    most = max(1, round(found.terms.calls_per_second * PACE_WINDOW.total_seconds())) + found.terms.pace_allowance
    yield from _crowded(found, PACE_WINDOW, most, f"calls in ten seconds at {found.terms.calls_per_second} a second")


def over_the_caps(found: History) -> Iterator[str]:
    """RS19: no more calls in an hour and in 24 hours than a person allowed."""
    if found.terms.hourly_calls is not None:
        yield from _crowded(found, timedelta(hours=1) - found.terms.slack, found.terms.hourly_calls, "calls within one hour")
    if found.terms.daily_calls is not None:
        yield from _crowded(found, timedelta(hours=24) - found.terms.slack, found.terms.daily_calls, "calls within 24 hours")


def _crowded(found: History, length: timedelta, most: int, words: str) -> Iterator[str]:
    begins: list[datetime] = []
    for ring in found.rings:
        begins = [begin for begin in begins if begin > ring.created - length]
        begins.append(ring.created)
        if len(begins) > most:
            yield f"{ring.sid}: {len(begins)} {words}, {most} are the most"


RULES: tuple[Callable[[History], Iterator[str]], ...] = (
    rung_while_ringing, called_strangers, outside_windows, too_soon_again, too_often, after_refusal, after_the_interview, in_quarantine,
    too_near_on_one_number, more_than_the_lines, faster_than_the_pace, over_the_caps,
)  # fmt: skip
