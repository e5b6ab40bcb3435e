"""Holds the office's tables against the telephone company's record: nothing lost, nothing doubled, nothing invented."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import witness
from survey.disposition import Disposition
from survey.store import audit
from survey.store.models import Alarm, Answer, CallAttempt, Escalation, Incident, Recording, Respondent, Suppression
from survey.store.sealing import KeyRing, place

RATED = frozenset(("speed", "attitude", "outcome", "equipment", "appearance"))
SCALE = frozenset("123456")
DISSATISFIED = frozenset("45")
ENDS = frozenset(("completed", "busy", "no_answer", "failed", "canceled", "rejected"))

UNDER_WAY = timedelta(minutes=2)
"""So long after a promise was made a call may still come that was on its way before it."""
EXPLAINED = frozenset(("opted_out", "campaign_stopped", "handed_over", "finished", "quarantine", "reviewed"))
"""Why a case may have been closed although a call was promised: each is shown on its page."""


@dataclass(frozen=True)
class Case:
    """A respondent: its number, its state, its disposition, its campaign, why it was closed."""

    id: int
    number: str
    campaign: int
    state: str
    disposition: str
    reason: str = ""


@dataclass(frozen=True)
class Attempt:
    """A dialling as we wrote it down. `counted`: it has a verdict, and so counts among the tries."""

    id: int
    case: int
    sid: str | None
    status: str
    settled: bool
    incoming: bool = False
    counted: bool = True


@dataclass(frozen=True)
class Promise:
    """A call that somebody at the desk promised at `made`, for `at`."""

    case: int
    made: datetime
    at: datetime


@dataclass(frozen=True)
class Books:
    """What the tables say. `answers` maps (respondent, item) to the raw key; `expected` is how many people were to be called."""

    cases: tuple[Case, ...]
    attempts: tuple[Attempt, ...] = ()
    answers: Mapping[tuple[int, str], str] = field(default_factory=dict)
    escalations: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    refusals: frozenset[str] = frozenset()  # numbers
    recordings: Mapping[str, str] = field(default_factory=dict)  # sid -> state
    alarms: frozenset[tuple[str, str]] = frozenset()
    flaws: tuple[str, ...] = ()  # of the audit trail
    expected: int | None = None
    promises: tuple[Promise, ...] = ()
    told: frozenset[str] = frozenset()  # numbers of which somebody told us by letter that they are not to be called
    most_tries: int | None = None
    slack: timedelta = timedelta(seconds=15)  # how wrong our clock may have been


@dataclass(frozen=True)
class Matter:
    """Books and journal side by side."""

    books: Books
    calls: tuple[Mapping[str, Any], ...]
    second_legs: frozenset[str]

    def of_case(self) -> dict[int, list[Mapping[str, Any]]]:
        """The journal's calls of each respondent, oldest first."""
        calls = {call["sid"]: call for call in self.calls}
        found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for attempt in self.books.attempts:
            if attempt.sid in calls:
                found[attempt.case].append(calls[attempt.sid])
        return {case: sorted(theirs, key=lambda call: str(call["created_at"])) for case, theirs in found.items()}


def disagreements(journal: Iterable[Mapping[str, Any]], books: Books, second_legs: frozenset[str] = frozenset()) -> list[str]:
    """Every way in which the books and the carrier's record contradict each other, a sentence each."""
    matter = Matter(books, tuple(journal), second_legs)
    return [sentence for rule in RULES for sentence in rule(matter)]


def calls_are_attempts(matter: Matter) -> Iterator[str]:
    """Attempts placed = calls at the carrier, one for one; a call to us may have come to nothing."""
    bound = Counter(attempt.sid for attempt in matter.books.attempts if attempt.sid)
    known = {call["sid"] for call in matter.calls}
    for call in matter.calls:
        if call["sid"] not in bound and call["sid"] not in matter.second_legs and not _is_theirs(call):
            yield f"{call['sid']}: no attempt knows of this call"
    for sid, count in bound.items():
        if count > 1:
            yield f"{sid}: {count} attempts claim this call"
        if sid not in known:
            yield f"{sid}: the carrier never saw this call"


def _is_theirs(call: Mapping[str, Any]) -> bool:
    return str(call.get("direction", "")).startswith("in")


def everybody_ends(matter: Matter) -> Iterator[str]:
    """P2: each respondent ends closed or before a person, each attempt with a verdict."""
    for case in matter.books.cases:
        if case.state not in ("closed", "needs_review"):
            yield f"respondent {case.id}: left {case.state}"
    for attempt in matter.books.attempts:
        if attempt.status not in ENDS or not attempt.settled:
            yield f"attempt {attempt.id}: left {attempt.status}, settled: {attempt.settled}"


def the_sum_is_the_sample(matter: Matter) -> Iterator[str]:
    """R17: every respondent has one known disposition, and there are as many as were drawn."""
    known = {disposition.word for disposition in Disposition}
    for case in matter.books.cases:
        if case.disposition not in known:
            yield f"respondent {case.id}: {case.disposition} is no disposition"
    if matter.books.expected is not None and len(matter.books.cases) != matter.books.expected:
        yield f"respondents: {len(matter.books.cases)}, drawn {matter.books.expected}"


def answers_are_presses(matter: Matter) -> Iterator[str]:
    """P3: the last key that was pressed for each rated question, and answered by us, is stored; nothing else is."""
    of_case = matter.of_case()
    pressed: dict[tuple[int, str], list[str]] = {}
    for case, calls in of_case.items():
        for press in sorted(_ratings(calls), key=lambda press: str(press["at"])):
            key = (case, press["item"])
            sure = press.get("acknowledged", True)
            pressed[key] = [press["keys"]] if sure else [*pressed.get(key, [""]), press["keys"]]
    stored = {key: raw for key, raw in matter.books.answers.items() if key[1] in RATED}
    for key in sorted(pressed.keys() | stored.keys()):
        allowed, raw = pressed.get(key, [""]), stored.get(key, "")
        if raw not in allowed:
            sids = " ".join(str(call["sid"]) for call in of_case.get(key[0], ()))
            yield f"{sids}: respondent {key[0]} pressed {allowed[-1] or 'nothing'} at {key[1]}, stored is {raw or 'nothing'}"


def _ratings(calls: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [press for call in calls for press in call["presses"] if press["item"] in RATED and press["keys"] in SCALE]


def the_dissatisfied_are_escalated(matter: Matter) -> Iterator[str]:
    """P4: whose stored answers hold a 4 or 5 has a case, whoever asked for a person too."""
    for case, calls in matter.of_case().items():
        last: dict[str, Mapping[str, Any]] = {press["item"]: press for press in _ratings(calls)}
        reasons = matter.books.escalations.get(case, ())
        sure = all(press.get("acknowledged", True) for press in _ratings(calls))
        unhappy = any(press["keys"] in DISSATISFIED for press in last.values())
        if sure and unhappy != ("dissatisfied" in reasons):
            yield f"{calls[-1]['sid']}: respondent {case} was {'' if unhappy else 'not '}dissatisfied, the case says {list(reasons)}"
        if _meant(calls, "human") and "human_requested" not in reasons:
            yield f"{calls[-1]['sid']}: respondent {case} asked for a person, the case says {list(reasons)}"


def refusals_are_kept(matter: Matter) -> Iterator[str]:
    """R16: whoever pressed 0 and was answered, in our call or in theirs, or wrote to us, is on the refusal list."""
    numbers = {case.id: case.number for case in matter.books.cases}
    for case, calls in matter.of_case().items():
        if _meant(calls, "never") and numbers[case] not in matter.books.refusals:
            yield f"{calls[-1]['sid']}: respondent {case} refused all calls and is not on the list"
    for call in filter(_is_theirs, matter.calls):
        if _meant([call], "never") and call["caller_id"] in set(numbers.values()) - matter.books.refusals:
            yield f"{call['sid']}: the caller refused all calls and is not on the list"
    if matter.books.told - matter.books.refusals:
        yield f"{len(matter.books.told - matter.books.refusals)} numbers were refused by letter and are not on the list"


def _meant(calls: Iterable[Mapping[str, Any]], intent: str) -> bool:
    presses = [press for call in calls for press in call["presses"]]
    return any(press.get("intent") == intent and press.get("acknowledged", True) for press in presses)


def promises_are_kept(matter: Matter) -> Iterator[str]:
    """R36: who was promised a time is not called before it, and is called after it, or the case says why not.

    Who has declined since in a call to us has taken the promise back (R15).
    """
    of_case = matter.of_case()
    cases = {case.id: case for case in matter.books.cases}
    turned_down = {attempt.case for attempt in matter.books.attempts if attempt.status == "rejected" and attempt.counted}
    last = {promise.case: promise for promise in sorted(matter.books.promises, key=lambda promise: promise.made)}
    for promise in last.values():
        moments = [(datetime.fromisoformat(call["created_at"]), call) for call in of_case.get(promise.case, ()) if not _is_theirs(call)]
        for at, call in moments:
            if promise.made + UNDER_WAY < at < promise.at - matter.books.slack:
                yield f"{call['sid']}: respondent {promise.case} was promised a call at {promise.at}, not before"
        case = cases[promise.case]
        if case.state == "needs_review" or case.reason in EXPLAINED:
            continue
        if case.reason == "declined" and _talked_since(of_case.get(promise.case, ()), promise.made):
            continue
        if not any(at >= promise.at - matter.books.slack for at, _ in moments) and promise.case not in turned_down:
            yield f"respondent {case.id}: was promised a call at {promise.at} and closed as {case.reason} without one"


def _talked_since(calls: Iterable[Mapping[str, Any]], made: datetime) -> bool:
    return any(_is_theirs(call) and datetime.fromisoformat(call["created_at"]) >= made - UNDER_WAY for call in calls)


def whoever_cannot_be_called_is_asked_for_once(matter: Matter) -> Iterator[str]:
    """A number that the carrier turned down for good is not asked for again; what a person has to look at may be."""
    turned_down = Counter(attempt.case for attempt in matter.books.attempts if attempt.status == "rejected" and attempt.counted)
    for case in matter.books.cases:
        if turned_down[case.id] > 1:
            yield f"respondent {case.id}: asked for {turned_down[case.id]} times, though the carrier had turned the number down"


def nobody_is_given_up_early(matter: Matter) -> Iterator[str]:
    """R20: who is closed because there were tries enough had so many calls from us; their own calls to us do not count."""
    ours = Counter(attempt.case for attempt in matter.books.attempts if attempt.counted and not attempt.incoming)
    for case in matter.books.cases:
        if matter.books.most_tries is not None and case.reason == "max_attempts" and ours[case.id] < matter.books.most_tries:
            yield f"respondent {case.id}: given up after {ours[case.id]} tries, {matter.books.most_tries} were allowed"


def recordings_are_fetched(matter: Matter) -> Iterator[str]:
    """What somebody said is kept or dropped by us, and then gone at the carrier; nothing waits for ever."""
    for call in matter.calls:
        for recording in call.get("recordings", ()):
            state = matter.books.recordings.get(recording["sid"])
            if state == "announced":
                yield f"{call['sid']}: recording {recording['sid']} was never fetched"
            if state in ("kept", "discarded") and not recording["deleted"]:
                yield f"{call['sid']}: recording {recording['sid']} is {state}, its copy still lies at the carrier"


def the_trail_is_whole(matter: Matter) -> Iterator[str]:
    """R65: the audit chain verifies."""
    yield from (f"audit: {flaw}" for flaw in matter.books.flaws)


def no_document_was_wrong(matter: Matter) -> Iterator[str]:
    """RS35: every document that we sent could be obeyed, and every repeat got the same reply.

    Who calls us may be offered something else a minute later.
    """
    for call in matter.calls:
        yield from (f"{call['sid']}: {problem}" for problem in call.get("problems", ()) if problem[:5] not in ("11200", "11205"))
        if (otherwise := witness.repeats_answered_otherwise(call)) and not _is_theirs(call):
            yield f"{call['sid']}: {len(otherwise)} repeats were answered differently, first at {otherwise[0]}"


RULES: tuple[Callable[[Matter], Iterator[str]], ...] = (
    calls_are_attempts, everybody_ends, the_sum_is_the_sample, answers_are_presses, the_dissatisfied_are_escalated, refusals_are_kept,
    recordings_are_fetched, the_trail_is_whole, no_document_was_wrong, promises_are_kept, nobody_is_given_up_early,
    whoever_cannot_be_called_is_asked_for_once,
)  # fmt: skip


def read_books(session: Session, keys: KeyRing, audit_key: bytes, expected: int | None = None) -> Books:
    """The books as the tables hold them."""
    numbers: dict[int, str] = {}
    by_key: dict[bytes, str] = {}
    for incident in session.scalars(select(Incident).join(Respondent, Respondent.incident_id == Incident.id)):
        number = keys.open(incident.phone_sealed, place("incidents", "phone_sealed", incident.public_id)) or ""
        numbers[incident.id] = by_key[incident.phone_key or b""] = number
    cases = [
        Case(row.id, numbers[row.incident_id], row.campaign_id, row.state, row.disposition, row.close_reason)
        for row in session.scalars(select(Respondent))
    ]
    attempts = [
        Attempt(
            row.id, row.respondent_id, row.carrier_sid, row.status, row.settled_at is not None, row.direction == "in", bool(row.disposition)
        )
        for row in session.scalars(select(CallAttempt))
    ]  # fmt: skip
    answers = {(row.respondent_id, row.item): row.raw for row in session.scalars(select(Answer))}
    escalations = {row.respondent_id: tuple(row.reasons) for row in session.scalars(select(Escalation))}
    refusals = frozenset(by_key.get(row.phone_key, "") for row in session.scalars(select(Suppression)))
    recordings = {row.carrier_sid: row.state for row in session.scalars(select(Recording))}
    alarms = frozenset((row.kind, row.subject) for row in session.scalars(select(Alarm)))
    flaws = tuple(f"entry {flaw.n} {flaw.problem}" for flaw in audit.verify(session, audit_key))
    return Books(tuple(cases), tuple(attempts), answers, escalations, refusals, recordings, alarms, flaws, expected)
