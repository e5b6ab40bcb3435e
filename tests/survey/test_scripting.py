"""Publishing: immutable versions, counted under their name, the same text only once, nothing with an error."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey import script_yaml, scripting
from survey.disposition import Disposition
from survey.errors import BadInput, NotFound
from survey.script_issues import ScriptFaulty, Severity
from survey.store import audit
from survey.store.models import AuditEntry, ScriptVersion
from survey.store.sealing import KeyRing
from tests.survey.month import Month
from tests.survey.scripts import SHIPPED, text_of

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)
KEY = b"audit"
ZH, EN = SHIPPED


def publish(session: Session, text: str) -> ScriptVersion:
    return scripting.publish(session, text, "张三", "first wording", NOW, KEY)


def trail(session: Session) -> list[tuple[str, str, str]]:
    return [(entry.actor, entry.action, entry.subject) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.n))]


def test_a_published_version_holds_the_canonical_text_and_who_when_why(session: Session) -> None:
    version = publish(session, text_of(ZH).replace("\n", "\r\n"))

    assert (version.name, version.number, version.language) == ("接处警电话回访", 1, "zh-CN")
    assert (version.published_by, version.reason, version.published_at) == ("张三", "first wording", NOW)
    assert version.text == script_yaml.canonical(text_of(ZH))
    assert script_yaml.parse(version.text).digest == version.digest == script_yaml.digest(text_of(ZH))


def test_the_same_text_is_published_once(session: Session) -> None:
    first = publish(session, text_of(ZH))
    again = scripting.publish(session, text_of(ZH) + "\n\n", "李四", "again", NOW, KEY)

    assert again is first
    assert first.published_by == "张三"
    assert session.scalar(select(func.count()).select_from(ScriptVersion)) == 1


def test_each_new_version_is_in_the_audit_trail_and_an_old_text_is_not_again(session: Session) -> None:
    first = publish(session, text_of(ZH))
    second = publish(session, text_of(ZH).replace("感谢您的评价。", "谢谢您的评价。"))
    publish(session, text_of(ZH))

    assert trail(session) == [("张三", "script.publish", f"script:{version.id}") for version in (first, second)]
    details = json.loads(session.scalars(select(AuditEntry.details).order_by(AuditEntry.n)).all()[1])
    assert details == {"name": second.name, "number": 2, "digest": second.digest, "reason": "first wording"}
    assert list(audit.verify(session, KEY)) == []


def test_what_is_refused_is_not_in_the_audit_trail(session: Session) -> None:
    with pytest.raises(ScriptFaulty):
        publish(session, text_of(ZH).replace("，通话会录音", ""))

    assert trail(session) == []


def test_a_changed_text_is_the_next_version_of_its_name(session: Session) -> None:
    first = publish(session, text_of(ZH))
    second = publish(session, text_of(ZH).replace("感谢您的评价。", "谢谢您的评价。"))
    english = publish(session, text_of(EN))

    assert [first.number, second.number, english.number] == [1, 2, 1]
    assert scripting.latest(session, first.name) is second


def test_going_back_to_an_old_text_gives_the_old_version(session: Session) -> None:
    first = publish(session, text_of(ZH))
    publish(session, text_of(ZH).replace("感谢您的评价。", "谢谢您的评价。"))

    assert publish(session, text_of(ZH)) is first


def test_an_error_blocks_and_all_issues_are_told(session: Session) -> None:
    faulty = text_of(ZH).replace("，通话会录音", "").replace("accept: 0.80", "accept: 0.10")

    with pytest.raises(ScriptFaulty) as caught:
        publish(session, faulty)

    assert [issue.rule for issue in caught.value.issues] == ["CS23", "CS14"]
    assert session.scalar(select(func.count()).select_from(ScriptVersion)) == 0


def test_a_warning_does_not_block(session: Session) -> None:
    assert publish(session, text_of(ZH).replace("请立即挂断并拨打{{ emergency }}", "请立即挂断")).number == 1


def test_somebody_must_answer_for_it(session: Session) -> None:
    with pytest.raises(BadInput):
        scripting.publish(session, text_of(ZH), "  ", "", NOW, KEY)


def test_an_unpublished_name_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="nothing"):
        scripting.latest(session, "nothing")


REMARK = text_of(ZH)[text_of(ZH).index("  - id: remark") : text_of(ZH).index("  - id: close")]


def refusals(session: Session, text: str) -> list[tuple[str, str]]:
    with pytest.raises(ScriptFaulty) as caught:
        publish(session, text)
    return [(issue.rule, issue.step) for issue in caught.value.issues if issue.severity is Severity.ERROR]


def test_a_published_question_is_not_dropped_unless_it_is_named_as_retired(session: Session) -> None:
    publish(session, text_of(ZH))
    without = text_of(ZH).replace(REMARK, "")

    assert refusals(session, without) == [("CS29", "remark")]
    assert publish(session, without.replace("steps:\n", "retired: [remark]\nsteps:\n", 1)).number == 2
    assert refusals(session, without + "\n# a third text\n") == [("CS29", "remark")]
    assert len(trail(session)) == 2


def test_a_published_question_keeps_its_id_its_item_and_its_kind(session: Session) -> None:
    publish(session, text_of(ZH))

    assert refusals(session, text_of(ZH).replace("- id: remark", "- id: comments")) == [("CS29", "remark")]
    assert refusals(session, text_of(ZH).replace("- id: remark\n", "- id: remark\n    item: comments\n")) == [("CS29", "remark")]
    assert refusals(session, text_of(ZH).replace(REMARK, "  - {id: remark, type: say, text: 谢谢。}\n")) == [("CS29", "remark")]


def test_a_new_step_may_take_over_the_item_of_a_retired_one_only_for_the_same_kind_of_question(session: Session) -> None:
    publish(session, text_of(ZH))
    retired = text_of(ZH).replace("steps:\n", "retired: [remark]\nsteps:\n", 1)
    another_kind = """\
  - id: comments
    type: choose
    item: remark
    text: 您有意见吗？没有请按1。
    retry: [请按键：没有意见按1。]
    choices: [{key: "1", code: no, say: 没有}]
"""

    assert refusals(session, retired.replace(REMARK, another_kind)) == [("CS29", "comments")]
    assert publish(session, retired.replace("- id: remark\n", "- id: comments\n    item: remark\n")).number == 2


def test_steps_that_ask_nothing_and_all_words_may_change(session: Session) -> None:
    publish(session, text_of(ZH))
    changed = text_of(ZH).replace("  - id: help\n", "  - id: keys\n").replace("没有收到有效的选择", "没有收到您有效的选择")

    assert publish(session, changed).number == 2


def test_the_refusal_says_how_many_answers_there_are_and_where_the_fault_is(session: Session, keys: KeyRing) -> None:
    publish(session, text_of(ZH))
    Month(session, keys, {"城东": 1}).person("城东", Disposition.COMPLETE, ["satisfied"] * 5, asked="no")
    text = text_of(ZH).replace("- id: interference", "- id: pressure")

    with pytest.raises(ScriptFaulty) as caught:
        publish(session, text)
    [issue] = caught.value.issues

    assert "“interference”已有1条回答，不能改名或删除" in issue.zh
    assert "'interference' was published, has 1 answer and cannot be renamed or dropped" in issue.en
    assert issue.line == text[: text.index("\nsteps:")].count("\n") + 2
