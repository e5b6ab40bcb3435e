"""A house to import into, and files as offices make them."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from survey.incidents import mapping_yaml
from survey.incidents.importing import ImportReport, Intake, import_incidents
from survey.phone import NumberPolicy
from survey.store.sealing import KeyRing

NOW = datetime(2025, 4, 2, 1, tzinfo=UTC)
MAPPINGS = Path(__file__).parents[3] / "config" / "mappings"
HEADERS = ("警情编号", "报警时间", "结案时间", "警情类别", "处理结果", "处警单位", "报警电话", "报警人")
GOOD = ("2025030100001", "2025-03-01 08:00:00", "2025-03-01 09:30:00", "盗窃", "受案", "城中派出所", "13800138000", "王芳")


def row(**changes):
    """GOOD with some cells changed, by header."""
    return tuple(changes.get(header, cell) for header, cell in zip(HEADERS, GOOD, strict=True))


@pytest.fixture(scope="session")
def chinese():
    """The shipped Chinese mapping."""
    return mapping_yaml.parse((MAPPINGS / "police-110-zh.yaml").read_text("utf-8"))


@pytest.fixture(scope="session")
def keys():
    """A key ring."""
    return KeyRing.parse(KeyRing.generate())


@pytest.fixture
def intake(sessions, keys):
    """An empty house in which fictitious numbers are allowed."""
    return Intake(sessions, keys, b"audit key", NumberPolicy(("CN",), own_numbers=("0451-82340000",), fictitious=True), seed=7)


@pytest.fixture
def bring_in(intake, chinese, tmp_path) -> Callable[..., ImportReport]:
    """Import a file with the Chinese mapping."""

    def bring(path, mapping=None, **options):
        options.setdefault("rejects", tmp_path / "rejects.csv")
        return import_incidents(intake, path, mapping or chinese, actor="tester", now=NOW, **options)

    return bring


@pytest.fixture
def csv_file(tmp_path):
    """Write rows as CSV in any encoding."""

    def write(*rows, encoding="utf-8", headers=HEADERS, name="incidents.csv"):
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows([headers, *rows])
        return path

    return write


@pytest.fixture
def rejects(tmp_path):
    """The rejects file as a list of dicts."""

    def read():
        with (tmp_path / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    return read
