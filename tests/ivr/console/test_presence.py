"""Who is on duty is there: the desk keeps the log-in alive while it is open, and nobody stays on duty without one (O1, O4, O11)."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from survey.store.models import Duty
from tests.conftest import StandingClock
from tests.ivr.console.conftest import LogIn
from tests.ivr.console.test_desk import on_duty, send, talking, waiting, with_telephones

__all__ = ["waiting", "with_telephones"]


def poll(client: FlaskClient, address: str = "/desk/board", page: str = "http://localhost/desk"):
    return client.get(address, headers={"HX-Request": "true", "HX-Current-URL": page})


def duty_state(sessions: sessionmaker[Session]) -> str:
    with sessions() as session:
        return session.scalars(select(Duty.state)).one()


# ── the desk is waited at, not clicked ───────────────────────────────────────────────────────────────


def test_who_waits_at_the_desk_on_duty_stays_logged_in(log_in: LogIn, clock: StandingClock, with_telephones: None) -> None:
    client = on_duty(log_in)

    for _ in range(40):
        clock.advance(minutes=1)
        assert poll(client).status_code == 200


def test_who_talks_for_long_without_a_click_stays_logged_in(
    log_in: LogIn, clock: StandingClock, waiting: str, sessions: sessionmaker[Session]
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    talking(sessions, clock, waiting)

    for _ in range(20):
        clock.advance(minutes=1)
        assert poll(client, f"/desk/calls/{waiting}/state").status_code == 200


@pytest.mark.parametrize("state", ["away", "off"])
def test_who_is_not_at_work_is_logged_out_after_fifteen_minutes_and_comes_back_to_the_desk(
    log_in: LogIn, clock: StandingClock, with_telephones: None, state: str
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, "/desk/duty", state=state)

    for _ in range(14):
        clock.advance(minutes=1)
        assert poll(client).status_code == 200
    clock.advance(minutes=1)
    answer = poll(client)

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=/desk"


def test_the_desk_of_an_older_log_in_does_not_keep_it_alive(log_in: LogIn, clock: StandingClock, with_telephones: None) -> None:
    older = on_duty(log_in)
    on_duty(log_in)
    clock.advance(minutes=14)
    poll(older)
    clock.advance(minutes=1)

    assert poll(older).status_code == 401


def test_nobody_stays_logged_in_at_the_desk_for_longer_than_twelve_hours(
    log_in: LogIn, clock: StandingClock, with_telephones: None
) -> None:  # fmt: skip
    client = on_duty(log_in)
    for _ in range(71):
        clock.advance(minutes=10)
        assert poll(client).status_code == 200

    clock.advance(minutes=10)

    assert poll(client).status_code == 401


@pytest.mark.parametrize("page", ["", "http://localhost//evil.example/x", "javascript:alert(1)", "http://localhost/\\evil"])
def test_a_log_in_after_a_part_of_a_page_leads_nowhere_else(log_in: LogIn, clock: StandingClock, page: str) -> None:
    client = log_in("operator")
    clock.advance(minutes=15)

    assert poll(client, page=page).headers["HX-Redirect"] == "/login?next=/"
