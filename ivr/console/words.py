"""The words, signs and colours of states, once for all pages. A tag always has word and sign, never colour alone."""

import re

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from ivr.console.action_words import ACTIONS as ACTIONS
from ivr.console.language import is_english
from ivr.console.remark_words import CLASS_TAGS as CLASS_TAGS
from ivr.console.remark_words import CLASSES as CLASSES
from ivr.console.remark_words import EVIDENCE as EVIDENCE
from ivr.console.remark_words import FINDINGS as FINDINGS
from ivr.console.remark_words import RECORDING as RECORDING
from ivr.console.remark_words import SPOKEN as SPOKEN
from ivr.console.remark_words import TRANSCRIPT as TRANSCRIPT
from ivr.console.remark_words import TRANSCRIPTION_PROBLEMS as TRANSCRIPTION_PROBLEMS
from ivr.console.tags import BAD as BAD
from ivr.console.tags import BUSY as BUSY
from ivr.console.tags import CARE as CARE
from ivr.console.tags import GOOD as GOOD
from ivr.console.tags import QUIET as QUIET
from ivr.console.tags import Tag as Tag
from ivr.console.tags import say as say
from ivr.console.tags import tag as tag
from survey.alarms import AlarmKind
from survey.disposition import Disposition
from survey.eligibility import category_words
from survey.fieldwork.reviews import REASONS as REVIEWS
from survey.fieldwork.suppressions import SOURCES
from survey.holds import HoldReason
from survey.store.queries.people import UserRow

CAMPAIGN = {
    "ready": Tag(_l("待开始"), "○", QUIET),
    "running": Tag(_l("进行中"), "▶", BUSY),
    "paused": Tag(_l("已暂停"), "‖", CARE),
    "stopped": Tag(_l("已停止"), "■", BAD),
    "finished": Tag(_l("已完成"), "✓", GOOD),
}
FOLLOWUP = {**CAMPAIGN, "finished": Tag(_l("暂无待复核"), "✓", QUIET)}
"""The states of a campaign of second calls: it goes on when the next order is answered."""
RESPONDENT = {
    "waiting": Tag(_l("待拨打"), "○", QUIET),
    "calling": Tag(_l("通话中"), "▶", BUSY),
    "closed": Tag(_l("已结束"), "✓", GOOD),
    "needs_review": Tag(_l("待人工核查"), "!", CARE),
}
ATTEMPT = {
    "planned": Tag(_l("等值班员接听"), "○", QUIET),
    "claimed": Tag(_l("准备拨打"), "○", QUIET),
    "requested": Tag(_l("已提交"), "○", BUSY),
    "unknown": Tag(_l("结果不明"), "?", CARE),
    "placed": Tag(_l("已受理"), "○", BUSY),
    "initiated": Tag(_l("接续中"), "▶", BUSY),
    "ringing": Tag(_l("振铃"), "▶", BUSY),
    "in_progress": Tag(_l("通话中"), "▶", BUSY),
    "completed": Tag(_l("通话结束"), "✓", GOOD),
    "busy": Tag(_l("占线"), "–", CARE),
    "no_answer": Tag(_l("无人接听"), "–", CARE),
    "failed": Tag(_l("呼叫失败"), "×", BAD),
    "canceled": Tag(_l("已取消"), "–", CARE),
    "rejected": Tag(_l("线路拒绝"), "×", BAD),
}
CLOSE_REASONS = {
    "finished": _l("已有最终结果"),
    "declined": _l("多次不便或拒绝"),
    "max_attempts": _l("已达拨打次数上限"),
    "out_of_time": _l("回访期限内已无可拨时段"),
    "opted_out": _l("本人拒绝再访"),
    "handed_over": _l("已转人工处理"),
    "campaign_stopped": _l("任务已停止"),
    "quarantine": _l("静默期内已访"),
    "excluded": _l("抽样后查明不应回访"),
    "reviewed": _l("人工核查后结束"),
    "refused_number": _l("号码不允许拨打"),
    "no_number": _l("无可拨号码"),
    "order_went_on": _l("交办单已另行处理，不再复核"),
}
"""Why a respondent is not called any more."""
PROBLEMS = {
    "refused_number": _l("号码不允许拨打"),
    "several calls": _l("一次拨打对应多通电话"),
    "not placed": _l("未实际呼出"),
}
"""What may stand in place of the carrier's error code."""
REFUSALS = {
    "credentials": _l("运营商账号或密钥无效"),
    "bad_caller_id": _l("主叫号码未获运营商许可"),
    "review": _l("运营商因其他原因拒绝"),
}
REFUSED = re.compile(r"线路拒绝 / refused by the carrier: (\w+) ?(.*)")
"""How a campaign that was halted by itself says why."""
PRIORITY = {
    1: Tag(_l("立即"), "!!", BAD),
    2: Tag(_l("今日"), "!", CARE),
    3: Tag(_l("按期"), "○", BUSY),
}
CONSENT = {
    "yes": Tag(_l("同意"), "✓", GOOD),
    "no": Tag(_l("不同意"), "×", BAD),
    "unasked": Tag(_l("未询问"), "–", QUIET),
}
CASE = {
    "open": Tag(_l("待处理"), "○", BUSY),
    "closed": Tag(_l("已办结"), "✓", GOOD),
    "merged": Tag(_l("已合并"), "–", QUIET),
    "withdrawn": Tag(_l("已撤回"), "–", QUIET),
    "settled": Tag(_l("通话中办结"), "✓", GOOD),
}
REASONS = {
    "dissatisfied": _l("评价不满意"),
    "human_requested": _l("要求转人工"),
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
    "interference": _l("被要求给好评"),
    "discipline": _l("反映违法违纪"),
    "remark": _l("意见建议"),
    "put_right": _l("问题是否解决"),
    "satisfied_now": _l("现在是否满意"),
    "opening": _l("开场白"),
    "callback.when": _l("预约回电时间"),
}
ITEMS_SHORT = {
    "speed": _l("速度"),
    "attitude": _l("态度"),
    "outcome": _l("结果"),
    "equipment": _l("装备"),
    "appearance": _l("警容"),
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
COMMANDS = {
    "back": _l("上一题"),
    "human": _l("要求人工"),
    "not_now": _l("现在不便"),
    "never": _l("今后不再来电"),
    "repeat": _l("重听"),
    "danger": _l("正在发生危险"),
}
"""What may be said at every question."""
UNDERSTOOD = {**CODES, **COMMANDS}
HEARINGS = {
    "accepted": Tag(_l("已采纳"), "✓", GOOD),
    "doubted": Tag(_l("反问确认"), "?", CARE),
    "unclear": Tag(_l("未听懂，重问"), "–", QUIET),
    "late": Tag(_l("按键在先"), "○", QUIET),
}
"""What became of an utterance."""
MODES = {"keys": _l("按键"), "speech": _l("语音"), "human": _l("人工录入")}
ROLES = {
    "administrator": _l("管理员"),
    "operator": _l("值班员"),
    "centre": _l("指挥中心"),
    "inspection": _l("督察"),
    "unit": _l("责任单位"),
    "commander": _l("指挥长"),
    "auditor": _l("审计员"),
}
MUST_CHANGE = Tag(_l("须更换初始密码"), "!", CARE)
SECOND_FACTOR = {True: Tag(_l("已启用"), "✓", GOOD), False: Tag(_l("未启用"), "–", QUIET)}
DISABLED = Tag(_l("已停用"), "■", BAD)
IN_USE = Tag(_l("正常"), "✓", GOOD)
EVENTS = {
    "answered": _l("接听"),
    "digits": _l("按键"),
    "heard": _l("语音回答"),
    "noinput": _l("无应答"),
    "recorded": _l("录音结束"),
    "machine": _l("机器接听"),
    "hungup": _l("对方挂断"),
}
ENDINGS = {"silence": _l("静音结束"), "hangup": _l("挂机结束")}
"""What ended a recording, where it was no key."""
ANSWERERS = {"human": _l("真人"), "unknown": _l("不明"), "fax": _l("传真"), "machine": _l("机器")}
_FLAWS = {"missing": "缺少记录", "continue": "与上一条不衔接", "altered": "内容被篡改", "cut": "末尾被截断"}
_DISPOSITION_TONES = {"I": ("✓", GOOD), "P": ("◐", GOOD), "R": ("×", BAD), "NE": ("–", QUIET), "O": ("!", CARE)}


def campaign(kind: str, state: str) -> Tag:
    """The state of a campaign of this kind."""
    return tag(FOLLOWUP if kind == "followup" else CAMPAIGN, state)


def disposition(word: str | None) -> Tag | None:
    """The tag of a disposition: its own words, a sign and colour by its outcome class. None while there is none."""
    if word is None:
        return None
    found = Disposition.from_word(word)
    sign, tone = _DISPOSITION_TONES.get(found.outcome_class, ("○", QUIET))
    return Tag(found.en if is_english() else found.zh, sign, tone)


def account(row: UserRow) -> Tag:
    """The state of an account: shut out, still with the password that another knows, or in order."""
    if row.disabled_at is not None:
        return DISABLED
    return MUST_CHANGE if row.must_change else IN_USE


def aapor(word: str) -> str:
    """The AAPOR code of a disposition."""
    return Disposition.from_word(word).aapor


def answerer(answered_by: str | None) -> str:
    """Who picked up, in the carrier's opinion: it has several words for a machine."""
    if answered_by is None:
        return "—"
    return say(ANSWERERS, "machine" if answered_by.startswith("machine") else answered_by)


def flaw(problem: str) -> str:
    """A flaw of the audit chain in the page's language."""
    if is_english():
        return problem
    for english, chinese in _FLAWS.items():
        if english in problem:
            return chinese
    return problem


def transcription_problem(problem: str) -> str:
    """Why a remark has no text, stored as `<word>: <what the machine told>`, in the page's language."""
    word, _colon, told = problem.partition(": ")
    return say(TRANSCRIPTION_PROBLEMS, word) + (f" · {in_language(told)}" if told else "")


def halt(reason: str) -> str:
    """Why a campaign does not call, in the page's language; what a person wrote is shown as it is."""
    refused = REFUSED.fullmatch(reason)
    if refused is None:
        return reason
    return _("运营商拒绝外呼：%(why)s（错误码 %(code)s）", why=say(REFUSALS, refused[1]), code=refused[2] or "—")


def in_language(message: object) -> str:
    """A message of the domain, which says everything as “中文 / English”, in the page's language alone."""
    zh, _slash, en = str(message).partition(" / ")
    return (en or zh) if is_english() else zh


def name_of(one: AlarmKind | HoldReason) -> str:
    """The name of a kind of alarm or of a reason for holding back, in the page's language."""
    return one.en if is_english() else one.zh


def hold_detail(reason: HoldReason, detail: str) -> str:
    """The figures of a hold, stored as `<so many>/<of so many>`, in words; others are shown as they are."""
    found, slash, limit = detail.partition("/")
    if not slash:
        return detail
    if reason is HoldReason.ABANDONED:
        return _("%(answered)s 人接听，其中 %(abandoned)s 人两秒内未听到声音", answered=limit, abandoned=found)
    return _("已达 %(found)s，上限 %(limit)s", found=found, limit=limit)


def review(reason: str) -> str:
    """Why a respondent waits for a person, in the page's language; an unknown word stands for itself."""
    zh, en = REVIEWS.get(reason, (reason, reason))
    return en if is_english() else zh


def refusal_source(source: str) -> str:
    """How a refusal reached us, in the page's language; an unknown word stands for itself."""
    zh, en = SOURCES.get(source, (source, source))
    return en if is_english() else zh


def category(code: str) -> str:
    """An incident's category in the page's language; an unknown code stands for itself."""
    zh, en = category_words(code)
    return en if is_english() else zh
