"""Bringing a backup back: first everything is looked at, then it goes into an empty database in one transaction, then it is compared.

Nothing is overwritten here. What the commands set aside, and who may ask, is their matter.
"""

import gzip
import hashlib
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, inspect
from sqlalchemy.orm import Session

from survey.errors import BadInput, NotAllowed
from survey.store import audit, lines
from survey.store.backup import FORMAT, MANIFEST, RECORDINGS, Manifest, Secrets
from survey.store.migrations import DatabaseAhead, migrate, revisions
from survey.store.parts import measure, open_part
from survey.store.sealing import KeyRing


@dataclass(frozen=True)
class Outcome:
    """What a restored database was found to hold."""

    rows: int
    audit_entries: int
    recordings: int


def examine(place: Path, secrets: Secrets, keys: KeyRing) -> Manifest:
    """The manifest of a backup that is whole and can be read here.

    Raises BadInput (altered, cut off, of a newer form), DatabaseAhead (a newer schema), NotAllowed (keys are missing).
    """
    manifest = _manifest(place, secrets.audit_key)
    if manifest.revision not in revisions():
        revision = manifest.revision
        raise DatabaseAhead(f"备份的数据库版本 {revision} 比程序新，请升级程序 / the backup has revision {revision}: update this program")
    missing = [name for name in manifest.keys if name not in keys.keys]
    if missing:
        names = ", ".join(missing)
        raise NotAllowed(f"HUIFANG_PII_KEYS 缺少密钥 {names}，数据将无法读取 / the keys {names} are missing in HUIFANG_PII_KEYS")
    if manifest.sealed and secrets.backup_key is None:
        raise NotAllowed("此备份已加密，请设置 HUIFANG_BACKUP_KEY / this backup is sealed: set HUIFANG_BACKUP_KEY")
    for name, told in manifest.parts.items():
        path = place / name
        if not path.is_file():
            raise BadInput(f"备份缺少 {name} / the backup lacks {name}")
        found = measure(path)
        if (found.bytes, found.sha256) != (told["bytes"], told["sha256"]):
            raise BadInput(f"{name} 被改动或不完整 / {name} was altered or cut off")
    return manifest


def _manifest(place: Path, audit_key: bytes) -> Manifest:
    try:
        told = json.loads((place / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{place} 不是备份：没有 {MANIFEST} / {place} is no backup: it has no {MANIFEST}") from None
    except ValueError:
        raise BadInput(f"{MANIFEST} 无法读取 / {MANIFEST} cannot be read") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise BadInput("备份格式未知，请升级程序 / the backup has a form that this program does not know: update it")
    try:
        manifest = Manifest(**told)
    except TypeError:
        raise BadInput(f"{MANIFEST} 无法读取 / {MANIFEST} cannot be read") from None
    if manifest.seal != manifest.sealed_by(audit_key):
        zh, en = "被改动，或密钥环中的 index 密钥不同", "was altered, or the key “index” of the key ring is another one"
        raise BadInput(f"{MANIFEST} {zh} / {MANIFEST} {en}")
    return manifest


def fill(engine: Engine, place: Path, manifest: Manifest, secrets: Secrets) -> Outcome:
    """Put the tables into an empty database, compare each with the backup, verify the audit trail, then bring it to this program's tables.

    Rows come in one transaction: a fall leaves empty tables. Raises NotAllowed, BadInput.
    """
    if inspect(engine).get_table_names():
        raise NotAllowed("数据库不是空的 / the database is not empty")
    migrate(engine, manifest.revision)
    with engine.begin() as connection:
        for table in lines.tables_of(connection):
            _load(connection, table, place, manifest, secrets)
        entries = _compare(connection, manifest, secrets)
        lines.go_on_counting(connection)
    migrate(engine)
    return Outcome(manifest.row_count, entries, manifest.recordings)


def _load(connection: Connection, table: Table, place: Path, manifest: Manifest, secrets: Secrets) -> None:
    name = table.name
    if name not in manifest.tables:
        raise BadInput(f"备份缺少表 {name} / the backup lacks the table {name}")
    key = secrets.backup_key if manifest.sealed else None
    with open_part(place / f"{name}.jsonl.gz", key) as part, gzip.open(part) as plain:
        lines.fill(connection, table, plain)


def _compare(connection: Connection, manifest: Manifest, secrets: Secrets) -> int:
    """Read everything again out of the database. The number of audit entries."""
    for table in lines.tables_of(connection):
        digest = hashlib.sha256()
        for line in lines.written(connection, table):
            digest.update(line)
        if digest.hexdigest() != manifest.tables[table.name]["digest"]:
            raise BadInput(f"表 {table.name} 恢复后与备份不同 / table {table.name} is not what was backed up")
    with Session(connection) as session:
        flaws = list(audit.verify(session, secrets.audit_key))
    if flaws:
        raise BadInput(f"审计链在第 {flaws[0].n} 条有缺损 / the audit trail is flawed at entry {flaws[0].n}: {flaws[0].problem}")
    return int(manifest.audit["n"])


def unpack_recordings(place: Path, manifest: Manifest, secrets: Secrets, data: Path) -> int:
    """Put the sealed recordings below the data folder, whole or not at all; their number."""
    draft = data / ".recordings.part"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    key = secrets.backup_key if manifest.sealed else None
    with open_part(place / RECORDINGS, key) as part, tarfile.open(fileobj=part, mode="r|") as archive:
        archive.extractall(draft, filter="data")
    moved = 0
    for path in sorted(path for path in draft.rglob("*") if path.is_file()):
        target = data / path.relative_to(draft)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.replace(target)
        moved += 1
    shutil.rmtree(draft)
    return moved
