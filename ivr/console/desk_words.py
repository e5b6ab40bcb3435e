"""The words of the desk."""

from flask_babel import lazy_gettext as _l

from ivr.console.words import BAD, BUSY, GOOD, QUIET, Tag

DUTY = {
    "free": Tag(_l("空闲"), "●", GOOD),
    "busy": Tag(_l("忙"), "■", BUSY),
    "talking": Tag(_l("正在通话"), "☎", BUSY),
    "wrapping": Tag(_l("整理"), "✎", BUSY),
    "away": Tag(_l("离席"), "○", BAD),
    "off": Tag(_l("未上岗"), "–", QUIET),
}
NOTES = {
    "missed": _l("连续两次未接，已改为离席"),
    "rang_out": _l("电话无人接听，已改为离席"),
    "ring_refused": _l("运营商不接通您的值班电话，已改为离席：请核对值班电话"),
    "ring_failed": _l("线路故障，未能呼叫您的电话，已改为离席：请稍后再上岗"),
    "gone": _l("登录已失效，已改为下岗"),
}
REASONS = {
    "dissatisfied": _l("评分不满意"),
    "dissatisfied_again": _l("复核仍不满意"),
    "human_requested": _l("按8要人工"),
    "not_understood": _l("两题未听清"),
    "abuse_alleged": _l("反映违纪"),
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
UNREACHED = {
    "rang_out": _l("您的电话没有接听，未拨打群众"),
    "ring_refused": _l("运营商不接通您的值班电话，未拨打群众：请核对值班电话"),
    "ring_failed": _l("线路故障，未能呼叫您的电话，未拨打群众"),
    "called_off": _l("回拨已取消"),
    "busy": _l("对方占线"),
    "no_answer": _l("对方无人接听"),
    "unreachable": _l("未能接通对方"),
    "no_line": _l("线路全忙，未能拨打"),
    "refused": _l("此号码已登记拒访，未拨打"),
    "outside_hours": _l("已过可拨打的时段，未拨打"),
    "no_number": _l("没有可拨打的号码"),
}
"""How a call back ends in which the two did not meet."""
CALLING = {
    "planned": _l("您按1后，系统拨打群众"),
    "claimed": _l("正在等候空闲线路"),
    "requested": _l("正在拨打群众"),
    "unknown": _l("运营商没有答复，正在核实是否已经拨出"),
    "placed": _l("正在拨打群众"),
    "initiated": _l("正在拨打群众"),
    "ringing": _l("群众的电话正在振铃"),
    "in_progress": _l("群众已接听，正在接通"),
}
"""How far the call to the person has come, by its status."""
FORBIDDEN = {
    "closed": _l("此件已了结，不能回拨。"),
    "no_contact": _l("群众不同意联系，不能回拨。"),
    "no_number": _l("没有可拨打的号码，不能回拨。"),
    "refused": _l("此号码已登记拒访，不能回拨。"),
    "no_such_number": _l("运营商不接通此号码，不能回拨。"),
    "max_attempts": _l("回拨未通已达上限，不再回拨。请登记情况后了结，或改用其他方式联系。"),
    "no_calendar": _l("缺少节假日安排，无法判断能否拨打。请管理员载入。"),
    "going_on": _l("正在回拨。"),
}
"""Why a ticket cannot be called back at all."""
VERDICTS = {
    "order": _l("交办责任单位"),
    "call_back": _l("另行回电"),
    "resolved": _l("通话中已解决"),
    "no_contact": _l("不再跟进"),
}
SECOND_VERDICTS = {**VERDICTS, "order": _l("退回责任单位"), "resolved": _l("已满意，可办结")}
"""The same after a second call, whose answers decide over the order (R51)."""
DANGER = {
    "hall": _l("已通知指挥大厅"),
    "told_110": _l("已请群众拨打110"),
    "none": _l("确认无危险"),
}
"""What an operator did about a person who may be in danger."""
