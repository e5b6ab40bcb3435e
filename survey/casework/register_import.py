"""Use case: a file of the on-site register goes in; once more changes nothing, and what cannot be used is told line by line (R1)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.casework.register import Signing, enter
from survey.errors import BadInput, NotAllowed
from survey.fieldwork.office import Office
from survey.incidents.readers import Row, open_table
from survey.incidents.records import Rejection, RowRefused
from survey.incidents.register_table import RegisterLayout, RegisterMapping, find_header, interpret
from survey.incidents.rejects import RejectsFile
from survey.incidents.sniffing import Limits
from survey.store.models import Incident, RegisterEntry
from survey.store.queries.register import signed_by
from survey.store.unit_of_work import UnitOfWork

BATCH = 500


@dataclass(frozen=True)
class RegisterCounts:
    """What became of the lines: read = new + known + rejected."""

    read: int = 0
    new: int = 0
    known: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class RegisterIntake:
    """By whom, and for which unit alone (None: for every incident), a register comes in, and how it is read."""

    office: Office
    mapping: RegisterMapping
    by: str
    now: datetime
    unit_id: int | None = None
    limits: Limits | None = None


@dataclass(frozen=True)
class RegisterReport:
    """What an import did: the counts, the first rejections, and the file that holds them all (None: there are none)."""

    counts: RegisterCounts
    rejections: tuple[Rejection, ...]
    rejects: Path | None


def import_register(
    open_work: Callable[[], UnitOfWork], intake: RegisterIntake, path: Path, rejects: Path, *, shown: int = 100
) -> RegisterReport:
    """Import a CSV, XLSX or XLS of register entries; each batch is one transaction. Raises Unreadable where it is no such file.

    Importing it again changes nothing. A line that says otherwise than the entry that stands is rejected: there is exactly one.
    """
    rows = open_table(path, intake.limits).rows
    layout = find_header(rows, intake.mapping)
    counts, kept = RegisterCounts(), list[Rejection]()
    with RejectsFile(rejects) as file:
        while batch := list(islice(rows, BATCH)):
            with open_work() as work:
                told = list(_batch(work.session, intake, layout, batch))
            for outcome in told:
                if isinstance(outcome, Rejection):
                    file.write(outcome)
                    kept = [*kept, outcome][:shown]
            counts = _counted(counts, told)
        with open_work() as work:
            intake.office.record(work.session, intake.now, intake.by, "register.import", "register", **vars(counts))
    return RegisterReport(counts, tuple(kept), file.path if file.written else None)


def _counted(counts: RegisterCounts, told: list[Rejection | bool]) -> RegisterCounts:
    rejected = sum(isinstance(outcome, Rejection) for outcome in told)
    new = sum(outcome is True for outcome in told)
    return replace(
        counts, read=counts.read + len(told), new=counts.new + new, rejected=counts.rejected + rejected,
        known=counts.known + len(told) - new - rejected,
    )  # fmt: skip


def _batch(session: Session, intake: RegisterIntake, layout: RegisterLayout, rows: list[Row]) -> Iterator[Rejection | bool]:
    """For each row a rejection, or whether it is new."""
    for row in rows:
        try:
            yield _take(session, intake, layout, row)
        except RowRefused as refused:
            yield refused.rejection


def _take(session: Session, intake: RegisterIntake, layout: RegisterLayout, row: Row) -> bool:
    line = interpret(row, layout, intake.mapping, intake.now)
    incident = session.scalars(select(Incident).where(Incident.number == line.number)).one_or_none()
    if incident is None or (intake.unit_id is not None and incident.unit_id != intake.unit_id):
        raise RowRefused(layout.rejection(row, "number", "没有这起警情", "there is no such incident", "先导入警情，或核对编号和单位",
                                          "import the incident first, or check number and unit"))  # fmt: skip
    if line.at < incident.occurred_at:
        zh, en = "登记早于报警", "entered before it was reported"
        raise RowRefused(layout.rejection(row, "at", zh, en, "核对两个时间", "check both times"))
    standing = session.scalars(select(RegisterEntry).where(RegisterEntry.incident_id == incident.id)).one_or_none()
    if standing is not None:
        if (standing.state, signed_by(intake.office.keys, standing)) != (line.state, line.by):
            raise RowRefused(_otherwise(layout, row))
        return False
    try:
        enter(session, intake.office, incident, Signing(line.state, line.by, line.at, line.reason), intake.by, intake.now)
    except (BadInput, NotAllowed) as wrong:
        zh, _slash, en = str(wrong).partition(" / ")
        raise RowRefused(layout.rejection(row, "state", zh, en, "核对后重新导入", "check it and import again")) from None
    return True


def _otherwise(layout: RegisterLayout, row: Row) -> Rejection:
    told = ("每起警情只有一条登记，请核对", "an incident has exactly one entry: check which is right")
    return layout.rejection(row, "state", "已有登记，内容不同", "there is an entry that says otherwise", *told)
