"""Letters about notices: Chinese first, then English; one line stays one line, whatever stands in it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from survey.accounts.emails import is_email, mask_email
from survey.notice_letters import MOST_LINES, TITLES, Notification, body, facts, subject
from survey.notice_problems import PROBLEMS, Problem

AT = datetime(2026, 3, 16, 1, tzinfo=UTC)
TEXT = "交办单 2026-0001 将于 2026-03-17 24 时到期 / order 2026-0001 is due at the end of 2026-03-17"


def told(kind: str = "eve", office: str = "城东派出所", **details: object) -> Notification:
    return Notification("1" * 32, kind, office, TEXT, AT, details)


def test_a_letter_is_all_in_chinese_and_then_all_in_english() -> None:
    zh, en = body(told(office=""), ("某市公安局", "City Police")).split("-" * 40)

    assert zh.startswith("某市公安局：\n\n交办单 2026-0001 将于 2026-03-17 24 时到期")
    assert en.strip().startswith("City Police:\n\norder 2026-0001 is due")
    assert en.strip().endswith("City Police")
    assert not any("一" <= char <= "鿿" for char in en)


def test_a_long_list_is_cut_with_its_length() -> None:
    lines = [{"number": f"2026-{n:04d}", "state": "issued", "days_left": n - 3} for n in range(1, MOST_LINES + 6)]
    text = body(told("weekly", open=lines), ("某市公安局", "City Police"))

    assert "2026-0001  已交办  逾期 2 个工作日" in text
    assert "2026-0003  issued  0 working days left" in text
    assert f"2026-{MOST_LINES + 1:04d}" not in text
    assert f"共 {MOST_LINES + 5} 件" in text
    assert f"{MOST_LINES + 5} in all" in text


def test_a_line_says_how_an_extension_stands_and_that_a_deadline_has_passed_before_a_working_day_has() -> None:
    asked = {"number": "2026-0001", "state": "in_hand", "days_left": 2, "late": False, "extension": "asked"}
    late = {"number": "2026-0002", "state": "signed", "days_left": 0, "late": True, "extension": "refused"}
    text = body(told("weekly", open=[asked, late]), ("某市公安局", "City Police"))

    assert "2026-0001  办理中  剩 2 个工作日  延期：待审批\n2026-0002  已签收  已逾期  延期：未获准" in text
    assert "2026-0002  signed for  overdue  extension: refused" in text


def test_the_facts_hold_both_sentences_and_the_figures() -> None:
    found = facts(told("weekly", issued=3), "某市公安局")

    assert found["text"]["zh"].startswith("交办单")
    assert found["text"]["en"].startswith("order")
    assert (found["details"], found["at"], found["office"]) == ({"issued": 3}, "2026-03-16T01:00:00+00:00", "城东派出所")


@given(st.text(max_size=40), st.sampled_from(sorted(TITLES)))
def test_a_subject_is_one_line_whatever_the_bureau_is_called(bureau: str, kind: str) -> None:
    line = subject(told(kind), bureau)

    assert line.isprintable()
    assert len(line.splitlines()) == 1


@given(st.text(max_size=300))
def test_no_address_can_end_a_headers_line_or_name_a_second_recipient(text: str) -> None:
    if is_email(text):
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(' ,;:<>()[]\\"')
        assert text.count("@") == 1
        assert text not in mask_email(text) or len(text.partition("@")[0]) == 1


@given(st.sampled_from(sorted(PROBLEMS)), st.none() | st.integers(1, 999))
def test_a_problem_is_read_as_it_was_written_and_says_what_to_do(word: str, code: int | None) -> None:
    problem = Problem(word, code)

    assert Problem.parse(str(problem)) == problem
    assert " / " in problem.sentence
    assert " / " in problem.remedy
    assert len(str(problem)) <= 64


def test_a_problem_of_a_newer_release_is_shown_as_it_is() -> None:
    assert Problem.parse("moonstruck 7").sentence == "moonstruck（7） / moonstruck (7)"
    assert Problem.parse("moonstruck").remedy == ""
