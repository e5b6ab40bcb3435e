"""What the parsers of YAML and of templates complain of, in Chinese: they know English only."""

import re

UNKNOWN = "语法不对"
_YAML = (
    (r"mapping values are not allowed", "这里多了一个冒号，含冒号的内容请加引号"),
    (r"could not find expected ':'", "缺少半角冒号加空格“: ”"),
    (r"sequence entries are not allowed", "“- ”不能写在这里"),
    (r"character '\\t' that cannot start|invalid intendation|did not find expected indentation", "不能用制表符（Tab）缩进，请用空格"),
    (r"found character|expected alphabetic or numeric character", "内容不能以这个符号开头，请加引号"),
    (r"expected ',' or '[\]}]+'", "列表或花括号里缺少逗号，或没有写右括号"),
    (r"expected <block end>", "缩进不一致，或这里多出了内容"),
    (r"expected the node content", "这里缺少内容"),
    (r"unexpected end of stream|unexpected document separator", "引号没有成对"),
    (r"unexpected ':'", "这里多了一个冒号"),
    (r"unknown escape character|expected escape sequence", "双引号里的反斜杠写法不对，请改用单引号"),
    (r"undefined alias|duplicate anchor", "不支持锚点与别名（& *）"),
    (r"undefined tag|expected URI|expected '[!>]'", "不支持标签（!）"),
    (r"special characters|unacceptable character|surrogates", "含有不可见的控制字符"),
    (r"RecursionError", "嵌套太深"),
    (r"single document|another document|document start|document end", "一个文件只能有一份话术"),
)
_TEMPLATE = (
    (
        r"unexpected end of template|unexpected '[)\]}]'|Missing end of|expected token 'end of print statement'",
        "花括号“{{ }}”或括号不成对，或里面多了内容",
    ),
    (r"Expected an expression", "花括号“{{ }}”里缺少变量名"),
    (r"unexpected char|Invalid character", "花括号里有不能使用的字符"),
    (r"unknown tag|Unexpected end of template|is not allowed in a prompt|tag name expected", "只能写变量名和简单的条件，不能用其他语句"),
    (r"longer than", "内容太长"),
)


def chinese_for(problem: str) -> tuple[str, str]:
    """The problem in Chinese, and what is to stand at the sentence's end: the original in brackets where it is not known."""
    for pattern, words in _YAML + _TEMPLATE:
        if re.search(pattern, problem):
            return words, ""
    return UNKNOWN, f"（{problem}）" if problem else ""
