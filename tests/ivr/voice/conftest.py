"""The voice door with a real database behind it, and a carrier that signs what it sends."""

from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from ivr.voice.app import create_voice_app
from ivr.voice.guard import Guard
from ivr.voice.routes import VoiceServices
from ivr.voice.wording import VOICES
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]

BASE = "https://voice.example"
ACCOUNT = "AC" + "0123456789abcdef" * 2
OLD_TOKEN, NEW_TOKEN = "old token", "new token"
CALLED, OURS = "+8610000000000", "+861000000000"


@dataclass
class Line:
    """The carrier's side of one call."""

    client: FlaskClient
    token: str
    sid: str
    auth_token: str = NEW_TOKEN
    form: dict[str, str] = field(default_factory=dict)

    def post(self, path: str, form: Any = None, *, url: str = "", sign: bool = True, **options: Any) -> TestResponse:
        """Post a signed form to a path of the door (or to the path of a full URL)."""
        path = path.removeprefix(BASE)
        fields = MultiDict(self._standard() if form is None else form)
        headers = options.pop("headers", {})
        if sign:
            signature = RequestValidator(self.auth_token).compute_signature(url or BASE + path, fields)
            headers = {"X-Twilio-Signature": signature} | headers
        return self.client.post(path, data=fields, headers=headers, **options)

    def _standard(self, **more: str) -> dict[str, str]:
        geography = {f"{side}{part}": "" for side in ("From", "To", "Caller", "Called") for part in ("City", "State", "Zip", "Country")}
        return geography | {
            "AccountSid": ACCOUNT, "CallSid": self.sid, "From": OURS, "To": CALLED, "Caller": OURS, "Called": CALLED,
            "CallStatus": "in-progress", "ApiVersion": "2010-04-01", "Direction": "outbound-api",
        } | self.form | more  # fmt: skip

    def hook(self, name: str, **form: str) -> TestResponse:
        return self.post(f"/voice/attempts/{self.token}/{name}", self._standard(**form))

    def step(self, step: int, **form: str) -> ElementTree.Element:
        """Ask for a step as the carrier does; the document, which must be one."""
        return document(self.hook(f"steps/{step}", **form))


def document(response: TestResponse) -> ElementTree.Element:
    assert response.status_code == 200
    assert response.mimetype == "text/xml"
    return ElementTree.fromstring(response.data)


def words(reply: ElementTree.Element) -> str:
    return "".join(say.text or "" for say in reply.iter("Say"))


def next_url(reply: ElementTree.Element) -> str:
    return reply[-1].text or ""


def services_of(ground: Ground) -> VoiceServices:
    guard = Guard(BASE, ACCOUNT, (NEW_TOKEN, OLD_TOKEN))
    return VoiceServices(ground.work, ground.clock, ground.office, guard, VOICES)


@pytest.fixture
def services(ground: Ground) -> VoiceServices:
    return services_of(ground)


@pytest.fixture
def line(ground: Ground, services: VoiceServices) -> Line:
    """A call that rings: its attempt is placed, nothing was said yet."""
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    return Line(create_voice_app(services).test_client(), token, ground.attempt(attempt_id).carrier_sid or "")
