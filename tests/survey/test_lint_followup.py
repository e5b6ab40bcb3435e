"""What lint finds in the script of the second call."""

import re

import pytest

from survey import lint
from survey.script_issues import Severity
from tests.survey.scripts import FOLLOWUPS, text_of

ZH, EN = FOLLOWUPS
SCALE = 'scale:\n  - {key: "1", code: satisfied, say: 满意, score: 100}\n  - {key: "2", code: dissatisfied, say: 不满意, score: 0}\n'
RATED = "  - id: speed\n    type: rate\n    text: 民警到场的速度。\n    retry: [请评价速度。]\n\n  - id: remark"
BROKEN = [
    # rule, what is replaced, by what, the words at whose line the issue must stand
    ("CS12", "steps:\n", f"{SCALE}steps:\n", "scale:"),
    ("CS13", "  - id: remark", RATED, "- id: speed"),
    ("CS13", "  - id: put_right", "  - id: mended", "steps:"),
    ("CS13", '{key: "2", code: no, say: 不满意', '{key: "2", code: worse, say: 不满意', None),
    ("CS13", 'code: yes, say: 涉及, escalate: abuse_alleged', "code: yes, say: 涉及, escalate: dissatisfied", "escalate: dissatisfied"),
    ("CS15", "想听听您的意见", "您曾对公安服务表示不满，想听听意见", "您曾对"),
    ("CS15", "      - 没有收到有效的选择。最近", "      - 没有收到有效的选择。您投诉过，最近", "您投诉过"),
    ("CS15", "  wrong_person: 好的", "  wrong_person: 有人给了差评。好的", "wrong_person:"),
    ("CS15", "  text: 好的，什么时候方便", "  text: 关于您反映的问题，什么时候方便", "text: 关于您反映的问题，什么"),
    ("CS15", "  connecting: 好的", "  connecting: 您投诉过，好的", "connecting:"),
    ("CS17", "text: 第二，", "text: '{{ scale_short }}'  # ", "scale_short"),
    ("CS04", "    when: discipline is yes", "    when: any_dissatisfied", "any_dissatisfied"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "old", "new", "place"), BROKEN, ids=[f"{n}-{entry[0]}" for n, entry in enumerate(BROKEN)])
def test_a_broken_rule_is_reported_at_its_place_in_both_languages(rule: str, old: str, new: str, place: str | None) -> None:
    assert old in text_of(ZH), "the shipped script no longer holds the words that this test replaces"
    text = text_of(ZH).replace(old, new, 1)
    found = [issue for issue in lint.check(text) if issue.rule == rule]

    assert found
    assert place is None or text[: text.index(place)].count("\n") + 1 in {issue.line for issue in found}
    for issue in found:
        assert issue.severity is Severity.ERROR
        assert re.search("[\u4e00-\u9fff]{2}", issue.zh)
        assert re.search("[a-z]{2,} [a-z]{2,}", issue.en)


@pytest.mark.parametrize("words", ["You were dissatisfied.", "You made a complaint.", "About your low rating."])
def test_an_english_opening_must_not_tell_of_the_rating_either(words: str) -> None:
    found = lint.check(text_of(EN).replace("We would like your opinion", f"{words} We would like your opinion", 1))

    assert [issue.rule for issue in found if issue.severity is Severity.ERROR] == ["CS15"]


def test_neither_the_scale_nor_the_five_items_are_missed() -> None:
    assert {issue.rule for issue in lint.check(text_of(ZH))} == set()
    as_a_survey = lint.check(text_of(ZH).replace("kind: followup\n", f"{SCALE}"))
    assert {issue.en for issue in as_a_survey if issue.rule == "CS13"} == {
        f"rated item missing: {item}" for item in ("speed", "attitude", "outcome", "equipment", "appearance")
    }
