"""The ledger of four levels on each incident: found by number, month and unit, shown in time order, exported masked (R2, R12)."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from flask import Blueprint, request, send_file
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.access import INSPECTION, actor, present, role
from ivr.console.escalations import number_asked
from ivr.console.language import current_language, is_english
from ivr.console.order_access import unknown_noted
from ivr.console.register import READERS, month_asked, reader
from ivr.console.rendering import render
from ivr.console.services import services
from survey.sheet import ledger as sheet
from survey.sheet.words import Words
from survey.store.queries import ledger as lines_of
from survey.store.queries import register as queries
from survey.store.queries.console_cases import Paged
from survey.store.queries.ledger import LEVELS, LedgerLine
from survey.store.queries.register import Asked, IncidentRow

ledger = Blueprint("ledger", __name__)
KINDS = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Mark:
    """The last callback of a level on an incident, in words; empty where none took place."""

    level: str
    result: str


@dataclass(frozen=True)
class IncidentLine:
    """An incident with what came of each of the four levels."""

    incident: IncidentRow
    marks: list[Mark]


@dataclass(frozen=True)
class LedgerPage:
    """One page of a month's incidents, or of those whose number was looked for in every month."""

    month: str
    number: str
    unit: int | None
    units: list[tuple[int, str]]
    levels: list[str]
    lines: list[IncidentLine]
    paged: Paged


@dataclass(frozen=True)
class Callback:
    """One callback as shown: the five answers in the order of the questions."""

    level: str
    line: LedgerLine
    by: str
    result: str


@dataclass(frozen=True)
class OneLedger:
    """The whole ledger of one incident; `lacking` are the levels that did not take place."""

    incident: IncidentRow
    callbacks: list[Callback]
    lacking: list[str]


@ledger.get("/ledger")
@role(*READERS)
def index() -> str:
    """Incidents with their four levels; number, month and unit stand in the address."""
    month, asked = _asked()
    with services().reads() as session:
        paged = queries.incidents(session, asked, reader(), request.args.get("page", 1, int))
        found = _lines(session, [row.id for row in paged.rows])
        units = queries.units(session, reader())
    lines = [IncidentLine(row, [_mark(level, found[row.id]) for level in LEVELS]) for row in paged.rows]
    page = LedgerPage(month, asked.number, asked.unit_id, units, [_level(level) for level in LEVELS], lines, paged)
    return render("ledger/index.html", page)


@ledger.get("/ledger/<public_id:public_id>")
@role(*READERS)
def show(public_id: str) -> str:
    """One incident's ledger."""
    with unknown_noted(), services().reads() as session:
        incident = queries.incident(session, public_id, reader())
        found = _lines(session, [incident.id])[incident.id]
    say = Words(current_language())
    callbacks = [Callback(_level(line.level), line, sheet.made_by(line), sheet.result(say, line)) for line in found]
    lacking = [_level(level) for level in LEVELS if level not in {line.level for line in found}]
    return render("ledger/show.html", OneLedger(incident, callbacks, lacking))


@ledger.get("/ledger/export.<any(csv,xlsx):kind>")
@role(*READERS)
def export(kind: str) -> Response:
    """The ledgers asked for as a file; who took it stands in the audit trail."""
    house, language = services(), current_language()
    month, asked = _asked()
    with house.reads() as session:
        table = sheet.rows(_all(session, asked), language, house.office.bureau.tzinfo)
        made = sheet.as_csv(table) if kind == "csv" else sheet.as_xlsx(table)
    with house.unit_of_work() as work:
        house.office.record(work.session, house.clock.now(), actor(), "ledger.export", f"ledger:{month}", kind=kind, unit=asked.unit_id)
    name = f"四级回访台账-{month}" if language == "zh" else f"callback-ledger-{month}"
    return send_file(BytesIO(made), mimetype=KINDS[kind], as_attachment=True, download_name=f"{name}.{kind}")


def _asked() -> tuple[str, Asked]:
    """What the address asks for; a number is looked for in every month."""
    month, since, before = month_asked()
    unit, number = request.args.get("unit", 0, int), number_asked()
    chosen = unit if 0 < unit <= LARGEST_ID else None
    return month, Asked(None, None, chosen, number) if number else Asked(since, before, chosen)


def _lines(session: Session, incidents: list[int]) -> dict[int, list[LedgerLine]]:
    office, mine = services().office, reader()
    inspects, unit_id = present().role == INSPECTION, mine.unit_id if mine.is_unit else None
    return lines_of.ledgers(session, office.keys, incidents, office.bureau.zone, inspection=inspects, unit_id=unit_id)


def _all(session: Session, asked: Asked) -> Iterator[tuple[IncidentRow, list[LedgerLine]]]:
    for rows in queries.batches(session, asked, reader()):
        found = _lines(session, [row.id for row in rows])
        yield from ((row, found[row.id]) for row in rows)


def _mark(level: str, lines: list[LedgerLine]) -> Mark:
    last = next((line for line in reversed(lines) if line.level == level), None)
    return Mark(_level(level), sheet.result(Words(current_language()), last) if last else "")


def _level(level: str) -> str:
    return LEVELS[level][is_english()]
