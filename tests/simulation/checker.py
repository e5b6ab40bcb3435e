"""Judges how people were called, by the telephone company's own record alone.

    violations(journal, people, terms)  ->  one sentence for each breach, each with the call's sid

`journal` is the list of the simulator's `/simulator/journal`, see `history`. Nothing here uses the program's own rules:
windows, spacing and pacing are worked out anew, so that a fault there is seen here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulation.history import OFFICE_DAY, RATED, History, Pauses, Person, Ring, Terms, Visit, history, weekdays

__all__ = ["RATED", "RULES", "History", "Person", "Terms", "history", "terms_of", "violations", "weekdays"]
REFUSAL_TAKES = timedelta(seconds=60)  # R16: no attempt starts later than this after an express refusal
PAUSE_TAKES = timedelta(seconds=60)  # requests under way
PACE_WINDOW = timedelta(seconds=10)
PROMISE_LATE = timedelta(hours=4)
LONGEST_HOLIDAY = timedelta(days=14)


def terms_of(rules: Mapping[str, Any], **more: Any) -> Terms:
    """The terms in a campaign's stored rules (`campaigns.rules`); `more` names lines, pace, caps and the calendar."""
    windows = {kind: rules[kind] for kind in OFFICE_DAY}
    numbers = ("ring_seconds", "max_attempts", "within_days", "spacing_minutes", "busy_minutes", "busy_a_day")
    return Terms(windows=windows, **{name: rules[name] for name in numbers}, **more)


def violations(
    journal: Iterable[Mapping[str, Any]], people: Iterable[Person], terms: Terms, *, second_legs: frozenset[str] = frozenset(),
    case_of: Mapping[str, str] | None = None, campaign_of: Mapping[str, str] | None = None, pauses: Pauses | None = None,
) -> list[str]:  # fmt: skip
    """Every breach of the rules. Calls in `second_legs` were doubled by the carrier itself and are passed over.

    `case_of` and `campaign_of` name, by sid, whom and for which campaign a call was meant, where several share a number;
    `pauses`, when a campaign was to call nobody.
    """
    found = history(journal, people, terms, second_legs=second_legs, case_of=case_of or {}, campaign_of=campaign_of or {}, pauses=pauses)
    return [sentence for rule in RULES for sentence in rule(found)]


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
            if _is_promised(ring, found):
                continue
            least = terms.busy_minutes if _may_hurry(rings[:number], person, terms) else terms.spacing_minutes
            if gap < timedelta(minutes=least):
                yield f"{ring.sid}: called {gap - terms.slack} after {earlier.sid}, {least} minutes are the least"


def _is_promised(ring: Ring, found: History) -> bool:
    """Whether this is the first call since a promised time, which may come late: a month's time goes on in leaps."""
    promised = found.people.get(ring.to, Person(ring.to)).promised
    times = [at - found.terms.slack for at in promised if -found.terms.slack <= ring.created - at <= PROMISE_LATE]
    mine = [other.created for other in found.rings if times and other.case == ring.case and other.created < ring.created]
    return any(all(created < at for created in mine) for at in times)


def _may_hurry(before: list[Ring], person: Person, terms: Terms) -> bool:
    zone = ZoneInfo(person.zone)
    today = before[-1].created.astimezone(zone).date()
    busy = [ring for ring in before if ring.status == "busy" and ring.created.astimezone(zone).date() == today]
    return before[-1].status == "busy" and len(busy) <= terms.busy_a_day


def too_often(found: History) -> Iterator[str]:
    """R15: so many calls to a case at most, within so many days; one that the person has asked for may be later."""
    terms, asked = found.terms, _asked_for(found)
    for rings in found.by(lambda ring: ring.case, noticed=True):
        for ring in rings[terms.max_attempts :]:
            yield f"{ring.sid}: one call more than the {terms.max_attempts} allowed"
        for ring in rings:
            promised = found.people.get(ring.to, Person(ring.to)).promised
            if ring.created > rings[0].created + timedelta(days=terms.within_days) + terms.slack and not promised and ring.sid not in asked:
                yield f"{ring.sid}: {ring.created - rings[0].created} after the first call, {terms.within_days} days are the most"


def _asked_for(found: History) -> set[str]:
    """Our calls that came next after the person had put it off, in our call or in one to us, within two weeks of it."""
    pairs = [pair for talks in found.talks(lambda ring: ring.case) for pair in pairwise(talks)]
    soon = [(last, ring) for last, ring in pairs if ring.created < last.ended + LONGEST_HOLIDAY]
    return {ring.sid for last, ring in soon if last.said("later") is not None}


def after_refusal(found: History) -> Iterator[str]:
    """R16: an express refusal is final, for every campaign; in our call, in the person's to us, or by other means."""
    for talks in found.talks(lambda ring: ring.to):
        told = found.people[talks[0].to].refused if talks[0].to in found.people else None
        refusals = [at for at in (told, *(talk.said("never") for talk in talks)) if at is not None]
        for ring in _ours(talks):
            if refusals and ring.created > min(refusals) + REFUSAL_TAKES:
                yield f"{ring.sid}: called although the person had refused all calls at {min(refusals):%Y-%m-%d %H:%M:%S}"


def after_the_interview(found: History) -> Iterator[str]:
    """Who answered everything, in one call or in several, or asked for a person, is not called by the machine again."""
    for talks in found.talks(lambda ring: ring.case):
        settled: tuple[datetime, str] | None = None
        given: set[str | None] = set()
        for talk in talks:
            if settled is not None and not isinstance(talk, Visit) and talk.created > settled[0]:
                yield f"{talk.sid}: called although {settled[1]} had settled it"
            for press in talk.rated():
                given.add(press.item)
                if settled is None and given.issuperset(RATED):
                    settled = press.at, talk.sid
            asked = talk.said("human")
            if settled is None and asked is not None:
                settled = asked, talk.sid


def _ours(talks: list[Ring]) -> list[Ring]:
    return [talk for talk in talks if not isinstance(talk, Visit)]


def asked_again(found: History) -> Iterator[str]:
    """R31: what was answered in an earlier call is not asked again, unless the person goes back to it."""
    for talks in found.talks(lambda ring: ring.case):
        given: set[str | None] = set()
        for talk in talks:
            back = talk.said("back")
            for press in talk.rated():
                if press.item in given and (back is None or press.at < back):
                    yield f"{talk.sid}: asked about {press.item}, which an earlier call had answered"
            given |= {press.item for press in talk.rated()}


def while_they_call_us(found: History) -> Iterator[str]:
    """R20: nobody's telephone rings for us while they are interviewed on a call of their own."""
    for talks in found.talks(lambda ring: ring.to):
        for visit in talks:
            began = visit.taken_up if isinstance(visit, Visit) else None
            for ring in _ours(talks):
                if began is not None and began < ring.created < visit.ended:
                    yield f"{ring.sid}: called while the person talked to us in {visit.sid}"


def soon_after_they_called_us(found: History) -> Iterator[str]:
    """R20: whoever has called us is left alone as long as after a call of ours; promised times may be sooner."""
    spacing = timedelta(minutes=found.terms.spacing_minutes) - found.terms.slack
    for talks in found.talks(lambda ring: ring.case):
        for earlier, ring in pairwise(talks):
            if not isinstance(earlier, Visit) or isinstance(ring, Visit) or _is_promised(ring, found):
                continue
            if earlier.ended <= ring.created < earlier.ended + spacing:
                yield f"{ring.sid}: called {ring.created - earlier.ended} after the person had called us in {earlier.sid}"


def while_paused(found: History) -> Iterator[str]:
    """RS14: a campaign that is paused or stopped calls nobody."""
    for ring in found.rings:
        for since, until in found.pauses.get(ring.campaign, ()):
            if ring.created > since + PAUSE_TAKES and (until is None or ring.created < until):
                yield f"{ring.sid}: called by a campaign that was halted at {since:%Y-%m-%d %H:%M:%S}"


def in_quarantine(found: History) -> Iterator[str]:
    """R6: a number is dialled for one campaign in so many days, and for none other than the one of an interview in a call to us."""
    length = timedelta(days=found.terms.quarantine_days)
    for talks in found.talks(lambda ring: ring.to):
        for number, ring in enumerate(talks):
            for earlier in () if isinstance(ring, Visit) else filter(_asks_the_person, talks[:number]):
                if earlier.campaign != ring.campaign and ring.created < earlier.created + length - found.terms.slack:
                    yield f"{ring.sid}: called for another campaign than {earlier.sid}, {ring.created - earlier.created} before"
                    break


def _asks_the_person(talk: Ring) -> bool:
    """Whether this is a call of ours, or one to us in which everything was answered."""
    return not isinstance(talk, Visit) or {press.item for press in talk.rated()}.issuperset(RATED)


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
    too_near_on_one_number, more_than_the_lines, faster_than_the_pace, over_the_caps, asked_again, while_they_call_us,
    soon_after_they_called_us, while_paused,
)  # fmt: skip
