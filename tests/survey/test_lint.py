"""Each lint rule fires on a script that breaks it, at its place, and on nothing else."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey import lint, script_yaml
from survey.script_issues import Issue, Severity
from tests.survey.scripts import SHIPPED, text_of

ZH, EN = SHIPPED
RETRY = """\
    retry:
      - 没有收到有效的选择。没有人要求过您给好评请按1，有人要求过请按2。
      - 请直接按键：没有人要求好评按1，有人要求好评按2。
"""
WHEN_RETRY = """\
  retry:
    - 没有收到有效的选择。今天晚些时候请按1，明天上午请按2，明天下午请按3，明天晚上请按4。
"""
WHEN_AGAIN = "    - 好的，什么时候方便？今天晚些时候请按1，明天上午请按2，明天下午请按3，明天晚上请按4；也可直接挂断。"
SAME = "没有收到有效的选择，没有人要求过您给好评请按1；有人要求过请按2"
MANY = "".join(f'      - {{key: "{n}", code: c{n}, say: 第{n}种}}\n' for n in range(2, 8))
CLOSE = "  - id: close\n    type: hangup\n    text: 感谢您的评价。如需进一步反映，可拨打{{ hotline }}。再见。\n"
SPEED = "    text: 第一题，民警到达现场的速度：{{ scale_long }}。"
HELP = "  - id: help\n    type: say\n"

BROKEN = [
    # rule, what is replaced, by what, the words at whose line the issue must stand
    ("CS01", "after_human: end", "after_human: [", None),
    ("CS02", "after_human: end", "after_humans: end", "after_humans"),
    ("CS02", "    type: say", "    type: sya", "type: sya"),
    ("CS03", "  - id: help", "  - id: way_out", None),
    ("CS03", HELP, "  - type: say\n", "  - type: say\n"),
    ("CS03", "  - id: help", "  - id: notice", "id: notice"),
    ("CS03", "    when: any_dissatisfied\n    text: 是否", "    item: discipline\n    text: 是否", None),
    ("CS04", HELP, HELP + "    next: nowhere\n", "next: nowhere"),
    ("CS04", "    when: consent is yes", "    when: consent is maybe", "consent is maybe"),
    ("CS05", HELP, HELP + "    next: opening\n", "next: opening"),
    ("CS05", HELP, HELP + "    next: help\n", "next: help"),
    ("CS06", HELP, HELP + "    next: speed\n", "- id: incident"),
    ("CS07", CLOSE, "", "- id: remark"),
    ("CS07", "    type: hangup\n", "    type: hangup\n    when: any_dissatisfied\n", "- id: close"),
    ("CS07", '      - {key: "1", code: yes, say: 是本人}', '      - {key: "1", code: me, say: 是本人}', None),
    ("CS08", RETRY, "", "- id: interference"),
    ("CS09", RETRY, RETRY.replace("请直接按键：没有人要求好评按1，有人要求好评按2。", SAME), SAME),
    ("CS09", RETRY, "    retry: [有没有人事先要求您给好评 没有请按1 有请按2]\n", "    retry: ["),
    ("CS10", "attempts_per_question: 3", "attempts_per_question: 4", "attempts_per_question"),
    ("CS10", "attempts_per_question: 3", "attempts_per_question: 0", "attempts_per_question"),
    ("CS10", RETRY, RETRY + "      - 最后一次：没有按1，有按2。\n", None),
    ("CS11", '{key: "2", code: yes, say: 有}', '{key: "1", code: yes, say: 有}', "say: 有}"),
    ("CS11", '{key: "2", code: yes, say: 有}', '{key: "8", code: yes, say: 有}', "say: 有}"),
    ("CS11", '{key: "2", code: yes, say: 有}', '{key: "2", code: no, say: 有}', "say: 有}"),
    ("CS11", 'human: "8"', 'human: "7"', 'human: "7"'),
    ("CS11", '    none_key: "1"', '    none_key: "0"', "none_key"),
    ("CS12", "say: 满意, score: 75", "say: 满意, score: 100", "scale:"),
    ("CS12", "say: 非常满意, score: 100", "say: 非常满意, score: 10", "scale:"),
    ("CS12", 'key: "2", code: satisfied', 'key: "1", code: satisfied', "scale:"),
    ("CS12", "score: 25, dissatisfied: true", "score: 25", "say: 不满意"),
    ("CS12", "code: unsure", "code: dont_know", "dont_know"),
    ("CS13", "  - id: equipment\n    type: rate", "  - id: equipment\n    type: rate\n    item: speed", None),
    ("CS13", "  - id: equipment\n    type: rate", "  - id: gear\n    type: rate", "- id: gear"),
    ("CS13", "    type: rate", "    type: rate\n    item: speeed", "item: speeed"),
    ("CS14", "，通话会录音", "", "text: 您好"),
    ("CS14", "{{ bureau }}指挥中心", "指挥中心", "text: 您好"),
    ("CS15", "    text: 现在不方便", "    text: 您{{ incident_date }}报警，现在不方便", "您{{ incident_date }}报警，"),
    ("CS15", "  wrong_person: 好的", "  wrong_person: 关于{{ incident_date }}", "wrong_person:"),
    ("CS15", "      - 没有收到有效的选择。最近", "      - 没有收到有效的选择。{{ incident_date }}", "{{ incident_date }}报警的是"),
    ("CS15", "  - id: way_out\n    type: say\n", "  - id: way_out\n    type: say\n    next: incident\n", "关于您{{ incident_date }}"),
    ("CS15", "  - id: way_out\n    type: say\n", "  - id: way_out\n    type: say\n    next: speed\n", "- id: speed"),
    ("CS16", "    text: 第二题", "    text: 请说出您的身份证号。第二题", "身份证号。第二题"),
    ("CS16", "    text: 第二题", "    text: 不要着急，请输入密码。第二题", "输入密码"),
    ("CS17", "{{ hotline }}。再见。\n  thanks", "{{ hot_line }}。再见。\n  thanks", "hot_line"),
    ("CS17", "    text: 第二题", "    text: '{{ bureau'  # ", "{{ bureau'"),
    ("CS17", "    text: 第二题", "    text: \"{% for x in 'ab' %}{{ x }}{% endfor %}\"  # ", "{% for"),
    ("CS17", "    text: 第二题", "    text: \"{{ ''.__class__ }}\"  # ", "__class__"),
    ("CS20", "    text: 有没有人事先要求您给好评？没有请按1，有请按2。", "    text: 按1表示没有人要求好评，按2表示有。", "按1表示没有"),
    ("CS20", '      - {key: "2", code: yes, say: 有}', MANY, None),
    ("CS23", "accept: 0.80, confirm: 0.55", "accept: 0.50, confirm: 0.55", "understanding:"),
    ("CS23", "accept: 0.80, confirm: 0.55", "accept: 1.80, confirm: 0.55", "understanding:"),
    ("CS24", "after_human: end", 'after_human: end\nhours: {workdays: ["07:30-12:00"]}', "hours:"),
    ("CS24", "after_human: end", 'after_human: end\nhours: {workdays: ["14:00-12:00"]}', "hours:"),
    ("CS24", "after_human: end", 'after_human: end\nhours: {workdays: ["09:00-12:00", "11:00-14:00"]}', "hours:"),
    ("CS24", "after_human: end", "after_human: end\nhours: {workdays: []}", "hours:"),
    ("CS24", "after_human: end", "after_human: end\nhours: {workdays: [上午]}", "hours:"),
    ("CS25", "danger_words: [", "danger_words: []\n# [", None),
    ("CS25", "请立即挂断并拨打{{ emergency }}", "请立即挂断", "danger:"),
    ("CS26", "；今后不希望接到回访电话，请按0", "", "- id: opening"),
    ("CS26", "    text: 现在不方便，请按9", "    text: " + "这一段很长" * 20 + "现在不方便，请按9", "- id: opening"),
    ("CS27", "counterpart: Incident callback survey\n", "", "name:"),
    ("CS18", SPEED, SPEED + "谢谢您" * 10, "第一题"),
    ("CS19", "    text: 下面五题", "    text: " + "谢谢您的耐心" * 30 + "下面五题", "steps:"),
    ("CS29", "steps:\n", "retired: [remark]\nsteps:\n", "- id: remark"),
    ("CS30", "when: later_today", "when: yesterday", "yesterday"),
    ("CS30", "when: later_today, say: 今天晚些时候}", "when: later_today}", "when: later_today}"),
    ("CS30", "  booked: 好的", "  # booked: 好的", "callback:"),
    ("CS30", "  booked: 好的，{{ callback_time }}再", "  booked: 好的，我们再", "booked:"),
    ("CS30", "  never: 好的", "  never: 好的，{{ callback_time }}", "never: 好的，{{"),
    ("CS31", "  decline: {key", "  # decline: {key", None),
    ("CS31", "[dissatisfied, human_requested, not", "[furious, human_requested, not", "[furious"),
    ("CS31", "accept: {key: \"1\", say: 转接值班员}", "accept: {key: \"1\"}", "accept: {key"),
    ("CS04", "after: appearance", "after: disappearance", "after: disappearance"),
    ("CS11", "decline: {key: \"2\"", "decline: {key: \"1\"", "operator:"),
    ("CS15", "  back: 谢谢。", "  back: 谢谢您{{ incident_date }}报警。", "back: 谢谢您"),
    ("CS11", '{key: "2", when: tomorrow_morning', '{key: "1", when: tomorrow_morning', "when: tomorrow_morning"),
    ("CS11", '{key: "2", when: tomorrow_morning', '{key: "0", when: tomorrow_morning', "when: tomorrow_morning"),
    ("CS11", "when: tomorrow_morning", "when: later_today", 'key: "2", when: later_today'),
    ("CS08", WHEN_RETRY, "", "callback:"),
    ("CS09", WHEN_RETRY.partition("\n")[2].rstrip(), WHEN_AGAIN, "    - 好的，什么时候方便"),
    ("CS15", "  text: 好的，什么时候方便", "  text: 关于{{ incident_date }}，什么时候方便", "text: 关于"),
    ("CS28", "call_seconds: 600", "call_seconds: 120", "call_seconds"),
]  # fmt: skip
WARNINGS, HINTS = {"CS20", "CS25"}, {"CS18", "CS19", "CS27", "CS28"}


def check(name: str, old: str, new: str) -> tuple[str, list[Issue]]:
    text = text_of(name)
    assert old in text, "the shipped script no longer holds the words that this test replaces"
    text = text.replace(old, new, 1)
    return text, lint.check(text)


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_is_found_in_the_shipped_scripts_not_even_a_hint(name: str) -> None:
    assert [str(issue) for issue in lint.check(text_of(name))] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_a_second_attempt_says_nothing_that_is_untrue_after_a_wrong_key(name: str) -> None:
    """Silence and wrong keys share their retries (R29): neither may be told that nothing was pressed, or that a key was wrong."""
    retries = [text for prompt, text in script_yaml.parse(text_of(name)).prompts.items() if ".retry." in prompt]

    assert len(retries) > 15
    untrue = "没有收到(?!有效)|没有按|没有听到|按错|could not hear|did not press|wrong key"
    assert [text for text in retries if re.search(untrue, text)] == []


@pytest.mark.parametrize(("rule", "old", "new", "place"), BROKEN, ids=[f"{n}-{entry[0]}" for n, entry in enumerate(BROKEN)])
def test_a_broken_rule_is_reported_at_its_place_in_both_languages(rule: str, old: str, new: str, place: str | None) -> None:
    text, issues = check(ZH, old, new)
    found = [issue for issue in issues if issue.rule == rule]

    assert found
    assert place is None or text[: text.index(place)].count("\n") + 1 in {issue.line for issue in found}
    for issue in found:
        assert issue.severity is (Severity.WARNING if rule in WARNINGS else Severity.HINT if rule in HINTS else Severity.ERROR)
        assert re.search("[\u4e00-\u9fff]{2}", issue.zh)
        assert re.search("[a-z]{2,} [a-z]{2,}", issue.en)


def test_every_rule_without_sound_has_a_script_that_breaks_it() -> None:
    needing_sound = {"CS21", "CS22"}

    assert {entry[0] for entry in BROKEN} == {f"CS{n:02}" for n in range(1, 32)} - needing_sound


def test_one_mistake_is_not_reported_as_many() -> None:
    _, issues = check(ZH, "，通话会录音", "")

    assert [issue.rule for issue in issues] == ["CS14"]


def test_saying_what_is_never_asked_is_allowed_in_both_languages() -> None:
    for name in SHIPPED:
        assert "CS16" not in {issue.rule for issue in lint.check(text_of(name))}
    _, issues = check(EN, "Thank you. Your answers", "Please tell me your bank account. Your answers")
    assert "CS16" in {issue.rule for issue in issues}


def test_independent_mistakes_are_all_reported_at_once_in_order() -> None:
    text = text_of(ZH).replace("，通话会录音", "").replace(RETRY, "").replace("accept: 0.80", "accept: 0.10")
    issues = lint.check(text)

    assert [issue.rule for issue in issues] == ["CS23", "CS14", "CS08"]
    assert [(issue.line, issue.column) for issue in issues] == sorted((issue.line, issue.column) for issue in issues)


def test_lengths_are_said_to_be_estimates() -> None:
    _, issues = check(ZH, SPEED, SPEED + "谢谢您" * 10)
    [found] = [issue for issue in issues if issue.rule == "CS18"]

    assert "估计" in found.zh
    assert "estimated" in found.en


LONG_NAMES = ["内蒙古自治区呼伦贝尔市莫力达瓦达斡尔族自治旗公安局", "the Police of the City and County of Upper Valley"]


@pytest.mark.parametrize(("name", "bureau"), list(zip(SHIPPED, LONG_NAMES, strict=True)))
def test_a_long_name_of_the_bureau_makes_the_opening_too_long(name: str, bureau: str) -> None:
    [found] = [issue for issue in lint.check(text_of(name), bureau) if issue.step]

    assert (found.rule, found.step, found.severity) == ("CS18", "opening", Severity.WARNING)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_name_of_usual_length_leaves_the_opening_short_enough(name: str) -> None:
    assert lint.check(text_of(name), "杭州市公安局西湖区分局" if name == ZH else "the Hangzhou Police") == []


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(SHIPPED), data=st.data())
def test_checking_never_raises_however_the_text_is_mangled(name: str, data: st.DataObject) -> None:
    text = text_of(name)
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 80)))
    words = st.sampled_from(
        ["", ":", "：", "*", "#", "{{", "}}", "{% if %}", "\t", "\n", "- ", "[", "]", '"', "&a ", "*a", "!!int", "null", "\x00", "\ud800"]
    )

    issues = lint.check(text[:begin] + data.draw(words) + text[end:])

    assert issues == sorted(issues, key=lambda issue: (issue.line, issue.column, issue.rule, issue.zh))
    assert all(issue.line >= 1 and issue.column >= 1 for issue in issues)


@settings(max_examples=100)
@given(st.text())
def test_checking_never_raises_on_any_text(text: str) -> None:
    assert lint.check(text)
