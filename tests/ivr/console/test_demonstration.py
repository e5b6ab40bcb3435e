"""The button for the next working day: in a demonstration on every page, anywhere else refused and written down."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ivr.console.app import create_console_app
from ivr.console.services import ConsoleServices
from survey.accounts import ROLES
from survey.errors import NotAllowed
from survey.store.models import AuditEntry
from tests.ivr.console.conftest import csrf_of, post

NEXT = datetime(2026, 11, 30, 1, tzinfo=UTC)
BUTTON = 'action="/demonstration/next-day"'


@dataclass
class Leap:
    """Moves no clock, remembers who asked, and refuses with `problem` where there is one."""

    problem: str = ""
    asked: list[str] = field(default_factory=list)

    def __call__(self, by: str) -> datetime:
        self.asked.append(by)
        if self.problem:
            raise NotAllowed(self.problem)
        return NEXT


@pytest.fixture
def leap() -> Leap:
    return Leap()


@pytest.fixture
def enter(services: ConsoleServices, leap: Leap, passwords: dict[str, str]) -> Callable[..., object]:
    """A browser of the demonstration in which the role has logged in."""
    app = create_console_app(replace(services, environment="demo", next_day=leap))

    def entered(role: str, language: str = "zh") -> object:
        client = app.test_client()
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
        assert post(client, "/login", name=role, password=passwords[role]).status_code == 303
        return client

    return entered


@pytest.mark.parametrize("role", ROLES)
def test_everybody_in_a_demonstration_has_the_button_and_the_time_on_the_page(enter, open_page, role):
    page = open_page(enter(role), "/account")

    assert BUTTON in page.html
    assert "演示时间：2026-11-23 12:00" in page.text


def test_nobody_has_the_button_before_the_log_in(services, leap):
    client = create_console_app(replace(services, next_day=leap)).test_client()

    assert BUTTON not in client.get("/login").text


def test_the_button_moves_the_clock_says_so_and_stays_on_the_page(enter, leap, open_page):
    client = enter("unit", "en")

    answer = post(client, "/demonstration/next-day", next="/account")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert leap.asked == ["unit"]
    assert "It is now 2026-11-30 09:00." in open_page(client, "/account").text


@pytest.mark.parametrize(("language", "said"), [("zh", "请先结束手上的通话"), ("en", "finish your call first")])
def test_a_refusal_is_told_in_the_language_of_the_page(enter, leap, open_page, language, said):
    leap.problem = "请先结束手上的通话 / finish your call first"
    client = enter("operator", language)

    post(client, "/demonstration/next-day", next="/account")

    assert said in open_page(client, "/account").text


def test_the_button_leads_to_no_other_site(enter):
    assert post(enter("operator"), "/demonstration/next-day", next="https://example.org/").headers["Location"] == "/"


def test_without_a_demonstration_there_is_no_button_and_asking_for_it_stands_in_the_trail(
    log_in, open_page, sessions: sessionmaker[Session]
):
    client = log_in("administrator")

    assert BUTTON not in open_page(client, "/account").html
    assert client.post("/demonstration/next-day", data={"csrf_token": csrf_of(client, "/account")}).status_code == 403
    with sessions() as session:
        told = session.scalars(select(AuditEntry).order_by(AuditEntry.n.desc())).first()
    assert told is not None
    assert (told.action, told.actor, told.subject) == ("access.refused", "administrator", "page:demonstration.next_day")
