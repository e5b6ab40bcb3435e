"""What a revision may consist of: steps that only add, each of which can be left in the middle and taken again.

A step is one short transaction on one table. On PostgreSQL it so never waits for a table while it holds another, which would be a
deadlock with a call's transaction; an index is built there without a transaction (`CONCURRENTLY`), while rows are written.
What the release before does not know must not stand in its way: a new column may be empty, or has a default of the server.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from alembic.operations import Operations
from sqlalchemy import Connection, inspect

VALIDITY = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


class Step(Protocol):
    """One step of a revision."""

    @property
    def table(self) -> str:
        """The table that it is about."""

    @property
    def is_concurrent(self) -> bool:
        """Whether PostgreSQL takes it outside of a transaction, while rows are written."""

    def told(self) -> str:
        """What it does, as one sentence."""

    def is_done(self, connection: Connection) -> bool:
        """Whether everything that it adds is there and whole."""

    def take(self, operations: Operations) -> None:
        """Take it, whatever an earlier start has left."""


@dataclass(frozen=True)
class AddColumns:
    """New columns of a table, each nullable or with a constant default of the server, so that no row is touched."""

    table: str
    columns: tuple[sa.Column[Any], ...]
    is_concurrent = False

    def told(self) -> str:
        names = ", ".join(column.name for column in self.columns)
        return f"表 {self.table} 增加列 / table {self.table} gets columns: {names}"

    def is_done(self, connection: Connection) -> bool:
        there = {column["name"] for column in inspect(connection).get_columns(self.table)}
        return all(column.name in there for column in self.columns)

    def take(self, operations: Operations) -> None:
        for column in self.columns:
            operations.add_column(self.table, column)


@dataclass(frozen=True)
class NewTable:
    """A table that was not there, with its constraints and indexes."""

    table: str
    parts: tuple[sa.Column[Any] | sa.Constraint | sa.Index, ...]
    is_concurrent = False

    def told(self) -> str:
        return f"新表 {self.table} / new table {self.table}"

    def is_done(self, connection: Connection) -> bool:
        return inspect(connection).has_table(self.table)

    def take(self, operations: Operations) -> None:
        operations.create_table(self.table, *self.parts)


@dataclass(frozen=True)
class BuildIndex:
    """An index of a table that has rows. `instead_of` names the columns of a former one that its beginning makes needless."""

    table: str
    columns: tuple[str, ...]
    instead_of: tuple[str, ...] = ()
    is_concurrent = True

    @property
    def name(self) -> str:
        """As the models' naming convention has it."""
        return _name(self.table, self.columns)

    def told(self) -> str:
        former = _name(self.table, self.instead_of) if self.instead_of else ""
        zh, en = (f"，代替 {former}", f" instead of {former}") if former else ("", "")
        return f"表 {self.table} 建索引 {self.name}{zh} / table {self.table} gets index {self.name}{en}"

    def is_done(self, connection: Connection) -> bool:
        former = self.instead_of and _name(self.table, self.instead_of) in _indexes(connection, self.table)
        return self._is_whole(connection) and not former

    def take(self, operations: Operations) -> None:
        """Build it, and only then drop the former one. What a killed start has left unfinished on PostgreSQL is dropped before."""
        connection = operations.get_bind()
        apart = connection.dialect.name == "postgresql"
        if not self._is_whole(connection):
            operations.drop_index(self.name, self.table, if_exists=True, postgresql_concurrently=apart)
            operations.create_index(self.name, self.table, list(self.columns), postgresql_concurrently=apart)
        if self.instead_of:
            operations.drop_index(_name(self.table, self.instead_of), self.table, if_exists=True, postgresql_concurrently=apart)

    def _is_whole(self, connection: Connection) -> bool:
        if connection.dialect.name == "postgresql":
            return bool(connection.scalar(VALIDITY, {"name": self.name}))
        return self.name in _indexes(connection, self.table)


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def _indexes(connection: Connection, table: str) -> set[str | None]:
    return {index["name"] for index in inspect(connection).get_indexes(table)}
