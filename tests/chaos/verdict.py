"""What became of a campaign under the nemesis: counts to read, and every fault that the independent judges find."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import witness
from config.wiring import House
from survey.store.models import Answer, CallAttempt, Campaign, CarrierEvent, Respondent
from tests.simulation import checker, ledger

ENDS = ("closed", "needs_review")
ZONE = ZoneInfo("Asia/Shanghai")
DOUBTS = ("HTTP 5", "Read", "Conn", "Protocol", "unread", "accepted without")
"""How the reason of an unknown outcome begins."""

MOST_FAULTS, MOST_EVIDENCE = 20, 6
SLACK_SECONDS = 90.0
"""Virtual time goes on while a request is under way: so far may our moment and the carrier's be apart."""


@dataclass(frozen=True)
class Outcome:
    """`counts` for people to read; `faults` must be empty, each is one sentence; `deeds` is how often the nemesis struck.

    `evidence` is what the carrier saw of the calls that faults name, and what the house has printed about them.
    """

    counts: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    deeds: int = 0
    evidence: list[str] = field(default_factory=list)

    def text(self) -> str:
        """One line a count, then the faults, or the first of many."""
        lines = [f"{name:>36}  {value}" for name, value in self.counts.items()]
        lines += [f"FAULT {fault}" for fault in self.faults[:MOST_FAULTS]]
        if len(self.faults) > MOST_FAULTS:
            lines.append(f"and {len(self.faults) - MOST_FAULTS} more")
        return "\n".join([*lines, *self.evidence])


def outcome(house: House, session: Session, campaign: Campaign, journal: Sequence[Mapping[str, Any]], log: str) -> Outcome:
    """Hold the tables against the carrier's journal, which is the witness, and the calls against the rules."""
    calls = [_told(call) for call in journal]
    people = session.scalars(select(Respondent)).all()
    books = ledger.read_books(session, house.keys, house.audit_key, len(people))
    terms = checker.terms_of(
        campaign.rules, lines=campaign.lines, calls_per_second=campaign.calls_per_second, slack_seconds=SLACK_SECONDS, pace_allowance=30,
    )  # fmt: skip
    persons = [checker.Person(case.number) for case in books.cases]
    cases = {attempt.sid: str(attempt.case) for attempt in books.attempts if attempt.sid}
    faults = checker.violations(calls, persons, terms, case_of=cases) + ledger.disagreements(calls, books)
    rows = session.execute(select(CallAttempt.carrier_sid, Answer.item, Answer.raw).join(Answer, Answer.attempt_id == CallAttempt.id))
    stored = [witness.StoredAnswer(sid or "", item, raw) for sid, item, raw in rows]
    return Outcome({**_counts(session, people, calls), **_answers(calls, stored)}, faults, evidence=_evidence(session, calls, faults, log))


def _evidence(session: Session, calls: Sequence[Mapping[str, Any]], faults: Sequence[str], log: str) -> list[str]:
    named = " ".join(faults[:MOST_FAULTS])
    found = []
    for call in [call for call in calls if str(call["sid"]) in named][:MOST_EVIDENCE]:
        token = session.scalar(select(CallAttempt.token).where(CallAttempt.carrier_sid == call["sid"])) or "no attempt"
        printed = [line[:300] for line in log.splitlines() if token[:12] in line]
        found.append("\n".join([json.dumps(call, ensure_ascii=False, default=str), *printed[:MOST_EVIDENCE]]))
    return found


def _told(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """The call, with a word at each press whether a document of ours answered it."""
    presses = [{**press, "acknowledged": witness.arrived(call, press)} for press in call["presses"]]
    return {**call, "presses": presses}


def _counts(session: Session, people: Sequence[Respondent], calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    attempts = session.scalars(select(CallAttempt).where(CallAttempt.direction == "out")).all()
    placed = [attempt for attempt in attempts if attempt.carrier_sid]
    legs = session.scalar(select(func.count()).select_from(CarrierEvent).where(CarrierEvent.kind == "second_leg"))
    return {
        "people": len(people), "people without an end": sum(person.state not in ENDS for person in people),
        "calls at the carrier": len(calls), "attempts with a call": len(placed), "attempts": len(attempts),
        "double rings": legs, "people rung twice at once": len(witness.rung_at_once(calls)),
        "unknown, found to ring": sum(attempt.error.startswith(DOUBTS) for attempt in placed),
        "unknown, found not to ring": sum(attempt.error == "not placed" for attempt in attempts),
        "dispositions": dict(Counter(person.disposition for person in people).most_common()),
    }  # fmt: skip


def _answers(calls: Sequence[Mapping[str, Any]], stored: Sequence[witness.StoredAnswer]) -> dict[str, int]:
    verdict = witness.compare(calls, stored)
    return {
        "answers pressed": len(witness.pressed_answers(calls)), "answers stored": sum(answer.item in ledger.RATED for answer in stored),
        "answers equal": verdict.equal, "answers different": len(verdict.different), "answers lost": len(verdict.lost),
        "answers invented": len(verdict.invented), "answers lost with an excuse": len(verdict.unheard),
    }  # fmt: skip
