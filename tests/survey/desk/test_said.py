"""What was said in a call, step by step, and what must be done before a call about danger is sorted out (O14, O16, O22)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from survey import desk, fieldwork
from survey.desk.said import LONG_NUMBER, STARS, Piece, marked, said
from survey.errors import BadInput, NotAllowed
from survey.fieldwork.hearings import Spoken, asked_at, note_hearing
from survey.store.models import AuditEntry, CallAttempt, Recording, User
from survey.store.rotation import sealed_tables
from survey.store.sealing import place
from tests.survey.desk.conftest import Desk
from tests.survey.fieldwork.test_transcripts import keep, transcribed

SID = "RE" + "7" * 32
UNSURE, SURE = 0.3, 0.9


def pieces(bench: Desk) -> tuple[Piece, ...]:
    attempt = bench.takeover().attempt_id
    with bench.ground.sessions() as session:
        return said(session, bench.ground.office, session.get_one(CallAttempt, attempt))


def speaks(bench: Desk, token: str, *words: str, item: str = "reason") -> None:
    """The person's words are kept and transcribed while the operator has the call."""
    with bench.ground.work() as work:
        fieldwork.announce_recording(work, token, item, SID, 7.0, bench.ground.now)
    with bench.ground.sessions() as session:
        number = session.scalars(select(Recording.id)).one()
    keep(bench.ground, number)
    transcribed(bench.ground, number, *words)


def test_each_step_tells_the_question_the_key_and_what_it_means(bench: Desk) -> None:
    bench.operator("li")
    bench.call()

    told = [(one.kind, one.item, one.raw, one.code) for one in pieces(bench)]
    assert told[:4] == [
        ("keys", "right_person", "1", "yes"), ("keys", "speed", "1", "very_satisfied"), ("keys", "attitude", "2", "satisfied"),
        ("keys", "outcome", "1", "very_satisfied"),
    ]  # fmt: skip
    assert ("keys", "equipment", "4", "dissatisfied") in told


def test_silence_is_told_too(bench: Desk) -> None:
    ground = bench.ground
    ground.launch(1)
    _, token = ground.dial_next()
    ground.talk(token, "1_6")
    with ground.sessions() as session:
        found = said(session, ground.office, session.get_one(CallAttempt, 1))
    told = [(one.kind, one.item, one.raw, one.code) for one in found]
    assert told == [("keys", "right_person", "1", "yes"), ("silence", "speed", "", ""), ("keys", "speed", "6", "unsure")]


def test_a_key_that_the_question_does_not_have_is_told_without_a_meaning(bench: Desk) -> None:
    ground = bench.ground
    ground.launch(1)
    _, token = ground.dial_next()
    ground.talk(token, "4")
    with ground.sessions() as session:
        [found] = said(session, ground.office, session.get_one(CallAttempt, 1))
    assert (found.item, found.raw, found.code) == ("right_person", "4", "")


def test_speech_is_told_with_its_confidence_and_marked_below_what_the_script_takes_for_sure(bench: Desk) -> None:
    ground = bench.ground
    ground.office = replace(ground.office, languages=frozenset({"zh"}))
    ground.launch(1)
    number, token = ground.dial_next()
    ground.talk(token, "1")
    sid = ground.attempt(number).carrier_sid or ""
    with ground.work() as work:
        asked = asked_at(work.session, ground.office, token, 2, sid)
        assert asked is not None
        for confidence, code in ((0.62, "dissatisfied"), (0.97, "satisfied")):
            heard = Spoken(code, confidence, "不满意", "doubted", 120, 1.2, b"\xff" * 800)
            note_hearing(work.session, ground.office, asked, 2, heard, ground.now)
    with ground.sessions() as session:
        spoken = [one for one in said(session, ground.office, session.get_one(CallAttempt, number)) if one.kind == "speech"]

    assert [(one.item, one.raw, one.code, one.is_unsure) for one in spoken] == [
        ("speed", "不满意", "dissatisfied", True), ("speed", "不满意", "satisfied", False),
    ]  # fmt: skip
    assert spoken[0].sound, "what is not certain can be listened to"


def test_a_remark_appears_with_its_transcript_as_soon_as_there_is_one(bench: Desk) -> None:
    li = bench.operator("li")
    token = bench.talk(li)
    assert not [one for one in pieces(bench) if one.kind == "remark"]
    speaks(bench, token, "民警", "来", "得", "太", "慢")

    [remark] = [one for one in pieces(bench) if one.kind == "remark"]
    assert ("".join(text for text, _ in remark.words), remark.is_machine, bool(remark.sound)) == ("民警来得太慢", True, True)


def test_danger_in_a_transcript_must_be_dealt_with_before_the_call_is_sorted_out(bench: Desk) -> None:
    li = bench.operator("li")
    token = bench.talk(li)
    speaks(bench, token, "快来人", "救命")
    view = seen(bench, li)
    assert (view.is_dangerous, view.is_danger_open) == (True, True)
    assert [one.danger for one in view.said if one.kind == "remark"] == [("快来人", "救命")]
    hang_up(bench, token)
    with pytest.raises(BadInput) as refused:
        bench.wrap_up(li, "call_back", "unasked")
    assert refused.value.field == "danger"

    settle(bench, li, "hall")
    assert not seen(bench, li).is_danger_open
    bench.wrap_up(li, "call_back", "unasked")
    assert (bench.takeover().state, bench.takeover().danger_choice) == ("done", "hall")
    with bench.ground.sessions() as session:
        assert "takeover.danger" in session.scalars(select(AuditEntry.action)).all()


def test_danger_that_is_found_after_the_choice_asks_again(bench: Desk) -> None:
    li = bench.operator("li")
    token = bench.talk(li)
    settle(bench, li, "none")
    bench.ground.clock.advance(seconds=5)
    speaks(bench, token, "救命")

    assert seen(bench, li).is_danger_open


def test_only_who_has_the_call_chooses_and_only_among_the_choices(bench: Desk) -> None:
    li, wang = bench.operator("li"), bench.operator("wang")
    bench.talk(li)
    with pytest.raises(BadInput):
        settle(bench, li, "")
    with pytest.raises(NotAllowed):
        settle(bench, wang, "hall")


def test_a_call_without_danger_is_sorted_out_without_a_choice(bench: Desk) -> None:
    li = bench.operator("li")
    hang_up(bench, bench.talk(li))
    bench.wrap_up(li)

    assert bench.takeover().state == "done"


def test_the_note_of_a_sorted_out_call_lies_sealed_where_the_change_of_keys_looks_for_it(bench: Desk) -> None:
    li = bench.operator("li")
    hang_up(bench, bench.talk(li))
    bench.wrap_up(li, remark="已当面说明")

    takeover = bench.takeover()
    assert "remark_sealed" in {column for table, columns in sealed_tables().items() if table.name == "takeovers" for column in columns}
    assert bench.ground.office.keys.open(takeover.remark_sealed, place("takeovers", "remark_sealed", takeover.public_id)) == "已当面说明"


def test_who_hangs_up_while_the_telephone_rings_is_told_to_those_who_were_offered_the_call(bench: Desk) -> None:
    li, wang = bench.operator("li"), bench.operator("wang")
    token = bench.call()
    bench.tend()
    wanted = bench.takeover().public_id
    with bench.ground.work() as work:
        desk.decline(work.session, bench.ground.office, wanted, wang, bench.ground.now)
    bench.claim(li)
    hang_up(bench, token)

    assert [(one.reason, bool(one.case)) for one in board(bench, li).hung_up] == [("dissatisfied", True)]
    assert board(bench, wang).hung_up == (), "who has declined it is not asked to call back"
    bench.ground.clock.advance(seconds=61)
    assert board(bench, li).hung_up == ()


def seen(bench: Desk, user: User) -> desk.TakeoverView:
    wanted = bench.takeover().public_id
    with bench.ground.sessions() as session:
        return desk.view(session, bench.ground.office, wanted, session.get_one(User, user.id), bench.ground.now)


def board(bench: Desk, user: User) -> desk.Board:
    with bench.ground.sessions() as session:
        return desk.board(session, bench.ground.office, user.id, f"login of {user.name}", bench.ground.now)


def settle(bench: Desk, user: User, choice: str) -> None:
    wanted = bench.takeover().public_id
    with bench.ground.work() as work:
        own = work.session.get_one(User, user.id)
        desk.settle_danger(work.session, bench.ground.office, wanted, own, choice, bench.ground.now)


def hang_up(bench: Desk, token: str) -> None:
    bench.ground.end(token)


# ── words ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "language", "shown"),
    [
        ([("来", SURE), ("太", UNSURE), ("慢", UNSURE), ("了", SURE)], "zh", [("来", False), ("太", True), ("慢", True), ("了", False)]),
        ([("call", SURE), ("me", UNSURE)], "en", [("call ", False), ("me", True)]),
        ([("电话", SURE), *((digit, UNSURE) for digit in "一三八零零零"), ("谢谢", SURE)], "zh",
         [("电话", False), (STARS, False), ("谢谢", False)]),
        ([*((word, SURE) for word in ("call", "one", "three", "Eight", "oh", "double", "five")), ("please", SURE)], "en",
         [("call ", False), (STARS, False), (" please", False)]),
        ([("someone", SURE), ("waited", SURE), ("ninety", SURE), ("minutes", SURE)], "en", [("someone waited ninety minutes", False)]),
        ([("拨138-0013-8000找我", SURE)], "zh", [("拨", False), (STARS, False), ("找我", False)]),
        ([], "zh", []),
    ],
)  # fmt: skip
def test_doubtful_words_are_marked_and_long_numbers_masked(words, language, shown) -> None:
    assert list(marked(words, language)) == shown


WORDS = st.tuples(st.text(st.sampled_from("来得慢一二三四五89ab"), min_size=1, max_size=4), st.sampled_from([SURE, UNSURE]))


@given(st.lists(WORDS, max_size=20))
def test_no_long_number_gets_through_and_nothing_else_is_lost(words) -> None:
    plain = "".join(word for word, _ in words)
    found = marked(words, "zh")

    assert "".join(text for text, _ in found) == LONG_NUMBER.sub(STARS, plain)
    assert all(not unsure for text, unsure in found if text == STARS)
