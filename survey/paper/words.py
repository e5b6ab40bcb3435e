"""The words of the document, Chinese and English side by side."""

from datetime import date, datetime, timedelta

from survey.sheet.words import ITEM_WORDS, Words

CODES = {
    "very_satisfied": ("非常满意", "very satisfied"), "satisfied": ("满意", "satisfied"), "neutral": ("一般", "neutral"),
    "dissatisfied": ("不满意", "dissatisfied"), "very_dissatisfied": ("非常不满意", "very dissatisfied"),
    "unsure": ("说不清", "cannot say"),
}  # fmt: skip
MODES = {"keys": ("按键", "keys"), "speech": ("语音", "speech"), "human": ("人工", "by a person")}
CONSENT = {
    "yes": ("同意责任单位联系", "agrees to be contacted"),
    "no": ("不同意联系", "does not agree to be contacted"),
    "unasked": ("未询问，按不同意联系办理", "was not asked: not to be contacted"),
}
REASONS = {
    "dissatisfied": ("评价不满意", "a bad rating"), "human_requested": ("要求转人工", "wished to talk to a person"),
    "danger": ("正在发生危险", "danger now"), "abuse_alleged": ("反映违法违纪", "an allegation of abuse"),
}  # fmt: skip
WITHHELD = ("不予提供", "withheld")
ON_REQUEST = ("登录系统写明事由后查看", "in the system, against a reason")
NO_MORE = ("交办单已结束，不再提供", "no longer given: the order has ended")
NOTHING_SAID = ("当事人未陈述", "nothing was said")
WORDLESS = ("有录音，尚无文字", "recorded, not in writing yet")
SECOND_CALL = ("第 {round} 次再次回访：", "Call again no. {round}: ")
SYSTEM = ("系统", "the system")
OPERATOR_NOTED = ("值班员记录：", "Noted by the operator: ")
WEEKDAYS = (("周一", "Mon"), ("周二", "Tue"), ("周三", "Wed"), ("周四", "Thu"), ("周五", "Fri"), ("周六", "Sat"), ("周日", "Sun"))
LAST_MOMENT = timedelta(microseconds=1)

__all__ = ["ITEM_WORDS", "Words"]


def day(say: Words, on: date | None) -> str:
    """A day in words; empty for none."""
    if on is None:
        return ""
    return say(f"{on.year}年{on.month}月{on.day}日", f"{on:%Y-%m-%d}")


def minute(say: Words, at: datetime | None) -> str:
    """A local moment to the minute; empty for none."""
    return f"{day(say, at.date())} {at:%H:%M}" if at else ""


def deadline(say: Words, due_at: datetime) -> str:
    """The local end of a working day, named by that day."""
    last = (due_at - LAST_MOMENT).date()
    return f"{day(say, last)}{say('（', ' (')}{say(*WEEKDAYS[last.weekday()])}{say('）', ')')}"
