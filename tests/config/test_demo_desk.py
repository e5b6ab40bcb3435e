"""The desk of the demonstration: somebody dissatisfied waits within a minute of an operator's coming, by a call that is placed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from config import demo_desk, demo_parts
from config.demo_desk import DeskPlay, desk_round, telephones
from config.demo_round import launch
from survey import desk
from survey.accounts import people
from survey.contact_rules import Rules
from survey.incidents.made_up import UNITS
from survey.store.models import Answer, AuditEntry, CallAttempt, Campaign, Escalation, Incident, Respondent, Takeover, Unit
from tests.calls.small_house import START
from tests.config.demo_house import DemoHouse, opened

SEED = 20
A_SECOND = timedelta(seconds=1)
DISSATISFIED = {"dissatisfied", "very_dissatisfied"}


@pytest.fixture
def demo(tmp_path: Path, sqlite_tables: Path) -> Iterator[DemoHouse]:
    with opened(tmp_path / "demo", sqlite_tables) as house:
        yield house


@pytest.fixture
def play(demo: DemoHouse) -> DeskPlay:
    """The desk's campaign, launched as the demonstration does."""
    with demo.house.unit_of_work() as work:
        unit = Unit(code=UNITS[0].code, name=UNITS[0].name)
        work.session.add(unit)
    given = desk_round(demo.house.data, "2026-02", "Asia/Shanghai", SEED, "zh", Rules(), unit)
    return DeskPlay(demo.house, demo.remote, launch(demo.house, given), SEED)


def go_on(demo: DemoHouse, play: DeskPlay, seconds: int, step: int = 1) -> None:
    """Let so many seconds pass, with a sweep and a look at the desk before each step."""
    for _ in range(0, seconds, step):
        demo.small.round()
        play.look()
        demo.small.round()
        demo.remote.advance(demo.house.clock.now() + step * A_SECOND)


def found(demo: DemoHouse, model: type) -> list:
    with demo.house.sessions() as session:
        return list(session.scalars(select(model).order_by(model.id)))  # type: ignore[attr-defined]


def campaign(demo: DemoHouse) -> Campaign:
    return found(demo, Campaign)[0]


def test_within_a_minute_of_going_on_duty_a_dissatisfied_person_waits_by_a_call_that_was_placed(demo: DemoHouse, play: DeskPlay) -> None:
    demo.operator()
    go_on(demo, play, 60)

    [takeover] = found(demo, Takeover)
    assert (takeover.reason, takeover.state) == ("dissatisfied", "waiting")
    assert takeover.opened_at - START <= timedelta(seconds=60)
    [call] = demo.small.exchange.live_calls()
    [attempt] = found(demo, CallAttempt)
    assert (call.sid, call.answered_at is not None) == (attempt.carrier_sid, True)
    assert DISSATISFIED & {answer.code for answer in found(demo, Answer)}
    assert [press["item"] for press in call.presses][-1] == "operator"


def test_nobody_is_called_while_nobody_is_on_duty(demo: DemoHouse, play: DeskPlay) -> None:
    go_on(demo, play, 30)

    assert found(demo, CallAttempt) == []
    assert (campaign(demo).state, campaign(demo).state_reason) == ("paused", demo_desk.WAITS)


def test_only_one_person_at_a_time_is_on_the_line(demo: DemoHouse, play: DeskPlay) -> None:
    demo.operator()
    most = 0
    for _ in range(80):
        go_on(demo, play, 1)
        most = max(most, len(demo.small.exchange.live_calls()))

    assert most == 1
    assert campaign(demo).state == "paused"


def test_whoever_waits_in_vain_is_a_ticket_and_the_next_comes_within_a_minute_of_the_operators_return(
    demo: DemoHouse, play: DeskPlay
) -> None:
    demo.operator()
    go_on(demo, play, 200, step=5)
    [first] = found(demo, Takeover)
    assert (first.state, first.result) == ("done", "nobody")
    [case] = found(demo, Escalation)
    assert (case.state, case.consent) == ("open", "yes")

    now = demo.house.clock.now()
    with demo.house.unit_of_work() as work:
        desk.duty.choose(work.session, demo.house.office, people.known(work.session, "desk"), "free", now)
    go_on(demo, play, 60)

    assert [takeover.state for takeover in found(demo, Takeover)] == ["done", "waiting"]
    assert found(demo, Takeover)[1].opened_at - now <= timedelta(seconds=60)


def test_all_the_desks_people_are_of_the_unit_and_none_is_called_before_the_rules_allow(demo: DemoHouse, play: DeskPlay) -> None:
    units = {incident.unit_id for incident in found(demo, Incident)}
    numbers = telephones(SEED)

    assert len(units) == 1
    assert len(found(demo, Respondent)) == demo_desk.PEOPLE
    assert len(set(numbers)) == len(numbers)
    assert demo_parts.DESK_TELEPHONE not in numbers
    assert min(person.due_at for person in found(demo, Respondent)) >= START


def test_where_the_month_comes_from_elsewhere_the_desks_people_are_called_by_the_clocks_of_that_place(demo: DemoHouse) -> None:
    with demo.house.unit_of_work() as work:
        unit = Unit(code=UNITS[0].code, name="Downtown Station")
        work.session.add(unit)
    launch(demo.house, desk_round(demo.house.data, "2026-02", "America/Los_Angeles", SEED, "en", Rules(calendar="weekdays"), unit))

    assert {incident.zone for incident in found(demo, Incident)} == {"America/Los_Angeles"}
    assert {person.due_at.astimezone(ZoneInfo("America/Los_Angeles")).hour for person in found(demo, Respondent)} == {17}, (
        "it is 17:00 there"
    )


def test_after_the_last_person_it_is_said_once(demo: DemoHouse, play: DeskPlay, capsys: pytest.CaptureFixture[str]) -> None:
    with demo.house.unit_of_work() as work:
        for person in work.session.scalars(select(Respondent)):
            person.state, person.due_at = "closed", None
    demo.operator()
    capsys.readouterr()

    go_on(demo, play, 3)

    assert campaign(demo).state == "finished"
    assert capsys.readouterr().out.count(f"all {demo_desk.PEOPLE} were called") == 1


def test_what_the_play_does_to_the_campaign_stands_in_the_trail(demo: DemoHouse, play: DeskPlay) -> None:
    demo.operator()
    go_on(demo, play, 25)

    told = [(entry.actor, entry.action) for entry in sorted(_entries(demo), key=lambda entry: entry.n)]
    assert [pair for pair in told if pair[1].startswith("campaign.") and pair[0] == "demo"][-3:] == [
        ("demo", "campaign.pause"), ("demo", "campaign.resume"), ("demo", "campaign.pause"),
    ]  # fmt: skip


def _entries(demo: DemoHouse) -> list[AuditEntry]:
    with demo.house.sessions() as session:
        return list(session.scalars(select(AuditEntry)))


def test_each_part_has_an_account_whose_password_opens_and_the_unit_is_the_one_with_most_cases(
    demo: DemoHouse, play: DeskPlay, capsys: pytest.CaptureFixture[str]
) -> None:
    demo.operator("other")
    go_on(demo, play, 200, step=5)
    unit = demo_parts.busiest_unit(demo.house)

    passwords = demo_parts.add_parts(demo.house, demo_parts.make_accounts(demo.house, "zh"), unit, "zh")
    demo_parts.tell(demo.house, passwords, unit, "+8610000123400")

    assert unit.code == UNITS[0].code
    assert set(passwords) == {part.name for part in demo_parts.PARTS}
    assert len(set(passwords.values())) == len(passwords)
    printed = capsys.readouterr().out
    with demo.house.sessions() as session:
        for part in demo_parts.PARTS:
            user = people.known(session, part.name)
            assert user.role == part.role
            assert user.unit_id == (unit.id if part.role == "unit" else None)
            assert f"{part.name:8}{passwords[part.name]}" in printed
        assert people.telephone_of(demo.house.keys, "desk", people.known(session, "desk").telephone_sealed) == demo_parts.DESK_TELEPHONE
    for number in (demo_parts.DESK_TELEPHONE, "+8610000123400"):
        assert f"{demo.house.settings.twilio_api_url}/phone?number=%2B{number[1:]}" in printed


def test_the_number_named_before_is_the_one_that_is_called(demo: DemoHouse, play: DeskPlay) -> None:
    named = [play.next_number()]
    demo.operator()
    go_on(demo, play, 30)
    named.append(play.next_number())

    assert [call.order.to for call in demo.small.exchange.live_calls()] == named[:1]
    assert named[1] in telephones(SEED)
    assert named[1] != named[0]
