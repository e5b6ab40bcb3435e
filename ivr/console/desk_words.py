"""The words of the desk."""

from flask_babel import lazy_gettext as _l

from ivr.console.words import BAD, BUSY, GOOD, QUIET, Tag

DUTY = {
    "free": Tag(_l("空闲"), "●", GOOD),
    "busy": Tag(_l("忙"), "■", BUSY),
    "talking": Tag(_l("通话"), "☎", BUSY),
    "wrapping": Tag(_l("整理"), "✎", BUSY),
    "away": Tag(_l("离席"), "○", BAD),
    "off": Tag(_l("未上岗"), "–", QUIET),
}
NOTES = {"missed": _l("连续两次未接，已改为离席"), "rang_out": _l("电话无人接听，已改为离席")}
REASONS = {
    "dissatisfied": _l("评分不满意"),
    "dissatisfied_again": _l("复核仍不满意"),
    "human_requested": _l("按8要人工"),
    "not_understood": _l("两题未听清"),
    "danger": _l("紧急词"),
}
STATES = {
    "waiting": Tag(_l("等候"), "…", BUSY),
    "claimed": Tag(_l("正在呼叫您的电话"), "☎", BUSY),
    "ready": Tag(_l("正在接通群众"), "☎", BUSY),
    "talking": Tag(_l("通话中"), "●", GOOD),
    "wrap": Tag(_l("通话结束，请整理"), "✎", BUSY),
    "done": Tag(_l("已整理"), "✓", QUIET),
}
RESULTS = {
    "nobody": _l("无人接听"),
    "failed": _l("转接失败"),
    "lost": _l("您的线路中断"),
    "ended": _l("通话已结束"),
    "handed_back": _l("已交还自动回访"),
    "left": _l("对方已挂断"),
}
VERDICTS = {
    "order": _l("交办责任单位"),
    "call_back": _l("另行回电"),
    "resolved": _l("通话中已解决"),
    "no_contact": _l("不再跟进"),
}
SECOND_VERDICTS = {**VERDICTS, "order": _l("退回责任单位"), "resolved": _l("已满意，可办结")}
"""The same after a second call, whose answers decide over the order (R51)."""
