"""A backup while everything runs: one snapshot of all tables and the recordings that it names, in a folder of its own.

Both engines are written in the same form, so that what was SQLite can become PostgreSQL. Keys are never in it; the manifest
names those that are needed. The manifest is sealed with the audit key: whoever alters it or a part is found out.
"""

import fcntl
import gzip
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, Table, select, text

from survey.errors import NotAllowed
from survey.store import lines
from survey.store.audit import GENESIS, canonical
from survey.store.database import reading
from survey.store.migrations import revision_of
from survey.store.parts import PartWriter
from survey.store.sealing import key_of

FORMAT = 1
MANIFEST = "manifest.json"
RECORDINGS = "recordings.tar"
NAME = re.compile(r"huifang-\d{8}-\d{6}")


@dataclass
class Manifest:
    """What a backup holds and what is needed to bring it back."""

    made_at: str
    engine: str
    revision: str
    program: str
    sealed: bool
    format: int = FORMAT
    audit: dict[str, Any] = field(default_factory=dict)  # n and digest of the head
    keys: list[str] = field(default_factory=list)  # ids of the sealing keys
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)  # name -> rows, digest of the plain lines
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)  # file -> bytes, sha256
    recordings: int = 0
    missing: list[str] = field(default_factory=list)  # files that were not there; `lacking` tells those taken back meanwhile from lost ones
    seal: str = ""

    def sealed_by(self, audit_key: bytes) -> str:
        """The seal that this manifest must have."""
        content = {name: value for name, value in asdict(self).items() if name != "seal"}
        return hmac.new(audit_key, b"backup manifest" + canonical(content).encode(), hashlib.sha256).hexdigest()

    @property
    def row_count(self) -> int:
        """All rows of all tables."""
        return sum(int(table["rows"]) for table in self.tables.values())


@dataclass(frozen=True)
class Secrets:
    """The key of the audit chain, and the key that seals backups where there is one."""

    audit_key: bytes
    backup_key: bytes | None = None


def make(engine: Engine, data: Path, folder: Path, secrets: Secrets, now: datetime, program: str) -> tuple[Path, Manifest]:
    """Write a backup into a new folder below `folder`; it appears there whole or not at all. Raises NotAllowed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder):
        place = folder / f"huifang-{now.astimezone(UTC):%Y%m%d-%H%M%S}"
        if place.exists():
            raise NotAllowed(f"{place} 已存在 / {place} is there already")
        draft = place.with_name(f".{place.name}.part")
        draft.mkdir(mode=0o700)
        try:
            manifest = _write(engine, data, draft, secrets, now, program)
            draft.rename(place)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        _reach_the_disk(folder)
    return place, manifest


def lacking(engine: Engine, manifest: Manifest) -> list[str]:
    """The files that were missing and that the database names all the same: nobody took them back, they lie elsewhere or are lost."""
    if not manifest.missing:
        return []
    with snapshot(engine) as connection:
        named = set(_sealed_files(connection, lines.tables_of(connection)))
    return [path for path in manifest.missing if path in named]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One backup at a time; what one that was killed left behind goes."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in folder.glob(".huifang-*.part"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    except BlockingIOError:
        raise NotAllowed("正在进行另一次备份 / another backup is being made") from None
    finally:
        os.close(descriptor)


def _reach_the_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _write(engine: Engine, data: Path, draft: Path, secrets: Secrets, now: datetime, program: str) -> Manifest:
    with snapshot(engine) as connection:
        revision = revision_of(connection)
        if revision is None:
            raise NotAllowed("数据库是空的，没有可备份的内容 / the database is empty: there is nothing to back up")
        manifest = Manifest(now.astimezone(UTC).isoformat(), engine.dialect.name, revision, program, secrets.backup_key is not None)
        found: set[str] = set()
        tables = lines.tables_of(connection)
        for table in tables:
            _write_table(connection, table, draft, secrets.backup_key, manifest, found)
        manifest.audit = _head(connection, tables)
        paths = _sealed_files(connection, tables)
    _write_recordings(data, paths, draft, secrets.backup_key, manifest, found)
    manifest.keys = sorted(found)
    manifest.seal = manifest.sealed_by(secrets.audit_key)
    writer = PartWriter(draft / MANIFEST, None)
    writer.write(json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode() + b"\n")
    writer.finish()
    _reach_the_disk(draft)
    return manifest


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the whole database, however long it reads, and holds nobody up."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with reading(engine).connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield connection


def _write_table(connection: Connection, table: Table, draft: Path, key: bytes | None, manifest: Manifest, found: set[str]) -> None:
    name, count, digest = f"{table.name}.jsonl.gz", -1, hashlib.sha256()
    writer = PartWriter(draft / name, key)
    with gzip.GzipFile("", "wb", compresslevel=1, fileobj=cast(Any, writer), mtime=0) as packed:
        for count, line in enumerate(lines.written(connection, table, lambda column, value: found.add(key_of(value)))):  # noqa: B007
            packed.write(line)
            digest.update(line)
    manifest.tables[table.name] = {"rows": count, "digest": digest.hexdigest()}
    manifest.parts[name] = asdict(writer.finish())


def _head(connection: Connection, tables: list[Table]) -> dict[str, Any]:
    heads = next(table for table in tables if table.name == "audit_head")
    head = connection.execute(select(heads.c.n, heads.c.digest)).one_or_none()
    return {"n": head.n, "digest": head.digest} if head else {"n": 0, "digest": GENESIS}


def _sealed_files(connection: Connection, tables: list[Table]) -> list[str]:
    """What lies sealed below the data folder: recordings, and attachments of orders. Whatever table has a path names files."""
    named = (select(table.c.path).where(table.c.path.is_not(None)).order_by(table.c.id) for table in tables if "path" in table.c)
    return [path for paths in named for path in connection.scalars(paths)]


def _write_recordings(data: Path, paths: list[str], draft: Path, key: bytes | None, manifest: Manifest, found: set[str]) -> None:
    writer = PartWriter(draft / RECORDINGS, key)
    with tarfile.open(fileobj=cast(Any, writer), mode="w|") as archive:
        for path in paths:
            try:
                sealed = (data / path).read_bytes()
            except FileNotFoundError:  # the person took the words back since the snapshot
                manifest.missing.append(path)
                continue
            found.add(key_of(sealed))
            _add(archive, path, sealed)
            manifest.recordings += 1
    manifest.parts[RECORDINGS] = asdict(writer.finish())


def _add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


def keep_newest(folder: Path, count: int) -> list[Path]:
    """Delete all backups in the folder but the newest ones; what was deleted. Nothing else is touched."""
    found = sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name) and (path / MANIFEST).is_file())
    old = found[: max(0, len(found) - count)]
    for path in old:
        shutil.rmtree(path)
    return old
