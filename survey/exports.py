"""Use case: answers, attempts, cases and remarks as CSV for those who check us; no name and no number in them (RS59).

One row per (respondent, item), per attempt, per case in the human queue, per remark. Rows are streamed: memory does not grow
with the campaign. Personal data is added only with a reason. Each export is entered in the audit trail first (`authorise`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TextIO
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from survey.disposition import Disposition
from survey.errors import BadInput
from survey.scoring import ITEMS
from survey.sheet.csv import guarded, writer
from survey.store import audit
from survey.store.models import Incident, ScriptVersion
from survey.store.queries import exports as ask
from survey.store.queries import remarks
from survey.store.sealing import KeyRing, place

ANSWER_COLUMNS = (
    "campaign", "incident", "unit", "attempt", "carrier_sid", "item", "code", "score", "raw", "mode", "confidence",
    "script_version", "answered_at",
)  # fmt: skip
ATTEMPT_COLUMNS = (
    "campaign", "incident", "unit", "replicate", "position", "attempt", "purpose", "carrier_sid", "status", "answered_by", "error",
    "disposition", "aapor", "final_disposition", "final_aapor", "script_version", "claimed_at", "requested_at", "ringing_at", "answered_at",
    "ended_at", "seconds",
)  # fmt: skip
CASE_COLUMNS = (
    "campaign", "case", "incident", "unit", "attempt", "carrier_sid", "reasons", "route", "priority", "consent", "state", "opened_at",
    "due_at", *ITEMS,
)  # fmt: skip
REMARK_COLUMNS = (
    "campaign", "incident", "unit", "attempt", "carrier_sid", "remark", "item", "language", "seconds", "state", "confidence", "model",
    "corrected", "class", "hot_spot", "hazard", "danger", "abuse", "coded_by", "kept_at", "transcribed_at",
)  # fmt: skip
PERSONAL_COLUMNS = ("phone", "reporter")
VERBATIM_COLUMNS = ("text", "place", "evidence")


class Phone(NamedTuple):
    """A number in E.164: its plus sign is no formula and stays readable."""

    e164: str


@dataclass(frozen=True)
class Disclosure:
    """The right to read personal data, for one stated reason."""

    keys: KeyRing
    reason: str


@dataclass(frozen=True)
class Order:
    """Who wants which export of which campaign, when, with times written in which zone."""

    what: str
    campaign_id: int
    campaign: str  # its public identity, as it stands in the rows
    by: str
    now: datetime
    zone: ZoneInfo
    disclosure: Disclosure | None = None


def authorise(session: Session, order: Order, audit_key: bytes) -> None:
    """Check the order and enter it in the audit trail; commit this before the first row is written.

    Raises BadInput for an unknown kind, or when personal data is asked for without a reason.
    """
    if order.what not in KINDS:
        raise BadInput(f"“{order.what}”：可导出 {'、'.join(KINDS)} (can export {', '.join(KINDS)})")
    if order.disclosure and not order.disclosure.reason.strip():
        raise BadInput("reason: 导出个人信息须说明理由 (personal data is exported only with a reason)")
    reason = order.disclosure.reason if order.disclosure else ""
    details = {"what": order.what, "personal_data": bool(order.disclosure), "reason": reason}
    audit.append(session, audit_key, order.now, order.by, "export", f"campaign:{order.campaign_id}", **details)


def write(session: Session, order: Order, stream: TextIO) -> int:
    """Write the rows to `stream` (opened with newline="" and encoding utf-8-sig) and return how many there are."""
    kind, out = KINDS[order.what], writer(stream)
    out.writerow((*kind.columns, *(kind.personal if order.disclosure else ())))
    count = 0
    for row in kind.rows(session, order):
        out.writerow([_cell(value, order.zone) for value in row])
        count += 1
    return count


def _cell(value: Any, zone: ZoneInfo) -> str | int | float:
    match value:
        case None:
            return ""
        case Phone(e164):
            return e164
        case datetime():
            return value.astimezone(zone).isoformat(timespec="seconds")
        case float():
            return int(value) if value.is_integer() else value
        case int():
            return value
    return guarded(str(value))


def _answer_rows(session: Session, order: Order) -> Iterator[tuple[Any, ...]]:
    for answer, attempt, incident, unit, script in ask.answers(session, order.campaign_id):
        yield (
            order.campaign, incident.number, unit, attempt.number, attempt.carrier_sid, answer.item, answer.code, answer.score,
            answer.raw, answer.mode, answer.confidence, _version(script), answer.answered_at, *_personal(incident, order),
        )  # fmt: skip


def _attempt_rows(session: Session, order: Order) -> Iterator[tuple[Any, ...]]:
    for attempt, respondent, incident, unit, script in ask.attempts(session, order.campaign_id):
        yield (
            order.campaign, incident.number, unit, respondent.replicate, respondent.position, attempt.number,
            attempt.purpose, attempt.carrier_sid, attempt.status, attempt.answered_by, attempt.error, *_codes(attempt.disposition),
            *_codes(respondent.disposition), _version(script), attempt.claimed_at, attempt.requested_at, attempt.ringing_at,
            attempt.answered_at, attempt.ended_at, attempt.seconds, *_personal(incident, order),
        )  # fmt: skip


def _case_rows(session: Session, order: Order) -> Iterator[tuple[Any, ...]]:
    given = ask.codes_of_cases(session, order.campaign_id)
    for case, attempt, incident, unit in ask.cases(session, order.campaign_id):
        codes = given.get(case.respondent_id, {})
        consents = case.consent == "yes"  # without consent a case carries no name and no number (R33)
        yield (
            order.campaign, case.public_id, incident.number, unit, attempt.number, attempt.carrier_sid,
            ";".join(case.reasons), case.route, case.priority, case.consent, case.state, case.opened_at, case.due_at,
            *(codes.get(item) for item in ITEMS), *_personal(incident, order, withheld=not consents),
        )  # fmt: skip


def _remark_rows(session: Session, order: Order) -> Iterator[tuple[Any, ...]]:
    for row in remarks.exported(session, order.campaign_id):
        recording, transcript, held = row.Recording, row.Transcript, row.held
        findings = (int(held.hot_spot), int(held.hazard), int(held.danger), int(held.abuse)) if held else (None,) * 4
        found = (held.code, *findings, held.by) if held else (None,) * 6
        made = (transcript.state, transcript.confidence, transcript.model) if transcript else ("waiting", None, "")
        yield (
            order.campaign, row.incident, row.unit, row.attempt, row.carrier_sid, recording.public_id, recording.item,
            row.spoken.partition("-")[0].lower(), recording.seconds, *made,
            int(row.corrected is not None), *found, recording.kept_at, transcript.made_at if transcript else None, *_verbatim(row, order),
        )  # fmt: skip


def _verbatim(row: Any, order: Order) -> Iterable[Any]:
    """The person's own words, the place that they name, and the words that led to the class."""
    if not order.disclosure:
        return ()
    keys, said, held = order.disclosure.keys, row.corrected or row.Transcript, row.held
    text = keys.open(said.text_sealed, place(said.__tablename__, "text_sealed", said.public_id)) if said else None
    if held is None:
        return (text, None, None)
    return (
        text,
        *(keys.open(getattr(held, name), place("remark_codes", name, held.public_id)) for name in ("place_sealed", "evidence_sealed")),
    )


def _personal(incident: Incident, order: Order, withheld: bool = False) -> Iterable[Any]:
    if not order.disclosure:
        return ()
    if withheld:
        return (None, None)
    keys, public_id = order.disclosure.keys, incident.public_id
    number = keys.open(incident.phone_sealed, place("incidents", "phone_sealed", public_id))
    return (Phone(number) if number else None, keys.open(incident.reporter_sealed, place("incidents", "reporter_sealed", public_id)))


def _codes(word: str | None) -> tuple[str | None, str | None]:
    return (word, Disposition.from_word(word).aapor) if word else (None, None)


def _version(script: ScriptVersion) -> str:
    return f"{script.name} v{script.number}"


@dataclass(frozen=True)
class Kind:
    """One export: its columns, its rows without and with personal data, and the columns that these add."""

    columns: tuple[str, ...]
    rows: Callable[[Session, Order], Iterator[tuple[Any, ...]]]
    personal: tuple[str, ...] = PERSONAL_COLUMNS


KINDS = {
    "answers": Kind(ANSWER_COLUMNS, _answer_rows),
    "attempts": Kind(ATTEMPT_COLUMNS, _attempt_rows),
    "cases": Kind(CASE_COLUMNS, _case_rows),
    "remarks": Kind(REMARK_COLUMNS, _remark_rows, VERBATIM_COLUMNS),
}
