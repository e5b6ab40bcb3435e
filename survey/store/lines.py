"""A table's rows as lines of text that are the same for SQLite and PostgreSQL, and back.

The first line names the columns and their kinds, each further one is a JSON array: moments in ISO 8601 (UTC), bytes in
base64, JSON as the text that is stored. Rows come in the order of the primary key, so equal tables give equal lines.
The tables are taken from the database itself, not from the models: a database of an older release can be read too.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    cast,
    insert,
    select,
    text,
)  # fmt: skip

from survey.errors import BadInput
from survey.store.models import UtcDateTime

BATCH = 1000
REVISION_TABLE = "alembic_version"


def tables_of(connection: Connection) -> list[Table]:
    """The database's tables, each after those that it refers to."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != REVISION_TABLE]


def _kind(column: Column[Any]) -> str:
    for kind, types in (("moment", DateTime), ("bytes", LargeBinary), ("json", JSON)):
        if isinstance(column.type, types):
            return kind
    return "plain"


def written(connection: Connection, table: Table, look: Callable[[str, bytes], None] = lambda column, value: None) -> Iterator[bytes]:
    """The table's lines; `look` is shown every sealed value with the name of its column."""
    kinds = [_kind(column) for column in table.columns]
    names = [column.name for column in table.columns]
    sealed = [place for place, name in enumerate(names) if name.endswith("_sealed")]
    yield _line([[name, kind] for name, kind in zip(names, kinds, strict=True)])
    for row in connection.execute(_all_of(table, kinds, connection.dialect.name).execution_options(yield_per=BATCH)):
        for place in sealed:
            if row[place] is not None:
                look(names[place], bytes(row[place]))
        yield _line([_told(value, kind) for value, kind in zip(row, kinds, strict=True)])


def _all_of(table: Table, kinds: list[str], dialect: str) -> Any:
    columns = [cast(column, Text) if kind == "json" else column for column, kind in zip(table.columns, kinds, strict=True)]
    keys = list(table.primary_key.columns)
    if dialect == "postgresql":  # the same order wherever the server stands
        keys = [key.collate("C") if isinstance(key.type, String) else key for key in keys]  # type: ignore[misc]
    return select(*columns).order_by(*keys)


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _told(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "moment":
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if kind == "bytes":
        return base64.b64encode(value).decode()
    return value


def _understood(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "moment":
        return datetime.fromisoformat(value)
    if kind == "bytes":
        return base64.b64decode(value)
    return value


def fill(connection: Connection, table: Table, told: Iterable[bytes]) -> int:
    """Put the rows into the empty table; their number. Raises BadInput when its columns are others."""
    source = iter(told)
    named = json.loads(next(source))
    names, kinds = [name for name, _ in named], [kind for _, kind in named]
    if {column.name: _kind(column) for column in table.columns} != dict(named):
        raise BadInput(f"表 {table.name} 的列与备份不同 / table {table.name} has other columns than the backup")
    statement = insert(table).values({name: _slot(connection, table, name, kind) for name, kind in named})
    count = 0
    while batch := list(islice(source, BATCH)):
        rows = [json.loads(line) for line in batch]
        connection.execute(
            statement,
            [{f"v_{name}": _understood(value, kind) for name, kind, value in zip(names, kinds, row, strict=True)} for row in rows],
        )
        count += len(rows)
    return count


def _slot(connection: Connection, table: Table, name: str, kind: str) -> Any:
    if kind == "json":
        plain = bindparam(f"v_{name}", type_=Text)
        return cast(plain, JSON) if connection.dialect.name == "postgresql" else plain
    return bindparam(f"v_{name}", type_=UtcDateTime() if kind == "moment" else table.columns[name].type)


def go_on_counting(connection: Connection) -> None:
    """Let PostgreSQL give the next rows numbers behind those that were put in; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables_of(connection):
        for column in table.primary_key.columns:
            name = column.name
            sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :name)"), {"table": table.name, "name": name})
            if sequence:
                last = f"coalesce(max({name}), 1), max({name}) IS NOT NULL"
                connection.execute(text(f"SELECT setval('{sequence}', {last}) FROM {table.name}"))
