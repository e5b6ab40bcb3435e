"""The words, signs and colours of orders: those of the domain in the page's language, and what the pages add."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_babel.speaklater import LazyString

from ivr.console.language import calendar_day, is_english
from ivr.console.words import BAD, BUSY, CARE, GOOD, QUIET, Tag
from survey.casework.views import EventView
from survey.order_clock import LAST_MOMENT
from survey.order_moves import MOVES, OUTCOMES, STATES
from survey.order_replies import CAUSES, FAULTS, FINDINGS
from survey.orders import GROUNDS

_SIGNS = {
    "issued": ("○", CARE), "signed": ("○", BUSY), "in_hand": ("▶", BUSY), "answered": ("◐", BUSY), "recalling": ("▶", BUSY),
    "returned": ("↩", CARE), "supervised": ("!!", BAD), "closed": ("✓", GOOD), "void": ("–", QUIET),
}  # fmt: skip
TABS: dict[str, LazyString] = {
    "to_issue": _l("待下发"),
    "to_sign": _l("待签收"),
    "running": _l("办理中"),
    "today": _l("今日到期"),
    "soon": _l("即将到期"),
    "overdue": _l("逾期"),
    "returned": _l("已退回"),
    "requests": _l("待审批"),
    "answered": _l("已回复待再访"),
    "recalling": _l("再次回访中"),
    "supervised": _l("督办中"),
    "ended": _l("已办结"),
    "all": _l("全部"),
}
SORTS: dict[str, LazyString] = {"due": _l("按期限"), "newest": _l("按下发时间"), "unit": _l("按单位")}
EVENTS: dict[str, LazyString] = {
    "issue": _l("下发"),
    "sign": _l("签收"),
    "take_in_hand": _l("开始办理"),
    "answer": _l("回复"),
    "ask_extension": _l("申请延期"),
    "decide_extension": _l("审批延期"),
    "appeal": _l("申诉"),
    "decide_appeal": _l("裁定申诉"),
    "reassign": _l("改派"),
    "return": _l("退回重办"),
    "supervise": _l("督办"),
    "begin_recall": _l("开始再次回访"),
    "note_recall": _l("登记再次回访结果"),
    "close": _l("办结"),
    "void": _l("作废"),
    "reroute": _l("转督察办理"),
    "retime": _l("交办单按日历顺延"),
    "attach": _l("添加附件"),
}
EXTENSIONS = {
    "": Tag(_l("尚待审批"), "?", CARE),
    "granted": Tag(_l("同意延期"), "✓", GOOD),
    "refused": Tag(_l("不同意延期"), "×", BAD),
    "lapsed": Tag(_l("未及审批"), "—", QUIET),
}
APPEALS = {
    "": Tag(_l("待裁定"), "?", CARE),
    "upheld": Tag(_l("申诉成立"), "✓", GOOD),
    "rejected": Tag(_l("申诉不成立"), "×", BAD),
    "lapsed": Tag(_l("未及裁定"), "—", QUIET),
}
RECALLS: dict[str, LazyString] = {
    "satisfied": _l("满意"),
    "dissatisfied": _l("仍不满意"),
    "unreachable": _l("无法联系"),
    "declined": _l("不愿再次回访"),
}
KINDS: dict[str, LazyString] = {"application/pdf": _l("PDF 文件"), "image/jpeg": _l("照片"), "image/png": _l("图片")}
ACTORS: dict[str, LazyString] = {"system": _l("系统")}
TICKET_STEPS: dict[str, LazyString] = {
    "claim": _l("领取"),
    "assign": _l("指派"),
    "release": _l("退回队列"),
    "note": _l("办理情况"),
    "merge": _l("合并"),
    "close": _l("了结"),
    "call_back": _l("回拨"),
    "not_reached": _l("回拨未通"),
    "call_resolved": _l("人工通话：已解决"),
    "call_order": _l("人工通话：交办或退回责任单位"),
    "call_call_back": _l("人工通话：另行回电"),
    "call_no_contact": _l("人工通话：不再跟进"),
    "call_unsorted": _l("人工通话：到时未整理"),
}


def pair(table: Mapping[str, tuple[str, str]], key: str) -> str:
    """A word of a table of the domain in the page's language; an unknown one stands for itself."""
    zh, en = table.get(key, (key, key))
    return en if is_english() else zh


def state(word: str) -> Tag:
    """The tag of an order's state."""
    sign, tone = _SIGNS.get(word, ("?", QUIET))
    return Tag(pair(STATES, word), sign, tone)


def outcome(word: str) -> str:
    """How an order was closed."""
    return pair(OUTCOMES, word)


def finding(word: str) -> str:
    """What a reply has found."""
    return pair(FINDINGS, word)


def cause(word: str) -> str:
    """What a reply gives as the cause."""
    return pair(CAUSES, word)


def fault(word: str) -> str:
    """What somebody is held to account for."""
    return pair(FAULTS, word)


def ground(word: str) -> str:
    """The ground of an appeal."""
    return pair(GROUNDS, word)


def choices(table: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """The words of a table of the domain for a list to choose from."""
    return [(key, pair(table, key)) for key in table]


def move(action: str) -> str:
    """What an action is called in the domain's own sentences."""
    found = MOVES[action]
    return found.en if is_english() else found.zh


def detail(event: EventView) -> str:
    """What the step was about beside its reason: days, decision, result."""
    told = event.details
    if event.what in ("issue", "ask_extension"):
        return ngettext("%(num)s 个工作日", "%(num)s 个工作日", told.get("days", 0))
    if event.what == "answer":
        found = f"{finding(told.get('finding', ''))} · {cause(told.get('cause', ''))}"
        return _("%(found)s（逾期回复）", found=found) if told.get("late") else found
    if event.what == "retime":
        return _("原期限 %(day)s", day=calendar_day(datetime.fromisoformat(told["due_before"]) - LAST_MOMENT))
    if event.what == "reassign":
        return f"{told.get('from', '')} → {told.get('to', '')}"
    if "decision" in told:
        return str((APPEALS if event.what == "decide_appeal" else EXTENSIONS)[told["decision"]].word)
    if event.what == "note_recall":
        return str(RECALLS.get(told.get("result", ""), ""))
    if event.what == "appeal":
        return ground(told.get("ground", ""))
    return str(KINDS.get(told.get("kind", ""), ""))


def size(size_bytes: int) -> str:
    """The size of a file as people say it."""
    return f"{size_bytes / 1024 / 1024:.1f} MB" if size_bytes >= 1024 * 1024 else f"{max(1, round(size_bytes / 1024))} KB"
