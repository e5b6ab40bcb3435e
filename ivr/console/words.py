"""The words, signs and colours of states, once for all pages. A tag always has word and sign, never colour alone."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from ivr.console.language import is_english
from survey.disposition import Disposition

GOOD, BAD, BUSY, CARE, QUIET = "good", "bad", "busy", "care", "quiet"


@dataclass(frozen=True)
class Tag:
    """A state as shown: its word, a sign, and the tone that gives the colour."""

    word: str | LazyString
    sign: str
    tone: str


CAMPAIGN = {
    "ready": Tag(_l("待开始"), "○", QUIET),
    "running": Tag(_l("进行中"), "▶", BUSY),
    "paused": Tag(_l("已暂停"), "‖", CARE),
    "stopped": Tag(_l("已停止"), "■", BAD),
    "finished": Tag(_l("已完成"), "✓", GOOD),
}
RESPONDENT = {
    "waiting": Tag(_l("待拨打"), "○", QUIET),
    "calling": Tag(_l("通话中"), "▶", BUSY),
    "closed": Tag(_l("已结束"), "✓", GOOD),
    "needs_review": Tag(_l("待人工核查"), "!", CARE),
}
ATTEMPT = {
    "claimed": Tag(_l("准备拨打"), "○", QUIET),
    "requested": Tag(_l("已提交"), "○", BUSY),
    "unknown": Tag(_l("结果不明"), "?", CARE),
    "placed": Tag(_l("已受理"), "○", BUSY),
    "initiated": Tag(_l("正在接续"), "▶", BUSY),
    "ringing": Tag(_l("振铃"), "▶", BUSY),
    "in_progress": Tag(_l("通话中"), "▶", BUSY),
    "completed": Tag(_l("通话结束"), "✓", GOOD),
    "busy": Tag(_l("占线"), "–", CARE),
    "no_answer": Tag(_l("无人接听"), "–", CARE),
    "failed": Tag(_l("呼叫失败"), "×", BAD),
    "canceled": Tag(_l("已取消"), "–", CARE),
    "rejected": Tag(_l("线路拒绝"), "×", BAD),
}
RECORDING = {
    "announced": Tag(_l("待取回"), "○", BUSY),
    "kept": Tag(_l("已保存"), "✓", GOOD),
    "missing": Tag(_l("缺失"), "×", BAD),
    "needs_review": Tag(_l("待人工核查"), "!", CARE),
}
PRIORITY = {
    1: Tag(_l("立即"), "!!", BAD),
    2: Tag(_l("今日"), "!", CARE),
    3: Tag(_l("按期"), "○", BUSY),
}
CONSENT = {
    "yes": Tag(_l("同意联系"), "✓", GOOD),
    "no": Tag(_l("不同意联系"), "×", BAD),
    "unasked": Tag(_l("未询问"), "–", QUIET),
}
CASE = {
    "open": Tag(_l("待领"), "○", BUSY),
    "closed": Tag(_l("已办结"), "✓", GOOD),
}
REASONS = {
    "dissatisfied": _l("评价不满意"),
    "human_requested": _l("要求人工"),
    "danger": _l("正在发生危险"),
    "abuse_alleged": _l("反映违法违纪"),
}
ROUTES = {"centre": _l("指挥中心"), "inspection": _l("督察")}
ITEMS = {
    "right_person": _l("是否本人"),
    "speed": _l("出警速度"),
    "attitude": _l("处警态度"),
    "outcome": _l("处置结果"),
    "equipment": _l("单警装备"),
    "appearance": _l("警容风纪"),
    "reason": _l("不满意原因"),
    "consent": _l("同意联系"),
    "interference": _l("有人要求好评"),
    "remark": _l("意见建议"),
}
CODES = {
    "very_satisfied": _l("非常满意"),
    "satisfied": _l("满意"),
    "neutral": _l("一般"),
    "dissatisfied": _l("不满意"),
    "very_dissatisfied": _l("非常不满意"),
    "unsure": _l("说不清"),
    "yes": _l("是"),
    "no": _l("否"),
    "none": _l("没有"),
    "recorded": _l("已录音"),
}
MODES = {"keys": _l("按键"), "speech": _l("语音"), "human": _l("人工录入")}
ROLES = {
    "administrator": _l("管理员"),
    "operator": _l("话务员"),
    "commander": _l("指挥员"),
    "auditor": _l("审计员"),
}
_DISPOSITION_TONES = {"I": ("✓", GOOD), "P": ("◐", GOOD), "R": ("×", BAD), "NE": ("–", QUIET), "O": ("!", CARE)}


def disposition(word: str | None) -> Tag | None:
    """The tag of a disposition: its own words, a sign and colour by its outcome class. None while there is none."""
    if word is None:
        return None
    found = Disposition.from_word(word)
    sign, tone = _DISPOSITION_TONES.get(found.outcome_class, ("○", QUIET))
    return Tag(found.en if is_english() else found.zh, sign, tone)


def tag(table: dict[str, Tag] | dict[int, Tag], key: str | int) -> Tag:
    """The tag for a stored word; a word that we do not know is shown as it is."""
    found: Tag | None = table.get(key)  # type: ignore[arg-type]
    return found or Tag(str(key), "?", QUIET)


def say(table: dict[str, LazyString], key: str) -> str:
    """The word for a stored word; one that we do not know is shown as it is."""
    return str(table.get(key, key))
