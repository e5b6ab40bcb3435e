"""Which months a file of incidents is about."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from survey.errors import BadInput
from survey.incidents.fictitious import fiction
from survey.incidents.importing import find_header
from survey.incidents.mapping import Mapping
from survey.incidents.readers import open_table
from survey.incidents.records import Reading, RowRefused
from survey.phone import NumberPolicy


@dataclass(frozen=True)
class FileMonth:
    """A month `YYYY-MM` of a file, and the codes of the units that have incidents in it which may be called back."""

    name: str
    units: frozenset[str]


def busiest_month(path: Path, mapping: Mapping, policy: NumberPolicy, now: datetime) -> FileMonth:
    """The month, by the mapping's zone, in which most of the file's incidents were closed. Raises BadInput when there is none."""
    table = open_table(path, code_page=mapping.code_page, delimiter=mapping.delimiter, sheet=mapping.sheet)
    layout, rows = find_header(table, mapping)
    reading = Reading(mapping, layout, policy, fiction(1, mapping.made_up_numbers, mapping.made_up_officers), now)
    months: Counter[str] = Counter()
    units: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        try:
            record, _ = reading.interpret(row)
        except RowRefused:
            continue
        month = f"{record.closed_at.astimezone(ZoneInfo(mapping.zone)):%Y-%m}"
        months[month] += 1
        if record.unit and record.exclusion is None:
            units[month].add(record.unit)
    if not months:
        raise BadInput(f"{path.name} 中没有一行可读的警情 / no line of {path.name} can be read as an incident")
    name = months.most_common(1)[0][0]
    return FileMonth(name, frozenset(units[name]))
