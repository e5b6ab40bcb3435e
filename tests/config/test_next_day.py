"""On to the next working day: the shared clock moves for everybody, calls end first, log-ins live on, second calls come by themselves."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from config.clock import SharedClock, SystemClock
from config.next_day import LEASE, NextDay
from config.wiring import House
from ivr.carrier.simulator.incoming import Number
from ivr.carrier.simulator.persona import Traits
from ivr.carrier.simulator.phone import Person
from survey import accounts
from survey.errors import NotAllowed
from survey.store.leases import hold
from survey.store.models import AuditEntry, CallAttempt, Takeover
from survey.working_days import CalendarMissing
from tests.calls.small_house import START
from tests.calls.test_second_calls import APPEASED, dissatisfied
from tests.config.demo_house import TELEPHONE, DemoHouse, opened, settings_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
TUESDAY = datetime(2026, 3, 3, 9, tzinfo=SHANGHAI)
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def demo(tmp_path: Path, sqlite_tables: Path) -> Iterator[DemoHouse]:
    with opened(tmp_path / "demo", sqlite_tables) as house:
        yield house


def in_hand(demo: DemoHouse, state: str) -> None:
    """A call of the campaign with which an operator is in this state."""
    with demo.house.unit_of_work() as work:
        attempt_id = work.session.scalars(select(CallAttempt.id)).first()
        work.session.add(Takeover(attempt_id=attempt_id, reason="dissatisfied", state=state, opened_at=demo.house.clock.now()))


def test_the_clock_stands_at_nine_on_the_next_working_day_and_runs_for_every_process(demo: DemoHouse) -> None:
    reached = NextDay(demo.house)("admin")

    assert reached == TUESDAY
    seen = SharedClock(demo.house.settings.clock_file)  # as another process maps it
    assert seen.passes()
    assert timedelta(0) <= seen.now() - TUESDAY < A_MINUTE


def test_from_a_friday_it_goes_to_monday(demo: DemoHouse) -> None:
    demo.remote.advance(datetime(2026, 3, 6, 17, 30, tzinfo=SHANGHAI))

    assert NextDay(demo.house)("admin") == datetime(2026, 3, 9, 9, tzinfo=SHANGHAI)


def test_each_press_is_a_day_and_stands_in_the_trail_with_who_pressed(demo: DemoHouse) -> None:
    for who in ("admin", "unit"):
        NextDay(demo.house)(who)

    with demo.house.sessions() as session:
        told = session.scalars(select(AuditEntry).where(AuditEntry.action == "demo.next_day").order_by(AuditEntry.n)).all()
    assert [entry.actor for entry in told] == ["admin", "unit"]
    assert "2026-03-04T09:00" in told[1].details


def test_who_talks_when_the_day_ends_hangs_up_and_the_call_is_known_to_have_ended(demo: DemoHouse) -> None:
    demo.small.ground.launch(1)
    demo.small.everybody_is(Traits(ratings={"speed": "1"}))
    demo.small.round()
    demo.remote.advance(START + timedelta(seconds=30))
    [call] = demo.small.exchange.live_calls()
    assert call.answered_at is not None

    NextDay(demo.house)("admin")

    with demo.house.sessions() as session:
        [attempt] = session.scalars(select(CallAttempt)).all()
    assert attempt.status == "completed"
    assert attempt.ended_at is not None
    assert attempt.ended_at < START + 5 * A_MINUTE, "on the old day"
    assert demo.small.exchange.live_calls() == []


@pytest.mark.parametrize("state", ["claimed", "ready", "talking", "wrap"])
def test_an_operator_who_has_a_call_in_hand_is_asked_to_finish_it_first(demo: DemoHouse, state: str) -> None:
    demo.small.ground.launch(1)
    demo.small.round()
    in_hand(demo, state)

    with pytest.raises(NotAllowed, match="finish your call first"):
        NextDay(demo.house)("desk")

    assert demo.house.clock.now() == START
    assert len(demo.small.exchange.live_calls()) == 1, "nobody has hung up"


def test_whoever_talks_at_a_browser_phone_is_asked_to_hang_up_first(demo: DemoHouse) -> None:
    demo.small.exchange.number = Number(f"{demo.house.settings.public_base_url}/voice/incoming", None)
    demo.small.exchange.receive(TELEPHONE, demo.house.settings.caller_id, Person(TELEPHONE))

    with pytest.raises(NotAllowed, match="telephone in the browser"):
        NextDay(demo.house)("desk")

    assert demo.house.clock.now() == START


def test_two_never_move_the_clock_at_once(demo: DemoHouse) -> None:
    with demo.house.unit_of_work() as work:
        assert hold(work.session, "next_day", "another process", SystemClock().now(), LEASE)

    with pytest.raises(NotAllowed, match="moved already"):
        NextDay(demo.house)("admin")


def test_at_the_end_of_the_holiday_calendar_the_clock_stays_and_goes_on(demo: DemoHouse) -> None:
    demo.remote.advance(datetime(2026, 12, 31, 10, tzinfo=SHANGHAI))

    with pytest.raises(CalendarMissing):
        NextDay(demo.house)("admin")

    assert demo.house.clock.now() == datetime(2026, 12, 31, 10, tzinfo=SHANGHAI)
    with demo.house.unit_of_work() as work:
        assert hold(work.session, "next_day", "the next to press", SystemClock().now(), LEASE), "nobody has to wait"


def test_a_carrier_that_does_not_answer_is_told(tmp_path: Path, demo: DemoHouse) -> None:
    alone = House(
        settings_of(tmp_path / "alone", clock_file=str(demo.house.settings.clock_file), database_url=demo.house.settings.database_url)
    )

    with pytest.raises(NotAllowed, match="line does not answer"):
        NextDay(alone)("admin")


def test_nobody_is_logged_out_by_the_leap_and_who_was_idle_stays_so(demo: DemoHouse) -> None:
    house = demo.house
    with house.unit_of_work() as work:
        password = accounts.add_user(work.session, "centre", "centre", "指挥中心", house.clock.now())
    idle = accounts.log_in(house.sessions, "centre", password, "10.0.0.1", "zh", house.clock.now(), house.audit_key)
    demo.remote.advance(START + 20 * A_MINUTE)
    awake = accounts.log_in(house.sessions, "centre", password, "10.0.0.1", "zh", house.clock.now(), house.audit_key)
    assert isinstance(idle, accounts.LoggedIn)
    assert isinstance(awake, accounts.LoggedIn)

    NextDay(house)("centre")

    with house.sessions() as session:
        assert accounts.find_session(session, awake.token, house.clock.now()) is not None
        assert accounts.find_session(session, idle.token, house.clock.now()) is None


def test_only_a_demonstration_with_its_own_clock_and_line_can_be_moved(tmp_path: Path) -> None:
    def has_button(**more: str) -> bool:
        services = House(settings_of(tmp_path, **more)).console_app().extensions["huifang"]
        return services.next_day is not None

    (tmp_path / "clock").write_bytes(bytes(16))
    assert has_button()
    assert not has_button(environment="test")
    assert not has_button(clock_file="")
    assert not has_button(twilio_api_url="https://api.twilio.com")


def test_the_second_call_comes_by_itself_on_the_next_working_day(demo: DemoHouse) -> None:
    bureau = dissatisfied(demo.small)
    demo.small.everybody_is(APPEASED)
    bureau.answer()
    demo.small.round()
    assert [person.state for person in bureau.people("followup")] == ["waiting"], "nobody is called twice on one day"

    NextDay(demo.house)("unit")
    demo.remote.stand_still()  # the call itself is lived in virtual time
    demo.small.round()

    with demo.house.sessions() as session:
        last = session.scalars(select(CallAttempt.requested_at).order_by(CallAttempt.id.desc())).first()
    assert last is not None
    assert timedelta(0) <= last - TUESDAY < A_MINUTE
    bureau.until(lambda: bureau.order().state != "recalling")
    assert (bureau.order().state, bureau.order().outcome) == ("closed", "satisfied")
