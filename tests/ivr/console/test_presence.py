"""Who is on duty is there: the desk keeps the log-in alive while it is open, and nobody stays on duty without one (O1, O4, O11)."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ivr.console.services import ConsoleServices
from survey import desk
from survey.store.models import Duty, Offer, Takeover
from survey.store.queries import desk as queries
from tests.conftest import StandingClock
from tests.ivr.console.conftest import OWN_UNIT, LogIn, post
from tests.ivr.console.test_desk import on_duty, over, send, talking, waiting, with_telephones

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


# ── nobody is on duty without a log-in ───────────────────────────────────────────────────────────────


def is_free(services: ConsoleServices) -> bool:
    with services.reads() as session:
        return queries.is_operator_free(session, services.clock.now())


def tend(services: ConsoleServices) -> None:
    for step in desk.STEPS:
        with services.unit_of_work() as work:
            step(work, services.office, services.clock.now())


def test_who_waits_at_the_desk_on_duty_is_free(
    log_in: LogIn, services: ConsoleServices, clock: StandingClock, with_telephones: None
) -> None:
    client = on_duty(log_in)
    for _ in range(40):
        clock.advance(minutes=1)
        poll(client)
        tend(services)

    assert is_free(services)
    assert duty_state(services.sessions) == "free"


def test_logging_out_ends_the_duty(log_in: LogIn, services: ConsoleServices, with_telephones: None) -> None:
    client = on_duty(log_in)
    assert is_free(services)

    assert post(client, "/logout").status_code == 303

    assert not is_free(services)
    assert duty_state(services.sessions) == "off"


def test_logging_out_elsewhere_leaves_the_desk_on_duty(log_in: LogIn, services: ConsoleServices, with_telephones: None) -> None:
    other = log_in("operator")
    on_duty(log_in)

    assert post(other, "/logout").status_code == 303

    assert is_free(services)


@pytest.mark.parametrize(
    ("act", "form"),
    [("disable", {}), ("renew-password", {}), ("change", {"role": "commander"}), ("change", {"role": "unit", "unit": OWN_UNIT})],
)  # fmt: skip
def test_whoever_may_not_work_at_the_desk_any_more_is_free_no_longer(
    log_in: LogIn, services: ConsoleServices, with_telephones: None, act: str, form: dict[str, str]
) -> None:  # fmt: skip
    on_duty(log_in)

    assert post(log_in("administrator"), f"/users/operator/{act}", **form).status_code in (200, 303)

    assert not is_free(services)
    tend(services)
    assert duty_state(services.sessions) == "off"


def test_whoever_closes_the_browser_is_promised_to_nobody_and_goes_off_duty_with_the_log_in(
    log_in: LogIn, services: ConsoleServices, clock: StandingClock, waiting: str, open_page
) -> None:  # fmt: skip
    on_duty(log_in)
    clock.advance(minutes=2)
    with services.sessions.begin() as session:
        session.scalars(select(Takeover)).one().opened_at = clock.now()
    tend(services)
    with services.reads() as session:
        assert session.scalars(select(Offer)).all() == []
    assert not is_free(services)
    assert duty_state(services.sessions) == "free", "they may be at another page, and come back"

    clock.advance(minutes=13)
    tend(services)

    assert duty_state(services.sessions) == "off"
    page = open_page(log_in("operator"), "/desk").text
    assert "登录已失效，已改为下岗" in page
    assert "另一台电脑" not in page


def test_a_talk_outlives_the_log_in_and_is_found_again_by_the_next_one(
    log_in: LogIn, services: ConsoleServices, clock: StandingClock, waiting: str, open_page
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    talking(services.sessions, clock, waiting)

    assert post(client, "/logout").status_code == 303
    tend(services)
    assert duty_state(services.sessions) == "talking"
    again = log_in("operator")

    page = open_page(again, "/desk").text
    assert "您手上有一个来电" in page
    assert "另一台电脑" not in page
    assert send(again, f"/desk/calls/{waiting}/deed", deed="hold") == 303
    for _ in range(20):
        clock.advance(minutes=1)
        assert poll(again, f"/desk/calls/{waiting}/state").status_code == 200


def test_whoever_logs_out_in_a_talk_goes_off_duty_when_it_is_over(
    log_in: LogIn, services: ConsoleServices, clock: StandingClock, waiting: str
) -> None:  # fmt: skip
    client = on_duty(log_in)
    send(client, f"/desk/calls/{waiting}/claim")
    talking(services.sessions, clock, waiting)
    post(client, "/logout")

    over(services.sessions, clock, waiting)
    tend(services)

    assert duty_state(services.sessions) == "off"
    with services.reads() as session:
        assert session.scalars(select(Takeover.state)).one() == "wrap", "it is still to be sorted out"
