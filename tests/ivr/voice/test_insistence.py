"""The carrier is asked to repeat what does not get through, and what it repeats changes nothing."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config.wiring import VOICE_SECONDS
from ivr.carrier.simulator.persona import Traits
from ivr.carrier.simulator.webhooks import overrides_in
from ivr.voice import insistence
from ivr.voice.app import create_voice_app
from ivr.voice.insistence import FRAGMENT, insist
from survey.store.models import Answer, CallAttempt, CarrierEvent
from tests.calls import small_house
from tests.survey.fieldwork.conftest import Ground
from worker import jobs

RATINGS = {"speed": "1", "attitude": "4", "outcome": "3", "equipment": "4", "appearance": "5"}
CARRIERS_LIMIT_SECONDS = 15.0
LONGEST_TURN_SECONDS = 5.0
"""Of a turn whose database is away (RS31)."""


def test_the_wish_leaves_a_turn_its_time_and_the_carrier_its_own() -> None:
    wish = overrides_in(FRAGMENT)

    assert VOICE_SECONDS < LONGEST_TURN_SECONDS < wish.read < CARRIERS_LIMIT_SECONDS / 2, (
        "a turn that answers in time is not repeated, one that hangs is"
    )
    assert (wish.count, wish.after) == (2, {"ct", "rt", "5xx"})


class Faltering:
    """The door behind a proxy: every web-hook fails twice before it gets through, served or not; if late, one of them all.

    What is late does not come before the carrier has asked again.
    """

    def __init__(self, app: Any, how: str) -> None:
        self._app, self._how, self._asked = app, how, threading.Condition()
        self.seen: dict[tuple[str, str], int] = {}

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        with self._asked:
            key = environ["PATH_INFO"], environ["HTTP_I_TWILIO_IDEMPOTENCY_TOKEN"]
            self.seen[key] = count = self.seen.get(key, 0) + 1
            self._asked.notify_all()
        if count > 2 or not self._fails(key[0]):
            return self._app(environ, start)  # type: ignore[no-any-return]
        answer = list(self._app(environ, lambda *given: None)) if "served" in self._how else [b""]
        if "late" in self._how:
            with self._asked:
                self._asked.wait_for(lambda: self.seen[key] > count, HANGING_SECONDS)
        start("502 Bad Gateway", [("Content-Length", "0")])
        return answer[:0]

    def _fails(self, path: str) -> bool:
        return "late" not in self._how or path.endswith("/steps/3")

    def times(self) -> set[int]:
        """How often each of the web-hooks that fail was asked for; any other may be repeated too, where the machine stalls."""
        return {count for (path, _), count in self.seen.items() if self._fails(path)}


READ_SECONDS, HANGING_SECONDS = 4.0, 60.0
"""Three times the first stays below the fifteen seconds that a web-hook has in all, with seconds to spare for each turn."""


@pytest.mark.parametrize("how", ["refused", "served", "served late"])
def test_a_call_whose_web_hooks_fail_twice_is_an_ordinary_call(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "served late":
        monkeypatch.setattr(insistence, "FRAGMENT", FRAGMENT.replace("rt=6000", f"rt={READ_SECONDS * 1000:.0f}"))
    doors: list[Faltering] = []

    def faltering(given: Any) -> Faltering:
        doors.append(Faltering(create_voice_app(given), how))
        return doors[0]

    monkeypatch.setattr(small_house, "create_voice_app", faltering)
    campaign = ground.launch(1)
    with small_house.opened(ground, tmp_path, patience_seconds=HANGING_SECONDS) as house:
        house.everybody_is(Traits(ratings=RATINGS))
        house.run(campaign)
        (call,) = house.exchange.journal()

    with ground.sessions() as session:
        answers = {answer.item: answer.raw for answer in session.scalars(select(Answer))}
        attempt = session.scalars(select(CallAttempt)).one()
        led_back = session.scalars(select(CarrierEvent).where(CarrierEvent.kind.in_(("led_back", "broken")))).all()
    assert {item: answers[item] for item in RATINGS} == RATINGS
    assert (attempt.disposition, attempt.status, led_back) == ("complete", "completed", [])
    assert call["problems"] == []
    assert doors[0].times() == {3}


def test_every_address_of_a_call_carries_the_wish(ground: Ground, tmp_path: Path) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]
    order = ground.prepare(attempt_id)
    assert order is not None
    with small_house.opened(ground, tmp_path) as house:
        asked = jobs._request(house.runtime, order)

    base = f"{house.runtime.public_base_url}/voice/attempts/{order.token}"
    assert [asked.answer_url, asked.fallback_url, asked.status_url] == [
        insist(f"{base}/{end}") for end in ("steps/0", "fallback", "status")
    ]
