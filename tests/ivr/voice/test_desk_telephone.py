"""The operator's telephone at the voice door, when our own house falters."""

from dataclasses import replace
from typing import NoReturn

import pytest
from sqlalchemy import select

from ivr.voice.app import create_voice_app
from survey import desk
from survey.store.models import CallAttempt, Takeover
from tests.ivr.voice.conftest import BASE, Line, document, next_url, services_of, words
from tests.survey.desk.conftest import Desk, bench, ground

__all__ = ["bench", "ground"]


@pytest.fixture
def telephone(bench: Desk) -> Line:
    """The telephone of an operator who has claimed a call, picked up."""
    operator = bench.operator("wang")
    bench.call()
    bench.claim(operator)
    return Line(create_voice_app(services_of(bench.ground)).test_client(), bench.ring().token, "CAoperator")


def hears(telephone: Line, path: str, **form: str):  # type: ignore[no-untyped-def]
    return document(telephone.post(f"/voice/desk/{telephone.token}/{path}", telephone._standard(**form)))


def test_a_key_that_a_failure_lost_is_asked_for_again_and_opens_the_room(
    bench: Desk, telephone: Line, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    with monkeypatch.context() as failing:
        failing.setattr(desk.ringing, "accept", _fail)
        excused = hears(telephone, "accept", Digits="1")
    assert next_url(excused) == f"{BASE}/voice/desk/{telephone.token}/whisper?again=1"

    asked = hears(telephone, "whisper?again=1")
    assert "接听请按1" in words(asked)
    assert next_url(asked) == f"{BASE}/voice/desk/{telephone.token}/accept?again=1"
    room = hears(telephone, "accept?again=1", Digits="1")

    assert room.find("Dial/Conference") is not None
    assert bench.takeover().state == "ready"


def test_a_key_that_was_heard_and_whose_answer_was_lost_opens_the_room_when_pressed_again(bench: Desk, telephone: Line) -> None:
    hears(telephone, "accept", Digits="1")

    assert "接听请按1" in words(hears(telephone, "whisper?again=1"))
    assert hears(telephone, "accept", Digits="1").find("Dial/Conference") is not None


def test_a_person_who_is_held_hears_their_own_language_also_from_a_process_that_is_new_to_the_call(bench: Desk, telephone: Line) -> None:
    with bench.ground.sessions() as session:
        token = session.scalars(select(CallAttempt.token).join(Takeover)).one()
    bench.ground.office.contexts.clear()

    heard = document(telephone.post(f"/voice/attempts/{token}/held"))

    assert [say.get("language") for say in heard.iter("Say")] == ["zh-CN"]


@pytest.mark.parametrize("hook", ["queue", "held"])
def test_who_waits_hears_music_and_no_silence_while_the_database_is_down(bench: Desk, telephone: Line, hook: str) -> None:
    with bench.ground.sessions() as session:
        token = session.scalars(select(CallAttempt.token).join(Takeover)).one()
    bench.ground.office.contexts.clear()
    broken = replace(services_of(bench.ground), unit_of_work=_fail)
    telephone = Line(create_voice_app(broken).test_client(), token, telephone.sid)

    excused = document(telephone.hook(hook))

    assert [verb.tag for verb in excused] == ["Say", "Say", "Play", "Redirect"]
    assert excused.findtext("Play") == f"{BASE}/voice/music.wav"
    assert next_url(excused) == f"{BASE}/voice/attempts/{token}/{hook}?again=1"


def _fail(*_: object, **__: object) -> NoReturn:
    raise ConnectionError
