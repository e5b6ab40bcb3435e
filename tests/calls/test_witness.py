"""The judge can tell right from wrong: each planted fault is found."""

from typing import Any

from config.witness import StoredAnswer, compare
from ivr.voice.wording import EXCUSE


def call(sid: str = "CA1", to: str = "+8610000000001", start: str = "09:00", end: str = "09:02", **keys: str) -> dict[str, Any]:
    presses = [{"item": item, "keys": key} for item, key in keys.items()]
    return {"sid": sid, "to": to, "created_at": start, "ended_at": end, "presses": presses}


def test_equal_answers_are_clean() -> None:
    verdict = compare([call(speed="2", attitude="4")], [StoredAnswer("CA1", "speed", "2"), StoredAnswer("CA1", "attitude", "4")])

    assert verdict.is_clean
    assert verdict.equal == 2


def test_a_changed_answer_is_found() -> None:
    assert compare([call(speed="2")], [StoredAnswer("CA1", "speed", "3")]).different == [("CA1", "speed", "2", "3")]


def test_a_lost_answer_is_found() -> None:
    assert compare([call(speed="2")], []).lost == [("CA1", "speed", "2", "")]


def test_an_invented_answer_is_found() -> None:
    assert compare([call()], [StoredAnswer("CA1", "speed", "2")]).invented == [("CA1", "speed", "", "2")]


def test_the_last_valid_key_counts_when_the_person_went_back() -> None:
    again = call(speed="2")
    again["presses"] += [{"item": "speed", "keys": "7"}, {"item": "speed", "keys": "5"}]

    assert compare([again], [StoredAnswer("CA1", "speed", "5")]).is_clean


def test_a_person_rung_twice_at_once_is_found() -> None:
    assert compare([call("CA1"), call("CA2", start="09:01")], []).rung_twice == ["CA2"]


def test_a_later_call_to_the_same_person_is_none() -> None:
    assert compare([call("CA1"), call("CA2", start="09:02")], []).is_clean


def test_a_key_that_could_not_be_brought_to_us_may_be_stored_or_not() -> None:
    cut_off = call(speed="2")
    cut_off["presses"][0]["url"] = "http://door/steps/3"
    cut_off["problems"] = ["11200 no reply: ProtocolError [http://door/steps/3]"]

    assert compare([cut_off], []).unheard == [("CA1", "speed", "2", "")]
    assert compare([cut_off], [StoredAnswer("CA1", "speed", "2")]).is_clean
    assert compare([cut_off], [StoredAnswer("CA1", "speed", "3")]).different == [("CA1", "speed", "2", "3")]


def test_a_key_that_was_answered_with_an_excuse_may_be_stored_or_not() -> None:
    excused = call(speed="2")
    excused["presses"][0]["then"] = f"{EXCUSE['zh']}民警到场的速度，非常满意按1。"

    assert compare([excused], []).unheard == [("CA1", "speed", "2", "")]
    assert compare([excused], [StoredAnswer("CA1", "speed", "2")]).is_clean
    excused["presses"][0]["then"] = "民警的态度，非常满意按1。"
    assert compare([excused], []).lost == [("CA1", "speed", "2", "")]
