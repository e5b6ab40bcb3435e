"""A Chinese sentence says in Chinese why a text cannot be read; English stands at its end, if at all."""

import re

import pytest

from survey import lint, parser_problems
from tests.survey.scripts import text_of

ZH = text_of("callback-zh.yaml")
UNREADABLE = [
    ("after_human: [", "没有写右括号"),
    ("after_human: end: x", "多了一个冒号"),
    ("after_human： end", "缺少半角冒号"),
    ("\tafter_human: end", "制表符"),
    ("after_human: *", "请加引号"),
    ("after_human: @x", "请加引号"),
    ("after_human: *abc", "锚点与别名"),
    (" after_human: end", "缩进不一致"),
    ('after_human: "\\q"', "反斜杠"),
    ("after_human: ,", "缺少内容"),
    ("after_human: \x07", "控制字符"),
    ("after_human: " + "[" * 3000, "嵌套太深"),
    ("---\nafter_human: end", "一个文件只能有一份话术"),
]
TEMPLATES = [
    ("{{ bureau", "不成对"),
    ("{{ bureau }", "不成对"),
    ("{{ a(] }}", "不成对"),
    ("{{ }}", "缺少变量名"),
    ("{{ a。 }}", "不能使用的字符"),
    ("{% if x %}", "只能写变量名"),
    ("{{ bureau|upper }}", "只能写变量名"),
]


@pytest.mark.parametrize(("line", "reason"), UNREADABLE)
def test_an_unreadable_text_is_explained_in_chinese(line: str, reason: str) -> None:
    found = [issue for issue in lint.check(ZH.replace("after_human: end", line, 1)) if issue.rule == "CS01"]

    assert any(reason in issue.zh for issue in found)
    assert not any(re.search("[a-z]{3,}", issue.zh) for issue in found)


@pytest.mark.parametrize(("template", "reason"), TEMPLATES)
def test_a_wrong_template_is_explained_in_chinese(template: str, reason: str) -> None:
    text = ZH.replace("    text: 第二题", f"    text: '{template}'  # ", 1)
    [issue] = [issue for issue in lint.check(text) if issue.rule == "CS17"]

    assert reason in issue.zh
    assert not re.search("[a-z]{3,}", issue.zh.replace("attitude", ""))


def test_an_unusual_problem_stands_in_brackets_at_the_end() -> None:
    found = [issue.zh for issue in lint.check(ZH.replace("after_human: end", "after_human: >x", 1)) if issue.rule == "CS01"]

    assert len(found) == 1
    assert re.search("列：语法不对。常见原因：[^a-z]+（expected chomping [^）]+）$", found[0])


def test_no_word_of_the_parser_means_no_brackets() -> None:
    assert parser_problems.chinese_for("") == (parser_problems.UNKNOWN, "")
