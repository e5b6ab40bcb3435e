"""A batch of records into the tables: new ones inserted, changed ones updated, personal data sealed."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from survey.incidents.records import Record
from survey.store.models import Incident, Unit
from survey.store.sealing import KeyRing, place

_PERSONAL = ("phone", "reporter", "officer", "place")
_TOLD = ("unit_id", "category", "call_type", "occurred_at", "arrived_at", "closed_at", "zone", "exclusion")


@dataclass(frozen=True)
class Outcome:
    """What a batch did; `changes` holds (incident id, what changed) without personal data."""

    new: int
    known: int
    changed: int
    changes: tuple[tuple[int, dict[str, Any]], ...] = ()


def store(session: Session, keys: KeyRing, records: Sequence[tuple[Record, str]], import_id: int | None) -> Outcome:
    """Bring records (with their digests) into the tables; without an `import_id` only count what that would do."""
    unique = {record.number: (record, digest) for record, digest in records}
    repeats = len(records) - len(unique)
    present = _present(session, list(unique))
    fresh = [pair for number, pair in unique.items() if number not in present]
    stale = [(present[number], *pair) for number, pair in unique.items() if number in present and present[number].row_digest != pair[1]]
    known = len(unique) - len(fresh) - len(stale) + repeats
    if import_id is None:
        return Outcome(len(fresh), known, len(stale))
    units = _units(session, (record for record, _ in unique.values()))
    if fresh:
        session.execute(insert(Incident), [_fresh_row(keys, record, digest, units, import_id) for record, digest in fresh])
    changes = tuple((incident.id, _change(session, keys, incident, record, digest, units)) for incident, record, digest in stale)
    return Outcome(len(fresh), known, len(stale), changes)


def _present(session: Session, numbers: list[str]) -> dict[str, Any]:
    columns = (
        Incident.id,
        Incident.public_id,
        Incident.number,
        Incident.row_digest,
        Incident.phone_key,
        *(getattr(Incident, c) for c in _TOLD),
    )
    return {row.number: row for row in session.execute(select(*columns).where(Incident.number.in_(numbers)))}


def _units(session: Session, records: Iterable[Record]) -> dict[str, int]:
    """Unit ids by code; unknown units are added, and a unit's name follows the file."""
    names = {record.unit: record.unit_name for record in records if record.unit}
    known = {unit.code: unit for unit in session.scalars(select(Unit).where(Unit.code.in_(list(names))))}
    for code, name in names.items():
        if code not in known:
            known[code] = Unit(code=code, name=name)
            session.add(known[code])
        elif known[code].name != name:
            known[code].name = name
    session.flush()
    return {code: unit.id for code, unit in known.items()}


def _told(record: Record, units: dict[str, int]) -> dict[str, Any]:
    return {
        "unit_id": units.get(record.unit),
        "category": record.category,
        "call_type": record.call_type,
        "occurred_at": record.occurred_at,
        "arrived_at": record.arrived_at,
        "closed_at": record.closed_at,
        "zone": record.zone,
        "exclusion": record.exclusion.word if record.exclusion else None,
    }


def _sealed(keys: KeyRing, record: Record, public_id: str) -> dict[str, Any]:
    columns = {f"{name}_sealed": keys.seal(getattr(record, name), place("incidents", f"{name}_sealed", public_id)) for name in _PERSONAL}
    return {**columns, "phone_key": keys.phone_key(record.phone) if record.phone else None}


def _fresh_row(keys: KeyRing, record: Record, digest: str, units: dict[str, int], import_id: int) -> dict[str, Any]:
    public_id = uuid.uuid4().hex
    own = {"public_id": public_id, "number": record.number, "row_digest": digest, "import_id": import_id, "made_up": record.made_up}
    return {**own, **_told(record, units), **_sealed(keys, record, public_id)}


def _change(session: Session, keys: KeyRing, old: Any, record: Record, digest: str, units: dict[str, int]) -> dict[str, Any]:
    """Update one incident; returns old and new of what is no personal data, and only that the number changed."""
    told, sealed = _told(record, units), _sealed(keys, record, old.public_id)
    values = {**told, **sealed, "row_digest": digest, "made_up": record.made_up}
    session.execute(
        update(Incident).where(Incident.id == bindparam("row")).execution_options(synchronize_session=False).values(values), {"row": old.id}
    )
    changed: dict[str, Any] = {
        name: [_plain(getattr(old, name)), _plain(value)] for name, value in told.items() if getattr(old, name) != value
    }
    if old.phone_key != sealed["phone_key"]:
        changed["phone"] = "changed"
    return changed


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
