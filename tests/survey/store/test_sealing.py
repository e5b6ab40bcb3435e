import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.errors import BadInput, CannotUnseal
from survey.store.sealing import KeyRing, place
from tests.conftest import RING

RINGS = KeyRing.parse(RING)
HERE = place("incidents", "phone_sealed", "a" * 32)
KEY = base64.b64encode(b"k" * 32).decode()


@given(st.text())
def test_what_was_sealed_opens_to_the_same(text: str) -> None:
    assert RINGS.open(RINGS.seal(text, HERE), HERE) == text


@given(st.binary(), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_one_altered_byte_is_noticed(plain: bytes, position: int, change: int) -> None:
    sealed = bytearray(RINGS.seal_bytes(plain, HERE))
    sealed[position % len(sealed)] ^= change

    with pytest.raises(CannotUnseal):
        RINGS.open_bytes(bytes(sealed), HERE)


@given(st.binary(max_size=80))
def test_rubbish_never_opens_and_never_breaks(rubbish: bytes) -> None:
    with pytest.raises(CannotUnseal):
        RINGS.open_bytes(rubbish, HERE)


def test_a_value_moved_to_another_row_or_column_does_not_open() -> None:
    sealed = RINGS.seal("+8610055550101", HERE)

    for elsewhere in (place("incidents", "phone_sealed", "b" * 32), place("incidents", "reporter_sealed", "a" * 32)):
        with pytest.raises(CannotUnseal):
            RINGS.open(sealed, elsewhere)


def test_equal_texts_are_sealed_differently() -> None:
    assert RINGS.seal("x", HERE) != RINGS.seal("x", HERE)


def test_a_new_key_seals_while_the_old_one_still_opens() -> None:
    index, first = RING.split(",")
    rotated = KeyRing.parse(f"{index},k2:{KEY},{first}")
    old = RINGS.seal("x", HERE)

    assert rotated.open(old, HERE) == "x"
    with pytest.raises(CannotUnseal, match="k2"):
        RINGS.open(rotated.seal("x", HERE), HERE)


def test_numbers_are_found_by_a_key_that_does_not_rotate_and_differs_between_houses() -> None:
    index, first = RING.split(",")
    rotated, other = KeyRing.parse(f"{index},k2:{KEY},{first}"), KeyRing.parse(f"index:{KEY},k1:{KEY}")

    assert RINGS.phone_key("+8610055550101") == rotated.phone_key("+8610055550101")
    assert RINGS.phone_key("+8610055550101") != RINGS.phone_key("+8610055550102")
    assert RINGS.phone_key("+8610055550101") != other.phone_key("+8610055550101")


def test_nothing_stays_nothing() -> None:
    assert RINGS.seal(None, HERE) is None
    assert RINGS.open(None, HERE) is None


@pytest.mark.parametrize(
    "text", ["", "index:AAAA,k1:AAAA", f"k1:{KEY}", f"index:{KEY}", f"index:{KEY},:{KEY}", f"index:{KEY},k1:not base64"]
)
def test_a_faulty_ring_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        KeyRing.parse(text)


def test_a_generated_ring_can_be_read() -> None:
    assert KeyRing.parse(KeyRing.generate()).current == "k1"
