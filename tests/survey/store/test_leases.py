from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from survey.store.leases import hold, holds, release

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
LENGTH = timedelta(seconds=5)


def test_one_holder_at_a_time(session: Session) -> None:
    assert hold(session, "sweep", "a", NOW, LENGTH)
    assert not hold(session, "sweep", "b", NOW + timedelta(seconds=4), LENGTH)


def test_the_holder_renews(session: Session) -> None:
    hold(session, "sweep", "a", NOW, LENGTH)
    assert hold(session, "sweep", "a", NOW + timedelta(seconds=4), LENGTH)
    assert not hold(session, "sweep", "b", NOW + timedelta(seconds=8), LENGTH)


def test_a_lease_that_ran_out_goes_to_the_next(session: Session) -> None:
    hold(session, "sweep", "a", NOW, LENGTH)
    assert hold(session, "sweep", "b", NOW + LENGTH, LENGTH)
    assert not hold(session, "sweep", "a", NOW + LENGTH, LENGTH)


def test_a_lease_given_up_is_free_at_once(session: Session) -> None:
    hold(session, "sweep", "a", NOW, LENGTH)
    release(session, "sweep", "b", NOW)
    assert not hold(session, "sweep", "b", NOW, LENGTH)

    release(session, "sweep", "a", NOW)
    assert hold(session, "sweep", "b", NOW, LENGTH)


def test_leases_of_other_names_do_not_meet(session: Session) -> None:
    assert hold(session, "sweep", "a", NOW, LENGTH)
    assert hold(session, "report", "b", NOW, LENGTH)


def test_to_ask_whether_it_is_still_ones_own_takes_and_renews_nothing(session: Session) -> None:
    assert not holds(session, "sweep", "a"), "nobody has it"
    hold(session, "sweep", "a", NOW, LENGTH)
    assert holds(session, "sweep", "a")
    assert not holds(session, "sweep", "b")
    assert not holds(session, "report", "a")

    assert hold(session, "sweep", "b", NOW + LENGTH, LENGTH), "it ran out all the same"
    assert not holds(session, "sweep", "a")
