"""Drafts: sealed, one a person and form, the last save counts, erased when sent or forgotten."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from survey import drafts
from survey.drafts import NOTHING, Kept
from survey.errors import BadInput
from survey.store.models import Draft, User
from survey.store.sealing import KeyRing
from tests.conftest import RING

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
FORM = "wrap_up:" + "a" * 32
TYPED = {"verdict": "order", "remark": "赵小满说民警未到场"}


@pytest.fixture
def people(sessions: sessionmaker[Session]) -> tuple[int, int]:
    """The ids of two accounts."""
    with sessions.begin() as session:
        rows = [User(name=name, display_name=name, role="operator", password_hash="", created_at=NOW) for name in ("li", "wang")]
        session.add_all(rows)
        session.flush()
        return rows[0].id, rows[1].id


def keep(sessions: sessionmaker[Session], keys: KeyRing, user: int, fields: dict[str, str], now: datetime = NOW) -> None:
    with sessions.begin() as session:
        drafts.keep(session, keys, user, FORM, fields, now)


def kept(sessions: sessionmaker[Session], keys: KeyRing, user: int) -> Kept:
    with sessions() as session:
        return drafts.kept(session, keys, user, FORM)


def test_what_was_typed_comes_back_to_its_writer_alone(sessions, keys, people) -> None:
    keep(sessions, keys, people[0], TYPED)

    assert kept(sessions, keys, people[0]) == Kept(TYPED, NOW)
    assert kept(sessions, keys, people[1]) is NOTHING


def test_it_lies_sealed(sessions, keys, people) -> None:
    keep(sessions, keys, people[0], TYPED)

    with sessions() as session:
        [sealed] = session.scalars(select(Draft.fields_sealed)).all()
    assert "赵小满".encode() not in sealed


def test_the_last_save_takes_the_place_of_the_one_before(sessions, keys, people) -> None:
    keep(sessions, keys, people[0], TYPED)
    keep(sessions, keys, people[0], {"remark": "更正"}, NOW + timedelta(seconds=2))

    assert kept(sessions, keys, people[0]) == Kept({"remark": "更正"}, NOW + timedelta(seconds=2))
    with sessions() as session:
        assert len(session.scalars(select(Draft)).all()) == 1


@pytest.mark.parametrize("emptied", [{}, {"remark": " \n"}])
def test_a_form_that_was_emptied_keeps_nothing(sessions, keys, people, emptied) -> None:
    keep(sessions, keys, people[0], TYPED)
    keep(sessions, keys, people[0], emptied)

    assert kept(sessions, keys, people[0]) is NOTHING


def test_a_form_that_was_sent_keeps_nothing(sessions, keys, people) -> None:
    keep(sessions, keys, people[0], TYPED)
    with sessions.begin() as session:
        drafts.drop(session, people[0], FORM)

    assert kept(sessions, keys, people[0]) is NOTHING


def test_too_much_is_refused_and_what_was_kept_stays(sessions, keys, people) -> None:
    keep(sessions, keys, people[0], TYPED)
    with pytest.raises(BadInput, match="at most"):
        keep(sessions, keys, people[0], {"remark": "字" * (drafts.LONGEST + 1)})

    assert kept(sessions, keys, people[0]).fields == TYPED


def test_what_no_key_opens_any_more_shows_nothing(sessions, keys, people) -> None:
    keep(sessions, keys, people[0], TYPED)
    other = KeyRing.parse(RING.replace("c2VhbC1z", "b3RoZXIt").replace("k1:", "k2:"))

    assert kept(sessions, other, people[0]) is NOTHING


def test_what_nobody_has_sent_for_two_weeks_is_erased_by_the_sweep_and_younger_ones_stay(sessions, keys, people) -> None:
    keep(sessions, keys, people[0], TYPED, NOW - drafts.KEPT_FOR - timedelta(seconds=1))
    keep(sessions, keys, people[1], TYPED, NOW - drafts.KEPT_FOR + timedelta(seconds=1))
    with sessions.begin() as session:
        drafts.tidy(session, NOW)

    assert kept(sessions, keys, people[0]) is NOTHING
    assert kept(sessions, keys, people[1]).fields == TYPED


def test_the_sweep_looks_once_an_hour(sessions, keys, people) -> None:
    with sessions.begin() as session:
        drafts.tidy(session, NOW)
    keep(sessions, keys, people[0], TYPED, NOW - timedelta(days=60))
    for later, is_there in ((timedelta(minutes=59), True), (timedelta(minutes=61), False)):
        with sessions.begin() as session:
            drafts.tidy(session, NOW + later)
        assert bool(kept(sessions, keys, people[0]).fields) is is_there
