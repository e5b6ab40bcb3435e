"""A made-up month of a place where people speak English: with it the whole demonstration, calls included, is in English."""

import csv
from pathlib import Path

from config.settings import ROOT
from survey.incidents import made_up
from survey.incidents.fictitious import chance, english_name

ZONE, SEED = "Australia/Perth", 20

UNITS = {
    "990101": "Downtown Station", "990102": "East Lake Station", "990103": "Station Square", "990104": "Newfield Station",
    "990105": "Riverside Station", "990109": "Greenstone Station", "990111": "Harbour Station", "990121": "Traffic Company 1",
    "990122": "Traffic Company 2",
}  # fmt: skip
CODE, UNIT, CALLER, OFFICER = map(made_up.HEADERS.index, ("处警单位代码", "处警单位", "报警人", "处警民警"))


def month(folder: Path, name: str) -> tuple[str, ...]:
    """Write the month `YYYY-MM` and its mapping into a folder; the options of `demo` that take them."""
    incidents, mapping = folder / f"incidents-{name}-english.csv", folder / "english.yaml"
    with incidents.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([made_up.HEADERS, *map(_in_english, made_up.month_of_incidents(name, SEED))])
    shipped = (ROOT / "config" / "mappings" / f"{made_up.MAPPING}.yaml").read_text("utf-8")
    mapping.write_text(shipped.replace("zone: Asia/Shanghai", f"zone: {ZONE}"), "utf-8")
    return ("--incidents", str(incidents), "--mapping", str(mapping))


def _in_english(row: tuple[str, ...]) -> tuple[str, ...]:
    told = {
        UNIT: UNITS[row[CODE]], CALLER: row[CALLER] and english_name(chance(SEED, "caller", row[CALLER])),
        OFFICER: row[OFFICER] and english_name(chance(SEED, "officer", row[OFFICER])),
    }  # fmt: skip
    return tuple(told.get(place, value) for place, value in enumerate(row))
