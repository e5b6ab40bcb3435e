"""The monthly random sample: strata by unit, allocation with a minimum, a draw that anybody can repeat (R8–R11; domain §3.3).

Chance comes from SHA-256 alone, so that the same seed and frame give the same sample on any machine and any version
of Python: an incident's *ticket* is SHA-256 of the UTF-8 text `<seed>:draw:<incident number>`, and within each unit
the incidents with the smallest tickets are drawn. The order of the sample, and so its replicates, follows a second
ticket, `<seed>:order:<incident number>`, which is independent of the first.

A person (one `phone_key`) enters at most once: of several incidents of one person, that with the smallest
ticket stays in the frame, the others are counted as `duplicates` (R6).

The frame's digest is the same on any machine too: keys are secret and differ from folder to folder, so it holds who is the
same person, not the keys. It is SHA-256 of the UTF-8 lines `<number> TAB <unit> TAB <number of the person's first row> LF`.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import NamedTuple

from survey.errors import BadInput, SurveyError

CHUNK_ROWS = 4096


class SampleTooSmall(BadInput):
    """A sample of `size` cannot give each of `units` units at least one place."""

    def __init__(self, size: int, units: int) -> None:
        super().__init__(
            f"样本量 {size} 少于单位数 {units}，每个单位至少一人，最少须为 {units} / "
            f"a sample of {size} is fewer than the {units} units, each of which needs at least one person: {units} or more"
        )


class FrameRow(NamedTuple):
    """One eligible incident of the month."""

    number: str
    unit: str
    phone_key: bytes
    incident_id: int


@dataclass(frozen=True)
class Stratum:
    """A unit with its incidents in the frame (one per person) and those drawn from them."""

    unit: str
    frame: int
    drawn: int

    @property
    def weight(self) -> float:
        """The design weight N_h / n_h."""
        return self.frame / self.drawn


@dataclass(frozen=True)
class Drawn:
    """One place in the sample; `position` and `replicate` count from 1, `weight` is N_h / n_h of its unit."""

    position: int
    replicate: int
    number: str
    incident_id: int
    unit: str
    weight: float


@dataclass(frozen=True)
class Sample:
    """A drawn sample with all that is needed to check it and to draw it again.

    `frame_digest` is over all rows given and holds nothing secret; `frame_count` counts one row per person;
    frame_count + duplicates = rows given.
    """

    seed: int
    size: int
    minimum: int
    replicates: int
    frame_count: int
    frame_digest: str
    duplicates: int
    allocation: tuple[Stratum, ...]
    drawn: tuple[Drawn, ...]


def allocate(counts: Mapping[str, int], size: int, minimum: int) -> dict[str, int]:
    """How many to draw from each unit: proportional, at least `minimum`, all where fewer exist (domain §3.3).

    repeat { give every free unit t_h = rest·N_h/ΣN_free; fix those below min(minimum, N_h) there } until nothing
    changes; round the rest by largest remainder, ties in the order of `counts`. Exact whole-number arithmetic.
    Everything is taken when `size` reaches the frame. Raises BadInput when the minima exceed `size`.
    """
    counts = {unit: count for unit, count in counts.items() if count > 0}
    if size >= sum(counts.values()):
        return dict(counts)
    _check_minimum(counts, size, minimum)
    fixed: dict[str, int] = {}
    while True:
        free = {unit: count for unit, count in counts.items() if unit not in fixed}
        rest, total = size - sum(fixed.values()), sum(free.values())
        small = {unit: min(minimum, count) for unit, count in free.items() if rest * count < min(minimum, count) * total}
        if not small:
            break
        fixed |= small
    shares = _largest_remainder(free, rest)
    return {unit: fixed.get(unit, shares.get(unit, 0)) for unit in counts}


def _check_minimum(counts: Mapping[str, int], size: int, minimum: int) -> None:
    most = largest_minimum(counts, size)
    if most < 1:
        raise SampleTooSmall(size, len(counts))
    if not 1 <= minimum <= most:
        raise BadInput(f"minimum: {minimum} 须为 1–{most} (with a sample of {size} from {len(counts)} units it must be 1 to {most})")


def largest_minimum(counts: Mapping[str, int], size: int) -> int:
    """The largest minimum per unit that a sample of `size` can give; 0 when even one per unit is too many."""
    present = [count for count in counts.values() if count > 0]
    low, high = 0, min(size, max(present, default=0))
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(middle, count) for count in present) <= size:
            low = middle
        else:
            high = middle - 1
    return low


def _largest_remainder(free: Mapping[str, int], rest: int) -> dict[str, int]:
    if not free:
        return {}
    total = sum(free.values())
    shares = {unit: rest * count // total for unit, count in free.items()}
    by_remainder = sorted(free, key=lambda unit: -(rest * free[unit] % total))  # stable: ties in the given order
    for unit in by_remainder[: rest - sum(shares.values())]:
        shares[unit] += 1
    return shares


def size_for_precision(population: int, margin: float, confidence: float = 0.95, proportion: float = 0.5) -> int:
    """The answers needed from a unit for ± `margin` (0 to 1): n₀ = z²p(1−p)/d², n = ⌈n₀/(1+(n₀−1)/N)⌉ (domain §3.3)."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    n0 = z * z * proportion * (1 - proportion) / margin**2
    return math.ceil(n0 / (1 + (n0 - 1) / population)) if population else 0


def draw(frame: Iterable[FrameRow], size: int, minimum: int, seed: int, replicates: int = 10) -> Sample:
    """Draw `size` incidents from `frame`, which must come in ascending order of the number (by code points).

    The frame is read once and may be a generator. Raises BadInput for an empty or badly ordered frame, and for settings
    that cannot be met (see `allocate`).
    """
    if size < 1 or replicates < 1:
        raise BadInput(f"size, replicates: {size}, {replicates} 须为正整数 (must be at least 1)")
    columns = _read(frame, seed)
    if not columns.numbers:
        raise BadInput("frame: 抽样框为空 (no eligible incident to draw from)")
    kept = _by_unit(columns)
    counts = {unit: len(kept[unit]) for unit in sorted(kept)}
    allocation = allocate(counts, size, minimum)
    chosen = [row for unit, take in allocation.items() for row in heapq.nsmallest(take, kept[unit], key=columns.ticket_of)]
    chosen.sort(key=lambda row: _ticket(seed, "order", columns.numbers[row]))
    strata = tuple(Stratum(unit, counts[unit], allocation[unit]) for unit in counts)
    frame_count = sum(counts.values())
    drawn = tuple(_places(columns, chosen, {stratum.unit: stratum.weight for stratum in strata}, replicates))
    duplicates = len(columns.numbers) - frame_count
    sample = Sample(seed, size, minimum, replicates, frame_count, columns.digest, duplicates, strata, drawn)
    check(sample)
    return sample


@dataclass
class _Columns:
    """The frame as columns. `first_of_person` gives each person's first row, and `kept` at that row the one that stays."""

    numbers: list[str] = field(default_factory=list)
    ids: array[int] = field(default_factory=lambda: array("q"))
    units: array[int] = field(default_factory=lambda: array("i"))
    tickets: array[int] = field(default_factory=lambda: array("Q"))  # the ticket's first 8 bytes; equal ones keep the frame's order
    unit_names: list[str] = field(default_factory=list)
    first_of_person: dict[bytes, int] = field(default_factory=dict)
    kept: array[int] = field(default_factory=lambda: array("i"))
    digest: str = ""

    def ticket_of(self, row: int) -> tuple[int, int]:
        return self.tickets[row], row


def _ticket(seed: int, purpose: str, number: str) -> bytes:
    return hashlib.sha256(f"{seed}:{purpose}:{number}".encode()).digest()


def _read(frame: Iterable[FrameRow], seed: int) -> _Columns:
    columns, digest = _Columns(), _Digest()
    codes: dict[str, int] = {}
    prefix = hashlib.sha256(f"{seed}:draw:".encode())
    previous = ""
    for index, (number, unit, phone_key, incident_id) in enumerate(frame):
        if number <= previous:
            raise BadInput(f"frame: “{number}” 未按编号升序 (must follow “{previous}”: order by number, code point order)")
        previous = number
        hasher = prefix.copy()
        hasher.update(number.encode())
        columns.tickets.append(int.from_bytes(hasher.digest()[:8], "big"))
        columns.numbers.append(number)
        columns.ids.append(incident_id)
        columns.units.append(codes.setdefault(unit, len(codes)))
        columns.kept.append(index)
        first = columns.first_of_person.setdefault(phone_key, index)
        if columns.tickets[index] < columns.tickets[columns.kept[first]]:
            columns.kept[first] = index
        digest.add(f"{number}\t{unit}\t{columns.numbers[first]}\n")
    columns.unit_names, columns.digest = list(codes), digest.finish()
    return columns


class _Digest:
    """SHA-256 over lines, taken some thousand at a time."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) == CHUNK_ROWS:
            self._flush()

    def finish(self) -> str:
        self._flush()
        return self._sum.hexdigest()

    def _flush(self) -> None:
        self._sum.update("".join(self._lines).encode())
        self._lines.clear()


def _by_unit(columns: _Columns) -> dict[str, array[int]]:
    rows: list[array[int]] = [array("i") for _ in columns.unit_names]
    for first in columns.first_of_person.values():
        row = columns.kept[first]
        rows[columns.units[row]].append(row)
    return {name: rows[code] for code, name in enumerate(columns.unit_names) if rows[code]}


def _places(columns: _Columns, rows: list[int], weights: Mapping[str, float], replicates: int) -> Iterator[Drawn]:
    for index, row in enumerate(rows):
        unit = columns.unit_names[columns.units[row]]
        replicate = index * replicates // len(rows) + 1
        yield Drawn(index + 1, replicate, columns.numbers[row], columns.ids[row], unit, weights[unit])


def check(sample: Sample) -> None:
    """Raise SurveyError unless all sums of the sample agree with each other."""
    promised = min(sample.size, sample.frame_count)
    allocated = sum(stratum.drawn for stratum in sample.allocation)
    sound = (
        allocated == len(sample.drawn) == promised
        and sum(stratum.frame for stratum in sample.allocation) == sample.frame_count
        and len({place.number for place in sample.drawn}) == len(sample.drawn)
        and math.isclose(sum(place.weight for place in sample.drawn), sample.frame_count)
    )
    if not sound:
        raise SurveyError("the sample's counts do not add up")
