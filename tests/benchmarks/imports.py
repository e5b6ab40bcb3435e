"""How fast a file of incidents is imported, and how much memory that takes (100,000 rows in constant memory).

    python -m tests.benchmarks.imports [--rows 100000] [--xlsx]

Imports a made-up file of a tenth of the rows, then the whole: rows per second of a first and a second import, and the peak memory
after each. Constant memory means that the peak does not grow with the rows.
"""

import argparse
import csv
import resource
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import xlsxwriter

from survey.incidents import mapping_yaml
from survey.incidents.importing import Intake, import_incidents
from survey.incidents.made_up import HEADERS, month_of_incidents
from survey.phone import NumberPolicy
from survey.store.database import open_engine, session_factory
from survey.store.models import Base
from survey.store.sealing import KeyRing

MAPPING = Path(__file__).parents[2] / "config" / "mappings" / "police-110-zh.yaml"
NOW = datetime(2025, 4, 2, tzinfo=UTC)


def write_text(path: Path, rows: int) -> None:
    """A CSV file of a made-up month."""
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerow(HEADERS)
        csv.writer(file).writerows(month_of_incidents("2025-03", 1, rows))


def write_workbook(path: Path, rows: int) -> None:
    """A workbook of a made-up month."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    for line, cells in enumerate([HEADERS, *islice(month_of_incidents("2025-03", 1, rows), rows)]):
        sheet.write_row(line, 0, cells)
    book.close()


def measure(folder: Path, path: Path, rows: int) -> None:
    """Import the file twice into a fresh database; print rows per second and the peak memory."""
    engine = open_engine(f"sqlite:///{folder / f'import-{rows}.sqlite'}")
    Base.metadata.create_all(engine)
    intake = Intake(session_factory(engine), KeyRing.parse(KeyRing.generate()), b"benchmark", NumberPolicy(fictitious=True))
    mapping = mapping_yaml.parse(MAPPING.read_text("utf-8"))
    for what in ("first", "second"):
        began, worked = time.perf_counter(), time.process_time()
        report = import_incidents(intake, path, mapping, rejects=folder / "rejects.csv", actor="benchmark", now=NOW)
        seconds, busy = time.perf_counter() - began, time.process_time() - worked
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        counts = report.counts
        pace = f"{seconds:7.1f} s {rows / seconds:8.0f} rows/s  processor {busy:5.1f} s  peak {peak:5.0f} MiB"
        print(f"{rows:>8} rows {report.format:12} {what:6} {pace}  new {counts.new} known {counts.known} rejected {counts.rejected}")


def main() -> None:
    """Write, import, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--xlsx", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for rows in (options.rows // 10, options.rows):
            path = Path(name) / f"{rows}.{'xlsx' if options.xlsx else 'csv'}"
            (write_workbook if options.xlsx else write_text)(path, rows)
            measure(Path(name), path, rows)


if __name__ == "__main__":
    main()
