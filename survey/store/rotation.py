"""Sealing again with the current key, while the house works: values in batches, files one by one, resumable at any place.

Each batch is read, sealed outside of any transaction, and written only over what was read. A fall loses nothing: what already
bears the current key is passed over by the next run.
"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Label, String, Table, and_, bindparam, cast, select, update
from sqlalchemy.orm import Session, sessionmaker

from survey.store.models import Base, OrderAttachment, Recording, RegisterEntry, User, table_of
from survey.store.sealing import KeyRing, key_of, place

BATCH = 500
Tell = Callable[[int], None]


def sealed_tables() -> dict[Table, tuple[str, ...]]:
    """The tables with sealed columns, and their names."""
    found = {
        table: tuple(column.name for column in table.columns if column.name.endswith("_sealed")) for table in Base.metadata.sorted_tables
    }
    return {table: columns for table, columns in found.items() if columns}


def identity(table: Table) -> Label[str]:
    """What the sealed values of a table's row are bound to, as `public_id`: for an account its name, for an entry its incident."""
    if table is table_of(RegisterEntry):
        return cast(table.c.incident_id, String).label("public_id")
    return (table.c.name if table is table_of(User) else table.c.public_id).label("public_id")


def counted(sessions: sessionmaker[Session], data: Path) -> Counter[str]:
    """How many values and files each key has sealed."""
    count: Counter[str] = Counter()
    for table, columns in sealed_tables().items():
        with sessions() as session:
            for row in session.execute(select(*(table.c[name] for name in columns)).execution_options(yield_per=BATCH)):
                count.update(key_of(value) for value in row if value is not None)
    count.update(key_of(sealed) for _, _, path in _files(sessions) if (sealed := _read(data / path)))
    return count


def rotate(sessions: sessionmaker[Session], keys: KeyRing, data: Path, tell: Tell = lambda done: None) -> int:
    """Seal everything with the current key; the number of values and files that were sealed again."""
    done = 0
    for table, columns in sealed_tables().items():
        last = 0
        while rows := _batch(sessions, table, columns, last):
            last = rows[-1].id
            done += _write(sessions, table, [change for row in rows for change in _changes(row, table.name, columns, keys)])
            tell(done)
    for table_name, public_id, path in _files(sessions):
        done += _seal_file(sessions, keys, data / path, table_name, public_id)
    tell(done)
    return done


def _batch(sessions: sessionmaker[Session], table: Table, columns: tuple[str, ...], last: int) -> list[Any]:
    wanted = select(table.c.id, identity(table), *(table.c[name] for name in columns))
    with sessions() as session:
        return list(session.execute(wanted.where(table.c.id > last).order_by(table.c.id).limit(BATCH)))


def _changes(row: Any, table: str, columns: tuple[str, ...], keys: KeyRing) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name in columns:
        old = getattr(row, name)
        if old is not None and key_of(old) != keys.current:
            where = place(table, name, row.public_id)
            found.append((name, {"row": row.id, "old": old, "new": keys.seal_bytes(keys.open_bytes(old, where), where)}))
    return found


def _write(sessions: sessionmaker[Session], table: Table, changes: list[tuple[str, dict[str, Any]]]) -> int:
    if not changes:
        return 0
    with sessions.begin() as session:
        for name in {name for name, _ in changes}:
            column = table.c[name]
            same = and_(table.c.id == bindparam("row"), column == bindparam("old", type_=column.type))
            statement = update(table).where(same).values({name: bindparam("new", type_=column.type)})
            session.connection().execute(statement, [change for changed, change in changes if changed == name])
    return len(changes)


def _files(sessions: sessionmaker[Session]) -> list[tuple[str, str, str]]:
    """Table, identity and path of everything that lies sealed below the data folder."""
    with sessions() as session:
        return [
            (table.__tablename__, public_id, path)
            for table in (Recording, OrderAttachment)
            for public_id, path in session.execute(select(table.public_id, table.path))
            if path
        ]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # taken back meanwhile
        return None


def _seal_file(sessions: sessionmaker[Session], keys: KeyRing, path: Path, table: str, public_id: str) -> int:
    old = _read(path)
    if old is None or key_of(old) == keys.current:
        return 0
    where = place(table, "path", public_id)
    draft = path.with_suffix(".rotating")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(keys.seal_bytes(keys.open_bytes(old, where), where))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    with sessions() as session:
        state = session.scalar(select(Recording.state).where(Recording.public_id == public_id))
    if state == "discarded":  # the person took the words back while they were sealed: they must not come back
        path.unlink(missing_ok=True)
    return 1
