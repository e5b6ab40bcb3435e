"""Whatever a unit of work changes of what pages follow, it announces after its commit, and only then (O7)."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from survey.store import topics
from survey.store.models import Base, Duty, Unit, User, table_of
from survey.store.unit_of_work import UnitOfWork
from tests.conftest import StandingClock
from worker.queues import InlineQueue


@dataclass
class Listener:
    """Keeps what is announced, and what stood in the database at that moment."""

    sessions: sessionmaker[Session]
    heard: list[set[str]] = field(default_factory=list)
    on_duty: list[int] = field(default_factory=list)

    def announce(self, topics: Collection[str]) -> None:
        self.heard.append(set(topics))
        with self.sessions() as session:
            self.on_duty.append(len(session.scalars(select(Duty)).all()))


@pytest.fixture
def listener(sessions: sessionmaker[Session]) -> Listener:
    return Listener(sessions)


@pytest.fixture
def user(sessions: sessionmaker[Session], clock: StandingClock) -> int:
    with sessions.begin() as session:
        user = User(name="li", display_name="李四", role="operator", password_hash="-", created_at=clock.now())
        session.add(user)
        session.flush()
        return user.id


def work_on(listener: Listener) -> UnitOfWork:
    return UnitOfWork(listener.sessions, InlineQueue(), listener)


def on_duty(user: int, clock: StandingClock) -> Duty:
    return Duty(user_id=user, state="free", since=clock.now())


def test_a_new_row_is_announced_once_it_is_there_for_all(listener: Listener, user: int, clock: StandingClock) -> None:
    with work_on(listener) as work:
        work.session.add(on_duty(user, clock))

    assert (listener.heard, listener.on_duty) == ([{"desk"}], [1])


def test_a_changed_and_a_removed_row_are_announced(listener: Listener, user: int, clock: StandingClock) -> None:
    with work_on(listener) as work:
        work.session.add(on_duty(user, clock))
    with work_on(listener) as work:
        work.session.get_one(Duty, user).state = "busy"
    with work_on(listener) as work:
        work.session.delete(work.session.get_one(Duty, user))

    assert listener.heard == [{"desk"}] * 3


@pytest.mark.parametrize(
    "statement",
    [update(Duty).values(state="away"), update(table_of(Duty)).values(state="away"), delete(Duty)],
    ids=["update", "update of the table", "delete"],
)
def test_a_statement_concerns_the_whole_kind(listener: Listener, statement) -> None:
    with work_on(listener) as work:
        work.session.execute(statement)

    assert listener.heard == [{"desk"}]


@pytest.mark.parametrize("way", ["scalar", "scalars"])
def test_a_statement_that_returns_what_it_changed_is_announced_too(listener: Listener, user: int, clock: StandingClock, way: str) -> None:
    with work_on(listener) as work:
        work.session.add(on_duty(user, clock))
    with work_on(listener) as work:
        getattr(work.session, way)(update(Duty).values(state="away").returning(Duty.user_id))

    assert listener.heard == [{"desk"}] * 2


def test_an_insert_by_statement_is_announced(listener: Listener, user: int, clock: StandingClock) -> None:
    with work_on(listener) as work:
        work.session.execute(insert(Duty), [{"user_id": user, "state": "free", "since": clock.now()}])

    assert listener.heard == [{"desk"}]


def test_what_nobody_follows_and_what_is_only_read_is_not_announced(listener: Listener, user: int, clock: StandingClock) -> None:
    with work_on(listener) as work:
        work.session.add(Unit(code="U1", name="城东派出所"))
    with work_on(listener) as work:
        work.session.scalars(select(Duty)).all()
        work.session.get_one(User, user).display_name = "李四"

    assert listener.heard == []


def test_a_unit_of_work_that_fails_announces_nothing(listener: Listener, user: int, clock: StandingClock) -> None:
    with pytest.raises(ZeroDivisionError):
        _fail(listener, on_duty(user, clock))

    assert listener.heard == []


def _fail(listener: Listener, duty: Duty) -> None:
    with work_on(listener) as work:
        work.session.add(duty)
        work.session.flush()
        raise ZeroDivisionError


def test_every_column_of_the_table_of_topics_is_one_of_its_model() -> None:
    known = {mapper.class_ for mapper in Base.registry.mappers}
    for model, followed in topics.TOPICS.items():
        assert model in known
        for _, column in followed:
            assert not column or column in table_of(model).columns, (model, column)


@pytest.mark.parametrize(
    ("announced", "followed", "told"),
    [
        ("order:7", "order:7", True), ("order:7", "order:71", False), ("order:71", "order:7", False), ("order", "order:7", True),
        ("order:7", "order", True), ("desk", "desk", True), ("desk", "call:1", False), ("orders", "order", False),
    ],
)  # fmt: skip
def test_who_follows_one_of_many_hears_of_it_and_of_all_of_them(announced: str, followed: str, told: bool) -> None:
    assert topics.concerns(announced, followed) is told
