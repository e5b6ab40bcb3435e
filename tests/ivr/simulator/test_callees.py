import pytest

from ivr.carrier.simulator import callees
from ivr.carrier.simulator.listening import key_for, question_in
from ivr.carrier.simulator.persona import Press
from ivr.carrier.simulator.speaking import MANNERS
from tests.ivr.simulator.toy import ITEMS, OPENING, REMARK, gather, xml


def test_every_ending_reaches_exactly_one_kind():
    endings = [ending for kind in callees.TABLE for ending in kind.endings]

    assert sorted(endings) == [f"{number:02d}" for number in range(100)]


def test_the_table_tells_each_kind_in_both_languages():
    assert all(row["zh"] and row["en"] and row["endings"] for row in callees.rows())
    assert callees.table_text().count("\n") == len(callees.TABLE) + len(MANNERS) + 1


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


def test_the_journal_says_what_followed_each_key(story):
    presses = story("00").presses

    assert [question_in(press["then"]) for press in presses] == [*ITEMS, "remark"]


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


def answers(call):
    return {item: pressed(call, item)[-1:] for item in ITEMS if pressed(call, item)}


def intents(call):
    return [press["intent"] for press in call.presses if press["intent"] != "answer"]


@pytest.mark.parametrize(
    ("name", "intended"),
    [
        ("repeats", ["repeat"]), ("goes_back", ["back"]), ("human", ["human"]), ("not_now", ["later"]), ("never", ["never"]),
        ("wrong_keys", ["wrong"] * 6), ("satisfied", []),
    ],
)  # fmt: skip
def test_a_callee_means_what_its_kind_says(story, name, intended):
    assert intents(story(callees.endings_of(name)[0])) == intended


def test_who_goes_back_changes_the_answer_before(story, toy):
    ask = gather(ITEMS["attitude"], "/steps/3")
    toy.pages["/steps/4"] = lambda seen: xml(ask if seen.form.get("Digits") == "7" else gather(ITEMS["equipment"], "/steps/5"))

    call = story("36")

    assert pressed(call, "attitude") == ["1", "2"]
    assert pressed(call, "outcome") == ["1"]


def test_who_barges_in_presses_before_the_prompt_ends(story):
    polite, hasty = story("00"), story("33")

    assert hasty.seconds < polite.seconds / 2


def test_who_presses_wrong_first_says_five_or_hash(story):
    wrong = {press["item"]: press["keys"] + press["finished_on"] for press in story("37").presses if press["intent"] == "wrong"}

    assert wrong == {"right_person": "5"} | dict.fromkeys(ITEMS, "#")


@pytest.mark.parametrize(
    ("name", "answered"),
    [("hangs_up_at_speed", 0), ("hangs_up_at_outcome", 2), ("hangs_up_at_appearance", 4), ("hangs_up_at_remark", 5)],
)
def test_who_hangs_up_leaves_at_the_named_question(story, name, answered):
    call = story(callees.endings_of(name)[0])

    assert (call.status, len(answers(call))) == ("completed", answered)


def test_who_refuses_leaves_within_seconds(story, toy):
    call = story(callees.endings_of("refuses")[0])

    assert (call.status, call.seconds, call.presses) == ("completed", 2, [])
    assert [path for path in toy.paths() if path.startswith("/steps")] == ["/steps/0"]


def test_the_silent_press_nothing(story):
    call = story(callees.endings_of("silent")[0])

    assert call.presses == []
    assert call.silences > 3


def test_the_wrong_person_says_so(story):
    assert pressed(story(callees.endings_of("wrong_person")[0]), "right_person") == ["2"]


def test_the_slow_answer_when_asked_again(story, toy):
    again, following = gather(ITEMS["speed"], "/steps/2"), gather(ITEMS["attitude"], "/steps/3")
    toy.pages["/steps/2"] = lambda seen: xml(following if seen.form["Digits"] else again)

    call = story(callees.endings_of("slow")[0])

    assert pressed(call, "speed") == ["1"]


def test_a_month_of_callees_is_believable():
    people = [callees.persona_at(f"+86100000{number:05d}", 3, 3) for number in range(5000)]
    reached = [person for person in people if person.pick_up().by == "human" and person.pick_up().outcome == "answered"]
    keys = [person.at_keys(prompt) for person in reached for prompt in ITEMS.values() if not person.traits.hangs_up_after]
    rated = [reaction.keys for reaction in keys if isinstance(reaction, Press) and reaction.intent == "answer"]

    assert 0.50 <= len(reached) / len(people) <= 0.62
    assert 0.06 <= sum(key in "45" for key in rated) / len(rated) <= 0.10
    assert len(callees.endings_of("never")) == 3
