"""Migrations only add: the release before works on the new tables while they come, and after a step back."""

import ast
import hashlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns, BuildIndex, NewTable
from tests.conventions.sources import ROOT

VERSIONS = ROOT / "survey" / "store" / "migrations" / "versions"
FIRST = "0001_first_tables.py"
FIRST_DIGEST = "4444cf755e28c9b667bb8ae0f3f2f42981b4eda85f8ad95429ae8e92c7455bfe"
KINDS = (AddColumns, NewTable, BuildIndex)
IMPORTS = {"sqlalchemy", "survey.store.migrations.steps"}


def test_the_first_revision_is_as_it_was_released() -> None:
    assert hashlib.sha256((VERSIONS / FIRST).read_bytes()).hexdigest() == FIRST_DIGEST


@pytest.mark.parametrize("path", sorted(path for path in VERSIONS.glob("[0-9]*.py") if path.name != FIRST), ids=lambda path: path.name)
def test_a_revision_only_adds(path: Path) -> None:
    assert faults(path) == []


def faults(path: Path) -> list[str]:
    """What a revision does besides adding, or adds in a way that hinders the release before."""
    found = strange_statements(path)
    if found:
        return found
    spec = importlib.util.spec_from_file_location("revision", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found, made = [], set()
    for step in module.STEPS:
        if not isinstance(step, KINDS):
            found.append(f"{step!r} is no step of survey.store.migrations.steps")
            continue
        found += [f"{step.table}: {fault}" for fault in faults_of(step, made)]
        made |= {step.table} if isinstance(step, NewTable) else set()
    return found


def strange_statements(path: Path) -> list[str]:
    """A revision is data: docstrings, imports of the two libraries, names given to values, and STEPS."""
    tree = ast.parse(path.read_text("utf-8"))
    found = []
    for node in tree.body:
        match node:
            case ast.Import(names=names) if {name.name for name in names} <= IMPORTS:
                pass
            case ast.ImportFrom(module=module) if module in IMPORTS:
                pass
            case ast.Assign() | ast.AnnAssign() | ast.Expr(value=ast.Constant()):
                pass
            case _:
                found.append(f"line {node.lineno}: {ast.unparse(node).splitlines()[0]}")
    names = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}
    return found + ([] if "STEPS" in names else ["no STEPS"])


def faults_of(step: Any, made: set[str]) -> list[str]:
    match step:
        case AddColumns(table, columns):
            own = [f"{table} is new: its columns belong to NewTable"] if table in made else []
            return own + [f"{column.name} {fault}" for column in columns for fault in faults_of_column(column)]
        case BuildIndex(columns=columns, instead_of=former) if former and (columns[: len(former)] != former or columns == former):
            return [f"{columns} does not serve who looks for {former}"]
        case NewTable(parts=parts):
            names = [getattr(part, "name", None) for part in parts if isinstance(part, sa.Constraint | sa.Index)]
            return ["a constraint or an index without a name"] if None in names else []
    return []


def faults_of_column(column: sa.Column[Any]) -> list[str]:
    """Why a column cannot come to a table with rows at once, or why the release before could not write a row any more."""
    default = column.server_default
    said = default.arg if isinstance(default, sa.DefaultClause) else None
    found = [] if column.nullable or default is not None else ["is NOT NULL without a default of the server"]
    if default is not None and not isinstance(said, str | sa.False_ | sa.True_):
        found.append("has a default that must be computed for each row")
    if column.unique or column.index or column.primary_key or column.foreign_keys or column.constraints:
        found.append("brings an index or a constraint, for which the table would be locked and read")
    return found


HEAD = "import sqlalchemy as sa\nfrom survey.store.migrations.steps import AddColumns, BuildIndex, NewTable\n"
PLANTED = {
    "import sqlalchemy as sa\nfrom alembic import op\nSTEPS = ()": "line 2: from alembic import op",
    f"{HEAD}def upgrade(): pass\nSTEPS = ()": "line 3: def upgrade():",
    HEAD: "no STEPS",
    f"{HEAD}STEPS = (print,)": "<built-in function print> is no step of survey.store.migrations.steps",
    f"{HEAD}STEPS = (AddColumns('users', (sa.Column('rank', sa.Integer(), nullable=False),)),)": (
        "users: rank is NOT NULL without a default of the server"
    ),
    f"{HEAD}STEPS = (AddColumns('users', (sa.Column('born', sa.DateTime(), server_default=sa.func.now()),)),)": (
        "users: born has a default that must be computed for each row"
    ),
    f"{HEAD}STEPS = (AddColumns('users', (sa.Column('unit', sa.Integer(), sa.ForeignKey('units.id')),)),)": (
        "users: unit brings an index or a constraint, for which the table would be locked and read"
    ),
    f"{HEAD}STEPS = (AddColumns('users', (sa.Column('unit', sa.Integer(), index=True),)),)": (
        "users: unit brings an index or a constraint, for which the table would be locked and read"
    ),
    f"{HEAD}STEPS = (BuildIndex('users', ('role', 'name'), instead_of=('name',)),)": (
        "users: ('role', 'name') does not serve who looks for ('name',)"
    ),
    f"{HEAD}STEPS = (NewTable('ranks', (sa.Column('id', sa.Integer()), sa.PrimaryKeyConstraint('id'))),)": (
        "ranks: a constraint or an index without a name"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), PLANTED.items())
def test_the_check_finds_what_does_more_than_add(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "0009_planted.py"
    path.write_text(text, "utf-8")

    assert faults(path) == [fault]
