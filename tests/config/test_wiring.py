from base64 import b64decode
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from twilio.request_validator import RequestValidator

from config.clock import SharedClock, SystemClock
from config.no_carrier import NoCarrier
from config.settings import Settings
from config.wiring import House
from ivr.carrier.base import CallRequest, Rejected
from ivr.carrier.measured import MeasuredCarrier
from ivr.carrier.twilio import TwilioCarrier
from survey.store.migrations import migrate
from tests.ivr.carrier import telephone_company
from tests.ivr.carrier.telephone_company import Reply
from worker.queues import InlineQueue, RqJobQueue

URL = "http://127.0.0.1:8801/x"
REQUEST = CallRequest("+8610055550101", "+8610055550100", URL, URL, URL, None, 30, 600)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({"HUIFANG_DATA": str(tmp_path / "data")}, None)


def test_the_data_folder_is_its_owners_alone(settings: Settings) -> None:
    assert House(settings).data.stat().st_mode & 0o777 == 0o700


def test_a_demonstration_without_a_simulator_rings_nobody(settings: Settings) -> None:
    carrier = House(settings).carrier()

    assert isinstance(carrier, NoCarrier)
    assert isinstance(carrier.place_call(REQUEST), Rejected)


OUTSIDE = (
    "https://api.twilio.com", "https://API.twilio.com", "http://api.twilio.com", "https://api.twilio.com:443", "https://api.twilio.com.",
    "https://api.dublin.ie1.twilio.com", "https://api.twilio.com/", "https://carrier.example.org", "https://203.0.113.7.nip.io",
    "https://8.8.8.8", "http://134744072", "http://[2001:4860:4860::8888]",
)  # fmt: skip
WITHIN = ("http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "http://10.0.0.7", "http://carrier:8805", "http://pbx.internal")


@pytest.mark.parametrize("url", OUTSIDE)
def test_outside_production_no_spelling_of_a_server_elsewhere_is_ever_asked_for_a_call(settings: Settings, url: str) -> None:
    assert isinstance(House(replace(settings, twilio_api_url=url)).carrier(), NoCarrier)


@pytest.mark.parametrize("url", WITHIN)
def test_a_server_of_this_machine_or_network_is_asked(settings: Settings, url: str) -> None:
    assert isinstance(House(replace(settings, twilio_api_url=url)).carrier(), MeasuredCarrier)


def test_another_server_of_the_same_contract_is_used_as_it_is(settings: Settings) -> None:
    carrier = House(replace(settings, twilio_api_url="http://127.0.0.1:9")).carrier()

    assert isinstance(carrier, MeasuredCarrier)
    assert isinstance(carrier.behind, TwilioCarrier)


def test_while_a_token_is_replaced_requests_signed_with_either_are_heard(settings: Settings) -> None:
    given = replace(settings, twilio_auth_token="n" * 32, twilio_auth_token_old="o" * 32)
    client = House(given).voice_app().test_client()
    path = f"/voice/attempts/{'0' * 32}/steps/0"

    def knock(token: str) -> int:
        form = {"AccountSid": given.twilio_account_sid}
        signature = RequestValidator(token).compute_signature(given.public_base_url + path, form)
        return client.post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code

    assert knock("x" * 32) == 403
    migrate(House(given).engine)
    assert 403 not in (knock("n" * 32), knock("o" * 32))


def test_an_api_key_is_shown_to_the_carrier_in_place_of_the_token(settings: Settings) -> None:
    with telephone_company.opened() as company:
        company.replies.append(Reply(503))
        given = replace(settings, twilio_api_url=company.url, twilio_api_key="SK1", twilio_api_secret="kept")
        House(given).carrier().place_call(REQUEST)
        House(replace(given, twilio_api_key="", twilio_api_secret="")).carrier().place_call(REQUEST)

    shown = [b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode() for asked in company.asked]
    assert shown == ["SK1:kept", f"{settings.twilio_account_sid}:{settings.twilio_auth_token}"]


def test_the_bureau_names_its_own_emergency_number(settings: Settings) -> None:
    assert House(replace(settings, emergency_number="999")).bureau.emergency == "999"


def test_the_clock_is_virtual_only_where_its_file_is_named(settings: Settings, tmp_path: Path) -> None:
    moment = datetime(2026, 3, 10, tzinfo=UTC)
    SharedClock.create(tmp_path / "clock", moment)

    assert isinstance(House(settings).clock, SystemClock)
    assert House(replace(settings, clock_file=tmp_path / "clock")).clock.now() == moment


def test_jobs_wake_after_the_commit_and_only_then(settings: Settings) -> None:
    queue = InlineQueue()
    house = House(settings, own_queue=queue)

    with house.unit_of_work() as work:
        work.later("dial", 1)
        assert queue.waiting == ()
    with suppress(ZeroDivisionError), house.unit_of_work() as work:
        work.later("dial", 2)
        raise ZeroDivisionError

    assert queue.waiting == (("dial", 1, 0),)
    assert isinstance(House(settings).queue, RqJobQueue)


def test_the_trail_and_the_data_have_different_keys(settings: Settings) -> None:
    house = House(settings)

    assert house.audit_key != house.keys.index_key
    assert house.audit_key == House(settings).audit_key
    assert len(house.audit_key) == 32


def test_both_doors_open_on_an_empty_house(settings: Settings) -> None:
    house = House(settings)

    assert house.voice_app().test_client().get("/healthz").status_code == 200
    assert house.console_app().test_client().get("/healthz").status_code == 200
    assert house.runtime().office.bureau.zone == "Asia/Shanghai"
