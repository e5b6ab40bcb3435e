"""What the house says of itself when the campaign is over: it is ready, alarms nobody, and has written nobody's number anywhere."""

import re
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from config.operation import operations
from config.readiness import OK
from config.wiring import House
from survey.alarms import AlarmKind
from survey.store.models import Alarm
from survey.store.queries.operations import last_callback_at
from tests.chaos.house import Premises

RECOVERY_SECONDS = 120.0
"""Generous: a process that was killed last of all starts again, on whatever machine."""

NOTHING = ("double_ring_total", "unknown_attempts", "unknown_oldest_seconds", "lines_used", "due_respondents")
"""Gauges that stand at nothing when a campaign is over."""

REFUSED = (("huifang_jobs_total", "refused"), ("huifang_webhooks_refused_total", "403"))
"""What strangers would be counted as: nobody knocked here but the carrier, however often the house fell."""

WARNINGS = frozenset(kind.word for kind in AlarmKind if kind.gravity != "critical")
GIVEN = frozenset({"incidents.csv", "rejected.csv"})
"""Files of those who gave us the incidents."""

DIGITS = re.compile(rb"\d{11,}")


def complaints(premises: Premises, numbers: Collection[str]) -> Iterator[str]:
    """Everything that is not as it must be once the nemesis is gone, a sentence each. `numbers` are those that were called."""
    yield from _unready(premises)
    yield from _alarming(_settled(premises.house))
    yield from _open_numbers(premises.settings.data, numbers)


def _unready(premises: Premises) -> Iterator[str]:
    """Readiness of the whole house, and of the voice door over HTTP; what fell last may take its time."""
    ready = operations(premises.house).ready
    until = time.monotonic() + RECOVERY_SECONDS
    while (causes := _unmet(ready()[1])) or (door := _voice_door(premises)) != 200:
        if time.monotonic() > until:
            yield f"not ready {RECOVERY_SECONDS:.0f} s after everything was over: {causes or f'the voice door says {door}'}"
            return
        time.sleep(0.2)


def _unmet(found: Mapping[str, str]) -> dict[str, str]:
    return {need: state for need, state in found.items() if state != OK}


def _voice_door(premises: Premises) -> int:
    """The status of the voice door's own `/readyz`; 0 when nobody answers."""
    given = premises.settings
    try:
        return requests.get(f"http://{given.voice_host}:{given.voice_port}/readyz", timeout=5).status_code
    except requests.RequestException:
        return 0


def _settled(house: House) -> dict[tuple[str, str], float]:
    """What `/metrics` says once nothing is wrong any more, or in the end; an alarm is cleared by the next look, ten seconds apart."""
    until = time.monotonic() + RECOVERY_SECONDS
    while any(_alarming(measured := _without_lost_calls(house, _measured(house)))) and time.monotonic() < until:
        time.sleep(1.0)
    return measured


def _without_lost_calls(house: House, measured: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """The same without the alarm that the carrier reports nothing, where its last report was lost and no other will come."""
    standing = select(Alarm.raised_at).where(Alarm.kind == AlarmKind.NO_CALLBACKS.word, Alarm.cleared_at.is_(None))
    with house.sessions() as session:
        raised, last = session.scalar(standing), last_callback_at(session)
    is_lost = raised is not None and (last is None or last <= raised)
    return {key: value for key, value in measured.items() if not (is_lost and key == ("huifang_alarms", AlarmKind.NO_CALLBACKS.word))}


def _measured(house: House) -> dict[tuple[str, str], float]:
    """What `/metrics` says: (name, label's value) -> value, summed over the processes."""
    measured: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(operations(house).metrics()):
        for one in family.samples:
            for value in one.labels.values() or ("",):
                measured[one.name, value] = measured.get((one.name, value), 0.0) + one.value
    return measured


def _alarming(measured: Mapping[tuple[str, str], float]) -> Iterator[str]:
    """RS71 and the standing alarms. A metric that is missing altogether is a complaint as well."""
    if measured.get(("huifang_database_asked", "")) != 1:
        yield "metrics: the database could not be asked"
    for name in NOTHING:
        if (value := measured.get((f"huifang_{name}", ""))) != 0:
            yield f"metrics: huifang_{name} is {value}"
    for key in REFUSED:
        if measured.get(key, 0.0):
            yield f"metrics: {measured[key]:.0f} of {key[0]} are {key[1]}"
    if measured.get(("huifang_turns_total", "new"), 0.0) <= 0:
        yield "metrics: the voice door has counted no turn"
    for (name, kind), standing in measured.items():
        if name == "huifang_alarms" and standing and kind not in WARNINGS:
            yield f"the alarm {kind} still stands"


def _open_numbers(data: Path, numbers: Collection[str]) -> Iterator[str]:
    """RS56 for the numbers: in database, queue, logs and counters, in one-byte and in two-byte letters."""
    wanted = {number.encode()[-11:] for number in numbers}
    given = (data / "incidents.csv").read_bytes()
    if not _occurring(given, wanted):
        yield "the search finds no number in the incidents that were given to us: it finds nothing anywhere"
    for path in sorted(path for path in data.rglob("*") if path.is_file() and path.name not in GIVEN):
        if found := _occurring(path.read_bytes(), wanted):
            yield f"{path.relative_to(data)} holds {found} of the numbers that were called"


def _occurring(text: bytes, wanted: Collection[bytes]) -> int:
    """How many of the wanted numbers of eleven digits occur in a text."""
    found = set()
    for form in (text, text.replace(b"\0", b"")):
        for run in DIGITS.findall(form):
            found |= {run[start : start + 11] for start in range(len(run) - 10)} & set(wanted)
    return len(found)
