"""The kinds of alarm: what a person must see to, with the words of the page and of the manual.

`docs/运维手册.md` says for each what it means and what to do; a test holds the two against each other.
"""

from enum import Enum

SWEEP_SILENT_SECONDS = 30.0
"""So long after its last sign of life the clock process counts as silent: the one alarm that is not raised but found by whoever asks."""


class AlarmKind(Enum):
    """One kind of alarm: its stored word, how grave it is (`critical` wakes somebody, `warning` can wait till morning), its names."""

    DOUBLE_RING = ("double_ring", "critical", "同一次拨打振铃两路", "One call to a person rang two lines")
    UNKNOWN_TOO_LONG = ("unknown_too_long", "critical", "拨打结果长时间不明", "A call's outcome is unknown for too long")
    CARRIER_REFUSED = ("carrier_refused", "critical", "运营商拒绝账号或主叫号码", "The carrier refuses the account or the caller ID")
    CARRIER_UNREACHABLE = ("carrier_unreachable", "critical", "无法连接运营商", "The carrier cannot be reached")
    NO_CALLBACKS = ("no_callbacks", "critical", "电话已拨出，运营商未回报通话状态", "Calls go out and the carrier reports nothing back")
    SWEEP_SILENT = ("sweep_silent", "critical", "调度进程（clock）无响应", "The clock process is silent")
    FORGED_WEBHOOKS = ("forged_webhooks", "critical", "大量请求签名不符，疑似冒充运营商", "Many requests that the carrier did not sign")
    ABANDONED_CALLS = ("abandoned_calls", "critical", "无声呼叫超过 3%，已暂缓拨打", "More than 3 % silent calls, dialling holds back")
    SPEND_LIMIT = ("spend_limit", "critical", "估算话费达到上限", "The estimated bill has reached its limit")
    CARRIER_QUEUES = ("carrier_queues", "warning", "呼叫在运营商处排队，拨打过快", "The carrier queues our calls")
    FOREIGN_JOB = ("foreign_job", "critical", "作业队列中混入外来作业", "A job that is not ours was in the queue")
    DANGER_SAID = ("danger_said", "critical", "录音中有表示正在发生危险的词语", "Words that mean danger now stand in a recording")
    CALENDAR_MISSING = ("calendar_missing", "critical", "缺少节假日安排，无法排定呼叫", "No holiday calendar: calls cannot be timed")
    CALENDAR_DUE = ("calendar_due", "warning", "节假日安排尚未导入", "A year's holidays are not loaded yet")
    NEEDS_REVIEW = ("needs_review", "warning", "有受访人待人工核查", "Respondents need a person's review")
    BACKUP_OLD = ("backup_old", "warning", "备份已过期", "The last backup is too old")
    NOTICES_FAIL = ("notices_fail", "warning", "通知一小时以上未能送达", "Notices have not arrived for an hour or more")
    DISK_FULL = ("disk_full", "critical", "磁盘空间不足", "The disk is nearly full")

    def __init__(self, word: str, gravity: str, zh: str, en: str) -> None:
        self.word, self.gravity, self.zh, self.en = word, gravity, zh, en

    @classmethod
    def from_word(cls, word: str) -> "AlarmKind":
        """The kind stored as `word`. Raises KeyError with the word when there is none."""
        return _BY_WORD[word]


_BY_WORD = {kind.word: kind for kind in AlarmKind}
