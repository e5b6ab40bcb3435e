import pytest

from ivr.carrier.simulator import callees
from ivr.carrier.simulator.listening import key_for, question_in
from tests.ivr.simulator.toy import ITEMS, OPENING, REMARK


def test_every_ending_reaches_exactly_one_kind():
    endings = [ending for kind in callees.TABLE for ending in kind.endings]

    assert sorted(endings) == [f"{number:02d}" for number in range(100)]


def test_the_table_tells_each_kind_in_both_languages():
    assert all(row["zh"] and row["en"] and row["endings"] for row in callees.rows())
    assert callees.table_text().count("\n") == len(callees.TABLE) + 1


@pytest.mark.parametrize(("item", "prompt"), [*ITEMS.items(), ("right_person", OPENING), ("remark", REMARK)])
def test_a_callee_recognises_the_question_by_its_words(item, prompt):
    assert question_in(prompt) == item


def test_a_callee_takes_the_keys_that_are_offered():
    assert key_for("later", OPENING) == "9"
    assert key_for("never", OPENING) == "0"
    assert key_for("no", REMARK) == "1"
    assert key_for("never", "For no further calls, press 4.") == "4"


def pressed(call, item):
    return [press["keys"] for press in call.presses if press["item"] == item and press["intent"] == "answer"]


def test_a_satisfied_callee_answers_everything_with_one(story):
    call = story("00")

    assert call.status == "completed"
    assert [pressed(call, item) for item in ITEMS] == [["1"]] * 5


def test_a_dissatisfied_callee_gives_fours_and_fives(story):
    call = story("28")

    assert [pressed(call, item)[-1] for item in ITEMS] == ["4", "2", "5", "2", "2"]


@pytest.mark.parametrize(
    ("ending", "status", "sip"), [("72", "busy", 486), ("80", "no-answer", 487), ("67", "failed", 404)], ids=["busy", "no answer", "none"]
)
def test_who_cannot_be_reached_ends_with_the_carriers_word(story, toy, ending, status, sip):
    call = story(ending)

    assert (call.status, call.sip_code, call.answered_at) == (status, sip, None)
    assert toy.statuses()[-1] == status
    assert "/steps/0" not in toy.paths()
