import hashlib
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.errors import BadInput
from survey.sampling import FrameRow, allocate, draw, largest_minimum, size_for_precision


def frame(*counts: int) -> list[FrameRow]:
    """A frame with the given number of incidents per unit, each of another person."""
    rows = []
    for unit, count in enumerate(counts):
        rows += [FrameRow(f"J{unit}-{n:06d}", f"unit {unit}", f"{unit}/{n}".encode(), unit * 1_000_000 + n) for n in range(count)]
    return rows


@pytest.mark.parametrize(
    ("counts", "size", "minimum", "expected"),
    [
        ((1000, 500, 100, 8), 100, 10, (55, 27, 10, 8)),
        ((5200, 3100, 900, 430, 240, 95, 35), 300, 20, (124, 74, 22, 20, 20, 20, 20)),
    ],
)
def test_the_allocation_reproduces_the_worked_figures(counts: tuple[int, ...], size: int, minimum: int, expected: tuple[int, ...]) -> None:
    units = {f"unit {n}": count for n, count in enumerate(counts)}
    assert tuple(allocate(units, size, minimum).values()) == expected


def test_minimum_answers_for_a_margin_reproduce_the_worked_figures() -> None:
    populations = (20, 50, 100, 200, 500, 1000, 5000)
    assert [size_for_precision(n, 0.08) for n in populations] == [18, 38, 61, 86, 116, 131, 146]
    assert [size_for_precision(n, 0.10) for n in populations] == [17, 34, 50, 66, 81, 88, 95]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=30), st.integers(1, 2000), st.data())
def test_every_allocation_keeps_its_bounds_and_its_sum(counts: list[int], size: int, data: st.DataObject) -> None:
    units = {str(n): count for n, count in enumerate(counts)}
    most = largest_minimum(units, size)
    present = sum(count > 0 for count in counts)
    if most == 0:
        assert present == 0 or size < present
        return
    minimum = data.draw(st.integers(1, most))
    taken = allocate(units, size, minimum)
    assert sum(taken.values()) == min(size, sum(counts))
    assert all(min(minimum, units[unit]) <= take <= units[unit] for unit, take in taken.items())


def test_a_minimum_that_cannot_be_met_is_refused_with_the_one_that_can() -> None:
    with pytest.raises(BadInput, match=r"minimum: 20 .* 1 to 10"):
        allocate({"a": 100, "b": 100}, 20, 20)
    with pytest.raises(BadInput, match=r"样本量.* / .*or more"):
        allocate({"a": 100, "b": 100, "c": 100}, 2, 1)


def test_everything_is_taken_when_the_sample_reaches_the_frame() -> None:
    assert len(draw(frame(3, 2), size=50, minimum=10, seed=1).drawn) == 5


def test_the_drawn_incidents_are_those_with_the_smallest_published_tickets() -> None:
    rows = frame(50)
    sample = draw(rows, size=7, minimum=1, seed=42)
    by_ticket = sorted(rows, key=lambda row: hashlib.sha256(f"42:draw:{row.number}".encode()).digest())
    assert {place.number for place in sample.drawn} == {row.number for row in by_ticket[:7]}
    order = sorted((place.number for place in sample.drawn), key=lambda n: hashlib.sha256(f"42:order:{n}".encode()).digest())
    assert [place.number for place in sample.drawn] == order


def test_the_same_frame_and_seed_give_the_same_sample_for_ever() -> None:
    sample = draw(frame(30, 20, 4), size=12, minimum=3, seed=7)
    assert draw(iter(frame(30, 20, 4)), size=12, minimum=3, seed=7) == sample
    assert [place.number for place in sample.drawn] == EXPECTED
    assert sample.frame_digest == EXPECTED_DIGEST
    assert draw(frame(30, 20, 4), size=12, minimum=3, seed=8).drawn != sample.drawn


EXPECTED = [
    "J1-000012",
    "J0-000001",
    "J0-000017",
    "J2-000003",
    "J0-000019",
    "J0-000014",
    "J2-000001",
    "J0-000004",
    "J2-000000",
    "J1-000019",
    "J1-000013",
    "J1-000005",
]
EXPECTED_DIGEST = "49ccb0d64b527c354e15e653040adbf99851055ac870266fe92e06cd1c844287"


def test_the_digest_is_that_of_the_published_lines() -> None:
    rows = [row._replace(phone_key=b"same") if row.number[-1] in "24" else row for row in frame(6)]
    firsts = ["0", "1", "2", "3", "2", "5"]
    lines = "".join(f"J0-{n:06d}\tunit 0\tJ0-00000{first}\n" for n, first in enumerate(firsts))
    assert draw(rows, 3, 1, 1).frame_digest == hashlib.sha256(lines.encode()).hexdigest()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.binary(min_size=1), st.binary(min_size=1))
def test_other_keys_for_the_same_people_give_the_same_sample_and_digest(people: list[int], one: bytes, other: bytes) -> None:
    here, there = ([FrameRow(f"J{n:03}", "u", key + bytes([who]), n) for n, who in enumerate(people)] for key in (one, other))
    assert draw(here, 5, 1, 3) == draw(there, 5, 1, 3)


def test_the_digest_notices_who_is_the_same_person() -> None:
    rows = frame(5)
    joined = [*rows[:4], rows[4]._replace(phone_key=rows[0].phone_key)]
    assert draw(rows, 3, 1, 1).frame_digest != draw(joined, 3, 1, 1).frame_digest


def test_the_digest_notices_a_row_that_moved_to_another_unit() -> None:
    rows = frame(5, 5)
    moved = [rows[0]._replace(unit="unit 1"), *rows[1:]]
    assert draw(rows, 4, 1, 1).frame_digest != draw(moved, 4, 1, 1).frame_digest


def test_a_person_with_several_incidents_is_drawn_once_and_the_rest_counted() -> None:
    rows = [row._replace(phone_key=b"the same person") if row.number.endswith(("1", "2")) else row for row in frame(10, 10)]
    sample = draw(rows, size=100, minimum=1, seed=5)
    assert sample.duplicates == 3
    assert sample.frame_count == 17
    keys = {row.incident_id: row.phone_key for row in rows}
    assert Counter(keys[place.incident_id] for place in sample.drawn)[b"the same person"] == 1


def test_of_one_persons_incidents_the_one_with_the_smallest_ticket_stays() -> None:
    rows = [row._replace(phone_key=b"the same person") for row in frame(9)]
    for seed in range(5):
        first = min(rows, key=lambda row: hashlib.sha256(f"{seed}:draw:{row.number}".encode()).digest())
        assert [place.number for place in draw(rows, size=9, minimum=1, seed=seed).drawn] == [first.number]


def test_replicates_cut_the_sample_into_equal_parts_in_order() -> None:
    sample = draw(frame(200, 300), size=105, minimum=5, seed=3, replicates=10)
    sizes = Counter(place.replicate for place in sample.drawn)
    assert sorted(sizes) == list(range(1, 11))
    assert max(sizes.values()) - min(sizes.values()) <= 1
    assert [place.replicate for place in sample.drawn] == sorted(place.replicate for place in sample.drawn)


def test_replicates_mix_the_units_whatever_their_sampling_fractions() -> None:
    sample = draw(frame(20_000, 200), size=400, minimum=200, seed=11, replicates=2)
    small_in_first_half = sum(place.unit == "unit 1" for place in sample.drawn if place.replicate == 1)
    assert 70 <= small_in_first_half <= 130  # 100 expected, σ = 5


def test_weights_add_up_to_the_frame() -> None:
    sample = draw(frame(1000, 500, 100, 8), size=100, minimum=10, seed=1)
    assert sum(place.weight for place in sample.drawn) == pytest.approx(1608)
    assert [(stratum.frame, stratum.drawn) for stratum in sample.allocation] == [(1000, 55), (500, 27), (100, 10), (8, 8)]


@pytest.mark.parametrize("spoil", [lambda rows: rows[::-1], lambda rows: [*rows, rows[-1]]])
def test_a_frame_out_of_order_or_with_a_repeated_number_is_refused(spoil: object) -> None:
    with pytest.raises(BadInput, match="order by number"):
        draw(spoil(frame(10)), 5, 1, 1)  # type: ignore[operator]


def test_an_empty_frame_is_refused() -> None:
    with pytest.raises(BadInput, match="frame"):
        draw([], 5, 1, 1)


def test_every_incident_has_the_same_chance_within_its_unit() -> None:
    rows = frame(20)
    hits = Counter(place.number for seed in range(600) for place in draw(rows, 5, 1, seed).drawn)
    expected = 600 * 5 / 20
    chi_square = sum((hits[row.number] - expected) ** 2 / (expected * 0.75) for row in rows)
    assert chi_square < 50  # 19 degrees of freedom: beyond 0.9999


@given(st.lists(st.integers(0, 25), min_size=1, max_size=6), st.integers(1, 60), st.integers(0, 9), st.randoms())
def test_every_sample_keeps_its_promises(counts: list[int], size: int, seed: int, chance: random.Random) -> None:
    rows = [row._replace(phone_key=chance.randbytes(1)) for row in frame(*counts)]
    persons = {row.phone_key for row in rows}
    if not rows or size < len(counts):
        return
    sample = draw(rows, size, 1, seed)
    assert sample.frame_count == len(persons) == len(rows) - sample.duplicates
    assert len(sample.drawn) == min(size, len(persons))
    keys = {row.incident_id: row.phone_key for row in rows}
    assert len({keys[place.incident_id] for place in sample.drawn}) == len(sample.drawn)
