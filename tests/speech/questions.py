"""The questions of the shipped scripts as expectations, and the table of phrases."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from speech.meaning import Choice, Expectation

HERE = Path(__file__).parent
COMMANDS = {"7": "back", "8": "human", "9": "not_now", "0": "never", "*": "repeat"}
POSITIVE = {"very_satisfied", "satisfied"}
NEGATIVE = {"dissatisfied", "very_dissatisfied"}
DANGER = {
    "zh": ("救命", "打我", "杀人", "着火", "持刀", "正在打", "正在砸", "快来人"),
    "en": (
        "help me", "he has a knife", "he has a gun", "someone is breaking in", "they are hitting me", "the house is on fire",
    ),
}  # fmt: skip
SAID = {
    "zh": {
        "scale": {
            "very_satisfied": "非常满意", "satisfied": "满意", "neutral": "一般", "dissatisfied": "不满意",
            "very_dissatisfied": "非常不满意", "unsure": "说不清",
        },
        "person": {"yes": "是本人", "no": "不是本人"},
        "discipline": {"no": "不涉及", "yes": "涉及"},
        "interference": {"no": "没有", "yes": "有"},
        "consent": {"yes": "同意", "no": "不要联系"},
        "callback": {
            "later_today": "今天晚些时候", "tomorrow_morning": "明天上午", "tomorrow_afternoon": "明天下午", "tomorrow_evening": "明天晚上",
        },
    },
    "en": {
        "scale": {
            "very_satisfied": "very satisfied", "satisfied": "satisfied", "neutral": "neither", "dissatisfied": "dissatisfied",
            "very_dissatisfied": "very dissatisfied", "unsure": "not sure",
        },
        "person": {"yes": "yes, that was me", "no": "no, that was not me"},
        "discipline": {"no": "no misconduct", "yes": "misconduct"},
        "interference": {"no": "nobody did", "yes": "somebody did"},
        "consent": {"yes": "contact me", "no": "do not contact me"},
        "callback": {
            "later_today": "later today", "tomorrow_morning": "tomorrow morning", "tomorrow_afternoon": "tomorrow afternoon",
            "tomorrow_evening": "tomorrow evening",
        },
    },
}  # fmt: skip
QUESTIONS = tuple(SAID["zh"])


@dataclass(frozen=True)
class Row:
    """A line of the table: what was said at which question, and the code it must have; None for nothing."""

    language: str
    phrase: str
    question: str
    expected: str | None


def question(language: str, name: str, keys: str = "123456789") -> Expectation:
    """A question of the shipped script, its choices at these keys in their order."""
    choices = tuple(Choice(code, key, (say,)) for key, (code, say) in zip(keys, SAID[language][name].items(), strict=False))
    return Expectation(language, choices, COMMANDS, DANGER[language], is_scale=name == "scale")


@cache
def rows(language: str) -> tuple[Row, ...]:
    """The table of phrases of a language."""
    with (HERE / f"phrases_{language}.tsv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Row(language, line["phrase"], line["question"], None if line["expected"] == "-" else line["expected"])
            for line in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        )
