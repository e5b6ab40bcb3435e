"""Use case: a file of incidents goes in. Idempotent on the incident number, in batches, in constant memory (R3, A12)."""

import hashlib
import hmac
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from survey.errors import NotAllowed
from survey.incidents.fictitious import fiction
from survey.incidents.mapping import FIELD_WORDS, Layout, Mapping, lay_out
from survey.incidents.readers import Row, Table, open_table
from survey.incidents.records import Reading, Record, Rejection, RowRefused, shown
from survey.incidents.rejects import RejectsFile
from survey.incidents.sniffing import Limits, Unreadable
from survey.incidents.storing import Outcome, store
from survey.phone import NumberPolicy
from survey.store import audit
from survey.store.audit import canonical
from survey.store.models import IncidentImport
from survey.store.sealing import KeyRing

BATCH = 1000
_HEADER_WITHIN = 20


@dataclass(frozen=True)
class Counts:
    """What became of the lines: read = new + known + changed + rejected; `noted` lines were kept without a bad value."""

    read: int = 0
    new: int = 0
    known: int = 0
    changed: int = 0
    rejected: int = 0
    noted: int = 0

    def plus(self, outcome: Outcome) -> "Counts":
        """These counts and one batch more."""
        return replace(self, new=self.new + outcome.new, known=self.known + outcome.known, changed=self.changed + outcome.changed)

    def as_json(self) -> dict[str, int]:
        """The counts by name."""
        return {name: getattr(self, name) for name in ("read", "new", "known", "changed", "rejected", "noted")}


@dataclass(frozen=True)
class ImportReport:
    """What an import did: the counts, the format found (e.g. `csv gb18030`), the rejects file if there is one."""

    counts: Counts
    format: str
    import_id: int | None
    rejects: Path | None


@dataclass(frozen=True)
class Intake:
    """What every import into one database shares: database, keys, which numbers may be called, the seed of all fiction."""

    sessions: sessionmaker[Session]
    keys: KeyRing
    audit_key: bytes
    policy: NumberPolicy
    seed: int = 1
    limits: Limits = field(default_factory=Limits)


def import_incidents(
    intake: Intake,
    path: Path,
    mapping: Mapping,
    *,
    rejects: Path,
    actor: str,
    now: datetime,
    dry_run: bool = False,
    progress: Callable[[Counts], None] | None = None,
) -> ImportReport:
    """Import a file of incidents, or with `dry_run` only count what an import would do.

    Each batch is one transaction, so that an interrupted import is taken up by running it again. Raises Unreadable
    when the file cannot be read at all, NotAllowed when the mapping asks for made-up data where none may be.
    """
    if mapping.asks_for_fiction and not intake.policy.fictitious:
        raise NotAllowed(
            "该映射要求虚构号码或民警，仅限演示和测试环境 / this mapping asks for made-up data, which only demo and test allow"
        )
    table = _open(path, mapping, intake.limits)
    layout, rows = find_header(table, mapping)
    made_up = fiction(intake.seed, mapping.made_up_numbers, mapping.made_up_officers)
    reading = Reading(mapping, layout, intake.policy, made_up, now)
    run = _Run(intake, None if dry_run else _begin(intake, path, mapping, now), actor, now)
    with RejectsFile(rejects) as file:
        counts = run.work(_judge(reading, rows, intake.keys), file, progress or (lambda counts: None))
    if run.import_id is not None:
        run.finish(counts)
    found = f"{table.format.kind} {table.format.encoding}".strip()
    return ImportReport(counts, found, run.import_id, file.path if file.written else None)


def _open(path: Path, mapping: Mapping, limits: Limits) -> Table:
    return open_table(path, limits, code_page=mapping.code_page, delimiter=mapping.delimiter, sheet=mapping.sheet)


@dataclass(frozen=True)
class _Judged:
    line: int
    record: Record | None
    digest: str
    rejections: tuple[Rejection, ...]


def _judge(reading: Reading, rows: Iterator[Row], keys: KeyRing) -> Iterator[_Judged]:
    with closing(_Seen()) as seen:
        for row in rows:
            try:
                record, notes = reading.interpret(row)
            except RowRefused as refused:
                yield _Judged(row.line, None, "", (refused.rejection,))
                continue
            digest = row_digest(record, keys)
            first = seen.note(record.number, row.line, digest)
            if first and first[1] != digest:
                yield _Judged(row.line, None, "", (_repeated(record, reading.layout, first[0]),))
            else:
                yield _Judged(row.line, record, digest, notes)


def _repeated(record: Record, layout: Layout, first: int) -> Rejection:
    header, value = layout.headers[layout.places["number"]], shown("number", record.number)
    zh, en = f"编号与第 {first} 行重复而内容不同", f"same number as line {first}, but other content"
    return Rejection(record.line, header, value, zh, en, "两行只留一行", "leave one of the two lines")


def row_digest(record: Record, keys: KeyRing) -> str:
    """A keyed digest of what the file says about an incident: equal digests, nothing changed.

    Keyed, because a plain hash of a row with a telephone number could be guessed back. What was made up does not
    count: another seed changes nothing.
    """
    times = [moment and moment.isoformat() for moment in (record.occurred_at, record.arrived_at, record.closed_at)]
    personal = [None if name in record.invented else getattr(record, name) for name in ("phone", "reporter", "officer")]
    words = [record.number, record.unit, record.unit_name, record.category, record.call_type, record.zone, record.place]
    text = canonical([words, times, personal, record.exclusion and record.exclusion.word])
    return hmac.new(keys.index_key, b"row|" + text.encode(), hashlib.sha256).hexdigest()


class _Seen:
    """The incident numbers of this file, in a temporary database on disk: constant memory for any length."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("")
        self._rows.execute("CREATE TABLE seen (number TEXT PRIMARY KEY, line INTEGER, digest TEXT) WITHOUT ROWID")

    def note(self, number: str, line: int, digest: str) -> tuple[int, str] | None:
        """Remember a number; returns (line, digest) of its first appearance when it has been there before."""
        added = self._rows.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (number, line, digest))
        if added.rowcount:
            return None
        found: tuple[int, str] = self._rows.execute("SELECT line, digest FROM seen WHERE number = ?", (number,)).fetchone()
        return found

    def close(self) -> None:
        self._rows.close()


def find_header(table: Table, mapping: Mapping) -> tuple[Layout, Iterator[Row]]:
    """Where the fields stand, and the rows below the header. Raises Unreadable.

    The header is the first row that has all required columns: titles and merged cells may stand above it.
    """
    missing: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    for row in itertools.islice(table.rows, _HEADER_WITHIN):
        texts = tuple(str(cell) for cell in row.cells)
        layout, lacking = lay_out(mapping, texts)
        if not lacking:
            return layout, table.rows
        if not missing or len(lacking) < len(missing):
            missing, headers = lacking, texts
    words = "；".join(f"{FIELD_WORDS.get(name, name)} {name}（{' / '.join(mapping.columns[name])}）" for name in missing)
    present = "、".join(header[:20] for header in headers[:30])
    raise Unreadable(f"找不到必需的列：{words}。文件里的表头是：{present}", "required columns are missing: " + ", ".join(missing))


def _begin(intake: Intake, path: Path, mapping: Mapping, now: datetime) -> int:
    with intake.sessions.begin() as session:
        run = IncidentImport(
            file_name=path.name[:255], file_digest=_file_digest(path), mapping_name=mapping.name[:128], started_at=now, counts={}
        )
        session.add(run)
        session.flush()
        return run.id


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class _Run:
    intake: Intake
    import_id: int | None
    actor: str
    now: datetime

    def work(self, judged: Iterator[_Judged], rejects: RejectsFile, progress: Callable[[Counts], None]) -> Counts:
        counts = Counts()
        while batch := list(itertools.islice(judged, BATCH)):
            for rejection in itertools.chain.from_iterable(each.rejections for each in batch):
                rejects.write(rejection)
            refused = sum(each.record is None for each in batch)
            noted = sum(bool(each.record and each.rejections) for each in batch)
            counts = replace(counts, read=counts.read + len(batch), rejected=counts.rejected + refused, noted=counts.noted + noted)
            counts = counts.plus(self._store([(each.record, each.digest) for each in batch if each.record]))
            progress(counts)
        return counts

    def _store(self, records: list[tuple[Record, str]]) -> Outcome:
        intake = self.intake
        with intake.sessions.begin() as session:
            outcome = store(session, intake.keys, records, self.import_id)
            for incident_id, changes in outcome.changes:
                subject = f"incident:{incident_id}"
                audit.append(session, intake.audit_key, self.now, self.actor, "incident.changed", subject, **changes)
        return outcome

    def finish(self, counts: Counts) -> None:
        with self.intake.sessions.begin() as session:
            run = session.get_one(IncidentImport, self.import_id)
            run.finished_at, run.counts = self.now, counts.as_json()
            audit.append(session, self.intake.audit_key, self.now, self.actor, "incidents.imported", f"import:{run.id}",
                         file=run.file_digest, mapping=run.mapping_name, **counts.as_json())  # fmt: skip
